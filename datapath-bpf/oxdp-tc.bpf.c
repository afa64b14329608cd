// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * oxdp-tc.bpf.c: the TC hooks: ingress of a port, egress of LOCAL.
 */

#include "oxdp-ctx-skb.h"
#include "oxdp-action.h"

SEC("tc")
int
oxdp_tc_rest(struct __sk_buff *ctx)
{
    return oxdp_receive(ctx);
}

/* What the entry programs go on with. */
struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __array(values, int(struct __sk_buff *));
} oxdp_tc_progs SEC(".maps") = { .values = { [0] = &oxdp_tc_rest } };

/* Attached to ingress of ports.  Sees what XDP has left before that is
 * lost. */
SEC("tc")
int
oxdp_tc_port(struct __sk_buff *ctx)
{
    __u32 in_port = oxdp_port_from_ifindex(ctx->ifindex);

    if (oxdp_ctx_save_meta(ctx, in_port)) {
        return oxdp_drop(in_port, OXDP_DROP_VERSION);
    }
    ctx->cb[OXDP_CB_EGRESS] = 0;
    bpf_tail_call(ctx, &oxdp_tc_progs, 0);
    return TC_ACT_SHOT;         /* Cannot be. */
}

/* Attached to egress of LOCAL, the kernel bridge: what the host sends, which
 * the device does not count as it gets no further. */
SEC("tc")
int
oxdp_tc_local(struct __sk_buff *ctx)
{
    oxdp_count_rx(oxdp_port_from_ifindex(ctx->ifindex), ctx->len);
    ctx->cb[0] = 0;
    ctx->cb[OXDP_CB_EGRESS] = 1;
    bpf_tail_call(ctx, &oxdp_tc_progs, 0);
    return TC_ACT_SHOT;         /* Cannot be. */
}

/* Attached to ingress of a bridge's keeper, which BPF knows as the bridge's
 * LOCAL port: frames that XDP has redirected to its other end. */
SEC("tc")
int
oxdp_tc_keeper(struct __sk_buff *ctx)
{
    __u32 port_no = oxdp_port_from_ifindex(ctx->ifindex);
    struct oxdp_cpu_block *block;

    block = oxdp_cpu_block_get(bpf_get_smp_processor_id());
    if (!block || port_no >= OXDP_MAX_PORTS) {
        return TC_ACT_SHOT;
    }
    return oxdp_output(ctx, NULL, port_no,
                       &block->ports[OXDP_BOUND(port_no, OXDP_MAX_PORTS)]);
}

char _license[] SEC("license") = "Dual BSD/GPL";
