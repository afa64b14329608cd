/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * parse-test.h: what tests/parse-bpf.c shares with its BPF programs, which
 * parse a packet as those of the datapath do and tell the outcome.
 */

#ifndef PARSE_TEST_H
#define PARSE_TEST_H 1

#include "oxdp-abi.h"

/* The one element of map parse_test_in. */
struct parse_test_in {
    __u32 in_port;
    __u32 recirc_id;
    __u32 vlan_limit;
    __u32 push_tag;             /* Nonzero to put this into the SKB first: */
    __be16 tag_tpid;
    __be16 tag_tci;             /* With or without the CFI bit. */
};

/* The one element of map parse_test_out. */
struct parse_test_out {
    __u32 runs;                 /* Incremented by each run. */
    __u32 result;               /* enum oxdp_parse_result, */
    __u32 n_words;
    __u32 linear;               /* of this many readable bytes. */
    __u32 first_result;         /* The same before more were pulled. */
    __u32 first_linear;
    __u32 tagged;               /* There was a tag in the SKB. */
    __u32 pad;
    struct oxdp_key key;
};

#ifdef __bpf__
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct parse_test_in);
} parse_test_in SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct parse_test_out);
} parse_test_out SEC(".maps");

/* The same steps as in oxdp_pass(). */
OXDP_INLINE void
parse_test_run(oxdp_ctx *ctx, const struct parse_test_in *in,
               struct parse_test_out *out)
{
    struct oxdp_state st = {
        .in_port = in->in_port,
        .recirc_id = in->recirc_id,
    };
    int ret;

    oxdp_shared.control.vlan_limit = in->vlan_limit;
    out->first_linear = ctx->data_end - ctx->data;
    ret = oxdp_ctx_parse(ctx, &st);
    out->first_result = ret;
    if (ret == OXDP_PARSE_MORE && !oxdp_ctx_pull(ctx)) {
        ret = oxdp_ctx_parse(ctx, &st);
    }
    out->linear = ctx->data_end - ctx->data;
    out->result = ret;
    out->n_words = st.n_words;
    out->key = st.key;
    out->runs++;
}
#endif /* __bpf__ */

#endif /* parse-test.h */
