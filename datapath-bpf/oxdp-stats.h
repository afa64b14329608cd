/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-stats.h: counters, all of them per CPU in mapped arrays.
 */

#ifndef OXDP_STATS_H
#define OXDP_STATS_H 1

#include "oxdp-maps.h"

OXDP_INLINE struct oxdp_port_stats *
oxdp_port_stats_get(__u32 port)
{
    __u32 i = bpf_get_smp_processor_id() * OXDP_MAX_PORTS + port;

    return port < OXDP_MAX_PORTS
           ? bpf_map_lookup_elem(&oxdp_port_stats, &i) : NULL;
}

/* Counts a packet that came in on 'port' and is lost, and returns the
 * program's return code. */
OXDP_INLINE int
oxdp_drop(__u32 port, enum oxdp_drop reason)
{
    struct oxdp_port_stats *stats;

    /* Packets of no port at all are counted on the CPU port, number 0. */
    stats = oxdp_port_stats_get(port == OXDP_PORT_NONE ? 0 : port);
    if (stats) {
        stats->drops[reason]++;
    }
    return OXDP_RET_DROP;
}

OXDP_INLINE void
oxdp_flow_count(__u32 slot, __u32 len, __be16 tcp_flags)
{
    __u32 chunk = slot >> OXDP_CHUNK_SHIFT;
    __u32 i = bpf_get_smp_processor_id() * OXDP_CHUNK_FLOWS
              + (slot & (OXDP_CHUNK_FLOWS - 1));
    struct oxdp_flow_stats *stats;
    void *inner;

    inner = bpf_map_lookup_elem(&oxdp_flow_stats, &chunk);
    if (!inner) {
        return;
    }
    stats = bpf_map_lookup_elem(inner, &i);
    if (!stats) {
        return;
    }
    stats->packets++;
    stats->bytes += len;
    stats->used = bpf_jiffies64();
    stats->tcp_flags |= bpf_ntohs(tcp_flags);
}

#endif /* oxdp-stats.h */
