/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-bond.h: which member of a bond a packet goes out of.
 *
 * The hash is that of dpif-netdev for the same action, so that ofproto can move
 * buckets about by the bytes that went through each.
 */

#ifndef OXDP_BOND_H
#define OXDP_BOND_H 1

#include "oxdp-hash.h"
#include "oxdp-maps.h"

/* Returns the index of bond 'id', looking at 'n_probes' of its places, or
 * OXDP_MAX_BONDS if it is in none. */
OXDP_INLINE __u32
oxdp_bond_find(__u32 id, int n_probes)
{
    int i;

    for (i = 0; i < n_probes; i++) {
        __u64 slot = OXDP_BOUND(id + i, OXDP_MAX_BONDS);

        if (*(volatile __u32 *) &oxdp_shared.bonds[slot].id == id) {
            return slot;
        }
    }
    return OXDP_MAX_BONDS;
}

/* Returns the port of bond number 'slot' for packets with 'hash', maybe
 * OXDP_BOND_NO_PORT. */
OXDP_INLINE __u32
oxdp_bond_port(__u32 slot, __u32 hash)
{
    return oxdp_shared.bonds[OXDP_BOUND(slot, OXDP_MAX_BONDS)]
           .ports[OXDP_BOUND(hash, OXDP_BOND_BUCKETS)];
}

/* Counts a packet of 'len' bytes with 'hash' that goes there.  'block' is this
 * CPU's. */
OXDP_INLINE void
oxdp_bond_count(struct oxdp_cpu_block *block, __u32 slot, __u32 hash,
                __u32 len)
{
    block->bonds[OXDP_BOUND(slot, OXDP_MAX_BONDS)]
        .bytes[OXDP_BOUND(hash, OXDP_BOND_BUCKETS)] += len;
}

/* Returns the port to output to, or NULL: that with number '*port_no', unless it
 * is a dead member of a bond.  Then it is another one, whose number '*port_no'
 * becomes. */
OXDP_INLINE struct oxdp_port *
oxdp_port_live(__u32 *port_no)
{
    struct oxdp_port *port = oxdp_port_get(*port_no);

    if (port && port->standby) {
        *port_no = port->standby;
        port = oxdp_port_get(*port_no);
    }
    return port;
}

#endif /* oxdp-bond.h */
