// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * oxdp-tc-trace.bpf.c: the TC hooks of ports that are traced.
 */

#include "oxdp-ctx-skb.h"
#include "oxdp-action.h"
#include "oxdp-gate.h"
#include "oxdp-macvlan.h"
#include "oxdp-trace.h"

SEC("tc")
int
oxdp_tc_trace(struct __sk_buff *ctx)
{
    __u32 in_port = oxdp_port_from_ifindex(ctx->ifindex);
    int ret;

    oxdp_trace_before(ctx, in_port);
    ret = oxdp_receive(ctx);
    oxdp_trace_after(ctx, in_port, ret);
    return ret == OXDP_FALLBACK ? oxdp_gate_in(ctx, in_port) : ret;
}

/* For bridges with other_config:xdp-l2=macvlan. */
SEC("tc")
int
oxdp_tc_trace_mac(struct __sk_buff *ctx)
{
    __u32 in_port = oxdp_port_from_ifindex(ctx->ifindex);
    int ret;

    oxdp_trace_before(ctx, in_port);
    ret = oxdp_macvlan_receive(ctx);
    oxdp_trace_after(ctx, in_port, ret);
    return ret;
}

char _license[] SEC("license") = "Dual BSD/GPL";
