/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-macvlan.h: bridges with other_config:xdp-l2=macvlan, which do what the
 * kernel's macvlan devices do, on frames.
 *
 * A bridge has one lower port, the uplink; LOCAL, which is to it what the host
 * is to a device that macvlan devices are on; and upper ports with fixed
 * addresses.  No flow is asked and nothing is learned.  What comes in from below
 * goes to whom the address belongs, by one exact lookup; what comes in from
 * above goes to the lower port, unless both ends have mode "bridge".
 *
 * XDP does what takes one output and leaves the rest, with the frame as it came
 * in, to TC, which does all of it: multicast, mode "source", and ports that do
 * not take frames.  Everything is in tables in the kernel, so that it needs no
 * ovs-vswitchd.
 *
 * With a tag of its own an upper port is in that VLAN of the lower port, like a
 * macvlan device on a VLAN device: the tag is on the lower port's side alone.
 */

#ifndef OXDP_MACVLAN_H
#define OXDP_MACVLAN_H 1

#include "oxdp-filter.h"
#include "oxdp-mac.h"
#include "oxdp-maps.h"
#include "oxdp-megaflow.h"
#include "oxdp-port.h"
#include "oxdp-stats.h"

#define OXDP_ETH_P_PAUSE 0x8808

/* What a packet is sent by. */
struct oxdp_eth {
    __u8 dst[6];
    __u8 src[6];
    __be16 type;
    __u16 vid;                  /* VLAN of an 802.1Q tag, or 0. */
};

/* A packet on its way. */
struct oxdp_mv {
    struct oxdp_eth eth;
    struct oxdp_cpu_block *block;
    __u16 in_port;
    __u16 lower;
    __u16 vlan;                 /* Of the lower port, or 0. */
    __u16 upper;                /* Nonzero if 'in_port' is an upper port. */
};

OXDP_INLINE const struct oxdp_macvlan *
oxdp_macvlan_get(__u32 port_no)
{
    return &oxdp_shared.macvlans[OXDP_BOUND(port_no, OXDP_MAX_PORTS)];
}

OXDP_INLINE int
oxdp_is_multicast(const __u8 mac[6])
{
    return mac[0] & 1;
}

/* Stores in '*eth' what the packet is sent by.  Returns 0, or -1 if it is
 * shorter than that. */
OXDP_INLINE int
oxdp_ctx_eth(oxdp_ctx *ctx, struct oxdp_eth *eth)
{
    __be16 tci = 0;

#if OXDP_SKB
    if (bpf_skb_load_bytes(ctx, 0, eth, 14)) {
        return -1;
    }
    if (ctx->vlan_present) {
        if (ctx->vlan_proto == bpf_htons(OXDP_ETH_P_8021Q)) {
            tci = bpf_htons(ctx->vlan_tci);
        }
    } else if (eth->type == bpf_htons(OXDP_ETH_P_8021Q)
               && bpf_skb_load_bytes(ctx, 14, &tci, sizeof tci)) {
        return -1;
    }
#else
    const unsigned char *data = (void *) (long) ctx->data;
    const unsigned char *end = (void *) (long) ctx->data_end;

    if (data + 14 > end) {
        return -1;
    }
    oxdp_memcpy(eth, data, 14);
    if (eth->type == bpf_htons(OXDP_ETH_P_8021Q)) {
        if (data + 16 > end) {
            return -1;
        }
        tci = oxdp_get_be16(data + 14);
    }
#endif
    eth->vid = bpf_ntohs(tci) & 0xfff;
    return 0;
}

/* oxdp_mac_find() once for all that look for an address now and then. */
static __attribute__((noinline)) __u64
oxdp_mac_find_both(__u64 key, __u16 lower)
{
    return oxdp_mac_find(&oxdp_shared, key, lower, oxdp_seeds).both;
}

/* Returns who has 'mac' in the packet's VLAN: zero throughout if nobody. */
OXDP_INLINE union oxdp_mac_owner
oxdp_mac_get(const struct oxdp_mv *mv, const __u8 mac[6])
{
    union oxdp_mac_owner owner;

    owner.both = oxdp_mac_find_both(oxdp_mac_key(mac, mv->vlan), mv->lower);
    return owner;
}

/* Returns what there is of the packet's VLAN, likewise. */
OXDP_INLINE union oxdp_mac_owner
oxdp_mac_get_vlan(const struct oxdp_mv *mv)
{
    union oxdp_mac_owner owner;

    owner.both = oxdp_mac_find_both((__u64) mv->vlan << 48, mv->lower);
    return owner;
}

/* Returns the ports with mode "source" that wait for the packet, or NULL. */
OXDP_INLINE const struct oxdp_mac_src *
oxdp_mac_src_get(const struct oxdp_mv *mv)
{
    struct oxdp_mac_key key = { .lower = mv->lower, .vlan = mv->vlan };

    if (!(oxdp_macvlan_get(mv->lower)->flags & OXDP_MACVLAN_F_SOURCES)) {
        return NULL;
    }
    oxdp_memcpy(key.mac, mv->eth.src, sizeof key.mac);
    return bpf_map_lookup_elem(&oxdp_mac_srcs, &key);
}

/* Finds out which VLAN a packet from the lower port is in. */
OXDP_INLINE void
oxdp_macvlan_find_vlan(struct oxdp_mv *mv, const struct oxdp_macvlan *lower)
{
    if (mv->eth.vid && lower->flags & OXDP_MACVLAN_F_VLANS) {
        mv->vlan = mv->eth.vid;
        if (!oxdp_mac_get_vlan(mv).both) {
            mv->vlan = 0;
        }
    }
}

OXDP_INLINE struct oxdp_port_stats *
oxdp_mv_stats(const struct oxdp_mv *mv, __u32 port_no)
{
    return &mv->block->ports[OXDP_BOUND(port_no, OXDP_MAX_PORTS)];
}

OXDP_INLINE int
oxdp_mv_drop(const struct oxdp_mv *mv, enum oxdp_drop reason)
{
    oxdp_mv_stats(mv, mv->in_port)->drops[reason]++;
    return OXDP_RET_DROP;
}

/* Counts the packet, of 'len' bytes, as sent by who is behind 'in_port'. */
OXDP_INLINE void
oxdp_mv_count_tx(const struct oxdp_mv *mv, __u32 len)
{
    struct oxdp_port_stats *stats = oxdp_mv_stats(mv, mv->in_port);

    stats->hits[OXDP_HOOK]++;
    if (mv->upper) {
        stats->macvlan.tx_packets++;
        stats->macvlan.tx_bytes += len;
    }
}

/* Counts the packet, of 'len' bytes, as received by who is behind upper port
 * 'port_no'. */
OXDP_INLINE void
oxdp_mv_count_rx(const struct oxdp_mv *mv, __u32 port_no, __u32 len)
{
    struct oxdp_port_stats *stats = oxdp_mv_stats(mv, port_no);

    stats->macvlan.rx_packets++;
    stats->macvlan.rx_bytes += len;
    if (oxdp_is_multicast(mv->eth.dst)) {
        stats->macvlan.rx_multicast++;
    }
}

/* Gives the packet, or takes from it, the tag that it has on the side of the
 * lower port.  Returns 0, or -1 if there is no room for it. */
OXDP_INLINE int
oxdp_mv_push(oxdp_ctx *ctx, const struct oxdp_mv *mv)
{
    return mv->vlan ? oxdp_ctx_vlan_push(ctx, bpf_htons(OXDP_ETH_P_8021Q),
                                         bpf_htons(mv->vlan)) : 0;
}

OXDP_INLINE int
oxdp_mv_pop(oxdp_ctx *ctx, const struct oxdp_mv *mv)
{
    return mv->vlan ? oxdp_ctx_vlan_pop(ctx) : 0;
}

#if !OXDP_SKB
/* Leaves the frame, which is as it came in, to TC.  Returns the program's return
 * code. */
OXDP_INLINE int
oxdp_mv_to_skb(const struct oxdp_mv *mv)
{
    oxdp_mv_stats(mv, mv->in_port)->to_skb++;
    return XDP_PASS;
}
#endif

/* What oxdp_mv_output() does about the tag. */
#define OXDP_MV_KEEP 0
#define OXDP_MV_PUSH 1
#define OXDP_MV_POP 2

/* Sends the packet out of 'port_no'.  Returns the program's return code. */
OXDP_INLINE int
oxdp_mv_output(oxdp_ctx *ctx, const struct oxdp_mv *mv, __u32 port_no, int tag)
{
    struct oxdp_port *port = oxdp_port_get(port_no);
    __u32 len = oxdp_ctx_len(ctx);
    int ret;

    if (!port || !(port->flags & OXDP_PORT_F_PRESENT)) {
        return oxdp_mv_drop(mv, OXDP_DROP_OUT_PORT);
    }
#if !OXDP_SKB
    if (!oxdp_ctx_can_output(ctx, port, len)) {
        return oxdp_mv_to_skb(mv);
    }
#endif
    if ((tag == OXDP_MV_PUSH && oxdp_mv_push(ctx, mv))
        || (tag == OXDP_MV_POP && oxdp_mv_pop(ctx, mv))) {
        return oxdp_mv_drop(mv, OXDP_DROP_REWRITE);
    }
    if (oxdp_ctx_is_too_long(ctx, port)) {
        return oxdp_mv_drop(mv, OXDP_DROP_MTU);
    }
    oxdp_mv_count_tx(mv, len);
    if (port_no != mv->lower) {
        oxdp_mv_count_rx(mv, port_no, len);
    }
    ret = oxdp_ctx_output(ctx, port, port_no);
    return ret == OXDP_RET_DROP ? oxdp_mv_drop(mv, OXDP_DROP_OUT_ERROR) : ret;
}

#if OXDP_SKB
/* Copies of a packet for upper ports with one of 'modes' other than 'except';
 * 'port_no' is the next one, or 0. */
struct oxdp_mv_copies {
    oxdp_ctx *ctx;
    const struct oxdp_mv *mv;
    __u32 port_no;
    __u32 except;
    __u32 modes;
    __u32 bit;                  /* oxdp_filter_bit(). */
};

OXDP_INLINE int
oxdp_macvlan_wants(const struct oxdp_macvlan *port, __u32 bit)
{
    return (!(port->flags & OXDP_MACVLAN_F_FILTER)
            || port->filter[OXDP_BOUND(bit / 64, 4)] >> (bit & 63) & 1);
}

OXDP_INLINE void
oxdp_mv_copy_to(oxdp_ctx *ctx, const struct oxdp_mv *mv, __u32 port_no)
{
    oxdp_mv_count_rx(mv, port_no, oxdp_ctx_len(ctx));
    oxdp_copy_to(ctx, mv->in_port, port_no);
}

/* Called by bpf_loop(); returns 1 to stop. */
static long
oxdp_mv_copy(__u32 i, struct oxdp_mv_copies *copies)
{
    const struct oxdp_mv *mv = copies->mv;
    __u32 port_no = copies->port_no;
    struct oxdp_macvlan port;

    if (!port_no) {
        return 1;
    }
    /* A port that is no longer in this list leads to another one. */
    port.both = *(volatile __u64 *) &oxdp_macvlan_get(port_no)->both;
    if (port.lower != mv->lower || port.vlan != mv->vlan) {
        return 1;
    }
    copies->port_no = port.next;
    if (port_no != copies->except && port.mode & copies->modes
        && oxdp_macvlan_wants(oxdp_macvlan_get(port_no), copies->bit)) {
        oxdp_mv_copy_to(copies->ctx, mv, port_no);
    }
    return 0;
}

/* Sends copies of the multicast packet to those upper ports of its VLAN that
 * have one of 'modes', and are not 'except'. */
OXDP_INLINE void
oxdp_mv_multicast(oxdp_ctx *ctx, const struct oxdp_mv *mv, __u32 modes,
                  __u32 except)
{
    struct oxdp_mv_copies copies = {
        .ctx = ctx,
        .mv = mv,
        .port_no = oxdp_mac_get_vlan(mv).port,
        .except = except,
        .modes = modes,
        .bit = oxdp_filter_bit(mv->eth.dst),
    };

    if (mv->eth.type != bpf_htons(OXDP_ETH_P_PAUSE)) {
        bpf_loop(OXDP_MAX_PORTS, oxdp_mv_copy, &copies, 0);
    }
}

/* Sends copies of the packet to the ports with mode "source" that wait for
 * it. */
OXDP_INLINE void
oxdp_mv_sources(oxdp_ctx *ctx, const struct oxdp_mv *mv)
{
    const struct oxdp_mac_src *src = oxdp_mac_src_get(mv);
    __u32 i;

    for (i = 0; src && i < OXDP_MAC_SRC_PORTS; i++) {
        if (i >= src->n) {
            break;
        }
        oxdp_mv_copy_to(ctx, mv, src->ports[i]);
    }
}

/* Sends the multicast packet, from the lower port and without its tag, to those
 * who are to have it.  A packet of one of the upper ports comes back from
 * below if somebody there reflects it. */
OXDP_INLINE int
oxdp_mv_multicast_up(oxdp_ctx *ctx, const struct oxdp_mv *mv)
{
    union oxdp_mac_owner src = oxdp_mac_get(mv, mv->eth.src);
    __u32 modes = OXDP_MACVLAN_PRIVATE | OXDP_MACVLAN_VEPA
                  | OXDP_MACVLAN_PASSTHRU | OXDP_MACVLAN_BRIDGE;
    __u32 mode = src.both ? src.mode : OXDP_MACVLAN_LOCAL;
    __u32 local = oxdp_mac_get_vlan(mv).local;
    struct oxdp_port *port;

    if (mode == OXDP_MACVLAN_VEPA) {
        modes = OXDP_MACVLAN_VEPA | OXDP_MACVLAN_BRIDGE;
    } else if (mode == OXDP_MACVLAN_BRIDGE) {
        /* Ports with that mode have had it when it was sent. */
        modes = OXDP_MACVLAN_VEPA;
    } else if (mode != OXDP_MACVLAN_LOCAL) {
        return oxdp_mv_output(ctx, mv, src.port, OXDP_MV_KEEP);
    }
    oxdp_mv_multicast(ctx, mv, modes,
                      mode == OXDP_MACVLAN_VEPA ? src.port : 0);
    port = oxdp_port_get(local);
    if (local && port && !oxdp_is_local_down(port)) {
        return oxdp_mv_output(ctx, mv, local, OXDP_MV_KEEP);
    }
    oxdp_mv_count_tx(mv, 0);
    return OXDP_RET_DROP;
}
#endif

/* Sends the packet, which came in on the lower port, to whose it is. */
OXDP_INLINE int
oxdp_mv_from_lower(oxdp_ctx *ctx, struct oxdp_mv *mv,
                   const struct oxdp_macvlan *lower)
{
    union oxdp_mac_owner mac;

    mv->lower = mv->in_port;
    oxdp_macvlan_find_vlan(mv, lower);
#if OXDP_SKB
    if (oxdp_mv_pop(ctx, mv)) {
        return oxdp_mv_drop(mv, OXDP_DROP_REWRITE);
    }
    oxdp_mv_sources(ctx, mv);
    if (oxdp_is_multicast(mv->eth.dst)) {
        return oxdp_mv_multicast_up(ctx, mv);
    }
#else
    if (oxdp_is_multicast(mv->eth.dst) || oxdp_mac_src_get(mv)) {
        return oxdp_mv_to_skb(mv);
    }
#endif
    if (lower->next && !mv->vlan) {
        return oxdp_mv_output(ctx, mv, lower->next, OXDP_MV_KEEP);
    }
    mac = oxdp_mac_get(mv, mv->eth.dst);
    if (!mac.both || mac.mode == OXDP_MACVLAN_SOURCE) {
        return oxdp_mv_drop(mv, OXDP_DROP_MACVLAN_DST);
    }
    return oxdp_mv_output(ctx, mv, mac.port,
                          OXDP_SKB ? OXDP_MV_KEEP : OXDP_MV_POP);
}

/* The same of one that came in on an upper port. */
OXDP_INLINE int
oxdp_mv_from_upper(oxdp_ctx *ctx, struct oxdp_mv *mv,
                   const struct oxdp_macvlan *upper)
{
    union oxdp_mac_owner mac;

    mv->upper = 1;
    if (upper->mode != OXDP_MACVLAN_PASSTHRU) {
        mac = oxdp_mac_get(mv, mv->eth.src);
        if (mac.port != mv->in_port) {
            return oxdp_mv_drop(mv, OXDP_DROP_MACVLAN_SRC);
        }
    }
#if !OXDP_SKB
    if (upper->mode == OXDP_MACVLAN_BRIDGE
        && (oxdp_is_multicast(mv->eth.dst) || oxdp_mac_src_get(mv))) {
        return oxdp_mv_to_skb(mv);
    }
#endif
    if (upper->mode == OXDP_MACVLAN_BRIDGE) {
#if OXDP_SKB
        if (oxdp_is_multicast(mv->eth.dst)) {
            oxdp_mv_multicast(ctx, mv, OXDP_MACVLAN_BRIDGE, mv->in_port);
            return oxdp_mv_output(ctx, mv, mv->lower, OXDP_MV_PUSH);
        }
#endif
        mac = oxdp_mac_get(mv, mv->eth.dst);
        if (mac.mode == OXDP_MACVLAN_BRIDGE) {
#if OXDP_SKB
            oxdp_mv_sources(ctx, mv);
#endif
            return oxdp_mv_output(ctx, mv, mac.port, OXDP_MV_KEEP);
        }
    }
    return oxdp_mv_output(ctx, mv, mv->lower, OXDP_MV_PUSH);
}

/* Handles a packet that was received on the device of 'ctx'.  Returns the
 * program's return code. */
OXDP_INLINE int
oxdp_macvlan_receive(oxdp_ctx *ctx)
{
    struct oxdp_mv mv = {
        .in_port = oxdp_port_from_ifindex(oxdp_ctx_ifindex(ctx)),
        .block = oxdp_cpu_block_get(bpf_get_smp_processor_id()),
    };
    const struct oxdp_macvlan *port = oxdp_macvlan_get(mv.in_port);

    if (!mv.block || mv.in_port >= OXDP_MAX_PORTS
        || oxdp_ctx_eth(ctx, &mv.eth)) {
        return OXDP_RET_DROP;
    }
    mv.lower = port->lower;
    mv.vlan = port->vlan;
    switch (port->mode) {
    case OXDP_MACVLAN_NONE:
        return oxdp_mv_drop(&mv, OXDP_DROP_MACVLAN_PORT);
    case OXDP_MACVLAN_LOWER:
        return oxdp_mv_from_lower(ctx, &mv, port);
    case OXDP_MACVLAN_LOCAL:
        return oxdp_mv_output(ctx, &mv, mv.lower, OXDP_MV_PUSH);
    default:
        return oxdp_mv_from_upper(ctx, &mv, port);
    }
}

#if !OXDP_SKB
/* oxdp_macvlan_receive() for most frames: unicast from the lower port to a
 * port that takes frames, without a tag that matters.  'in_port' is where it
 * came in.  Returns a return code, or with nothing done OXDP_MACVLAN if it is
 * another one. */
OXDP_INLINE int
oxdp_macvlan_common(oxdp_ctx *ctx, __u32 in_port)
{
    struct oxdp_cpu_block *block
        = oxdp_cpu_block_get(bpf_get_smp_processor_id());
    const unsigned char *data = (void *) (long) ctx->data;
    struct oxdp_port_stats *from, *to;
    union oxdp_mac_owner owner;
    struct oxdp_macvlan lower;
    struct oxdp_port *port;
    __u32 len;
    int ret;

    lower.both = *(volatile __u64 *) &oxdp_macvlan_get(in_port)->both;
    if (!block || lower.mode != OXDP_MACVLAN_LOWER || lower.next
        || lower.flags & OXDP_MACVLAN_F_SOURCES
        || data + 14 > (unsigned char *) (long) ctx->data_end
        || oxdp_is_multicast(data)
        || (lower.flags & OXDP_MACVLAN_F_VLANS
            && *(oxdp_half *) (data + 12) == bpf_htons(OXDP_ETH_P_8021Q))) {
        return OXDP_MACVLAN;
    }
    owner = oxdp_mac_find(&oxdp_shared, *(oxdp_word *) data & OXDP_MAC_MASK,
                          in_port, oxdp_seeds);
    port = oxdp_port_get(owner.port);
    len = oxdp_ctx_len(ctx);
    if (!port || !owner.both || owner.mode == OXDP_MACVLAN_SOURCE
        || !(port->flags & OXDP_PORT_F_PRESENT)
        || !oxdp_ctx_can_output(ctx, port, len) || len > port->max_len) {
        return OXDP_MACVLAN;
    }
    ret = oxdp_ctx_output(ctx, port, owner.port);
    if (ret == OXDP_RET_DROP) {
        return OXDP_MACVLAN;    /* Fails again, and counts that. */
    }
    from = &block->ports[OXDP_BOUND(in_port, OXDP_MAX_PORTS)];
    from->hits[OXDP_HOOK]++;
    to = &block->ports[OXDP_BOUND(owner.port, OXDP_MAX_PORTS)];
    to->macvlan.rx_packets++;
    to->macvlan.rx_bytes += len;
    return ret;
}
#endif

#endif /* oxdp-macvlan.h */
