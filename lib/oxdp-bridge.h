/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-bridge: kernel bridges, which are the LOCAL ports of OVS bridges.
 *
 * A kernel bridge NAME has a keeper, a veth pair: its end NAME-keep is a
 * member that takes no part in forwarding, and without which the bridge would
 * lose its carrier when it has no other member; what is redirected to the
 * other end, NAME-in, comes in on NAME-keep, where a program sends it on to
 * NAME.
 *
 * As in oxdp-netdev.h, functions may be called from any thread, block for the
 * time of some system calls, and return 0 or a positive errno value.
 */

#ifndef OXDP_BRIDGE_H
#define OXDP_BRIDGE_H 1

#include <stdbool.h>
#include <stdint.h>

#include "oxdp-netdev.h"

/* IFLA_GROUP of bridges that are ours: the only mark that a device can have
 * from its first moment on. */
#define OXDP_BRIDGE_GROUP 0x6f7864

/* IFLA_IFALIAS of both ends of a keeper, with the bridge's name behind it. */
#define OXDP_BRIDGE_KEEPER_ALIAS OXDP_ALIAS "keeper of "

/* Whether the device is a kernel bridge of ours. */
bool oxdp_bridge_is_ours(const struct oxdp_link_info *);

/* Creates the bridge 'name' and its keeper.  EEXIST if there is a device of
 * that name. */
int oxdp_bridge_create(const char *name);

/* Makes the existing bridge 'name' what it was when it was created: its
 * keeper may have been deleted.  Members stay. */
int oxdp_bridge_repair(const char *name);

/* Deletes the bridge 'name' and its keeper.  Members are released. */
int oxdp_bridge_delete(const char *name);

/* Makes device 'ifindex', which may be gone or another one by now, no member
 * of a bridge of ours. */
void oxdp_bridge_release(int ifindex);

/* Makes the member 'ifindex', which must have a carrier, forward though its
 * bridge is down, until that goes up and down again or the carrier is lost. */
int oxdp_bridge_set_forwarding(int ifindex);

/* Stores the ifindexes of both ends of the keeper of bridge 'name'. */
int oxdp_bridge_get_keeper(const char *name, int *keep_ifindex,
                           int *in_ifindex);

/* Whether the device is an end of the keeper of a bridge that is gone. */
bool oxdp_bridge_is_lost_keeper(const struct oxdp_link_info *);

#endif /* oxdp-bridge.h */
