/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-local.h: how SKBs get out of ports, LOCAL among them, and the counters
 * of ports whose devices do not count.
 */

#ifndef OXDP_LOCAL_H
#define OXDP_LOCAL_H 1

#include "oxdp-maps.h"

/* Returns the counters of 'port_no' on this CPU, or NULL. */
OXDP_INLINE struct oxdp_port_stats *
oxdp_port_stats_get(__u32 port_no)
{
    struct oxdp_cpu_block *block;

    block = oxdp_cpu_block_get(bpf_get_smp_processor_id());
    return block && port_no < OXDP_MAX_PORTS
           ? &block->ports[OXDP_BOUND(port_no, OXDP_MAX_PORTS)] : NULL;
}

/* Counts a packet of 'len' bytes that goes out of 'port_no' and past its
 * device. */
OXDP_INLINE void
oxdp_count_tx(__u32 port_no, __u32 len)
{
    struct oxdp_port_stats *stats = oxdp_port_stats_get(port_no);

    if (stats) {
        stats->tx_packets++;
        stats->tx_bytes += len;
    }
}

/* The same of one that comes in. */
OXDP_INLINE void
oxdp_count_rx(__u32 port_no, __u32 len)
{
    struct oxdp_port_stats *stats = oxdp_port_stats_get(port_no);

    if (stats) {
        stats->rx_packets++;
        stats->rx_bytes += len;
    }
}

/* Returns the flags to redirect an SKB out of 'port' with: the host receives
 * what goes out of LOCAL. */
OXDP_INLINE __u64
oxdp_redirect_flags(const struct oxdp_port *port)
{
    return port->flags & OXDP_PORT_F_LOCAL ? BPF_F_INGRESS : 0;
}

/* Tells the gate, which it may meet, that we have redirected the packet. */
OXDP_INLINE void
oxdp_ctx_sign(struct __sk_buff *ctx)
{
    ctx->tc_index = OXDP_TC_INDEX;
}

/* Redirects 'ctx' out of 'port', whose number is 'port_no', and counts it if
 * the device does not.  Returns the program's return code. */
OXDP_INLINE int
oxdp_redirect_skb(struct __sk_buff *ctx, const struct oxdp_port *port,
                  __u32 port_no)
{
    __u64 flags = oxdp_redirect_flags(port);

    if (flags) {
        oxdp_count_tx(port_no, ctx->len);
    }
    oxdp_ctx_sign(ctx);
    return bpf_redirect(port->ifindex, flags);
}

#endif /* oxdp-local.h */
