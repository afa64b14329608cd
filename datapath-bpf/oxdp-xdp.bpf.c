// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * oxdp-xdp.bpf.c: the XDP hook of a port.
 */

#include "oxdp-ctx-xdp.h"
#include "oxdp-action.h"

SEC("xdp.frags")
int
oxdp_xdp_port(struct xdp_md *ctx)
{
    return oxdp_receive(ctx);
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
