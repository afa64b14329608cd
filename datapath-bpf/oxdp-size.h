/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-size.h: how large a packet is, on the wire.
 */

#ifndef OXDP_SIZE_H
#define OXDP_SIZE_H 1

#include "oxdp-set.h"

#if OXDP_SKB
/* Returns how long the headers of each segment of this GSO packet with 'key'
 * will be, tags included. */
OXDP_INLINE __u32
oxdp_ctx_gso_header(oxdp_ctx *ctx, const struct oxdp_key *key)
{
    int where = oxdp_locate(ctx, key, OXDP_HEADERS_ADDR);
    unsigned char *tcp;
    __u32 len;

    if (where < 0 || !OXDP_WHERE_L4(where)) {
        /* Ethernet, IPv4 and TCP without options, for want of better. */
        return 54 + oxdp_ctx_tag_len(ctx);
    }
    len = OXDP_WHERE_L4(where) + oxdp_ctx_tag_len(ctx);
    if (OXDP_WHERE_UDP(where)) {
        return len + 8;
    }
    tcp = oxdp_ctx_at(ctx, OXDP_WHERE_L4(where), 20);
    return len + (tcp ? (tcp[12] >> 4) * 4 : 20);
}
#endif

/* Returns how many packets this packet with 'key' will be on the wire, and adds
 * to '*bytes', its length, how long the headers are that all but the first of
 * these will have in addition. */
OXDP_INLINE __u32
oxdp_ctx_segments(oxdp_ctx *ctx, const struct oxdp_key *key, __u32 *bytes)
{
#if OXDP_SKB
    __u32 size = ctx->gso_size;
    __u32 header, n;

    /* The sender may have left the number of segments to us. */
    if (size) {
        header = oxdp_ctx_gso_header(ctx, key);
        if (*bytes > header + size) {
            n = (*bytes - header + size - 1) / size;
            *bytes += (n - 1) * header;
            return n;
        }
    }
#endif
    return 1;
}

/* Returns where the IP packet in the packet with 'key' of 'len' bytes, tags in
 * the frame included, ends; 'len' if there is none that OVS would take for
 * valid. */
OXDP_INLINE __u32
oxdp_ctx_ip_end(oxdp_ctx *ctx, const struct oxdp_key *key, __u32 len)
{
    __u32 l3 = oxdp_locate_l3(ctx, key);
    unsigned char *p = l3 ? oxdp_ctx_at(ctx, l3, 20) : NULL;
    __u32 size, hdr_len;

    if (!p) {
        return len;
    }
    if (key->eth_type == bpf_htons(OXDP_ETH_P_IP)) {
        hdr_len = (p[0] & 0xf) * 4;
        size = bpf_ntohs(oxdp_get_be16(p + 2));
        if (hdr_len < 20 || size < hdr_len) {
            return len;
        }
    } else if (key->eth_type == bpf_htons(OXDP_ETH_P_IPV6)) {
        size = 40 + bpf_ntohs(oxdp_get_be16(p + 4));
    } else {
        return len;
    }
    return l3 + size > len || len - (l3 + size) > 65535 ? len : l3 + size;
}

/* Returns nonzero if the packet is longer than 'len', not counting what is
 * behind its IP packet. */
OXDP_INLINE int
oxdp_ctx_is_longer(oxdp_ctx *ctx, const struct oxdp_key *key, __u32 len)
{
    __u32 now = oxdp_ctx_len(ctx);
    __u32 tag_len = oxdp_ctx_tag_len(ctx);

    if (now <= len) {
        return 0;
    }
#if OXDP_SKB
    if (ctx->gso_size) {
        /* The first segment, unless this is all there is. */
        __u32 segment = oxdp_ctx_gso_header(ctx, key) + ctx->gso_size;

        return (now < segment ? now : segment) > len;
    }
#endif
    return oxdp_ctx_ip_end(ctx, key, now - tag_len) + tag_len > len;
}

#endif /* oxdp-size.h */
