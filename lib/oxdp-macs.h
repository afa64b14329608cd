/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-macs: the tables of bridges with other_config:xdp-l2=macvlan, see
 * datapath-bpf/oxdp-macvlan.h, and the address filters of their lower ports.
 *
 * Sole writer of oxdp_shared.macvlans and macs and of oxdp_mac_srcs.  The
 * caller says all that there is to be, between oxdp_macs_start() and
 * oxdp_macs_finish(), which changes in the kernel what is different.
 *
 * Not thread-safe.
 */

#ifndef OXDP_MACS_H
#define OXDP_MACS_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/types.h"

struct oxdp_bpf;
struct oxdp_macs;

struct oxdp_macs *oxdp_macs_create(struct oxdp_bpf *);

/* Also takes addresses out of the filters of lower ports. */
void oxdp_macs_destroy(struct oxdp_macs *);

/* What a port is. */
struct oxdp_macs_port {
    uint32_t port_no;
    uint32_t lower;             /* Datapath port, its own for the lower port. */
    int lower_ifindex;
    uint16_t vlan;              /* 0 if none. */
    uint8_t mode;               /* enum oxdp_macvlan_mode. */
    const struct eth_addr *groups;      /* Multicast that it gets, of number
                                         * 'n_groups'; or NULL: all. */
    size_t n_groups;
};

/* What is not said again from here on will be gone. */
void oxdp_macs_start(struct oxdp_macs *);

void oxdp_macs_add_port(struct oxdp_macs *,
                            const struct oxdp_macs_port *);

/* Gives 'port' the address 'mac'.  Returns 0 or, if another port of the same
 * lower port and VLAN has it, the number of that one; but mode "passthru" takes
 * the address of LOCAL. */
uint32_t oxdp_macs_add_mac(struct oxdp_macs *,
                               const struct oxdp_macs_port *port,
                               struct eth_addr mac);

/* Has 'port', with mode "source", get what comes from 'mac'.  Returns 0, or
 * ENOSPC if so many ports do already. */
int oxdp_macs_add_source(struct oxdp_macs *,
                             const struct oxdp_macs_port *port,
                             struct eth_addr mac);

void oxdp_macs_finish(struct oxdp_macs *);

/* Calls 'cb' for each address of port 'port_no'; 'source' are those of
 * oxdp_macs_add_source(). */
void oxdp_macs_for_each(const struct oxdp_macs *, uint32_t port_no,
                            void (*cb)(struct eth_addr, bool source, void *aux),
                            void *aux);

/* Returns the name of 'mode', an enum oxdp_macvlan_mode, or stores the mode of
 * an upper port that is called 's' in '*mode' and returns true. */
const char *oxdp_macs_mode_name(uint8_t mode);
bool oxdp_macs_mode_from_string(const char *s, uint8_t *mode);

#endif /* oxdp-macs.h */
