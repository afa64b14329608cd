// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * parse-xdp.bpf.c: parses as the XDP hook does, see parse-test.h.
 */

#include "oxdp-ctx-xdp.h"
#include "oxdp-action.h"
#include "parse-test.h"

SEC("xdp.frags")
int
parse_test(struct xdp_md *ctx)
{
    struct parse_test_out *out;
    struct parse_test_in *in;
    __u32 zero = 0;

    in = bpf_map_lookup_elem(&parse_test_in, &zero);
    out = bpf_map_lookup_elem(&parse_test_out, &zero);
    if (in && out) {
        out->tagged = 0;
        parse_test_run(ctx, in, out);
    }
    return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
