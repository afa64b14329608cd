/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-vlan.h: where OVS's action NORMAL would let a packet go, and with which
 * VLAN tags.
 *
 * The rules of ofproto-dpif-xlate.c, for packets that the kernel bridge
 * forwards, whose own VLAN filtering has others.  Builds for BPF and natively.
 */

#ifndef OXDP_VLAN_H
#define OXDP_VLAN_H 1

#include "oxdp-compat.h"
#include "oxdp-abi.h"

#define OXDP_VLAN_VID 0x0fff
#define OXDP_VLAN_PCP 0xe000

/* The VLAN tags of a packet, the outer one first.  Of a tag that is not there
 * both fields are zero.
 *
 * Of a packet, the TCI of a tag that is there has the CFI bit set.  Inside of
 * a bridge none has: there a tag is what has a VLAN, a priority or a TPID. */
struct oxdp_tags {
    struct oxdp_vlan v[2];
};

OXDP_INLINE __u16
oxdp_tag_vid(const struct oxdp_vlan *v)
{
    return bpf_ntohs(v->tci) & OXDP_VLAN_VID;
}

OXDP_INLINE int
oxdp_tag_equal(const struct oxdp_vlan *a, const struct oxdp_vlan *b)
{
    return a->tpid == b->tpid && a->tci == b->tci;
}

/* Returns how many tags the packet with 'tags' has.  There is no inner one
 * without an outer one. */
OXDP_INLINE int
oxdp_tags_count(const struct oxdp_tags *tags)
{
    __be16 there = bpf_htons(OXDP_VLAN_CFI);

    return !(tags->v[0].tci & there) ? 0 : !(tags->v[1].tci & there) ? 1 : 2;
}

/* Returns how many tags, the innermost ones, packets with tags 'a' and 'b' have
 * in common, as OVS's flow_skip_common_vlan_headers() counts them. */
OXDP_INLINE int
oxdp_tags_common(const struct oxdp_tags *a, const struct oxdp_tags *b)
{
    int n_a = oxdp_tags_count(a), n_b = oxdp_tags_count(b);

    if (!n_a || !n_b) {
        return 0;
    }
    if (n_a != n_b) {
        return n_a > n_b ? oxdp_tag_equal(&a->v[1], &b->v[0])
               : oxdp_tag_equal(&a->v[0], &b->v[1]);
    }
    if (n_a == 1) {
        return oxdp_tag_equal(&a->v[0], &b->v[0]);
    }
    return !oxdp_tag_equal(&a->v[1], &b->v[1]) ? 0
           : oxdp_tag_equal(&a->v[0], &b->v[0]) ? 2 : 1;
}

OXDP_INLINE __u16
oxdp_tag_pcp(const struct oxdp_vlan *v)
{
    return bpf_ntohs(v->tci) & OXDP_VLAN_PCP;
}

/* Returns nonzero if VLAN 'vid' is in the bitmap of 'bport'. */
OXDP_INLINE int
oxdp_bport_has_vlan(const struct oxdp_bport *bport, __u16 vid)
{
    return bport->vlans[OXDP_BOUND(vid / 64, OXDP_VLANS / 64)] >> (vid & 63)
           & 1;
}

/* Returns nonzero if a packet to 'dst' stays on its link, as OVS's
 * eth_addr_is_reserved(). */
OXDP_INLINE int
oxdp_is_reserved(const __u8 dst[6])
{
    __u64 addr = ((__u64) dst[0] << 40 | (__u64) dst[1] << 32
                  | (__u64) dst[2] << 24 | (__u64) dst[3] << 16
                  | (__u64) dst[4] << 8 | dst[5]);

    return ((addr & ~0xfull) == 0x0180c2000000ull       /* IEEE. */
            || addr == 0x00e02b000000ull                /* Extreme. */
            || addr == 0x00e02b000004ull
            || addr == 0x00e02b000006ull
            || addr == 0x01000c000000ull                /* Cisco. */
            || addr == 0x01000cccccccull
            || addr == 0x01000ccccccdull
            || addr == 0x01000ccdcdcdull
            || (addr & ~7ull) == 0x01000cccccc0ull);
}

/* Returns nonzero if a packet that came in on 'in' with 'tags' may go
 * anywhere, and stores in '*vlans' what its tags are inside of the bridge: the
 * first one's VLAN is the packet's. */
OXDP_INLINE int
oxdp_vlan_input(const struct oxdp_bport *in, const struct oxdp_tags *tags,
                struct oxdp_tags *vlans)
{
    __u16 vid = oxdp_tag_vid(&tags->v[0]);
    __u16 pcp = oxdp_tag_pcp(&tags->v[0]);
    __be16 tpid = tags->v[0].tpid ? tags->v[0].tpid : bpf_htons(0x8100);

    if (!in->bridge || in->flags & OXDP_BPORT_F_BLOCKED) {
        return 0;
    }
    *vlans = *tags;
    vlans->v[0].tci &= ~bpf_htons(OXDP_VLAN_CFI);
    vlans->v[1].tci &= ~bpf_htons(OXDP_VLAN_CFI);

    switch (in->vlan_mode) {
    case OXDP_VLAN_MODE_ACCESS:
        vlans->v[0].tpid = tpid;
        vlans->v[0].tci = bpf_htons(in->tag | pcp);
        vlans->v[1].tpid = 0;
        vlans->v[1].tci = 0;
        return !vid;

    case OXDP_VLAN_MODE_NATIVE_TAGGED:
    case OXDP_VLAN_MODE_NATIVE_UNTAGGED:
        if (!vid) {
            vlans->v[0].tpid = tpid;
            vlans->v[0].tci = bpf_htons(in->tag | pcp);
            return 1;
        }
        return oxdp_bport_has_vlan(in, vid);

    case OXDP_VLAN_MODE_TRUNK:
        return oxdp_bport_has_vlan(in, vid);

    case OXDP_VLAN_MODE_DOT1Q_TUNNEL:
        vlans->v[1] = vlans->v[0];
        vlans->v[0].tpid = in->tunnel_tpid;
        vlans->v[0].tci = bpf_htons(in->tag);
        return oxdp_bport_has_vlan(in, vid);

    default:
        return 0;
    }
}

/* Returns nonzero if a packet with 'vlans' inside of the bridge may go out of
 * 'out'. */
OXDP_INLINE int
oxdp_vlan_includes(const struct oxdp_bport *out, const struct oxdp_tags *vlans)
{
    __u16 vid = oxdp_tag_vid(&vlans->v[0]);
    __u16 vid2 = oxdp_tag_vid(&vlans->v[1]);

    switch (out->vlan_mode) {
    case OXDP_VLAN_MODE_ACCESS:
        return vid == out->tag && !vid2;
    case OXDP_VLAN_MODE_TRUNK:
    case OXDP_VLAN_MODE_NATIVE_TAGGED:
    case OXDP_VLAN_MODE_NATIVE_UNTAGGED:
        return oxdp_bport_has_vlan(out, vid);
    case OXDP_VLAN_MODE_DOT1Q_TUNNEL:
        return vid == out->tag && oxdp_bport_has_vlan(out, vid2);
    default:
        return 0;
    }
}

/* Makes of 'v', a tag inside of the bridge, one of a packet that goes out of
 * 'out'. */
OXDP_INLINE void
oxdp_tag_put(const struct oxdp_bport *out, struct oxdp_vlan *v)
{
    if (v->tci || (out->priority_tags == OXDP_PRIORITY_TAGS_ALWAYS
                   && v->tpid)) {
        v->tpid = v->tpid ? v->tpid : bpf_htons(0x8100);
        v->tci |= bpf_htons(OXDP_VLAN_CFI);
    } else {
        v->tpid = 0;
    }
}

/* Stores in '*out_tags' the tags that a packet with 'vlans' inside of the
 * bridge, which came in with 'tags', has when it goes out of 'out'. */
OXDP_INLINE void
oxdp_vlan_output(const struct oxdp_bport *out, const struct oxdp_tags *tags,
                 const struct oxdp_tags *vlans, struct oxdp_tags *out_tags)
{
    __u8 mode = out->vlan_mode;

    *out_tags = *vlans;
    if (mode == OXDP_VLAN_MODE_DOT1Q_TUNNEL
        || mode == OXDP_VLAN_MODE_ACCESS
        || (mode == OXDP_VLAN_MODE_NATIVE_UNTAGGED
            && oxdp_tag_vid(&vlans->v[0]) == out->tag)) {
        out_tags->v[0] = vlans->v[1];
        out_tags->v[1].tpid = 0;
        out_tags->v[1].tci = 0;
    }
    if (mode == OXDP_VLAN_MODE_ACCESS) {
        out_tags->v[0].tpid = 0;
        out_tags->v[0].tci = 0;
    }
    if (out->priority_tags != OXDP_PRIORITY_TAGS_NEVER) {
        out_tags->v[0].tci = bpf_htons(oxdp_tag_vid(&out_tags->v[0])
                                       | oxdp_tag_pcp(&tags->v[0]));
    }
    oxdp_tag_put(out, &out_tags->v[0]);
    oxdp_tag_put(out, &out_tags->v[1]);
}

/* Returns nonzero if a packet that came in on 'in' with 'tags' may go out of
 * 'out', another port, and stores the tags that it then has in '*out_tags'.
 * Whether there is a reason to send it there is not asked. */
OXDP_INLINE int
oxdp_vlan_forward(const struct oxdp_bport *in, const struct oxdp_bport *out,
                  const struct oxdp_tags *tags, struct oxdp_tags *out_tags)
{
    struct oxdp_tags vlans;

    if (!oxdp_vlan_input(in, tags, &vlans)
        || out->bridge != in->bridge
        || out->flags & OXDP_BPORT_F_BLOCKED
        || in->flags & out->flags & OXDP_BPORT_F_PROTECTED
        || !oxdp_vlan_includes(out, &vlans)) {
        return 0;
    }
    oxdp_vlan_output(out, tags, &vlans, out_tags);
    return 1;
}

#endif /* oxdp-vlan.h */
