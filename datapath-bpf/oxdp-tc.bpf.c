// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * oxdp-tc.bpf.c: the TC ingress hook of a port.
 */

#include "oxdp-ctx-skb.h"
#include "oxdp-action.h"

SEC("tc")
int
oxdp_tc_rest(struct __sk_buff *ctx)
{
    return oxdp_receive(ctx);
}

/* What oxdp_tc_port() goes on with. */
struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __array(values, int(struct __sk_buff *));
} oxdp_tc_progs SEC(".maps") = { .values = { [0] = &oxdp_tc_rest } };

/* Attached to ports.  Sees what XDP has left before that is lost. */
SEC("tc")
int
oxdp_tc_port(struct __sk_buff *ctx)
{
    oxdp_ctx_save_meta(ctx, oxdp_port_from_ifindex(ctx->ifindex));
    bpf_tail_call(ctx, &oxdp_tc_progs, 0);
    return TC_ACT_SHOT;         /* Cannot be. */
}

char _license[] SEC("license") = "Dual BSD/GPL";
