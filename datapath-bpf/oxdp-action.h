/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-action.h: one packet through the whole pipeline.
 */

#ifndef OXDP_ACTION_H
#define OXDP_ACTION_H 1

#include "oxdp-bond.h"
#include "oxdp-hash.h"
#include "oxdp-megaflow.h"
#include "oxdp-meter.h"
#include "oxdp-port.h"
#include "oxdp-set.h"
#include "oxdp-size.h"
#include "oxdp-stats.h"
#include "oxdp-upcall.h"

/* A packet on its way.  Small, since before Linux 6.3 the frames of a program,
 * oxdp_pass() and oxdp_search_mask(), each rounded up to 32 bytes, may take 512
 * bytes together. */
struct oxdp_state {
    struct oxdp_key key;
    __u32 in_port;
    __u32 recirc_id;
    __u32 len;                  /* Of the whole packet, tags included. */
    __u8 n_words;               /* Words of 'key' that may be nonzero. */
    __u8 changed;               /* Nonzero if no longer as received. */
    __u8 parsed;                /* Nonzero if 'key' is not all zeros. */
    __u8 copied;                /* Nonzero if a copy was sent anywhere. */
    struct oxdp_pos pos;        /* Between the steps of parsing. */
    __u32 where;                /* oxdp_locate() of the packet, if its flow
                                 * has 'headers'. */
    __u32 dp_hash;
};

/* What oxdp_pass() returns besides return codes of programs. */
#define OXDP_AGAIN 1000         /* Recirculate. */
#define OXDP_FALLBACK 1001      /* Nothing is done; the kernel bridge is to
                                 * have the packet. */
#define OXDP_MACVLAN 1002       /* Nothing is done; see oxdp-macvlan.h. */

/* What is not for every packet are global functions, which the verifier looks
 * at once each and not once per path to them, and which share 512 bytes of
 * stack only with those that call them.  Each costs a packet 4 ns. */

OXDP_INLINE int
oxdp_set_eth(oxdp_ctx *ctx, const struct oxdp_op *op)
{
    oxdp_half *eth = (oxdp_half *) (long) ctx->data;
    const oxdp_half *value = (const oxdp_half *) op->eth.dst;
    const oxdp_half *mask = (const oxdp_half *) op->eth.dst_mask;
    int i;

    if ((void *) (eth + 6) > (void *) (long) ctx->data_end) {
        return -1;
    }
#pragma GCC unroll 8
    for (i = 0; i < 6; i++) {
        eth[i] = (eth[i] & ~mask[i]) | (value[i] & mask[i]);
    }
    return 0;
}

__attribute__((noinline)) int
oxdp_pass_locate(oxdp_ctx *ctx, const struct oxdp_key *key, __u32 headers)
{
    return key ? oxdp_locate(ctx, key, headers) : -1;
}

#if !OXDP_SKB
#include "oxdp-mpls.h"

__attribute__((noinline)) int
oxdp_pass_mpls(oxdp_ctx *ctx, const struct oxdp_op *op)
{
    if (!op) {
        return -1;
    }
    switch (op->code) {
    case OXDP_OP_PUSH_MPLS:
        return oxdp_mpls_push(ctx, op->mpls.eth_type, op->mpls.lse);
    case OXDP_OP_POP_MPLS:
        return oxdp_mpls_pop(ctx, op->mpls.eth_type);
    default:
        return oxdp_mpls_set(ctx, op->set.value[0], op->set.mask[0]);
    }
}
#endif

/* Executes one opcode that changes the packet, whose headers are where 'where'
 * says.  Returns 0, or -1 if there is no room for it. */
__attribute__((noinline)) int
oxdp_pass_rewrite(oxdp_ctx *ctx, const struct oxdp_op *op, __u32 where)
{
    if (!op) {
        return -1;
    }
    switch (op->code) {
    case OXDP_OP_SET_IPV4:
        return oxdp_set_ipv4(ctx, op, where);
    case OXDP_OP_SET_IPV6:
        return oxdp_set_ipv6(ctx, op, where);
    case OXDP_OP_SET_TCP:
    case OXDP_OP_SET_UDP:
        return oxdp_set_ports(ctx, op, where);
    case OXDP_OP_SET_ETH:
        return oxdp_set_eth(ctx, op);
    case OXDP_OP_PUSH_VLAN:
        return oxdp_ctx_vlan_push(ctx, op->be16[0], op->be16[1]);
    case OXDP_OP_POP_VLAN:
        return oxdp_ctx_vlan_pop(ctx);
    case OXDP_OP_TRUNC:
        return oxdp_ctx_trunc(ctx, op->arg32);
    default:
        return -1;
    }
}

/* Returns the OXDP_OP_HASH 'op' of a packet with 'key'. */
__attribute__((noinline)) int
oxdp_pass_hash(const struct oxdp_key *key, const struct oxdp_op *op)
{
    return key && op ? oxdp_hash_packet(key, op->hash.alg, op->hash.basis) : 0;
}

/* Returns the port of bond 'id' that a packet with 'key' goes out of, and counts
 * it there, or OXDP_BOND_NO_PORT if there is none. */
__attribute__((noinline)) int
oxdp_pass_bond(oxdp_ctx *ctx, const struct oxdp_key *key, __u32 id)
{
    __u32 slot = oxdp_bond_find(id, OXDP_BOND_PROBES);
    struct oxdp_cpu_block *block;
    __u32 hash, port_no;

    block = oxdp_cpu_block_get(bpf_get_smp_processor_id());
    if (!key || !block || slot >= OXDP_MAX_BONDS) {
        return OXDP_BOND_NO_PORT;
    }
    hash = oxdp_hash_5tuple(key);
    port_no = oxdp_bond_port(slot, hash);
    if (port_no != OXDP_BOND_NO_PORT) {
        oxdp_bond_count(block, slot, hash, oxdp_ctx_len(ctx));
    }
    return port_no;
}

/* Runs the packet through meter 'id'.  Returns nonzero if it may pass. */
__attribute__((noinline)) int
oxdp_pass_meter(oxdp_ctx *ctx, const struct oxdp_key *key, __u32 id)
{
    __u32 chunk = id >> OXDP_METER_SHIFT, zero = 0;
    __u32 bytes = oxdp_ctx_len(ctx);
    struct oxdp_meter *meter;
    __u32 packets;
    void *inner;

    inner = bpf_map_lookup_elem(&oxdp_meters, &chunk);
    meter = inner ? bpf_map_lookup_elem(inner, &zero) : NULL;
    if (!meter || !key) {
        return 1;
    }
    meter += OXDP_BOUND(id, OXDP_METER_CHUNK);
    if (!meter->live) {
        return 1;
    }
    packets = oxdp_ctx_segments(ctx, key, &bytes);
    return oxdp_meter_take(meter, bpf_ktime_get_ns(), packets, bytes);
}

__attribute__((noinline)) int
oxdp_pass_longer(oxdp_ctx *ctx, const struct oxdp_key *key, __u32 len)
{
    return key && oxdp_ctx_is_longer(ctx, key, len);
}

/* Counts a packet that cannot be sent to userspace, where it should go because
 * of 'reason', because of 'drop'.  Returns OXDP_RET_DROP, or OXDP_FALLBACK. */
OXDP_INLINE int
oxdp_refuse(const struct oxdp_state *st, const struct oxdp_port *port,
            struct oxdp_cpu_block *block, enum oxdp_punt reason,
            __u32 drop)
{
    struct oxdp_port_stats *stats
        = &block->ports[OXDP_BOUND(st->in_port, OXDP_MAX_PORTS)];
    int flow = reason != OXDP_PUNT_MISS && reason != OXDP_PUNT_COMPLEX;

    if (drop < OXDP_N_AWAYS) {
        block->queue.refused++;
        if (flow) {
            drop = OXDP_DROP_USER_FLOW;
        } else if (port->flags & OXDP_PORT_F_FALLBACK && !st->recirc_id
                   && (OXDP_SKB || !(port->flags & OXDP_PORT_F_NO_PASS))) {
            stats->fallbacks[OXDP_BOUND(drop, OXDP_N_AWAYS)]++;
            return OXDP_FALLBACK;
        }
    }
    stats->drops[OXDP_BOUND(drop, 32)]++;
    return OXDP_RET_DROP;
}

/* Stores what userspace should know about the packet in '*hdr'. */
OXDP_INLINE void
oxdp_punt_hdr(oxdp_ctx *ctx, const struct oxdp_state *st,
              enum oxdp_punt reason, __u64 cookie, struct oxdp_hdr *hdr)
{
    hdr->magic = OXDP_HDR_MAGIC;
    hdr->port = st->in_port;
    hdr->recirc_id = st->recirc_id;
    hdr->dp_hash = st->dp_hash;
    hdr->skb_mark = oxdp_ctx_mark(ctx);
    hdr->skb_priority = oxdp_ctx_priority(ctx);
    hdr->vlan_tpid = 0;
    hdr->vlan_tci = 0;
    hdr->reason = reason;
    hdr->hook = OXDP_HOOK;
    hdr->cookie = cookie;
}

/* Sends the packet to userspace because of 'reason', if its port has budget
 * left and there is room; if that is OXDP_PUNT_ACTION, a copy, for the action
 * with 'cookie'.  Returns a return code, which is not OXDP_RET_DROP unless the
 * packet, or the copy, is lost; or OXDP_FALLBACK. */
OXDP_INLINE int
oxdp_punt(oxdp_ctx *ctx, struct oxdp_state *st, enum oxdp_punt reason,
          __u64 cookie)
{
    struct oxdp_port *port = oxdp_port_get(st->in_port);
    __u32 cpu = bpf_get_smp_processor_id();
    struct oxdp_port_stats *stats;
    struct oxdp_cpu_block *block;
    int ret = OXDP_RET_DROP;
    struct oxdp_hdr *hdr;
    int drop;

    block = oxdp_cpu_block_get(cpu);
    if (!block || !port) {
        return OXDP_RET_DROP;
    }
    drop = oxdp_upcall_check(block, port, st->in_port, reason);
    if (drop < OXDP_N_DROPS) {
        return oxdp_refuse(st, port, block, reason, drop);
    }
    stats = &block->ports[OXDP_BOUND(st->in_port, OXDP_MAX_PORTS)];
    hdr = oxdp_ctx_hdr(ctx, block);
    if (hdr) {
        oxdp_punt_hdr(ctx, st, reason, cookie, hdr);
        oxdp_upcall_number(block, st->in_port, cpu, hdr);
#if OXDP_SKB
        ret = reason == OXDP_PUNT_ACTION ? oxdp_ctx_punt_copy(ctx)
              : oxdp_ctx_punt(ctx);
#else
        ret = oxdp_ctx_punt(ctx);
#endif
    }
    if (ret == OXDP_RET_DROP) {
        /* It may not have got to oxdp_cpu_encap(). */
        block->punt.magic = 0;
        stats->drops[OXDP_DROP_PUNT_ERROR]++;
    } else {
        stats->punts++;
    }
    return ret;
}

__attribute__((noinline)) int
oxdp_pass_punt(oxdp_ctx *ctx, struct oxdp_state *st, __u32 reason)
{
    return st ? oxdp_punt(ctx, st, reason, 0) : OXDP_RET_DROP;
}

#if OXDP_SKB
#include "oxdp-skb.h"
#else
/* Passes the frame on to TC, which is to output it to 'port_no', or to look it
 * up if that is OXDP_META_LOOKUP.  Returns a return code. */
__attribute__((noinline)) int
oxdp_pass_to_skb(oxdp_ctx *ctx, struct oxdp_state *st, __u32 port_no)
{
    struct oxdp_meta meta = { .magic = OXDP_HDR_MAGIC, .port = port_no };
    struct oxdp_port *port;
    int ret;

    port = st ? oxdp_port_get(st->in_port) : NULL;
    if (!port) {
        return OXDP_RET_DROP;
    }
    if (port->flags & OXDP_PORT_F_NO_PASS) {
        return oxdp_pass_punt(ctx, st, OXDP_PUNT_SKB);
    }
    meta.in_port = st->in_port;
    meta.recirc_id = st->recirc_id;
    meta.dp_hash = st->dp_hash;
    ret = oxdp_ctx_to_skb(ctx, &meta);
    if (ret == OXDP_RET_DROP) {
        /* The driver has no metadata.  Let TC do it all, if nothing is done
         * yet, or else userspace. */
        ret = st->changed || st->recirc_id || st->dp_hash
              ? oxdp_pass_punt(ctx, st, OXDP_PUNT_SKB) : XDP_PASS;
    }
    return ret;
}
#endif

/* Outputs the packet to 'port_no', or to what stands in for that.  Returns a
 * return code. */
OXDP_INLINE int
oxdp_output(oxdp_ctx *ctx, struct oxdp_state *st, __u32 port_no,
            struct oxdp_port_stats *stats)
{
    struct oxdp_port *port = oxdp_port_live(&port_no);
    int ret;

    if (!port || !(port->flags & OXDP_PORT_F_PRESENT)) {
        stats->drops[OXDP_DROP_OUT_PORT]++;
        return OXDP_RET_DROP;
    }
    if (oxdp_ctx_is_too_long(ctx, port)) {
        stats->drops[OXDP_DROP_MTU]++;
        return OXDP_RET_DROP;
    }
#if !OXDP_SKB
    if (!oxdp_ctx_can_output(ctx, port, oxdp_ctx_len(ctx))) {
        stats->to_skb++;
        return oxdp_pass_to_skb(ctx, st, port_no);
    }
#endif
    ret = oxdp_ctx_output(ctx, port, port_no);
    if (ret == OXDP_RET_DROP) {
        stats->drops[OXDP_DROP_OUT_ERROR]++;
    }
    return ret;
}

#if !OXDP_SKB
/* Returns nonzero if TC must execute 'flow', whose rest is 'rest', on the frame
 * of 'len' bytes, since the frame cannot be redirected to where the flow outputs
 * it.  If that is one port, TC can output what XDP has made of the frame, if the
 * driver has metadata. */
OXDP_INLINE int
oxdp_needs_skb(oxdp_ctx *ctx, const struct oxdp_flow *flow,
               const struct oxdp_flow_rest *rest, __u32 len)
{
    const struct oxdp_port *port = oxdp_port_get(flow->out_port);

    if (flow->verdict == OXDP_VERDICT_XDP) {
        return (port && !oxdp_ctx_has_meta(ctx)
                && !oxdp_ctx_can_output(ctx, port, len));
    }
    return !rest->flood || !oxdp_ctx_can_broadcast(ctx, rest->flood, len,
                                                   rest->growth);
}

/* The packet goes to all ports of 'flood'. */
__attribute__((noinline)) int
oxdp_pass_broadcast(__u32 flood)
{
    return oxdp_ctx_broadcast(flood);
}
#endif

/* Executes the opcodes of 'flow', whose rest is 'rest'.  Returns a return code
 * or OXDP_AGAIN. */
OXDP_INLINE int
oxdp_execute(oxdp_ctx *ctx, struct oxdp_state *st,
             const struct oxdp_flow *flow, const struct oxdp_flow_rest *rest,
             struct oxdp_port_stats *stats)
{
    const struct oxdp_list *list;
    __u32 n = flow->n_ops;
    __u32 next = 0;
    __u32 i, port_no;
    int ret;

    if (!flow->list) {
        if (n) {
            return oxdp_output(ctx, st, flow->out_port, stats);
        }
        goto end;
    }
    list = oxdp_flow_list(flow);
    if (!list) {
        goto end;               /* Cannot be. */
    }
    for (i = 0; i < OXDP_MAX_OPS; i++) {
        const struct oxdp_op *op = &list->ops[i];

        if (i >= n) {
            break;
        }
        if (i < next) {
            continue;
        }
        switch (op->code) {
        case OXDP_OP_OUTPUT:
        case OXDP_OP_LB_OUTPUT:
            port_no = op->arg32;
            if (op->code == OXDP_OP_LB_OUTPUT) {
                port_no = oxdp_pass_bond(ctx, &st->key, port_no);
                if (port_no == OXDP_BOND_NO_PORT) {
                    stats->drops[OXDP_DROP_BOND]++;
                    return OXDP_RET_DROP;
                }
            }
            return oxdp_output(ctx, st, port_no, stats);

        case OXDP_OP_RECIRC:
            st->recirc_id = op->arg32;
            return OXDP_AGAIN;

        case OXDP_OP_DROP:
            goto end;

        case OXDP_OP_HASH:
            st->dp_hash = oxdp_pass_hash(&st->key, op);
            break;

        case OXDP_OP_METER:
            if (!oxdp_pass_meter(ctx, &st->key, op->arg32)) {
                stats->drops[OXDP_DROP_METER]++;
                return OXDP_RET_DROP;
            }
            st->changed = 1;    /* For it must not be metered again. */
            break;

        case OXDP_OP_CHECK_LEN:
            if (!oxdp_pass_longer(ctx, &st->key, op->check.len)) {
                next = op->check.next;
            }
            break;

        case OXDP_OP_LOCATE:
            ret = oxdp_pass_locate(ctx, &st->key, flow->headers);
            if (ret < 0) {
                stats->drops[OXDP_DROP_REWRITE]++;
                return OXDP_RET_DROP;
            }
            st->where = ret;
            break;

#if !OXDP_SKB
        case OXDP_OP_COPY:
            /* And what follows; oxdp_needs_skb() has seen to that. */
            ret = oxdp_pass_broadcast(rest->flood);
            if (ret == OXDP_RET_DROP) {
                stats->drops[OXDP_DROP_OUT_ERROR]++;
            }
            return ret;

        case OXDP_OP_PUSH_MPLS:
        case OXDP_OP_POP_MPLS:
        case OXDP_OP_SET_MPLS:
            if (oxdp_pass_mpls(ctx, op)) {
                stats->drops[OXDP_DROP_REWRITE]++;
                return OXDP_RET_DROP;
            }
            st->changed = 1;
            break;
#else
        case OXDP_OP_COPY:
        case OXDP_OP_USERSPACE:
        case OXDP_OP_SET_MARK:
        case OXDP_OP_SET_PRIORITY:
            oxdp_pass_skb(ctx, st, op);
            break;
#endif

        default:
            if (oxdp_pass_rewrite(ctx, op, st->where)) {
                stats->drops[OXDP_DROP_REWRITE]++;
                return OXDP_RET_DROP;
            }
            st->changed = 1;
            break;
        }
    }
end:
    if (!st->copied) {
        stats->drops[OXDP_DROP_ACTION]++;
    }
    return OXDP_RET_DROP;
}

/* Calls the parser FUNCTION on the packet as it is now. */
#define OXDP_CTX_PARSE(FUNCTION)                        \
    ({                                                  \
        struct oxdp_pkt pkt_;                           \
        int ret_;                                       \
                                                        \
        oxdp_ctx_view(ctx, &pkt_);                      \
        pkt_.vlan_limit = oxdp_shared.control.vlan_limit; \
        pkt_.where = oxdp_key_where(st->in_port, st->recirc_id); \
        pkt_.n_words = st->n_words;                     \
        pkt_.pos = &st->pos;                            \
        ret_ = FUNCTION(&pkt_, &st->key);               \
        st->n_words = pkt_.n_words;                     \
        st->len = pkt_.len + (pkt_.vlan_tci ? 4 : 0);   \
        ret_;                                           \
    })

__attribute__((noinline)) int
oxdp_pass_ext(oxdp_ctx *ctx, struct oxdp_state *st)
{
    return st ? OXDP_CTX_PARSE(oxdp_parse_ext) : OXDP_PARSE_COMPLEX;
}

__attribute__((noinline)) int
oxdp_pass_nd(oxdp_ctx *ctx, struct oxdp_state *st)
{
    return st ? OXDP_CTX_PARSE(oxdp_parse_nd) : OXDP_PARSE_COMPLEX;
}

/* Parses the packet into 'st->key' and 'st->n_words'.  Returns an enum
 * oxdp_parse_result, and not OXDP_PARSE_EXT or OXDP_PARSE_ND. */
OXDP_INLINE int
oxdp_ctx_parse(oxdp_ctx *ctx, struct oxdp_state *st)
{
    int ret;

    /* oxdp_receive() has zeroed it for the first time. */
    if (st->parsed) {
        oxdp_memset(&st->key, 0, sizeof st->key);
    }
    st->parsed = 1;
    ret = OXDP_CTX_PARSE(oxdp_parse);
    if (ret == OXDP_PARSE_EXT) {
        ret = oxdp_pass_ext(ctx, st);
    }
    if (ret == OXDP_PARSE_ND) {
        ret = oxdp_pass_nd(ctx, st);
    }
    if (oxdp_ctx_metadata(ctx, st->dp_hash, &st->key)) {
        st->n_words = OXDP_KEY_WORDS;
    }
    return ret;
}

/* Returns the TCP flags of the packet, 0 if it is not TCP. */
OXDP_INLINE __be16
oxdp_tcp_flags(const struct oxdp_key *key)
{
    return key->nw_proto == OXDP_IPPROTO_TCP ? key->tcp_flags : 0;
}

/* Returns nonzero if the kernel bridge does for the packet what 'flow', whose
 * rest is 'rest', says. */
OXDP_INLINE int
oxdp_is_bridged(const struct oxdp_flow *flow,
                const struct oxdp_flow_rest *rest)
{
    return (OXDP_SKB && flow->verdict == OXDP_VERDICT_BRIDGE
            && rest->bridge_gen == oxdp_shared.control.bridge_gen);
}

/* Returns nonzero if only userspace knows what to do with packets of 'flow',
 * whose rest is 'rest'. */
OXDP_INLINE int
oxdp_is_for_user(const struct oxdp_flow *flow,
                 const struct oxdp_flow_rest *rest)
{
    return (flow->verdict == OXDP_VERDICT_USER
            || (OXDP_SKB && flow->headers & OXDP_HEADERS_MPLS)
            || (OXDP_SKB && flow->verdict == OXDP_VERDICT_BRIDGE
                && !flow->n_ops && !oxdp_is_bridged(flow, rest)));
}

/* One pass of the packet through the flow table.  A function of its own, which
 * the verifier looks at once and not once per recirculation. */
__attribute__((noinline)) int
oxdp_pass(oxdp_ctx *ctx, struct oxdp_state *st)
{
    __u32 cpu = bpf_get_smp_processor_id();
    struct oxdp_port_stats *stats;
    struct oxdp_flow_rest *rest;
    struct oxdp_cpu_block *block;
    struct oxdp_place place;
    struct oxdp_flow *flow;
    __u64 *hints, hash;
    __u32 hinted;
    int ret;

    block = oxdp_cpu_block_get(cpu);
    if (!st || !block || st->in_port >= OXDP_MAX_PORTS) {
        return OXDP_RET_DROP;
    }
    stats = &block->ports[OXDP_BOUND(st->in_port, OXDP_MAX_PORTS)];

    ret = oxdp_ctx_parse(ctx, st);
    if (ret == OXDP_PARSE_MORE && !oxdp_ctx_pull(ctx)) {
        ret = oxdp_ctx_parse(ctx, st);
    }
    if (ret != OXDP_PARSE_OK) {
        return oxdp_pass_punt(ctx, st, OXDP_PUNT_COMPLEX);
    }

    hash = oxdp_hint_hash(&st->key, st->in_port, st->n_words, OXDP_KEY_WORDS);
    hints = oxdp_hint_set(block, hash);
    flow = oxdp_lookup_hint(&st->key, OXDP_KEY_WORDS, hash, hints, &place);
    hinted = flow != NULL;
    if (!flow) {
        flow = oxdp_lookup_search(&st->key, hash, hints, block, stats,
                                  &place);
        if (!flow) {
            stats->misses++;
            return oxdp_pass_punt(ctx, st, OXDP_PUNT_MISS);
        }
    }
    rest = oxdp_flow_rest(&place);
    if (oxdp_is_for_user(flow, rest)) {
        return oxdp_pass_punt(ctx, st, OXDP_PUNT_USER);
    }
#if !OXDP_SKB
    if (oxdp_needs_skb(ctx, flow, rest, st->len)) {
        stats->to_skb++;
        return oxdp_pass_to_skb(ctx, st, OXDP_META_LOOKUP);
    }
#endif
    if (flow->headers) {
        ret = oxdp_pass_locate(ctx, &st->key, flow->headers);
        if (ret < 0) {
            return oxdp_pass_punt(ctx, st, OXDP_PUNT_USER);
        }
        st->where = ret;
    }

    stats->hits[OXDP_HOOK]++;
    stats->search_hits += !hinted;
    oxdp_flow_count(flow, &place, cpu, st->len, oxdp_tcp_flags(&st->key));
    return oxdp_is_bridged(flow, rest) ? OXDP_FALLBACK
           : oxdp_execute(ctx, st, flow, rest, stats);
}

#if OXDP_SKB
/* If XDP has decided about the packet, goes on with that: returns a return
 * code, OXDP_FALLBACK, or OXDP_AGAIN if the packet is to be looked up. */
__attribute__((noinline)) int
oxdp_pass_from_xdp(oxdp_ctx *ctx, struct oxdp_state *st)
{
    struct oxdp_cpu_block *block;
    struct oxdp_meta meta;

    if (!st || !oxdp_ctx_restore_meta(ctx, &meta)) {
        return OXDP_AGAIN;
    }
    if (meta.port == OXDP_META_FALLBACK) {
        return OXDP_FALLBACK;
    }
    block = oxdp_cpu_block_get(bpf_get_smp_processor_id());
    if (meta.port != OXDP_META_LOOKUP && block) {
        return oxdp_output(ctx, st, meta.port,
                           &block->ports[OXDP_BOUND(st->in_port,
                                                    OXDP_MAX_PORTS)]);
    }
    st->recirc_id = meta.recirc_id;
    st->dp_hash = meta.dp_hash;
    return OXDP_AGAIN;
}
#endif

/* Runs a packet that was received on the device of 'ctx' through the datapath.
 * Returns the program's return code, or OXDP_FALLBACK. */
OXDP_INLINE int
oxdp_receive(oxdp_ctx *ctx)
{
    struct oxdp_state st = {
        .in_port = oxdp_port_from_ifindex(oxdp_ctx_ifindex(ctx)),
    };
    int i, ret;

    if (st.in_port >= OXDP_MAX_PORTS) {
        return oxdp_drop(st.in_port, OXDP_DROP_NO_PORT);
    }
#if OXDP_SKB
    if (ctx->cb[0]) {
        ret = oxdp_pass_from_xdp(ctx, &st);
        if (ret != OXDP_AGAIN) {
            return ret;
        }
    }
#endif
    for (i = 0; i < OXDP_MAX_RECIRC; i++) {
        ret = oxdp_pass(ctx, &st);
        if (ret != OXDP_AGAIN) {
            return ret;
        }
    }
    return oxdp_drop(st.in_port, OXDP_DROP_RECIRC);
}

#endif /* oxdp-action.h */
