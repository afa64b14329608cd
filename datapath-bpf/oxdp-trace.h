/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-trace.h: what becomes of packets of ports that are traced.
 *
 * They go through programs of their own, which are loaded when they are first
 * needed, so that nobody else pays for them.  What has been done to a packet is
 * seen from it, before and after, and from what its port has counted meanwhile.
 */

#ifndef OXDP_TRACE_H
#define OXDP_TRACE_H 1

#include "oxdp-maps.h"
#include "oxdp-parse.h"

/* What becomes of packets of ports that are traced: struct oxdp_sample.
 * Written by BPF, which wakes nobody up; read by ovs-vswitchd now and then.
 * Not among oxdp-maps.h's: they live from when the first port is traced. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, OXDP_SAMPLES_SIZE);
} oxdp_samples SEC(".maps");

/* The one that this CPU is at.  For BPF alone. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct oxdp_sample);
} oxdp_sample_buf SEC(".maps");

/* Stores in '*to' the packet as it is now.  Returns 0 if it could. */
OXDP_INLINE int
oxdp_trace_packet(oxdp_ctx *ctx, struct oxdp_sample_packet *to)
{
    struct oxdp_pkt pkt;
    __u32 n;

    oxdp_ctx_view(ctx, &pkt);
    to->len = pkt.len;
    to->vlan_tpid = pkt.vlan_tpid;
    to->vlan_tci = pkt.vlan_tci;
    n = pkt.len < OXDP_SAMPLE_BYTES ? pkt.len : OXDP_SAMPLE_BYTES;
    /* From 1 on, for the verifier. */
    n = OXDP_BOUND(n - 1, OXDP_SAMPLE_BYTES) + 1;
    return oxdp_ctx_load(ctx, to->data, n);
}

/* Returns what port 'port_no' has counted on this CPU, or NULL. */
OXDP_INLINE const volatile __u64 *
oxdp_trace_stats(__u32 port_no)
{
    struct oxdp_cpu_block *block
        = oxdp_cpu_block_get(bpf_get_smp_processor_id());

    return block && port_no < OXDP_MAX_PORTS
           ? (const volatile __u64 *)
             &block->ports[OXDP_BOUND(port_no, OXDP_MAX_PORTS)]
           : NULL;
}

#define OXDP_N_COUNTERS (sizeof(struct oxdp_port_stats) / sizeof(__u64))

/* To be called before anything is done to the packet, which came in on
 * 'port_no'. */
OXDP_INLINE void
oxdp_trace_before(oxdp_ctx *ctx, __u32 port_no)
{
    const volatile __u64 *stats = oxdp_trace_stats(port_no);
    struct oxdp_sample *sample;
    __u32 zero = 0;
    __u64 *to;
    __u32 i;

    sample = bpf_map_lookup_elem(&oxdp_sample_buf, &zero);
    if (!sample) {
        return;
    }
    sample->ns = 0;
    if (!stats || oxdp_trace_packet(ctx, &sample->before)) {
        return;
    }
    sample->port = port_no;
    sample->skb_mark = oxdp_ctx_mark(ctx);
    sample->skb_priority = oxdp_ctx_priority(ctx);
    sample->hook = OXDP_HOOK;
    to = (__u64 *) &sample->stats;
    for (i = 0; i < OXDP_N_COUNTERS; i++) {
        to[i] = stats[i];
    }
    sample->ns = bpf_ktime_get_ns();
}

/* To be called with the program's return code 'ret' when all has been done to
 * the packet.  If there is no room in oxdp_samples, that is all. */
OXDP_INLINE void
oxdp_trace_after(oxdp_ctx *ctx, __u32 port_no, int ret)
{
    const volatile __u64 *stats = oxdp_trace_stats(port_no);
    struct oxdp_sample *sample;
    __u32 zero = 0;
    __u64 *to;
    __u32 i;

    sample = bpf_map_lookup_elem(&oxdp_sample_buf, &zero);
    if (!sample || !stats || !sample->ns || sample->port != port_no) {
        return;
    }
    to = (__u64 *) &sample->stats;
    for (i = 0; i < OXDP_N_COUNTERS; i++) {
        to[i] = stats[i] - to[i];
    }
    sample->ret = ret;
    if (oxdp_trace_packet(ctx, &sample->after)) {
        sample->after.len = 0;
    }
    bpf_ringbuf_output(&oxdp_samples, sample, sizeof *sample,
                       BPF_RB_NO_WAKEUP);
}

#endif /* oxdp-trace.h */
