/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-set.h: setting fields of layers 3 and 4, as OVS's packet_set_ipv4() and
 * the like do.
 *
 * The headers are looked for once, before the first opcode of a flow.
 * Whatever is not as usual then (SNAP, extension headers, a header cut short)
 * makes the packet go to userspace as it is; once an opcode has been executed,
 * that would be too late.
 *
 * An SKB can come with a sum of all its bytes (CHECKSUM_COMPLETE).  An IPv4
 * header and ports are written directly all the same, for these changes and
 * those of their checksums add up to nothing, and whoever changes the checksum
 * of layer 4 for a pseudo header's sake accounts for that.  An IPv6 header has
 * no checksum: it is written by oxdp_ctx_store(), which accounts for the rest.
 */

#ifndef OXDP_SET_H
#define OXDP_SET_H 1

#include "oxdp-csum.h"
#include "oxdp-parse.h"

/* What oxdp_locate() returns: offsets in the frame, 0 if there is no such
 * thing or nobody asked. */
#define OXDP_WHERE(L3, L4, CSUM, UDP) \
    ((L3) | (L4) << 8 | (CSUM) << 16 | (UDP) << 24)
#define OXDP_WHERE_L3(WHERE) ((WHERE) & 0xff)
#define OXDP_WHERE_L4(WHERE) ((WHERE) >> 8 & 0xff)
#define OXDP_WHERE_CSUM(WHERE) ((WHERE) >> 16 & 0xff)
#define OXDP_WHERE_UDP(WHERE) ((WHERE) >> 24 & 1)   /* It is UDP's. */

/* A protocol that has no header that BPF looks for. */
#define OXDP_PROTO_NONE 255

/* Looks for layer 4 behind the IP header at 'l3', which is 'hdr_len' bytes
 * long and is followed by 'size' bytes with protocol 'proto'.  Returns as
 * oxdp_locate() does. */
OXDP_INLINE int
oxdp_locate_l4(oxdp_ctx *ctx, __u32 headers, __u32 l3, __u32 hdr_len,
               __u32 size, __u8 proto)
{
    unsigned char *p = (unsigned char *) (long) ctx->data + l3 + hdr_len;
    unsigned char *end = (unsigned char *) (long) ctx->data_end;
    __u32 l4 = l3 + hdr_len;

    if (!(headers & (OXDP_HEADERS_ADDR | OXDP_HEADERS_TCP
                     | OXDP_HEADERS_UDP))) {
        return OXDP_WHERE(l3, 0, 0, 0);
    }
    if (proto == OXDP_IPPROTO_TCP && size >= 20) {
        __u32 tcp_len;

        if (headers & OXDP_HEADERS_UDP || p + 20 > end) {
            return -1;
        }
        tcp_len = (p[12] >> 4) * 4;
        if (headers & OXDP_HEADERS_TCP && (tcp_len < 20 || tcp_len > size)) {
            return -1;
        }
        return OXDP_WHERE(l3, l4, l4 + 16, 0);
    }
    if (proto == OXDP_IPPROTO_UDP && size >= 8) {
        return headers & OXDP_HEADERS_TCP || p + 8 > end
               ? -1 : OXDP_WHERE(l3, l4, l4 + 6, 1);
    }
    if (headers & (OXDP_HEADERS_TCP | OXDP_HEADERS_UDP)) {
        return -1;
    }
    if (proto == OXDP_IPPROTO_ICMPV6 && size >= 4) {
        return p + 4 > end ? -1 : OXDP_WHERE(l3, l4, l4 + 2, 0);
    }
    return OXDP_WHERE(l3, 0, 0, 0);
}

/* Tags that may be in front of them.  OVS parses two, and opcodes push more. */
#define OXDP_LOCATE_TAGS 4

/* Returns where the header of layer 3 of the packet with 'key' is, and that 20
 * bytes are there, or 0 if it is not where it usually is. */
OXDP_INLINE __u32
oxdp_locate_l3(oxdp_ctx *ctx, const struct oxdp_key *key)
{
    const unsigned char *p = (unsigned char *) (long) ctx->data + 14;
    const unsigned char *end = (unsigned char *) (long) ctx->data_end;
    __u32 l3 = 14;
    int i;

#pragma GCC unroll 4
    for (i = 0; i < OXDP_LOCATE_TAGS; i++) {
        if (p > end || !oxdp_is_vlan(oxdp_get_be16(p - 2))) {
            break;
        }
        p += 4;
        l3 += 4;
    }
    /* OVS's number for "none" may be the length of an 802.2 frame. */
    return p + 20 > end || oxdp_get_be16(p - 2) != key->eth_type
           || oxdp_is_vlan(key->eth_type)
           || key->eth_type == bpf_htons(OXDP_ETH_TYPE_NONE) ? 0 : l3;
}

/* Looks for the headers of the packet with 'key' that 'headers' is about.
 * Returns where they are, an OXDP_WHERE(), or -1 if they are not where they
 * usually are. */
OXDP_INLINE int
oxdp_locate(oxdp_ctx *ctx, const struct oxdp_key *key, __u32 headers)
{
    const unsigned char *p = (unsigned char *) (long) ctx->data;
    const unsigned char *end = (unsigned char *) (long) ctx->data_end;
    __u32 l3 = oxdp_locate_l3(ctx, key);

    if (!l3) {
        return headers == OXDP_HEADERS_LEN
               && key->eth_type != bpf_htons(OXDP_ETH_P_IP)
               && key->eth_type != bpf_htons(OXDP_ETH_P_IPV6) ? 0 : -1;
    }
    headers &= ~OXDP_HEADERS_LEN;
    if (!headers) {
        return OXDP_WHERE(l3, 0, 0, 0);
    }
    if (headers == OXDP_HEADERS_MPLS) {
        /* Enough for oxdp-mpls.h after a few labels have gone. */
        return p + 60 > end ? -1 : OXDP_WHERE(l3, 0, 0, 0);
    }
    p += OXDP_BOUND(l3, 32);
    if (!key->nw_proto || p + 20 > end) {
        return -1;
    }

    if (key->eth_type == bpf_htons(OXDP_ETH_P_IP)) {
        __u32 hdr_len = (p[0] & 0xf) * 4;
        __u8 proto = p[9];

        if (headers & OXDP_HEADERS_IPV6 || proto != key->nw_proto) {
            return -1;
        }
        /* ICMPv6 in IPv4 has no pseudo header. */
        if (key->nw_frag & OXDP_FRAG_LATER || proto == OXDP_IPPROTO_ICMPV6) {
            proto = OXDP_PROTO_NONE;
        }
        return oxdp_locate_l4(ctx, headers, l3, hdr_len,
                              bpf_ntohs(oxdp_get_be16(p + 2)) - hdr_len,
                              proto);
    }
    if (key->eth_type == bpf_htons(OXDP_ETH_P_IPV6)) {
        __u8 proto;

        if (headers & OXDP_HEADERS_IPV4 || p + 40 > end) {
            return -1;
        }
        proto = p[6];
        if (oxdp_is_ext_hdr(proto)) {
            /* OVS has rules for routing and fragment headers. */
            if (headers & OXDP_HEADERS_ADDR) {
                return -1;
            }
            proto = OXDP_PROTO_NONE;
        } else if (proto != key->nw_proto) {
            return -1;
        }
        return oxdp_locate_l4(ctx, headers, l3, 40,
                              bpf_ntohs(oxdp_get_be16(p + 4)), proto);
    }
    return -1;
}

/* Returns the 'size' bytes at 'offset', or NULL if there are none. */
OXDP_INLINE unsigned char *
oxdp_ctx_at(oxdp_ctx *ctx, __u32 offset, __u32 size)
{
    /* Volatile, for the compiler must not keep half of the pointer. */
    unsigned char *p = (unsigned char *) (long) *(volatile __u32 *) &ctx->data
                       + OXDP_BOUND(offset, 256);

    return p + size > (unsigned char *) (long) ctx->data_end ? NULL : p;
}

/* Sets word 'i' of 'op' in the word at 'p'.  Returns the oxdp_csum_diff(). */
OXDP_INLINE __u32
oxdp_set_word(unsigned char *p, const struct oxdp_op *op, int i)
{
    __u32 old = OXDP_LOAD(__u32, p);
    __u32 new = (old & ~op->set.mask[i]) | op->set.value[i];

    *(oxdp_u32 *) p = new;
    return oxdp_csum_diff(old, new);
}

/* Makes the checksum of layer 4, if it has one, follow 'diff', if not 0. */
OXDP_INLINE int
oxdp_set_csum(oxdp_ctx *ctx, __u32 where, __u32 diff, int pseudo)
{
    __u32 offset = OXDP_WHERE_CSUM(where);

    return offset && diff
           ? oxdp_ctx_csum(ctx, offset, diff, pseudo, OXDP_WHERE_UDP(where))
           : 0;
}

OXDP_INLINE int
oxdp_set_ipv4(oxdp_ctx *ctx, const struct oxdp_op *op, __u32 where)
{
    unsigned char *p = oxdp_ctx_at(ctx, OXDP_WHERE_L3(where), 20);
    __u32 value = op->set.value[0];
    __u32 mask = op->set.mask[0];
    __u32 diff, addr_diff;
    __u8 tos, ttl;

    if (!p) {
        return -1;
    }
    diff = addr_diff = oxdp_set_word(p + 12, op, 1)
                       + oxdp_set_word(p + 16, op, 2);
    tos = (p[1] & ~mask) | value;
    ttl = (p[8] & ~(mask >> 8)) | value >> 8;
    if (tos != p[1]) {
        diff += oxdp_csum_diff16(bpf_htons(p[1]), bpf_htons(tos));
        p[1] = tos;
    }
    if (ttl != p[8]) {
        diff += oxdp_csum_diff16(bpf_htons(p[8] << 8), bpf_htons(ttl << 8));
        p[8] = ttl;
    }
    *(oxdp_half *) (p + 10) = oxdp_csum_update(OXDP_LOAD(__u16, p + 10), diff);
    return oxdp_set_csum(ctx, where, addr_diff, 1);
}

OXDP_INLINE int
oxdp_set_ipv6(oxdp_ctx *ctx, const struct oxdp_op *op, __u32 where)
{
    __u32 offset = OXDP_WHERE_L3(where) + op->arg32;
    unsigned char *p = oxdp_ctx_at(ctx, offset, 12);
    __u32 words[3], diff = 0;
    int i;

    if (!p) {
        return -1;
    }
#pragma GCC unroll 3
    for (i = 0; i < 3; i++) {
        __u32 old = OXDP_LOAD(__u32, p + i * 4);

        words[i] = (old & ~op->set.mask[i]) | op->set.value[i];
        diff += oxdp_csum_diff(old, words[i]);
    }
    if (oxdp_ctx_store(ctx, offset, words, sizeof words)) {
        return -1;
    }
    /* Only the addresses are in the pseudo header. */
    return op->arg32 < 8 ? 0 : oxdp_set_csum(ctx, where, diff, 1);
}

OXDP_INLINE int
oxdp_set_ports(oxdp_ctx *ctx, const struct oxdp_op *op, __u32 where)
{
    unsigned char *p = oxdp_ctx_at(ctx, OXDP_WHERE_L4(where), 4);

    return p ? oxdp_set_csum(ctx, where, oxdp_set_word(p, op, 0), 0) : -1;
}

#endif /* oxdp-set.h */
