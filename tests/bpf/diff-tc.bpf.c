// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * diff-tc.bpf.c: the program of the TC hook, and what is beside the frame
 * before and after it, see diff-test.h.
 */

#include "oxdp-ctx-skb.h"
#include "oxdp-action.h"
#include "diff-test.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct diff_test);
} diff_test SEC(".maps");

SEC("tc")
int
diff_tc(struct __sk_buff *ctx)
{
    struct diff_test *test;
    __u32 zero = 0;
    int ret;

    test = bpf_map_lookup_elem(&diff_test, &zero);
    if (!test || (test->push_tag
                  && bpf_skb_vlan_push(ctx, test->tag_tpid,
                                       bpf_ntohs(test->tag_tci)))) {
        return -1;
    }
    ret = oxdp_receive(ctx);
    test->tagged = ctx->vlan_present;
    test->out_tpid = ctx->vlan_proto;
    test->out_tci = bpf_htons(ctx->vlan_tci);
    test->mark = ctx->mark;
    test->priority = ctx->priority;
    return ret;
}

char _license[] SEC("license") = "Dual BSD/GPL";
