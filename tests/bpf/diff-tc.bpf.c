// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * diff-tc.bpf.c: the program of the TC hook, with what is beside the frame
 * before and after it, and one for the egress of devices that records the
 * copies that it sends, see diff-test.h.
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
    return ret;
}

SEC("tc")
int
diff_record(struct __sk_buff *ctx)
{
    __u32 len = ctx->len, zero = 0, i;
    struct diff_copy *copy;
    struct diff_test *test;

    test = bpf_map_lookup_elem(&diff_test, &zero);
    if (!test) {
        return TC_ACT_SHOT;
    }
    i = test->n_copies++;
    if (i >= DIFF_MAX_COPIES || !len || len > DIFF_MAX_LEN) {
        return TC_ACT_SHOT;
    }
    copy = &test->copies[i];
    copy->ifindex = ctx->ifindex;
    copy->len = len;
    copy->tagged = ctx->vlan_present;
    copy->tpid = ctx->vlan_proto;
    copy->tci = bpf_htons(ctx->vlan_tci);
    bpf_skb_load_bytes(ctx, 0, copy->data,
                       OXDP_BOUND(len - 1, DIFF_MAX_LEN) + 1);
    return TC_ACT_STOLEN;
}

char _license[] SEC("license") = "Dual BSD/GPL";
