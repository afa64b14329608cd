/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-megaflow.h: from a key to a flow.
 *
 * First the hint, then mask by mask.  A reader that races with the flow table
 * finds the right flow or none, never a wrong one, since every candidate is
 * compared in full; a packet that finds none goes to ovs-vswitchd, which looks
 * into its own table before it makes an upcall of it.
 */

#ifndef OXDP_MEGAFLOW_H
#define OXDP_MEGAFLOW_H 1

#include "oxdp-hint.h"
#include "oxdp-key.h"
#include "oxdp-maps.h"
#include "oxdp-predict.h"

/* Random, the same in all programs; set before they are loaded. */
const volatile __u64 oxdp_seeds[OXDP_KEY_WORDS];

/* Elements of the flow hint, a power of two, less those of one set. */
const volatile __u32 oxdp_hint_mask;

/* Possible CPUs. */
const volatile __u32 oxdp_n_cpus;

/* Where a flow is. */
struct oxdp_place {
    struct oxdp_chunk *chunk;
    __u32 slot;
};

/* Stores in '*place' where 'slot' is, and returns its flow, which need not be
 * live, or returns NULL. */
OXDP_INLINE struct oxdp_flow *
oxdp_flow_get(__u32 slot, struct oxdp_place *place)
{
    __u32 n = slot >> OXDP_CHUNK_SHIFT;
    __u32 chunk = 0, zero = 0;
    void *inner;

    /* A branch that is predicted makes the address of the first chunk known
     * before 'slot' is, which is on the packet's critical path. */
    if (n) {
        asm volatile("%0 = %1" : "=r" (chunk) : "r" (n));
    }
    inner = bpf_map_lookup_elem(&oxdp_chunks, &chunk);
    place->chunk = inner ? bpf_map_lookup_elem(inner, &zero) : NULL;
    place->slot = slot;
    return place->chunk
           ? &place->chunk->flows[OXDP_BOUND(slot, OXDP_CHUNK_FLOWS)] : NULL;
}

/* Returns the rest of the flow that is in '*place'. */
OXDP_INLINE struct oxdp_flow_rest *
oxdp_flow_rest(const struct oxdp_place *place)
{
    return &place->chunk->rests[OXDP_BOUND(place->slot, OXDP_CHUNK_FLOWS)];
}

/* Returns the time as in struct oxdp_flow: bits of bpf_jiffies64(), and one
 * that makes it nonzero. */
OXDP_INLINE __u32
oxdp_flow_now(void)
{
    return (__u32) bpf_jiffies64() | 1;
}

/* Counts a packet of 'len' bytes of 'flow', which is in '*place', on this CPU,
 * whose number is 'cpu'.  What CPUs share is written only if it changes. */
OXDP_INLINE void
oxdp_flow_count(struct oxdp_flow *flow, const struct oxdp_place *place,
                __u32 cpu, __u32 len, __be16 tcp_flags)
{
    struct oxdp_flow_stats *stats = place->chunk->stats;
    __u32 now = oxdp_flow_now();
    __u32 flags;

    /* One register for the check and for what follows: read from the stack
     * twice, Linux 6.1 says "R1 unbounded memory access". */
    asm volatile("" : "+r" (cpu));
    if (cpu >= oxdp_n_cpus) {
        return;
    }
    stats += cpu * OXDP_CHUNK_FLOWS + OXDP_BOUND(place->slot, OXDP_CHUNK_FLOWS);
    stats->packets++;
    stats->bytes += len;
    if (flow->used != now) {
        flow->used = now;
    }
    flags = bpf_ntohs(tcp_flags);
    if (flags & ~flow->tcp_flags) {
        __sync_fetch_and_or(&flow->tcp_flags32, flags);
    }
}

/* Returns the opcodes of 'flow', whose 'list' is not 0, or NULL. */
OXDP_INLINE const struct oxdp_list *
oxdp_flow_list(const struct oxdp_flow *flow)
{
    __u32 list = flow->list - 1;
    __u32 chunk = list >> OXDP_LIST_SHIFT;
    void *inner = bpf_map_lookup_elem(&oxdp_lists, &chunk);

    list &= OXDP_LIST_CHUNK - 1;
    return inner ? bpf_map_lookup_elem(inner, &list) : NULL;
}

OXDP_INLINE struct oxdp_mask *
oxdp_mask_get(__u32 id)
{
    return &oxdp_shared.masks[OXDP_BOUND(id, OXDP_MAX_MASKS)];
}

/* Returns the flow in 'slot', and stores its place, if it is live, its mask is
 * 'mask', whose id is 'mask_id', and it matches 'key', which has 'max' words, a
 * constant. */
OXDP_INLINE struct oxdp_flow *
oxdp_flow_verify(const struct oxdp_key *key, __u32 slot,
                 const struct oxdp_mask *mask, __u32 mask_id, __u32 max,
                 struct oxdp_place *place)
{
    struct oxdp_flow *flow = oxdp_flow_get(slot, place);
    __u32 n_words;

    /* Only what is read after 'live' belongs to it. */
    if (!flow || *(volatile __u16 *) &flow->live != mask_id + 1) {
        return NULL;
    }
    asm volatile("" : : : "memory");
    n_words = mask->n_words;
    return n_words <= max
           && oxdp_key_matches(key, &mask->bits, flow, oxdp_flow_rest(place),
                               n_words, max)
           ? flow : NULL;
}

/* Returns the hash of 'key', whose first 'n_words' words, up to 'max', may be
 * nonzero, that the flow hint goes by: over the words that masks look at for
 * packets from 'in_port'. */
OXDP_INLINE __u64
oxdp_hint_hash(const struct oxdp_key *key, __u32 in_port, __u32 n_words,
               __u32 max)
{
    __u32 n = oxdp_shared.key_words[OXDP_BOUND(in_port, OXDP_MAX_PORTS)];

    if (n > n_words) {
        n = n_words;
    }
    return oxdp_hash_key(key, n, max, oxdp_seeds);
}

/* Returns the set of hints for 'hash'. */
OXDP_INLINE __u64 *
oxdp_hint_set(struct oxdp_cpu_block *block, __u64 hash)
{
    return &block->hints[hash & oxdp_hint_mask];
}

/* Looks 'key', which has 'max' words, a constant, up by the hint for 'hash'.
 * Returns its flow and sets '*place', or returns NULL. */
OXDP_INLINE struct oxdp_flow *
oxdp_lookup_hint(const struct oxdp_key *key, __u32 max, __u64 hash,
                 __u64 *hints, struct oxdp_place *place)
{
    __u64 hint = oxdp_hint_get(hints, hash);
    __u32 id = (__u32) hint >> OXDP_HINT_MASK_SHIFT;

    return hint
           ? oxdp_flow_verify(key, hint & (OXDP_MAX_FLOWS - 1),
                              oxdp_mask_get(id), id, max, place)
           : NULL;
}

struct oxdp_search {
    const struct oxdp_key *key;
    void *buckets;
    struct oxdp_order *order;
    __u32 bucket_order;
    __u32 probes;
    __u32 slot;                 /* Result, plus 1; 0 if none. */
    __u32 mask_id;              /* Result. */
};

/* Returns a slot of 'bucket' with signature 'sig', plus 1, or 0. */
OXDP_INLINE __u32
oxdp_bucket_find(const struct oxdp_bucket *bucket, __u32 sig)
{
    __u32 found = 0;
    int i;

#pragma GCC unroll 8
    for (i = 0; i < OXDP_BUCKET_SLOTS; i++) {
        if (bucket->sigs[i] == sig) {
            found = bucket->slots[i];
        }
    }
    return found;
}

/* Looks for 'search->key' under mask 'id'.  Returns 1 if it is there, and 0 if
 * not. */
static __noinline int
oxdp_search_one(struct oxdp_search *search, __u32 id)
{
    const struct oxdp_key *key = search->key;
    struct oxdp_bucket *bucket;
    struct oxdp_place place;
    struct oxdp_mask *mask;
    __u32 n, sig, slot;
    __u64 hash;

    mask = oxdp_mask_get(id);
    search->probes++;
    search->mask_id = id;
    hash = oxdp_hash_masked(key, &mask->bits, mask->n_words, id, oxdp_seeds);
    sig = oxdp_hash_sig(hash);

    n = oxdp_hash_bucket(hash, search->bucket_order);
    bucket = bpf_map_lookup_elem(search->buckets, &n);
    if (!bucket) {
        return 0;
    }
    slot = oxdp_bucket_find(bucket, sig);
    if (slot && oxdp_flow_verify(key, slot - 1, mask, id, OXDP_KEY_WORDS,
                                 &place)) {
        search->slot = slot;
        return 1;
    }
    if (bucket->spilled) {
        n = oxdp_hash_bucket2(hash, search->bucket_order);
        bucket = bpf_map_lookup_elem(search->buckets, &n);
        slot = bucket ? oxdp_bucket_find(bucket, sig) : 0;
        if (slot && oxdp_flow_verify(key, slot - 1, mask, id, OXDP_KEY_WORDS,
                                     &place)) {
            search->slot = slot;
            return 1;
        }
    }
    return 0;
}

/* Looks under the mask in place 'i' of the order.  Called by bpf_loop(), since
 * nested loops overrun the verifier's limit on jumps; returns 1 to stop. */
static long
oxdp_search_mask(__u32 i, struct oxdp_search *search)
{
    i = OXDP_BOUND(i, OXDP_ORDER_MASKS);
    if (!oxdp_search_one(search, search->order->ids[i])) {
        return 0;
    }
    search->order->hits[i]++;
    return 1;
}

/* Returns the masks that packets with 'key' can be found with, or NULL if there
 * are none. */
OXDP_INLINE struct oxdp_order *
oxdp_order_get(const struct oxdp_key *key)
{
    __u32 scope = oxdp_scope(key->in_port, key->recirc_id, oxdp_seeds);
    __u32 order = oxdp_shared.scopes[OXDP_BOUND(scope, OXDP_SCOPES)];
    __u32 chunk;
    void *inner;

    if (!order--) {
        return NULL;
    }
    chunk = order >> OXDP_ORDER_SHIFT;
    inner = bpf_map_lookup_elem(&oxdp_orders, &chunk);
    order &= OXDP_ORDER_CHUNK - 1;
    return inner ? bpf_map_lookup_elem(inner, &order) : NULL;
}

/* Returns how many of the 'n' masks of an order are to be searched for a packet
 * of the port with 'stats'. */
OXDP_INLINE __u32
oxdp_search_limit(struct oxdp_port_stats *stats, __u32 n)
{
    __u64 now;

    if (n <= OXDP_FEW_MASKS) {
        return n;
    }
    now = bpf_jiffies64();
    if (stats->jiffies != now) {
        stats->jiffies = now;
        stats->vain = 0;
    }
    if (stats->vain < oxdp_shared.control.vain_limit) {
        return n;
    }
    stats->cut_searches++;
    return OXDP_FEW_MASKS;
}

/* Returns the hash that the predictor has the 'likeness' of 'key' under, and in
 * '*set' the set for it. */
OXDP_INLINE __u64
oxdp_predict_place(const struct oxdp_key *key, enum oxdp_likeness likeness,
                   __u32 *predictions, __u32 **set)
{
    __u64 hash = oxdp_predict_hash(key, likeness, oxdp_seeds);

    *set = oxdp_predict_set(predictions, hash);
    return hash;
}

/* Teaches 'predictions' what 'search' has found after those before 'found' were
 * asked, some of which said something 'wrong', a bit for each.  They learn it,
 * and those who knew nothing, except that services are learned where they
 * differ from the host. */
static __noinline int
oxdp_predict_learn(struct oxdp_search *search, __u32 *predictions,
                   __u64 connection, __u32 found, __u32 wrong)
{
    __u32 i, *set;
    __u64 hash;

#pragma GCC unroll 3
    for (i = 0; i < OXDP_N_LIKE; i++) {
        if (i < found && (i != OXDP_LIKE_SERVICE
                          || wrong & (1u << OXDP_LIKE_SERVICE
                                      | 1u << OXDP_LIKE_HOST))) {
            hash = oxdp_predict_place(search->key, i, predictions, &set);
            oxdp_predict_put(set, hash, search->mask_id, connection >> 62);
        }
    }
    return 0;
}

/* Looks 'search->key' up by the masks that 'predictions' have for it, and then
 * by all of its scope; corrects the predictions.  'connection' is a hash of the
 * key. */
OXDP_INLINE void
oxdp_search_all(struct oxdp_search *search, __u32 *predictions,
                __u64 connection, struct oxdp_port_stats *stats)
{
    __u32 i, n, id, tried = 0, found = OXDP_N_LIKE, wrong = 0;
    __u32 *set;
    __u64 hash;

#pragma GCC unroll 3
    for (i = 0; i < OXDP_N_LIKE; i++) {
        hash = oxdp_predict_place(search->key, i, predictions, &set);
        id = oxdp_predict_get(set, hash);
        if (id && id != tried && oxdp_search_one(search, id - 1)) {
            found = i;
            break;
        }
        if (id) {
            tried = id;
            wrong |= 1u << i;
        }
    }
    if (found == OXDP_N_LIKE) {
        search->order = oxdp_order_get(search->key);
        if (!search->order) {
            return;
        }
        n = oxdp_search_limit(stats, search->order->n);
        bpf_loop(n, oxdp_search_mask, search, 0);
        if (!search->slot) {
            stats->vain += search->probes;
            return;
        }
    }

    oxdp_predict_learn(search, predictions, connection, found, wrong);
}

/* Looks 'key' up mask by mask, and stores what it finds in 'hints', the set for
 * 'hash'.  Returns its flow and sets '*place', or returns NULL. */
OXDP_INLINE struct oxdp_flow *
oxdp_lookup_search(const struct oxdp_key *key, __u64 hash, __u64 *hints,
                   struct oxdp_cpu_block *block,
                   struct oxdp_port_stats *stats, struct oxdp_place *place)
{
    __u32 order = oxdp_shared.control.bucket_order;
    struct oxdp_search search;
    __u32 id, slot;

    search.buckets = bpf_map_lookup_elem(&oxdp_buckets, &order);
    if (!search.buckets) {
        return NULL;
    }
    search.key = key;
    search.bucket_order = order & 31;
    search.probes = 0;
    search.slot = 0;
    search.mask_id = 0;
    search.order = NULL;
    oxdp_search_all(&search, block->predictions, hash, stats);
    stats->mask_probes += search.probes;
    if (!search.slot) {
        return NULL;
    }
    slot = search.slot - 1;
    id = search.mask_id;
    oxdp_hint_put(hints, hash, id, slot);
    return oxdp_flow_verify(key, slot, oxdp_mask_get(id), id, OXDP_KEY_WORDS,
                            place);
}

#endif /* oxdp-megaflow.h */
