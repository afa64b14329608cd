/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-ctx-skb.h: the packet interface over an SKB, see oxdp-ctx-xdp.h.
 */

#ifndef OXDP_CTX_SKB_H
#define OXDP_CTX_SKB_H 1

#include <linux/if_packet.h>
#include <linux/pkt_cls.h>

#include "oxdp-local.h"
#include "oxdp-maps.h"
#include "oxdp-parse.h"

#define OXDP_HOOK OXDP_HOOK_TC
#define OXDP_SKB 1
#define OXDP_RET_DROP TC_ACT_SHOT

/* What the entry programs tell oxdp_tc_rest(), by element of 'ctx->cb'; the
 * first four are of oxdp_ctx_save_meta(). */
#define OXDP_CB_EGRESS 4        /* Nonzero on a device's egress. */

/* Header bytes that are pulled into the linear part if the parser asks. */
#define OXDP_PULL_BYTES 256u

typedef struct __sk_buff oxdp_ctx;

OXDP_INLINE __u32
oxdp_ctx_ifindex(oxdp_ctx *ctx)
{
    return ctx->ifindex;
}

OXDP_INLINE void
oxdp_ctx_view(oxdp_ctx *ctx, struct oxdp_pkt *pkt)
{
    pkt->data = (void *) (long) ctx->data;
    pkt->end = (void *) (long) ctx->data_end;
    pkt->len = ctx->len;
    pkt->vlan_tpid = 0;
    pkt->vlan_tci = 0;
    if (ctx->vlan_present) {
        pkt->vlan_tpid = ctx->vlan_proto;
        pkt->vlan_tci = bpf_htons(ctx->vlan_tci | OXDP_VLAN_CFI);
    }
}

OXDP_INLINE int
oxdp_ctx_pull(oxdp_ctx *ctx)
{
    __u32 len = ctx->len;

    if (len > OXDP_PULL_BYTES) {
        len = OXDP_PULL_BYTES;
    }
    return bpf_skb_pull_data(ctx, len) ? -1 : 0;
}

OXDP_INLINE int
oxdp_ctx_metadata(oxdp_ctx *ctx, __u32 dp_hash, struct oxdp_key *key)
{
    oxdp_word *w = (oxdp_word *) key;

    w[OXDP_W_MARK] = dp_hash | (__u64) ctx->mark << 32;
    w[OXDP_W_PRIORITY] = ctx->priority;
    return dp_hash || ctx->mark || ctx->priority;
}

OXDP_INLINE __u32
oxdp_ctx_mark(oxdp_ctx *ctx)
{
    return ctx->mark;
}

OXDP_INLINE __u32
oxdp_ctx_priority(oxdp_ctx *ctx)
{
    return ctx->priority;
}

OXDP_INLINE __u32
oxdp_ctx_tag_len(oxdp_ctx *ctx)
{
    return ctx->vlan_present ? 4 : 0;
}

OXDP_INLINE __u32
oxdp_ctx_len(oxdp_ctx *ctx)
{
    return ctx->len + oxdp_ctx_tag_len(ctx);
}

OXDP_INLINE int
oxdp_ctx_can_output(oxdp_ctx *ctx, const struct oxdp_port *port, __u32 len)
{
    return 1;
}

/* The kernel looks after what becomes of GSO packets. */
OXDP_INLINE int
oxdp_ctx_is_too_long(oxdp_ctx *ctx, const struct oxdp_port *port)
{
    return !ctx->gso_size && oxdp_ctx_len(ctx) > port->max_len;
}

/* Returns nonzero if the packet may go straight to the other end of 'port',
 * that is, if the stack there could not tell.  It would take any packet for
 * one of its own, by its address, and of any length; and which tag is beside
 * the frame and which in it may change on the ordinary way.  The kernel does it
 * on ingress alone. */
OXDP_INLINE int
oxdp_ctx_is_for_peer(oxdp_ctx *ctx, const struct oxdp_port *port)
{
    const oxdp_half *dst = (void *) (long) ctx->data;
    const oxdp_half *mac = (const oxdp_half *) port->peer_mac;

    return (port->flags & OXDP_PORT_F_PEER
            && !ctx->cb[OXDP_CB_EGRESS]
            && (void *) (dst + 3) <= (void *) (long) ctx->data_end
            && dst[0] == mac[0] && dst[1] == mac[1] && dst[2] == mac[2]
            && !ctx->vlan_present && !oxdp_is_vlan(ctx->protocol)
            && (ctx->len <= port->peer_len || ctx->gso_size));
}

/* Sends the packet to the other end of 'port', as if it had come in there.
 * What a veth clears on the way is to be cleared here. */
OXDP_INLINE int
oxdp_ctx_output_peer(oxdp_ctx *ctx, const struct oxdp_port *port,
                     __u32 port_no)
{
    oxdp_count_tx(port_no, ctx->len);
    ctx->mark = 0;
    ctx->priority = 0;
    bpf_skb_change_type(ctx, PACKET_HOST);
    return bpf_redirect_peer(port->ifindex, 0);
}

OXDP_INLINE int
oxdp_ctx_output(oxdp_ctx *ctx, const struct oxdp_port *port, __u32 port_no)
{
    return oxdp_ctx_is_for_peer(ctx, port)
           ? oxdp_ctx_output_peer(ctx, port, port_no)
           : oxdp_redirect_skb(ctx, port, port_no);
}

/* If XDP has decided about the packet, which came in on 'in_port', stores what
 * in 'ctx->cb', otherwise 0 there.  For a program that writes no packets:
 * before one that does, the kernel makes the packet writable and may throw its
 * metadata away for that.
 *
 * Returns nonzero if that was an XDP program of another version, which is still
 * there for a moment when this one is not: what it has decided, and done to the
 * packet, cannot be known. */
OXDP_INLINE int
oxdp_ctx_save_meta(oxdp_ctx *ctx, __u32 in_port)
{
    const struct oxdp_port *port = oxdp_port_get(in_port);
    struct oxdp_meta *meta = (void *) (long) ctx->data_meta;

    ctx->cb[0] = 0;
    if (!port || !(port->flags & OXDP_PORT_F_XDP)
        || (void *) (meta + 1) > (void *) (long) ctx->data) {
        return 0;
    }
    if (meta->magic != OXDP_HDR_MAGIC) {
        return ((meta->magic ^ OXDP_HDR_MAGIC) & OXDP_HDR_MAGIC_MASK) == 0;
    }
    if (meta->in_port == in_port) {
        ctx->cb[0] = OXDP_HDR_MAGIC;
        ctx->cb[1] = meta->port;
        ctx->cb[2] = meta->recirc_id;
        ctx->cb[3] = meta->dp_hash;
    }
    return 0;
}

/* If oxdp_ctx_save_meta() has stored something, returns nonzero and stores it
 * in '*meta'. */
OXDP_INLINE int
oxdp_ctx_restore_meta(oxdp_ctx *ctx, struct oxdp_meta *meta)
{
    __u32 *magic = (void *) (long) ctx->data_meta;

    if (ctx->cb[0] != OXDP_HDR_MAGIC) {
        return 0;
    }
    meta->port = ctx->cb[1];
    meta->recirc_id = ctx->cb[2];
    meta->dp_hash = ctx->cb[3];
    /* It is good for once. */
    if ((void *) (magic + 1) <= (void *) (long) ctx->data) {
        *magic = 0;
    }
    return 1;
}

/* Sends a copy of the packet out of 'port'.  Returns 0, or -1 if the kernel
 * refuses, or drops it: then bpf_clone_redirect() is not negative, but
 * NET_XMIT_DROP or the like. */
OXDP_INLINE int
oxdp_ctx_copy(oxdp_ctx *ctx, const struct oxdp_port *port, __u32 port_no)
{
    oxdp_ctx_sign(ctx);
    if (bpf_clone_redirect(ctx, port->ifindex, oxdp_redirect_flags(port))) {
        return -1;
    }
    if (port->flags & OXDP_PORT_F_LOCAL) {
        oxdp_count_tx(port_no, ctx->len);
    }
    return 0;
}

/* oxdp_cpu_encap() puts it in front. */
OXDP_INLINE struct oxdp_hdr *
oxdp_ctx_hdr(oxdp_ctx *ctx, struct oxdp_cpu_block *block)
{
    return &block->punt;
}

OXDP_INLINE int
oxdp_ctx_punt(oxdp_ctx *ctx)
{
    return bpf_redirect(oxdp_shared.control.cpu_ifindex, 0);
}

/* The same with a copy of the packet. */
OXDP_INLINE int
oxdp_ctx_punt_copy(oxdp_ctx *ctx)
{
    return bpf_clone_redirect(ctx, oxdp_shared.control.cpu_ifindex, 0)
           ? TC_ACT_SHOT : TC_ACT_OK;
}

OXDP_INLINE int
oxdp_ctx_trunc(oxdp_ctx *ctx, __u32 len)
{
    __u32 tag = oxdp_ctx_tag_len(ctx);

    return ctx->len + tag > len && bpf_skb_change_tail(ctx, len - tag, 0)
           ? -1 : 0;
}

OXDP_INLINE int
oxdp_ctx_load(oxdp_ctx *ctx, void *to, __u32 size)
{
    return bpf_skb_load_bytes(ctx, 0, to, size) ? -1 : 0;
}

OXDP_INLINE int
oxdp_ctx_store(oxdp_ctx *ctx, __u32 offset, const void *from, __u32 size)
{
    return bpf_skb_store_bytes(ctx, offset, from, size, BPF_F_RECOMPUTE_CSUM)
           ? -1 : 0;
}

/* The kernel knows whether a checksum is there already, or only its pseudo
 * header's part of it. */
OXDP_INLINE int
oxdp_ctx_csum(oxdp_ctx *ctx, __u32 offset, __u32 diff, int pseudo, int udp)
{
    return bpf_l4_csum_replace(ctx, offset, 0, diff,
                               (pseudo ? BPF_F_PSEUDO_HDR : 0)
                               | (udp ? BPF_F_MARK_MANGLED_0 : 0)) ? -1 : 0;
}

OXDP_INLINE int
oxdp_ctx_vlan_push(oxdp_ctx *ctx, __be16 tpid, __be16 tci)
{
    return bpf_skb_vlan_push(ctx, tpid, bpf_ntohs(tci)) ? -1 : 0;
}

OXDP_INLINE int
oxdp_ctx_vlan_pop(oxdp_ctx *ctx)
{
    unsigned char *data;

    if (!ctx->vlan_present) {
        data = (void *) (long) ctx->data;
        if (data + 18 > (unsigned char *) (long) ctx->data_end
            || !oxdp_is_vlan(oxdp_get_be16(data + 12))) {
            return 0;
        }
    }
    return bpf_skb_vlan_pop(ctx) ? -1 : 0;
}

#endif /* oxdp-ctx-skb.h */
