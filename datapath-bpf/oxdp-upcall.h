/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-upcall.h: sending a packet to userspace through the CPU port.
 */

#ifndef OXDP_UPCALL_H
#define OXDP_UPCALL_H 1

#include "oxdp-maps.h"
#include "oxdp-port.h"
#include "oxdp-stats.h"

/* Sends the packet with the metadata of 'key' to userspace because of
 * 'reason', if its port has budget left.  Returns the program's return code. */
OXDP_INLINE int
oxdp_punt(oxdp_ctx *ctx, const struct oxdp_key *key,
          enum oxdp_punt reason)
{
    struct oxdp_hdr hdr = {
        .magic = OXDP_HDR_MAGIC,
        .port = key->in_port,
        .recirc_id = key->recirc_id,
        .dp_hash = key->dp_hash,
        .skb_mark = key->skb_mark,
        .skb_priority = key->skb_priority,
        .reason = reason,
        .hook = OXDP_HOOK,
    };
    struct oxdp_port *port = oxdp_port_get(key->in_port);
    struct oxdp_port_stats *stats;
    struct oxdp_cpu_block *block;
    int ret;

    block = oxdp_cpu_block_get(bpf_get_smp_processor_id());
    if (!port || !block) {
        return OXDP_RET_DROP;
    }
    stats = &block->ports[OXDP_BOUND(key->in_port, OXDP_MAX_PORTS)];
    if (!oxdp_port_may_punt(port)) {
        stats->drops[OXDP_DROP_PUNT_RATE]++;
        return OXDP_RET_DROP;
    }
    ret = oxdp_ctx_punt(ctx, &hdr);
    if (ret == OXDP_RET_DROP) {
        stats->drops[OXDP_DROP_PUNT_ERROR]++;
    } else {
        stats->punts++;
    }
    return ret;
}

#endif /* oxdp-upcall.h */
