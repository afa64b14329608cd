// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * oxdp-tc.bpf.c: the TC hooks: ingress of a port, egress of LOCAL, and both
 * ends of the kernel bridge.
 */

#include "oxdp-ctx-skb.h"
#include "oxdp-action.h"
#include "oxdp-gate.h"
#include "oxdp-macvlan.h"

int oxdp_tc_rest(struct __sk_buff *ctx);
int oxdp_tc_fallback(struct __sk_buff *ctx);
int oxdp_tc_macvlan(struct __sk_buff *ctx);

/* What programs go on with. */
struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, OXDP_N_PROGS);
    __uint(key_size, sizeof(__u32));
    __array(values, int(struct __sk_buff *));
} oxdp_tc_progs SEC(".maps") = {
    .values = {
        [OXDP_PROG_REST] = &oxdp_tc_rest,
        [OXDP_PROG_FALLBACK] = &oxdp_tc_fallback,
        [OXDP_PROG_MACVLAN] = &oxdp_tc_macvlan,
    },
};

SEC("tc")
int
oxdp_tc_rest(struct __sk_buff *ctx)
{
    int ret = oxdp_receive(ctx);

    if (ret == OXDP_FALLBACK) {
        bpf_tail_call(ctx, &oxdp_tc_progs, OXDP_PROG_FALLBACK);
        ret = TC_ACT_SHOT;      /* Cannot be. */
    }
    return ret;
}

/* Gives the kernel bridge a packet that userspace cannot have. */
SEC("tc")
int
oxdp_tc_fallback(struct __sk_buff *ctx)
{
    __u32 in_port = oxdp_port_from_ifindex(ctx->ifindex);

    return in_port < OXDP_MAX_PORTS ? oxdp_gate_in(ctx, in_port)
           : oxdp_drop(in_port, OXDP_DROP_NO_PORT);
}

/* For ports of bridges with other_config:xdp-l2=macvlan. */
SEC("tc")
int
oxdp_tc_macvlan(struct __sk_buff *ctx)
{
    return oxdp_macvlan_receive(ctx);
}

/* Goes on with the packet, which came in on 'in_port'. */
static __always_inline int
oxdp_tc_go_on(struct __sk_buff *ctx, __u32 in_port)
{
    __u32 flags = oxdp_port_flags(in_port);

    if (flags & OXDP_PORT_F_TRACED) {
        bpf_tail_call(ctx, &oxdp_tc_progs, oxdp_trace_prog(flags));
    }
    if (flags & OXDP_PORT_F_MACVLAN) {
        bpf_tail_call(ctx, &oxdp_tc_progs, OXDP_PROG_MACVLAN);
    } else {
        bpf_tail_call(ctx, &oxdp_tc_progs, OXDP_PROG_REST);
    }
    return TC_ACT_SHOT;         /* Cannot be. */
}

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
    return oxdp_tc_go_on(ctx, in_port);
}

/* Attached to egress of LOCAL, the kernel bridge: what the host sends, which
 * the device does not count as it gets no further. */
SEC("tc")
int
oxdp_tc_local(struct __sk_buff *ctx)
{
    __u32 in_port = oxdp_port_from_ifindex(ctx->ifindex);

    oxdp_count_rx(in_port, ctx->len);
    ctx->cb[0] = 0;
    ctx->cb[OXDP_CB_EGRESS] = 1;
    return oxdp_tc_go_on(ctx, in_port);
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

/* Attached to egress of ports that are members of a kernel bridge.  The host
 * may send what it likes, if it does so past the bridge. */
SEC("tc")
int
oxdp_tc_gate(struct __sk_buff *ctx)
{
    if (oxdp_gate_is_ours(ctx)) {
        return TC_ACT_UNSPEC;
    }
    if (oxdp_gate_is_given(ctx)) {
        return oxdp_gate_out(ctx, oxdp_port_from_ifindex(ctx->ifindex));
    }
    return oxdp_gate_is_from_port(ctx)
           ? oxdp_drop(oxdp_port_from_ifindex(ctx->ingress_ifindex),
                       OXDP_DROP_GATE) : TC_ACT_UNSPEC;
}

/* Attached to ingress of the kernel bridge: what the host receives, be it from
 * the bridge or from us.  IP gives the host its own multicast packets back. */
SEC("tc")
int
oxdp_tc_host(struct __sk_buff *ctx)
{
    __u32 port_no = oxdp_port_from_ifindex(ctx->ifindex);

    if (oxdp_gate_is_ours(ctx) || ctx->pkt_type == PACKET_LOOPBACK) {
        return TC_ACT_UNSPEC;
    }
    return oxdp_gate_is_given(ctx) ? oxdp_gate_out(ctx, port_no)
           : oxdp_drop(port_no, OXDP_DROP_GATE);
}

char _license[] SEC("license") = "Dual BSD/GPL";
