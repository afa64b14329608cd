/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-action.h: one packet through the whole pipeline.
 */

#ifndef OXDP_ACTION_H
#define OXDP_ACTION_H 1

#include "oxdp-megaflow.h"
#include "oxdp-port.h"
#include "oxdp-set.h"
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
    __u8 pad0;
    struct oxdp_pos pos;        /* Between the steps of parsing. */
    __u32 where;                /* oxdp_locate() of the packet, if its flow
                                 * has 'headers'. */
    __u32 pad1;
};

/* What oxdp_pass() returns besides return codes of programs. */
#define OXDP_AGAIN 1000         /* Recirculate. */

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
    default:
        return -1;
    }
}

/* Outputs the packet to 'port', which is NULL or not present if it went away.
 * Returns a return code. */
OXDP_INLINE int
oxdp_output(oxdp_ctx *ctx, const struct oxdp_port *port, __u32 port_no,
            struct oxdp_port_stats *stats)
{
    int ret;

    if (!port || !(port->flags & OXDP_PORT_F_PRESENT)) {
        stats->drops[OXDP_DROP_OUT_PORT]++;
        return OXDP_RET_DROP;
    }
    ret = oxdp_ctx_output(ctx, port, port_no);
    if (ret == OXDP_RET_DROP) {
        stats->drops[OXDP_DROP_OUT_ERROR]++;
    }
    return ret;
}

/* Executes the opcodes of 'flow', whose OUTPUT, if any, is to 'port'.  Returns
 * a return code or OXDP_AGAIN. */
OXDP_INLINE int
oxdp_execute(oxdp_ctx *ctx, struct oxdp_state *st, struct oxdp_flow *flow,
             const struct oxdp_port *port, struct oxdp_port_stats *stats)
{
    __u32 n = flow->n_ops;
    __u32 i;

    for (i = 0; i < OXDP_MAX_OPS; i++) {
        const struct oxdp_op *op = &flow->ops[i];

        if (i >= n) {
            break;
        }
        switch (op->code) {
        case OXDP_OP_OUTPUT:
            return oxdp_output(ctx, port, flow->out_port, stats);

        case OXDP_OP_RECIRC:
            st->recirc_id = op->arg32;
            return OXDP_AGAIN;

        default:
            if (oxdp_pass_rewrite(ctx, op, st->where)) {
                stats->drops[OXDP_DROP_REWRITE]++;
                return OXDP_RET_DROP;
            }
            st->changed = 1;
            break;
        }
    }
    stats->drops[OXDP_DROP_ACTION]++;
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

__attribute__((noinline)) int
oxdp_pass_punt(oxdp_ctx *ctx, struct oxdp_state *st, __u32 reason)
{
    return st ? oxdp_punt(ctx, &st->key, reason) : OXDP_RET_DROP;
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
    if (oxdp_ctx_metadata(ctx, &st->key)) {
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

/* One pass of the packet through the flow table.  A function of its own, which
 * the verifier looks at once and not once per recirculation. */
__attribute__((noinline)) int
oxdp_pass(oxdp_ctx *ctx, struct oxdp_state *st)
{
    __u32 cpu = bpf_get_smp_processor_id();
    struct oxdp_port_stats *stats;
    struct oxdp_port *port = NULL;
    struct oxdp_cpu_block *block;
    struct oxdp_place place;
    struct oxdp_flow *flow;
    __u64 *hint, hash;
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

    hash = oxdp_hint_hash(&st->key, st->n_words, OXDP_KEY_WORDS);
    hint = oxdp_hint_get(block, hash);
    flow = oxdp_lookup_hint(&st->key, OXDP_KEY_WORDS, hash, *hint, &place);
    hinted = flow != NULL;
    if (!flow) {
        flow = oxdp_lookup_search(&st->key, hash, hint, stats, &place);
        if (!flow) {
            stats->misses++;
            return oxdp_pass_punt(ctx, st, OXDP_PUNT_MISS);
        }
    }
    if (flow->verdict != OXDP_VERDICT_BPF) {
        return oxdp_pass_punt(ctx, st, OXDP_PUNT_USER);
    }

    if (flow->out_port != OXDP_PORT_NONE) {
        port = oxdp_port_get(flow->out_port);
        if (port && !oxdp_ctx_can_output(ctx, port, st->len)) {
            if (st->changed) {
                return oxdp_pass_punt(ctx, st, OXDP_PUNT_SKB);
            }
            stats->to_skb++;
            return OXDP_RET_PASS;
        }
    }
    if (flow->headers) {
        ret = oxdp_pass_locate(ctx, &st->key, flow->headers);
        if (ret < 0) {
            return oxdp_pass_punt(ctx, st, OXDP_PUNT_USER);
        }
        st->where = ret;
    }

    stats->hits[OXDP_HOOK]++;
    stats->search_hits += !hinted;
    oxdp_flow_count(&place, cpu, st->len, oxdp_tcp_flags(&st->key));
    return oxdp_execute(ctx, st, flow, port, stats);
}

/* oxdp_receive() for most frames: oxdp_parse_common() can parse it, the hint
 * knows the flow, and an output is the only action of that, or it has none.
 * Returns a return code, or OXDP_AGAIN, with nothing done, if it is another
 * packet. */
OXDP_INLINE int
oxdp_receive_common(oxdp_ctx *ctx)
{
    __u32 in_port = oxdp_port_from_ifindex(oxdp_ctx_ifindex(ctx));
    __u32 cpu = bpf_get_smp_processor_id();
    oxdp_word words[OXDP_KEY_WORDS_IPV4];
    struct oxdp_key *key = (struct oxdp_key *) words;
    struct oxdp_port_stats *stats;
    struct oxdp_cpu_block *block;
    struct oxdp_place place;
    struct oxdp_flow *flow;
    struct oxdp_port *port;
    struct oxdp_pkt pkt;
    __u64 hash;
    int ret;

    block = oxdp_cpu_block_get(cpu);
    oxdp_ctx_view(ctx, &pkt);
    pkt.where = oxdp_key_where(in_port, 0);
    if (!block || in_port >= OXDP_MAX_PORTS
        || oxdp_parse_common(&pkt, key) != OXDP_PARSE_OK) {
        return OXDP_AGAIN;
    }

    hash = oxdp_hint_hash(key, OXDP_KEY_WORDS_IPV4, OXDP_KEY_WORDS_IPV4);
    flow = oxdp_lookup_hint(key, OXDP_KEY_WORDS_IPV4, hash,
                            *oxdp_hint_get(block, hash), &place);
    if (!flow || !flow->plain) {
        return OXDP_AGAIN;
    }
    stats = &block->ports[OXDP_BOUND(in_port, OXDP_MAX_PORTS)];
    port = oxdp_port_get(flow->out_port);
    if (port && !oxdp_ctx_can_output(ctx, port, pkt.len)) {
        stats->to_skb++;
        return OXDP_RET_PASS;
    }
    stats->hits[OXDP_HOOK]++;
    oxdp_flow_count(&place, cpu, pkt.len, oxdp_tcp_flags(key));
    if (!port) {
        stats->drops[OXDP_DROP_ACTION]++;
        return OXDP_RET_DROP;
    }
    ret = oxdp_ctx_output(ctx, port, flow->out_port);
    if (ret == OXDP_RET_DROP) {
        stats->drops[OXDP_DROP_OUT_ERROR]++;
    }
    return ret;
}

/* Runs a packet that was received on the device of 'ctx' through the datapath.
 * Returns the program's return code. */
OXDP_INLINE int
oxdp_receive(oxdp_ctx *ctx)
{
    struct oxdp_state st = {
        .in_port = oxdp_port_from_ifindex(oxdp_ctx_ifindex(ctx)),
    };
    int i, ret;

    if (st.in_port == OXDP_PORT_NONE) {
        return oxdp_drop(st.in_port, OXDP_DROP_NO_PORT);
    }
    for (i = 0; i < OXDP_MAX_RECIRC; i++) {
        ret = oxdp_pass(ctx, &st);
        if (ret != OXDP_AGAIN) {
            return ret;
        }
    }
    return oxdp_drop(st.in_port, OXDP_DROP_RECIRC);
}

#endif /* oxdp-action.h */
