/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-stats.h: the counters that each CPU has for itself.
 */

#ifndef OXDP_STATS_H
#define OXDP_STATS_H 1

#include "oxdp-maps.h"

/* Counts a packet that came in on 'port' and is lost, and returns the
 * program's return code. */
OXDP_INLINE int
oxdp_drop(__u32 port, enum oxdp_drop reason)
{
    struct oxdp_cpu_block *block;

    block = oxdp_cpu_block_get(bpf_get_smp_processor_id());
    if (block) {
        /* Packets of no port at all are counted on the CPU port, number 0. */
        port = port < OXDP_MAX_PORTS ? port : 0;
        block->ports[OXDP_BOUND(port, OXDP_MAX_PORTS)].drops[reason]++;
    }
    return OXDP_RET_DROP;
}

#endif /* oxdp-stats.h */
