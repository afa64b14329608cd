// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * oxdp-xdp.bpf.c: the XDP hook of a port.
 */

#include "oxdp-ctx-xdp.h"
#include "oxdp-common.h"
#include "oxdp-macvlan.h"

/* Put these types into the BTF, where a later ovs-vswitchd finds out what the
 * maps have where: lib/oxdp-legacy.c. */
struct oxdp_chunk *const volatile oxdp_btf_chunk;
const volatile enum oxdp_verdict oxdp_btf_verdict;
const volatile enum oxdp_reason oxdp_btf_reason;

/* For what oxdp_xdp_port() does not do itself. */
SEC("xdp.frags")
int
oxdp_xdp_rest(struct xdp_md *ctx)
{
    int ret = oxdp_receive(ctx);

    return ret == OXDP_FALLBACK
           ? oxdp_ctx_fallback(ctx,
                               oxdp_port_from_ifindex(ctx->ingress_ifindex))
           : ret;
}

/* For ports of bridges with other_config:xdp-l2=macvlan. */
SEC("xdp.frags")
int
oxdp_xdp_macvlan(struct xdp_md *ctx)
{
    return oxdp_macvlan_receive(ctx);
}

/* The programs that oxdp_xdp_port() goes on with.  A program of its own has the
 * whole stack and the whole of the verifier's patience to itself. */
struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, OXDP_N_PROGS);
    __uint(key_size, sizeof(__u32));
    __array(values, int(struct xdp_md *));
} oxdp_progs SEC(".maps") = {
    .values = {
        [OXDP_PROG_REST] = &oxdp_xdp_rest,
        [OXDP_PROG_MACVLAN] = &oxdp_xdp_macvlan,
    },
};

/* Attached to ports. */
SEC("xdp.frags")
int
oxdp_xdp_port(struct xdp_md *ctx)
{
    __u32 in_port = oxdp_port_from_ifindex(ctx->ingress_ifindex);
    __u32 flags = oxdp_port_flags(in_port);
    int ret;

    if (!flags) {
        ret = oxdp_receive_common(ctx, in_port);
    } else if (flags == OXDP_PORT_F_MACVLAN) {
        ret = oxdp_macvlan_common(ctx, in_port);
    } else {
        bpf_tail_call(ctx, &oxdp_progs, oxdp_trace_prog(flags));
        ret = flags & OXDP_PORT_F_MACVLAN ? OXDP_MACVLAN : OXDP_AGAIN;
    }
    if (ret == OXDP_AGAIN) {
        bpf_tail_call(ctx, &oxdp_progs, OXDP_PROG_REST);
        ret = XDP_DROP;         /* Cannot be. */
    } else if (ret == OXDP_MACVLAN) {
        bpf_tail_call(ctx, &oxdp_progs, OXDP_PROG_MACVLAN);
        ret = XDP_DROP;         /* Cannot be. */
    }
    return ret;
}

/* Not attached: run by ovs-vswitchd to relate bpf_jiffies64(), which is cheap
 * enough to be read for every packet, to CLOCK_MONOTONIC. */
SEC("xdp.frags")
int
oxdp_xdp_clock(struct xdp_md *ctx)
{
    oxdp_shared.control.clock_ns = bpf_ktime_get_ns();
    oxdp_shared.control.clock_jiffies = bpf_jiffies64();
    return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
