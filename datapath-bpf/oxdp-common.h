/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-common.h: the short way through the pipeline, for most frames.
 *
 * It does what oxdp_receive() does, or nothing.
 */

#ifndef OXDP_COMMON_H
#define OXDP_COMMON_H 1

#include "oxdp-action.h"

/* Returns the flow that a packet from 'in_port' with 'key', of which there are
 * OXDP_KEY_WORDS_IPV4 words, has next if opcodes HASH and RECIRC are all of
 * 'first', and sets '*place'.  Returns NULL if they are not, if the hash is
 * another one than that of bonds, or if the hint does not know it. */
OXDP_INLINE struct oxdp_flow *
oxdp_common_recirc(const struct oxdp_key *key, __u32 in_port,
                   const struct oxdp_flow *first,
                   struct oxdp_cpu_block *block, struct oxdp_place *place)
{
    const oxdp_word *w = (const oxdp_word *) key;
    const struct oxdp_list *list = NULL;
    oxdp_word words[OXDP_KEY_WORDS] = { 0 };
    const struct oxdp_op *ops;
    struct oxdp_key *next = (struct oxdp_key *) words;
    __u64 hash;
    int i;

    if (first->n_ops == 2) {
        list = oxdp_flow_list(first);
    }
    if (!list) {
        return NULL;
    }
    ops = list->ops;
    if (ops[0].code != OXDP_OP_HASH || ops[0].hash.alg != OXDP_HASH_L4
        || ops[1].code != OXDP_OP_RECIRC) {
        return NULL;
    }
#pragma GCC unroll 8
    for (i = 0; i < OXDP_KEY_WORDS_IPV4; i++) {
        words[i] = w[i];
    }
    words[OXDP_W_TYPE] |= ops[1].arg32;
    words[OXDP_W_MARK] = oxdp_hash_int(oxdp_hash_5tuple_ipv4(key),
                                       ops[0].hash.basis);
    hash = oxdp_hint_hash(next, in_port, OXDP_KEY_WORDS, OXDP_KEY_WORDS);
    return oxdp_lookup_hint(next, OXDP_KEY_WORDS, hash,
                            oxdp_hint_set(block, hash), place);
}

/* oxdp_receive() for most frames: oxdp_parse_common() can parse it, the hint
 * knows its flow, and that has no other action than an output, maybe to a bond,
 * or a hash after which the hint knows the next flow, of which the same is true.
 * 'in_port' is where it came in.  Returns a return code, or with nothing done
 * OXDP_AGAIN if it is another packet. */
OXDP_INLINE int
oxdp_receive_common(oxdp_ctx *ctx, __u32 in_port)
{
    __u32 cpu = bpf_get_smp_processor_id();
    oxdp_word words[OXDP_KEY_WORDS_IPV4];
    struct oxdp_key *key = (struct oxdp_key *) words;
    struct oxdp_flow *flow, *first = NULL;
    struct oxdp_place place, first_place;
    struct oxdp_port_stats *stats;
    struct oxdp_cpu_block *block;
    struct oxdp_port *port;
    __u32 port_no, bond_id = 0, bond = OXDP_MAX_BONDS, bond_hash = 0;
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

    hash = oxdp_hint_hash(key, in_port, OXDP_KEY_WORDS_IPV4,
                          OXDP_KEY_WORDS_IPV4);
    flow = oxdp_lookup_hint(key, OXDP_KEY_WORDS_IPV4, hash,
                            oxdp_hint_set(block, hash), &place);
    if (!flow || flow->verdict != OXDP_VERDICT_XDP) {
        return OXDP_AGAIN;
    }
    port_no = flow->out_port;
    if (flow->list) {
        bond_id = oxdp_flow_rest(&place)->bond;
    }
    if (bond_id) {
        bond = oxdp_bond_find(bond_id, 1);
        bond_hash = oxdp_hash_5tuple_ipv4(key);
        port_no = oxdp_bond_port(bond, bond_hash);
        if (bond >= OXDP_MAX_BONDS || port_no >= OXDP_MAX_PORTS) {
            return OXDP_AGAIN;
        }
    } else if (flow->list) {
        first = flow;
        first_place = place;
        flow = oxdp_common_recirc(key, in_port, first, block, &place);
        if (!flow || flow->verdict != OXDP_VERDICT_XDP || flow->list) {
            return OXDP_AGAIN;
        }
        port_no = flow->out_port;
    }
    stats = &block->ports[OXDP_BOUND(in_port, OXDP_MAX_PORTS)];
    port = oxdp_port_get(port_no);
    if (port && (!oxdp_ctx_can_output(ctx, port, pkt.len)
                 || pkt.len > port->max_len)) {
        return OXDP_AGAIN;
    }
    stats->hits[OXDP_HOOK]++;
    oxdp_flow_count(flow, &place, cpu, pkt.len, oxdp_tcp_flags(key));
    if (first) {
        stats->hits[OXDP_HOOK]++;
        oxdp_flow_count(first, &first_place, cpu, pkt.len,
                        oxdp_tcp_flags(key));
    }
    if (!port) {
        stats->drops[OXDP_DROP_ACTION]++;
        return OXDP_RET_DROP;
    }
    if (bond < OXDP_MAX_BONDS) {
        oxdp_bond_count(block, bond, bond_hash, pkt.len);
    }
    ret = oxdp_ctx_output(ctx, port, port_no);
    if (ret == OXDP_RET_DROP) {
        stats->drops[OXDP_DROP_OUT_ERROR]++;
    }
    return ret;
}

#endif /* oxdp-common.h */
