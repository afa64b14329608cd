/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-ctx-xdp.h: the packet interface over an XDP frame.
 *
 * oxdp-ctx-skb.h defines the same names over an SKB.  The pipeline is written
 * once on top of them.  Each object includes exactly one of the two.
 */

#ifndef OXDP_CTX_XDP_H
#define OXDP_CTX_XDP_H 1

#include "oxdp-csum.h"
#include "oxdp-maps.h"
#include "oxdp-parse.h"

#define OXDP_HOOK OXDP_HOOK_XDP
#define OXDP_SKB 0              /* Has it what only an SKB has? */
#define OXDP_RET_DROP XDP_DROP

typedef struct xdp_md oxdp_ctx;

OXDP_INLINE __u32
oxdp_ctx_ifindex(oxdp_ctx *ctx)
{
    return ctx->ingress_ifindex;
}

OXDP_INLINE void
oxdp_ctx_view(oxdp_ctx *ctx, struct oxdp_pkt *pkt)
{
    pkt->data = (void *) (long) ctx->data;
    pkt->end = (void *) (long) ctx->data_end;
    pkt->len = bpf_xdp_get_buff_len(ctx);
    pkt->vlan_tpid = 0;
    pkt->vlan_tci = 0;
}

/* Makes more bytes directly readable.  Returns 0 if it did. */
OXDP_INLINE int
oxdp_ctx_pull(oxdp_ctx *ctx)
{
    return -1;
}

/* Stores the metadata of the packet in 'key'.  Returns nonzero if it has
 * any. */
OXDP_INLINE int
oxdp_ctx_metadata(oxdp_ctx *ctx, __u32 dp_hash, struct oxdp_key *key)
{
    oxdp_word *w = (oxdp_word *) key;

    w[OXDP_W_MARK] = dp_hash;
    return dp_hash != 0;
}

/* Metadata of the packet as it is now. */
OXDP_INLINE __u32
oxdp_ctx_mark(oxdp_ctx *ctx)
{
    return 0;
}

OXDP_INLINE __u32
oxdp_ctx_priority(oxdp_ctx *ctx)
{
    return 0;
}

/* Returns how many bytes of the packet are not in the frame. */
OXDP_INLINE __u32
oxdp_ctx_tag_len(oxdp_ctx *ctx)
{
    return 0;
}

/* Returns the length of the packet as it is now, tags included. */
OXDP_INLINE __u32
oxdp_ctx_len(oxdp_ctx *ctx)
{
    return bpf_xdp_get_buff_len(ctx);
}

/* Returns nonzero if a frame of 'len' bytes can be redirected to 'port'. */
OXDP_INLINE int
oxdp_ctx_can_output(oxdp_ctx *ctx, const struct oxdp_port *port, __u32 len)
{
    __u32 need = OXDP_PORT_F_XMIT;

    if (ctx->data_end - ctx->data != len) {
        need |= OXDP_PORT_F_XMIT_SG;
    }
    return (port->flags & need) == need;
}

/* Returns nonzero if a frame of 'len' bytes, which may become longer by
 * 'growth', can be broadcast to 'flood'. */
OXDP_INLINE int
oxdp_ctx_can_broadcast(oxdp_ctx *ctx, __u32 flood, __u32 len, __u32 growth)
{
    return (ctx->data_end - ctx->data == len
            && len + growth <= oxdp_flood_get(flood)->max_len);
}

/* Sends the packet to all ports of 'flood'.  Returns as oxdp_ctx_output()
 * does. */
OXDP_INLINE int
oxdp_ctx_broadcast(__u32 flood)
{
    void *devs = bpf_map_lookup_elem(&oxdp_floods, &flood);

    return devs ? bpf_redirect_map(devs, 0, BPF_F_BROADCAST) : XDP_DROP;
}

/* Returns nonzero if the packet is longer than 'port' takes. */
OXDP_INLINE int
oxdp_ctx_is_too_long(oxdp_ctx *ctx, const struct oxdp_port *port)
{
    return oxdp_ctx_len(ctx) > port->max_len;
}

/* Returns the program's return code, which is not OXDP_RET_DROP unless the
 * packet is lost. */
OXDP_INLINE int
oxdp_ctx_output(oxdp_ctx *ctx, const struct oxdp_port *port, __u32 port_no)
{
    return bpf_redirect_map(&oxdp_devs, port_no, XDP_DROP);
}

/* Returns nonzero if the driver has metadata. */
OXDP_INLINE int
oxdp_ctx_has_meta(oxdp_ctx *ctx)
{
    return (int) (ctx->data - ctx->data_meta) >= 0;
}

/* Passes the frame on to TC with '*meta', in the place of any other metadata.
 * Returns the program's return code, or OXDP_RET_DROP if the driver has no
 * metadata. */
OXDP_INLINE int
oxdp_ctx_to_skb(oxdp_ctx *ctx, const struct oxdp_meta *meta)
{
    int present = ctx->data - ctx->data_meta;
    void *data;

    if (bpf_xdp_adjust_meta(ctx, present - (int) sizeof *meta)) {
        return OXDP_RET_DROP;
    }
    data = (void *) (long) ctx->data_meta;
    if (data + sizeof *meta > (void *) (long) ctx->data) {
        return OXDP_RET_DROP;
    }
    oxdp_memcpy(data, meta, sizeof *meta);
    return XDP_PASS;
}

/* Passes the frame, which is as it came in on 'in_port', on to TC for the
 * kernel bridge.  Returns the program's return code. */
OXDP_INLINE int
oxdp_ctx_fallback(oxdp_ctx *ctx, __u32 in_port)
{
    const struct oxdp_meta meta = {
        .magic = OXDP_HDR_MAGIC,
        .in_port = in_port,
        .port = OXDP_META_FALLBACK,
    };

    /* Without metadata TC finds out by itself. */
    oxdp_ctx_to_skb(ctx, &meta);
    return XDP_PASS;
}

/* Returns where the header for userspace goes, in front of the packet, or NULL
 * if there is no room.  'block' is this CPU's. */
OXDP_INLINE struct oxdp_hdr *
oxdp_ctx_hdr(oxdp_ctx *ctx, struct oxdp_cpu_block *block)
{
    struct oxdp_hdr *hdr;

    if (bpf_xdp_adjust_head(ctx, -(int) sizeof *hdr)) {
        return NULL;
    }
    hdr = (void *) (long) ctx->data;
    return (void *) (hdr + 1) > (void *) (long) ctx->data_end ? NULL : hdr;
}

/* Sends the packet to the CPU port, its header being complete.  Returns as
 * oxdp_ctx_output() does. */
OXDP_INLINE int
oxdp_ctx_punt(oxdp_ctx *ctx)
{
    return bpf_redirect_map(&oxdp_devs, 0, XDP_DROP);
}

/* Does nothing if the frame is not longer than 'len', at least that of an
 * Ethernet header. */
OXDP_INLINE int
oxdp_ctx_trunc(oxdp_ctx *ctx, __u32 len)
{
    __u32 now = bpf_xdp_get_buff_len(ctx);

    return now > len && bpf_xdp_adjust_tail(ctx, (int) (len - now)) ? -1 : 0;
}

/* Loads the first 'size' bytes to 'to'.  Returns 0, or -1 if there are not as
 * many. */
OXDP_INLINE int
oxdp_ctx_load(oxdp_ctx *ctx, void *to, __u32 size)
{
    return bpf_xdp_load_bytes(ctx, 0, to, size) ? -1 : 0;
}

/* Stores the 'size' bytes at 'from' at 'offset', which must be less than 256.
 * Returns 0, or -1 if there are no such bytes. */
OXDP_INLINE int
oxdp_ctx_store(oxdp_ctx *ctx, __u32 offset, const void *from, __u32 size)
{
    unsigned char *p = (unsigned char *) (long) ctx->data
                       + OXDP_BOUND(offset, 256);

    if (p + size > (unsigned char *) (long) ctx->data_end) {
        return -1;
    }
    oxdp_memcpy(p, from, size);
    return 0;
}

/* Makes the checksum of layer 4 at 'offset', less than 256, follow a change by
 * 'diff', a sum of oxdp_csum_diff(), of what it is about: its pseudo header if
 * 'pseudo'.  With 'udp' zero means that there is none.  Returns as above. */
OXDP_INLINE int
oxdp_ctx_csum(oxdp_ctx *ctx, __u32 offset, __u32 diff, int pseudo, int udp)
{
    unsigned char *p = (unsigned char *) (long) ctx->data
                       + OXDP_BOUND(offset, 256);
    __u16 csum;

    if (p + 2 > (unsigned char *) (long) ctx->data_end) {
        return -1;
    }
    csum = OXDP_LOAD(__u16, p);
    if (!udp || csum) {
        csum = oxdp_csum_update(csum, diff);
        if (udp && !csum) {
            csum = 0xffff;
        }
        *(oxdp_half *) p = csum;
    }
    return 0;
}

OXDP_INLINE int
oxdp_ctx_vlan_push(oxdp_ctx *ctx, __be16 tpid, __be16 tci)
{
    unsigned char *data;
    __be16 tag[2];

    if (bpf_xdp_adjust_head(ctx, -4)) {
        return -1;
    }
    data = (void *) (long) ctx->data;
    if (data + 16 > (unsigned char *) (long) ctx->data_end) {
        return -1;
    }
    __builtin_memmove(data, data + 4, 12);
    tag[0] = tpid;
    tag[1] = tci;
    oxdp_memcpy(data + 12, tag, 4);
    return 0;
}

/* Does nothing if the frame has no tag, as OVS's eth_pop_vlan(). */
OXDP_INLINE int
oxdp_ctx_vlan_pop(oxdp_ctx *ctx)
{
    unsigned char *data = (void *) (long) ctx->data;
    __u32 a, b, c;

    if (data + 18 > (unsigned char *) (long) ctx->data_end) {
        return 0;
    }
    if (!oxdp_is_vlan(oxdp_get_be16(data + 12))) {
        return 0;
    }
    oxdp_memcpy(&a, data, 4);
    oxdp_memcpy(&b, data + 4, 4);
    oxdp_memcpy(&c, data + 8, 4);
    if (bpf_xdp_adjust_head(ctx, 4)) {
        return -1;
    }
    data = (void *) (long) ctx->data;
    if (data + 12 > (unsigned char *) (long) ctx->data_end) {
        return -1;
    }
    oxdp_memcpy(data, &a, 4);
    oxdp_memcpy(data + 4, &b, 4);
    oxdp_memcpy(data + 8, &c, 4);
    return 0;
}

#endif /* oxdp-ctx-xdp.h */
