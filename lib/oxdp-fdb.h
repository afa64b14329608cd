/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-fdb: entries in the forwarding tables of kernel bridges, by rtnetlink,
 * in the network namespace of the calling thread.
 *
 * Ours have the flag that ip-bridge(8) calls "extern_learn": the kernel does
 * not age them, but moves them when a packet from their address comes in
 * elsewhere.  Any thread.
 */

#ifndef OXDP_FDB_H
#define OXDP_FDB_H 1

#include <stdbool.h>
#include <stddef.h>

#include "openvswitch/types.h"

/* An entry of ours, to add, or to move if there is one, or else to delete. */
struct oxdp_fdb_op {
    struct eth_addr mac;
    int ifindex;                /* Member of a bridge; or, if 'self', a device
                                 * that is to receive what is for 'mac'. */
    bool self;
    bool add;
    int error;                  /* Result: 0 or a positive errno value. */
};

/* Executes 'n' operations in as few system calls as there can be. */
void oxdp_fdb_execute(struct oxdp_fdb_op *ops, size_t n);

/* Calls 'cb' for each entry of ours in the bridge 'bridge_ifindex'. */
void oxdp_fdb_dump(int bridge_ifindex,
                   void (*cb)(struct eth_addr, int ifindex, void *aux),
                   void *aux);

#endif /* oxdp-fdb.h */
