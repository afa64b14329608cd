// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * parse-tc.bpf.c: parses as the TC hook does, see parse-test.h.
 */

#include "oxdp-ctx-skb.h"
#include "oxdp-action.h"
#include "parse-test.h"

SEC("tc")
int
parse_test(struct __sk_buff *ctx)
{
    struct parse_test_out *out;
    struct parse_test_in *in;
    __u32 zero = 0;

    in = bpf_map_lookup_elem(&parse_test_in, &zero);
    out = bpf_map_lookup_elem(&parse_test_out, &zero);
    if (!in || !out) {
        return TC_ACT_SHOT;
    }
    /* BPF_PROG_TEST_RUN does not take tags out of frames, as every device
     * does on receive. */
    if (in->push_tag
        && bpf_skb_vlan_push(ctx, in->tag_tpid, bpf_ntohs(in->tag_tci))) {
        return TC_ACT_SHOT;
    }
    out->tagged = ctx->vlan_present;
    parse_test_run(ctx, in, out);
    return TC_ACT_SHOT;
}

char _license[] SEC("license") = "Dual BSD/GPL";
