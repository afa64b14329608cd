/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-parse.h: from a frame to its key, exactly as OVS's flow_extract() does.
 *
 * Builds for BPF and natively; tests/parse-fuzz.c compares it with
 * flow_extract() on mutated packets.  'size' always is what OVS would still
 * see of the packet, 'end' is what can be read directly: an access past 'end'
 * within 'size' yields OXDP_PARSE_MORE, and never a different key.
 *
 * The key is written in whole words: hashing reads it back as such at once, and
 * a load that spans several smaller stores waits until these have left the
 * store buffer.  Measured, that is a quarter of the program's time.
 *
 * The walks through IPv6 extension headers and ND options are functions of
 * their own, which BPF calls as global functions: inline, the two loops times
 * each other exceed the verifier's million instructions (6.18).
 */

#ifndef OXDP_PARSE_H
#define OXDP_PARSE_H 1

#include "oxdp-compat.h"
#include "oxdp-abi.h"

#define OXDP_ETH_P_IP 0x0800
#define OXDP_ETH_P_ARP 0x0806
#define OXDP_ETH_P_RARP 0x8035
#define OXDP_ETH_P_8021Q 0x8100
#define OXDP_ETH_P_8021AD 0x88a8
#define OXDP_ETH_P_IPV6 0x86dd
#define OXDP_ETH_P_MPLS_UC 0x8847
#define OXDP_ETH_P_MPLS_MC 0x8848
#define OXDP_ETH_TYPE_MIN 0x600

#define OXDP_IPPROTO_HOPOPTS 0
#define OXDP_IPPROTO_ICMP 1
#define OXDP_IPPROTO_IGMP 2
#define OXDP_IPPROTO_TCP 6
#define OXDP_IPPROTO_UDP 17
#define OXDP_IPPROTO_ROUTING 43
#define OXDP_IPPROTO_FRAGMENT 44
#define OXDP_IPPROTO_AH 51
#define OXDP_IPPROTO_ICMPV6 58
#define OXDP_IPPROTO_DSTOPTS 60
#define OXDP_IPPROTO_SCTP 132

/* Where a parser that returned OXDP_PARSE_EXT or OXDP_PARSE_ND stopped. */
struct oxdp_pos {
    __u32 offset;               /* From the frame's first byte. */
    __u32 size;                 /* Bytes that OVS would still see. */
    __be32 tc_flow;             /* First word of the IPv6 header. */
    __u8 proto;                 /* Next header. */
    __u8 ttl;
    __u16 pad;
};

/* No header that BPF parses starts further into a frame. */
#define OXDP_MAX_OFFSET 0x3fffu

/* A view of a frame. */
struct oxdp_pkt {
    const unsigned char *data;
    const unsigned char *end;   /* End of what can be read directly. */
    __u32 len;                  /* Whole frame, without a tag outside it. */
    __u32 vlan_limit;           /* Tags that OVS parses, 1 or 2. */
    __be16 vlan_tpid;           /* Tag outside the frame, if 'vlan_tci'. */
    __be16 vlan_tci;            /* With the CFI bit set, or 0. */
    __u64 where;                /* oxdp_key_where() of the packet. */
    __u32 n_words;              /* Result: words of the key that may be
                                 * nonzero. */
    struct oxdp_pos *pos;       /* Where to go on, see oxdp_parse(). */
};

enum oxdp_parse_result {
    OXDP_PARSE_OK,
    OXDP_PARSE_MORE,            /* Needs more directly readable bytes. */
    OXDP_PARSE_COMPLEX,         /* Too many headers for BPF. */
    OXDP_PARSE_EXT,             /* Go on with oxdp_parse_ext(). */
    OXDP_PARSE_ND,              /* Go on with oxdp_parse_nd(). */
};

/* Unaligned loads. */
#ifdef __bpf__
#define OXDP_LOAD(TYPE, P) (*(const TYPE __attribute__((may_alias)) *) (P))
#else
#define OXDP_LOAD(TYPE, P)                      \
    ({                                          \
        TYPE value_;                            \
                                                \
        memcpy(&value_, P, sizeof value_);      \
        value_;                                 \
    })
#endif

OXDP_INLINE __be16
oxdp_get_be16(const unsigned char *p)
{
    return OXDP_LOAD(__u16, p);
}

/* The first word of a key, as far as the frame does not say. */
OXDP_INLINE __u64
oxdp_key_where(__u32 in_port, __u32 recirc_id)
{
    return recirc_id | (__u64) in_port << 32;
}

OXDP_INLINE int
oxdp_is_vlan(__be16 type)
{
    return type == bpf_htons(OXDP_ETH_P_8021Q)
           || type == bpf_htons(OXDP_ETH_P_8021AD);
}

/* Layer 4 behind an IP header with protocol 'proto' and fragment flags 'frag';
 * 'p' and 'size' are the IP payload's. */
OXDP_INLINE int
oxdp_parse_l4(struct oxdp_pkt *pkt, struct oxdp_key *key,
              const unsigned char *p, __u32 size, __u8 proto, __u8 frag)
{
    const unsigned char *end = pkt->end;
    oxdp_word *w = (oxdp_word *) key;

    if (frag & OXDP_FRAG_LATER) {
        return OXDP_PARSE_OK;
    }

    if (proto == OXDP_IPPROTO_TCP) {
        __u32 hdr_len;

        if (size < 20) {
            return OXDP_PARSE_OK;
        }
        if (p + 20 > end) {
            return OXDP_PARSE_MORE;
        }
        hdr_len = (p[12] >> 4) * 4;
        if (hdr_len >= 20 && size >= hdr_len) {
            __be16 flags = OXDP_LOAD(__u16, p + 12) & bpf_htons(0x0fff);

            w[OXDP_W_TP] = OXDP_LOAD(__u32, p) | (__u64) flags << 32;
        }
    } else if (proto == OXDP_IPPROTO_UDP || proto == OXDP_IPPROTO_SCTP) {
        if (size < (proto == OXDP_IPPROTO_UDP ? 8 : 12)) {
            return OXDP_PARSE_OK;
        }
        if (p + 4 > end) {
            return OXDP_PARSE_MORE;
        }
        w[OXDP_W_TP] = OXDP_LOAD(__u32, p);
    } else if (proto == OXDP_IPPROTO_ICMP || proto == OXDP_IPPROTO_IGMP
               || proto == OXDP_IPPROTO_ICMPV6) {
        if (size < 8) {
            return OXDP_PARSE_OK;
        }
        if (p + 8 > end) {
            return OXDP_PARSE_MORE;
        }
        /* Type and code as 16-bit numbers in network byte order. */
        w[OXDP_W_TP] = (__u32) p[0] << 8 | (__u32) p[1] << 24;
        if (proto == OXDP_IPPROTO_IGMP) {
            pkt->n_words = OXDP_KEY_WORDS_IPV6;
            w[OXDP_W_LABEL] |= (__u64) OXDP_LOAD(__u32, p + 4) << 32;
        } else if (proto == OXDP_IPPROTO_ICMPV6
                   && (p[0] == 135 || p[0] == 136) && !p[1]) {
            pkt->n_words = OXDP_KEY_WORDS;
            w[OXDP_W_LABEL] |= (__u64) OXDP_LOAD(__u32, p + 4) << 32;
            pkt->pos->offset = p + 8 - pkt->data;
            pkt->pos->size = size - 8;
            return OXDP_PARSE_ND;
        }
    }
    return OXDP_PARSE_OK;
}

/* The small fields of an IP header, in their word. */
OXDP_INLINE __u64
oxdp_nw_word(__u8 frag, __u8 tos, __u8 ttl, __u8 proto)
{
    return (__u64) frag << 32 | (__u64) tos << 40
           | (__u64) ttl << 48 | (__u64) proto << 56;
}

OXDP_INLINE int
oxdp_parse_ipv4(struct oxdp_pkt *pkt, struct oxdp_key *key,
                const unsigned char *p, __u32 size)
{
    oxdp_word *w = (oxdp_word *) key;
    __u32 hdr_len, tot_len;
    __be16 frag_off;
    __u8 frag = 0;

    if (size < 20) {
        return OXDP_PARSE_OK;
    }
    if (p + 20 > pkt->end) {
        return OXDP_PARSE_MORE;
    }
    hdr_len = (p[0] & 0xf) * 4;
    tot_len = bpf_ntohs(oxdp_get_be16(p + 2));
    if (hdr_len < 20 || size < hdr_len || tot_len > size || hdr_len > tot_len
        || size - tot_len > 65535) {
        return OXDP_PARSE_OK;
    }

    frag_off = OXDP_LOAD(__u16, p + 6);
    if (frag_off & bpf_htons(0x3fff)) {
        frag = OXDP_FRAG_ANY;
        if (frag_off & bpf_htons(0x1fff)) {
            frag |= OXDP_FRAG_LATER;
        }
    }
    w[OXDP_W_NW] |= oxdp_nw_word(frag, p[1], p[8], p[9]);
    w[OXDP_W_ADDR] = OXDP_LOAD(__u64, p + 12);
    return oxdp_parse_l4(pkt, key, p + hdr_len, tot_len - hdr_len, p[9],
                         frag);
}

/* Goes on after OXDP_PARSE_ND, with the target and the options. */
OXDP_INLINE int
oxdp_parse_nd(struct oxdp_pkt *pkt, struct oxdp_key *key)
{
    const unsigned char *end = pkt->end;
    const unsigned char *p;
    oxdp_word *w = (oxdp_word *) key;
    __u64 lla[2] = { 0, 0 };
    __u32 size = pkt->pos->size;
    __u8 opt_type = 0;
    int i;

    if (pkt->pos->offset > OXDP_MAX_OFFSET) {
        return OXDP_PARSE_COMPLEX;
    }
    p = pkt->data + pkt->pos->offset;
    if (size < 16) {
        return OXDP_PARSE_OK;
    }
    if (p + 16 > end) {
        return OXDP_PARSE_MORE;
    }
    w[OXDP_W_ND] = OXDP_LOAD(__u64, p);
    w[OXDP_W_ND + 1] = OXDP_LOAD(__u64, p + 8);
    p += 16;
    size -= 16;

    for (i = 0; i < OXDP_MAX_ND_OPTS; i++) {
        __u32 opt_len;

        if (size < 8) {
            break;
        }
        if (p + 8 > end) {
            return OXDP_PARSE_MORE;
        }
        opt_len = p[1] * 8;
        if (!opt_len || opt_len > size) {
            break;
        }
        if ((p[0] == 1 || p[0] == 2) && opt_len == 8) {
            /* The source's address, option 1, or the target's, option 2. */
            __u64 mac = OXDP_LOAD(__u16, p + 2)
                        | (__u64) OXDP_LOAD(__u32, p + 4) << 16;
            __u64 dup = p[0] == 1 ? lla[0] : lla[1];

            if (dup) {
                /* OVS takes neither target nor addresses then. */
                w[OXDP_W_ND] = w[OXDP_W_ND + 1] = 0;
                lla[0] = lla[1] = 0;
                break;
            }
            if (p[0] == 1) {
                lla[0] = mac;
            } else {
                lla[1] = mac;
            }
            if (!opt_type) {
                opt_type = p[0];
            }
        }
        p += opt_len;
        size -= opt_len;
    }
    w[OXDP_W_TP] |= (__u64) opt_type << 40;
    w[OXDP_W_ARP] = lla[0] | lla[1] << 48;
    w[OXDP_W_ARP + 1] = lla[1] >> 16;
    return i == OXDP_MAX_ND_OPTS && size >= 8
           ? OXDP_PARSE_COMPLEX : OXDP_PARSE_OK;
}

OXDP_INLINE int
oxdp_is_ext_hdr(__u8 proto)
{
    return proto == OXDP_IPPROTO_HOPOPTS || proto == OXDP_IPPROTO_ROUTING
           || proto == OXDP_IPPROTO_DSTOPTS || proto == OXDP_IPPROTO_AH
           || proto == OXDP_IPPROTO_FRAGMENT;
}

/* Stores the rest of the IPv6 header's fields, which OVS does after it has
 * walked the extension headers, and goes on with layer 4. */
OXDP_INLINE int
oxdp_parse_ipv6_end(struct oxdp_pkt *pkt, struct oxdp_key *key,
                    const unsigned char *p, __u32 size, __u8 proto, __u8 frag)
{
    oxdp_word *w = (oxdp_word *) key;

    w[OXDP_W_NW] |= oxdp_nw_word(frag, bpf_ntohl(pkt->pos->tc_flow) >> 20,
                                 pkt->pos->ttl, proto);
    w[OXDP_W_LABEL] = pkt->pos->tc_flow & bpf_htonl(0x000fffff);
    return oxdp_parse_l4(pkt, key, p, size, proto, frag);
}

/* Goes on after OXDP_PARSE_EXT, with the extension headers. */
OXDP_INLINE int
oxdp_parse_ext(struct oxdp_pkt *pkt, struct oxdp_key *key)
{
    const unsigned char *end = pkt->end;
    const unsigned char *p;
    __u32 size = pkt->pos->size;
    __u8 proto = pkt->pos->proto;
    __u8 frag = 0;
    int i;

    if (pkt->pos->offset > OXDP_MAX_OFFSET) {
        return OXDP_PARSE_COMPLEX;
    }
    p = pkt->data + pkt->pos->offset;

    for (i = 0; i < OXDP_MAX_EXT_HDRS; i++) {
        __u32 len = 8;

        if (!oxdp_is_ext_hdr(proto)) {
            break;
        }
        if (size < 8) {
            return OXDP_PARSE_OK;
        }
        if (p + 8 > end) {
            return OXDP_PARSE_MORE;
        }
        if (proto == OXDP_IPPROTO_FRAGMENT) {
            __be16 offlg = oxdp_get_be16(p + 2);

            proto = p[0];
            if (offlg) {
                frag = OXDP_FRAG_ANY;
                if (offlg & bpf_htons(0xfff8)) {
                    frag |= OXDP_FRAG_LATER;
                    proto = OXDP_IPPROTO_FRAGMENT;
                    break;
                }
            }
        } else {
            len = proto == OXDP_IPPROTO_AH ? (p[1] + 2) * 4 : (p[1] + 1) * 8;
            proto = p[0];
            if (len > size) {
                return OXDP_PARSE_OK;
            }
        }
        p += len;
        size -= len;
    }
    if (i == OXDP_MAX_EXT_HDRS && oxdp_is_ext_hdr(proto)) {
        return OXDP_PARSE_COMPLEX;
    }
    return oxdp_parse_ipv6_end(pkt, key, p, size, proto, frag);
}

OXDP_INLINE int
oxdp_parse_ipv6(struct oxdp_pkt *pkt, struct oxdp_key *key,
                const unsigned char *p, __u32 size)
{
    oxdp_word *w = (oxdp_word *) key;
    __u32 plen;

    if (size < 40) {
        return OXDP_PARSE_OK;
    }
    if (p + 40 > pkt->end) {
        return OXDP_PARSE_MORE;
    }
    plen = bpf_ntohs(oxdp_get_be16(p + 4));
    if (plen + 40 > size || size - (plen + 40) > 65535) {
        return OXDP_PARSE_OK;
    }
    pkt->n_words = OXDP_KEY_WORDS_IPV6;
    w[OXDP_W_ADDR] = OXDP_LOAD(__u64, p + 8);
    w[OXDP_W_ADDR + 1] = OXDP_LOAD(__u64, p + 16);
    w[OXDP_W_ADDR + 2] = OXDP_LOAD(__u64, p + 24);
    w[OXDP_W_ADDR + 3] = OXDP_LOAD(__u64, p + 32);
    pkt->pos->tc_flow = OXDP_LOAD(__u32, p);
    pkt->pos->ttl = p[7];

    if (oxdp_is_ext_hdr(p[6])) {
        pkt->pos->proto = p[6];
        pkt->pos->offset = p + 40 - pkt->data;
        pkt->pos->size = plen;
        return OXDP_PARSE_EXT;
    }
    return oxdp_parse_ipv6_end(pkt, key, p + 40, plen, p[6], 0);
}

OXDP_INLINE int
oxdp_parse_arp(struct oxdp_pkt *pkt, struct oxdp_key *key,
               const unsigned char *p, __u32 size)
{
    oxdp_word *w = (oxdp_word *) key;

    if (size < 28) {
        return OXDP_PARSE_OK;
    }
    if (p + 28 > pkt->end) {
        return OXDP_PARSE_MORE;
    }
    if (oxdp_get_be16(p) != bpf_htons(1)
        || oxdp_get_be16(p + 2) != bpf_htons(OXDP_ETH_P_IP)
        || p[4] != 6 || p[5] != 4) {
        return OXDP_PARSE_OK;
    }
    pkt->n_words = OXDP_KEY_WORDS;
    if (!p[6]) {
        w[OXDP_W_NW] |= oxdp_nw_word(0, 0, 0, p[7]);
    }
    w[OXDP_W_ADDR] = OXDP_LOAD(__u32, p + 14)
                     | (__u64) OXDP_LOAD(__u32, p + 24) << 32;
    w[OXDP_W_ARP] = (OXDP_LOAD(__u64, p + 8) & 0xffffffffffffull)
                    | (__u64) OXDP_LOAD(__u16, p + 18) << 48;
    w[OXDP_W_ARP + 1] = OXDP_LOAD(__u32, p + 20);
    return OXDP_PARSE_OK;
}

/* Returns 1, stores TPID and TCI in '*tag' and advances if 'p' is at a VLAN tag,
 * 0 if not, -1 if more bytes are needed. */
OXDP_INLINE int
oxdp_parse_vlan(const unsigned char **p, __u32 *size,
                const unsigned char *end, __u32 *tag)
{
    if (*p + 2 > end) {
        return -1;
    }
    if (!oxdp_is_vlan(OXDP_LOAD(__u16, *p)) || *size < 6) {
        return 0;
    }
    if (*p + 4 > end) {
        return -1;
    }
    *tag = OXDP_LOAD(__u32, *p) | (__u32) bpf_htons(OXDP_VLAN_CFI) << 16;
    *p += 4;
    *size -= 4;
    return 1;
}

OXDP_INLINE int
oxdp_is_mpls(__be16 type)
{
    return type == bpf_htons(OXDP_ETH_P_MPLS_UC)
           || type == bpf_htons(OXDP_ETH_P_MPLS_MC);
}

/* Up to three labels. */
OXDP_INLINE int
oxdp_parse_mpls(struct oxdp_pkt *pkt, struct oxdp_key *key,
                const unsigned char *p, __u32 size)
{
    oxdp_word *w = (oxdp_word *) key;
    __u32 lse[3] = { 0, 0, 0 };
    int i;

#pragma GCC unroll 3
    for (i = 0; i < 3; i++) {
        if (size < 4) {
            break;
        }
        if (p + 4 > pkt->end) {
            return OXDP_PARSE_MORE;
        }
        lse[i] = OXDP_LOAD(__u32, p);
        if (p[2] & 1) {
            break;
        }
        p += 4;
        size -= 4;
    }
    pkt->n_words = OXDP_KEY_WORDS_IPV6;
    w[OXDP_W_ADDR] = lse[0] | (__u64) lse[1] << 32;
    w[OXDP_W_ADDR + 1] = lse[2];
    return OXDP_PARSE_OK;
}

/* Layer 3 behind Ethernet type 'type', 'p' and 'size' are what follows that. */
OXDP_INLINE int
oxdp_parse_l3(struct oxdp_pkt *pkt, struct oxdp_key *key,
              const unsigned char *p, __u32 size, __be16 type)
{
    switch (type) {
    case bpf_htons(OXDP_ETH_P_IP):
        return oxdp_parse_ipv4(pkt, key, p, size);
    case bpf_htons(OXDP_ETH_P_IPV6):
        return oxdp_parse_ipv6(pkt, key, p, size);
    case bpf_htons(OXDP_ETH_P_ARP):
    case bpf_htons(OXDP_ETH_P_RARP):
        return oxdp_parse_arp(pkt, key, p, size);
    case bpf_htons(OXDP_ETH_P_MPLS_UC):
    case bpf_htons(OXDP_ETH_P_MPLS_MC):
        return oxdp_parse_mpls(pkt, key, p, size);
    default:
        return OXDP_PARSE_OK;
    }
}

/* The same as oxdp_parse() for the most common frames: whole IPv4 packets without
 * tags and options, of TCP, UDP, or a protocol of which OVS parses nothing, of
 * which an Ethernet, an IPv4 and a TCP header can be read.  No offset and no
 * bound is variable, and there is one way through.  Sets the first
 * OXDP_KEY_WORDS_IPV4 words of '*key' and nothing else.  Returns
 * OXDP_PARSE_MORE if it is another frame. */
OXDP_INLINE int
oxdp_parse_common(struct oxdp_pkt *pkt, struct oxdp_key *key)
{
    const unsigned char *p = pkt->data;
    const unsigned char *ip = p + 14;
    const unsigned char *l4 = ip + 20;
    oxdp_word *w = (oxdp_word *) key;
    __u32 pad, size;
    __u64 tp = 0;
    __u8 proto;

    if (l4 + 20 > pkt->end || pkt->vlan_tci
        || OXDP_LOAD(__u16, p + 12) != bpf_htons(OXDP_ETH_P_IP)
        || ip[0] != 0x45 || OXDP_LOAD(__u16, ip + 6) & bpf_htons(0x3fff)) {
        return OXDP_PARSE_MORE;
    }
    size = bpf_ntohs(OXDP_LOAD(__u16, ip + 2));
    pad = pkt->len - 14 - size;         /* Huge if 'size' is too large. */
    proto = ip[9];
    if (size < 28 || pad > 65535) {
        return OXDP_PARSE_MORE;
    }
    if (proto == OXDP_IPPROTO_UDP) {
        tp = OXDP_LOAD(__u32, l4);
    } else if (proto == OXDP_IPPROTO_TCP) {
        __u32 hdr_len = (l4[12] >> 4) * 4;

        if (hdr_len < 20 || size - 20 < hdr_len) {
            return OXDP_PARSE_MORE;
        }
        tp = (OXDP_LOAD(__u32, l4)
              | (__u64) (OXDP_LOAD(__u16, l4 + 12) & bpf_htons(0x0fff)) << 32);
    } else if (proto == OXDP_IPPROTO_ICMP || proto == OXDP_IPPROTO_IGMP
               || proto == OXDP_IPPROTO_SCTP || proto == OXDP_IPPROTO_ICMPV6) {
        return OXDP_PARSE_MORE;
    }
    w[OXDP_W_TYPE] = pkt->where | (__u64) bpf_htons(OXDP_ETH_P_IP) << 48;
    w[OXDP_W_NW] = oxdp_nw_word(0, ip[1], ip[8], proto);
    w[OXDP_W_ETH] = OXDP_LOAD(__u64, p);
    w[OXDP_W_ETH + 1] = OXDP_LOAD(__u32, p + 8);
    w[OXDP_W_TP] = tp;
    w[OXDP_W_ADDR] = OXDP_LOAD(__u64, ip + 12);
    return OXDP_PARSE_OK;
}

/* Fills in the packet fields of '*key', whose packet fields must be zero, from
 * '*pkt', and sets 'pkt->n_words'.  Returns an enum oxdp_parse_result; unless
 * it is OXDP_PARSE_OK the key is not complete.  After OXDP_PARSE_EXT and
 * OXDP_PARSE_ND the caller goes on with the function that belongs to it, with
 * the same '*key', 'pkt->n_words' and '*pkt->pos'. */
OXDP_INLINE int
oxdp_parse(struct oxdp_pkt *pkt, struct oxdp_key *key)
{
    const unsigned char *p = pkt->data;
    const unsigned char *end = pkt->end;
    oxdp_word *w = (oxdp_word *) key;
    __u32 tags[2] = { 0, 0 };
    __u32 size = pkt->len;
    __u32 src;
    __be16 type;
    int tagged;

    pkt->n_words = OXDP_KEY_WORDS_IPV4;
    w[OXDP_W_TYPE] = pkt->where;
    if (size < 14) {
        return OXDP_PARSE_OK;
    }
    if (p + 14 > end) {
        return OXDP_PARSE_MORE;
    }
    w[OXDP_W_ETH] = OXDP_LOAD(__u64, p);
    src = OXDP_LOAD(__u32, p + 8);
    p += 12;
    size -= 12;

    if (pkt->vlan_tci) {
        tags[0] = pkt->vlan_tpid | (__u32) pkt->vlan_tci << 16;
        tagged = 1;
    } else {
        tagged = oxdp_parse_vlan(&p, &size, end, &tags[0]);
    }
    if (tagged > 0 && pkt->vlan_limit > 1) {
        tagged = oxdp_parse_vlan(&p, &size, end, &tags[1]);
    }
    if (tagged < 0 || p + 2 > end) {
        return OXDP_PARSE_MORE;
    }
    w[OXDP_W_NW] = tags[0];
    w[OXDP_W_ETH + 1] = src | (__u64) tags[1] << 32;

    type = OXDP_LOAD(__u16, p);
    p += 2;
    size -= 2;
    if (bpf_ntohs(type) < OXDP_ETH_TYPE_MIN) {
        type = bpf_htons(OXDP_ETH_TYPE_NONE);
        if (size >= 8) {
            if (p + 8 > end) {
                return OXDP_PARSE_MORE;
            }
            if (p[0] == 0xaa && p[1] == 0xaa && p[2] == 3
                && !p[3] && !p[4] && !p[5]) {
                if (bpf_ntohs(oxdp_get_be16(p + 6)) >= OXDP_ETH_TYPE_MIN) {
                    type = oxdp_get_be16(p + 6);
                }
                p += 8;
                size -= 8;
            }
        }
    }
    w[OXDP_W_TYPE] = pkt->where | (__u64) type << 48;
    return oxdp_parse_l3(pkt, key, p, size, type);
}

#endif /* oxdp-parse.h */
