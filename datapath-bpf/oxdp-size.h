/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-size.h: how large a packet is, on the wire.
 */

#ifndef OXDP_SIZE_H
#define OXDP_SIZE_H 1

#include "oxdp-set.h"

/* Returns how many packets this packet with 'key' will be on the wire, and adds
 * to '*bytes' how long the headers are that all but the first of these will
 * have in addition. */
OXDP_INLINE __u32
oxdp_ctx_segments(oxdp_ctx *ctx, const struct oxdp_key *key, __u32 *bytes)
{
#if OXDP_SKB
    __u32 n = ctx->gso_segs;
    unsigned char *tcp;
    __u32 len;
    int where;

    if (n <= 1) {
        return 1;
    }
    where = oxdp_locate(ctx, key, OXDP_HEADERS_ADDR);
    if (where < 0 || !OXDP_WHERE_L4(where)) {
        return n;
    }
    len = OXDP_WHERE_L4(where) + oxdp_ctx_tag_len(ctx);
    if (OXDP_WHERE_UDP(where)) {
        len += 8;
    } else {
        tcp = oxdp_ctx_at(ctx, OXDP_WHERE_L4(where), 20);
        len += tcp ? (tcp[12] >> 4) * 4 : 20;
    }
    *bytes += (n - 1) * len;
    return n;
#else
    return 1;
#endif
}

/* Returns nonzero if the packet is longer than 'len', not counting what is
 * behind its IP packet. */
OXDP_INLINE int
oxdp_ctx_is_longer(oxdp_ctx *ctx, const struct oxdp_key *key, __u32 len)
{
    __u32 now = oxdp_ctx_len(ctx);
    unsigned char *p;
    int where;

    if (now <= len) {
        return 0;
    }
#if OXDP_SKB
    if (ctx->gso_segs > 1) {
        __u32 bytes = now;
        __u32 n = oxdp_ctx_segments(ctx, key, &bytes);

        /* Of the first segment. */
        return ctx->gso_size + (bytes - now) / (n > 1 ? n - 1 : 1) > len;
    }
#endif
    where = oxdp_locate(ctx, key, 0);
    p = where < 0 ? NULL : oxdp_ctx_at(ctx, OXDP_WHERE_L3(where), 20);
    if (p) {
        __u32 end = OXDP_WHERE_L3(where)
                    + (key->eth_type == bpf_htons(OXDP_ETH_P_IP)
                       ? bpf_ntohs(oxdp_get_be16(p + 2))
                       : 40 + bpf_ntohs(oxdp_get_be16(p + 4)));

        end += oxdp_ctx_tag_len(ctx);
        now = now < end ? now : end;
    }
    return now > len;
}

#endif /* oxdp-size.h */
