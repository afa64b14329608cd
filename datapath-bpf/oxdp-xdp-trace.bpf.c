// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * oxdp-xdp-trace.bpf.c: the XDP hook of ports that are traced.
 */

#include "oxdp-ctx-xdp.h"
#include "oxdp-action.h"
#include "oxdp-macvlan.h"
#include "oxdp-trace.h"

SEC("xdp.frags")
int
oxdp_xdp_trace(struct xdp_md *ctx)
{
    __u32 in_port = oxdp_port_from_ifindex(ctx->ingress_ifindex);
    int ret;

    oxdp_trace_before(ctx, in_port);
    ret = oxdp_receive(ctx);
    oxdp_trace_after(ctx, in_port, ret);
    return ret == OXDP_FALLBACK ? oxdp_ctx_fallback(ctx, in_port) : ret;
}

/* For bridges with other_config:xdp-l2=macvlan. */
SEC("xdp.frags")
int
oxdp_xdp_trace_mac(struct xdp_md *ctx)
{
    __u32 in_port = oxdp_port_from_ifindex(ctx->ingress_ifindex);
    int ret;

    oxdp_trace_before(ctx, in_port);
    ret = oxdp_macvlan_receive(ctx);
    oxdp_trace_after(ctx, in_port, ret);
    return ret;
}

char _license[] SEC("license") = "Dual BSD/GPL";
