// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * oxdp-tc.bpf.c: the TC ingress hook of a port.
 */

#include "oxdp-ctx-skb.h"
#include "oxdp-action.h"

SEC("tc")
int
oxdp_tc_port(struct __sk_buff *ctx)
{
    return oxdp_receive(ctx);
}

char _license[] SEC("license") = "Dual BSD/GPL";
