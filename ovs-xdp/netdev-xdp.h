/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netdev-xdp: the netdev class of internal ports, LOCAL among them.
 *
 * A bridge's LOCAL port NAME is a kernel bridge (lib/oxdp-bridge.h); the
 * datapath's program is attached to its egress.  Any other internal port NAME
 * is a veth pair, which can be moved to another network namespace: the host
 * uses NAME, the datapath's programs are attached to the other end.
 *
 * The class is OVS's netdev_linux class with its own type, which creates the
 * device when one is opened that does not exist.  It is deleted when the port
 * leaves the datapath, never when a netdev is closed: OVS does not delete
 * internal ports when it exits.
 */

#ifndef NETDEV_XDP_H
#define NETDEV_XDP_H 1

#include <stdbool.h>

#include "oxdp-netdev.h"

/* The type that internal ports of our datapath are opened with. */
#define NETDEV_XDP_TYPE "xdp-internal"

/* IFLA_IFALIAS of veths that are ours to reuse and delete: of the host's end,
 * and, with the port's name behind it, of the datapath's end. */
#define NETDEV_XDP_ALIAS OXDP_ALIAS "internal port"
#define NETDEV_XDP_DP_ALIAS OXDP_ALIAS "datapath end of "

struct netdev;

/* Registers the class.  To be called once, from the constructor. */
void netdev_xdp_register(void);

/* Returns the ifindex of the device that has the datapath's programs for
 * internal port 'netdev', or a negative errno value.  Stores in '*bridge'
 * whether that is a kernel bridge. */
int netdev_xdp_dp_ifindex(const struct netdev *netdev, bool *bridge);

/* Deletes the device behind internal port 'name' if it is ours. */
void netdev_xdp_delete(const char *name);

/* Calls 'adopt' for each internal port that exists, such as one that an earlier
 * daemon has left; it is open during the call.  Main thread. */
void netdev_xdp_adopt(void (*adopt)(struct netdev *, void *aux), void *aux);

/* Returns true if 'name' is a bridge of our datapath and not merely an internal
 * port, according to the database (dpif-xdp-bridge.c).  Main thread. */
bool xdp_bridge_is_name(const char *name);

#endif /* netdev-xdp.h */
