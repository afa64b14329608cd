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

#include "oxdp-key.h"
#include "oxdp-maps.h"

/* Random, the same in all programs; set before they are loaded. */
const volatile __u64 oxdp_seeds[OXDP_KEY_WORDS];

/* Elements of the flow hint per CPU, less one; a power of two less one. */
const volatile __u32 oxdp_hint_mask;

OXDP_INLINE struct oxdp_flow *
oxdp_flow_get(__u32 slot)
{
    __u32 chunk = slot >> OXDP_CHUNK_SHIFT;
    __u32 i = slot & (OXDP_CHUNK_FLOWS - 1);
    void *inner = bpf_map_lookup_elem(&oxdp_flows, &chunk);

    return inner ? bpf_map_lookup_elem(inner, &i) : NULL;
}

/* Returns the flow in 'slot' if it is live and matches 'key'. */
OXDP_INLINE struct oxdp_flow *
oxdp_flow_verify(const struct oxdp_key *key, __u32 slot)
{
    struct oxdp_flow *flow = oxdp_flow_get(slot);
    struct oxdp_mask *mask;

    if (!flow || !flow->live) {
        return NULL;
    }
    mask = bpf_map_lookup_elem(&oxdp_masks, &flow->mask_id);
    if (!mask || !oxdp_key_matches(key, &mask->bits, &flow->key,
                                   flow->n_words)) {
        return NULL;
    }
    return flow;
}

struct oxdp_search {
    const struct oxdp_key *key;
    void *buckets;
    __u32 order;
    __u32 probes;
    __u32 slot;                 /* Result, plus 1; 0 if none. */
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

/* Looks for 'search->key' under the mask that is in place 'i' of the order.
 * Called by bpf_loop(), since nested loops overrun the verifier's limit on
 * jumps; returns 1 to stop. */
static long
oxdp_search_mask(__u32 i, struct oxdp_search *search)
{
    const struct oxdp_key *key = search->key;
    struct oxdp_bucket *bucket;
    struct oxdp_mask *mask;
    __u32 n, sig, slot;
    __u64 *id, hash;

    id = bpf_map_lookup_elem(&oxdp_order, &i);
    if (!id) {
        return 1;
    }
    n = *id;
    mask = bpf_map_lookup_elem(&oxdp_masks, &n);
    if (!mask) {
        return 1;
    }
    search->probes++;
    hash = oxdp_hash_masked(key, &mask->bits, mask->n_words, mask->id,
                            oxdp_seeds);
    sig = oxdp_hash_sig(hash);

    n = oxdp_hash_bucket(hash, search->order);
    bucket = bpf_map_lookup_elem(search->buckets, &n);
    if (!bucket) {
        return 1;
    }
    slot = oxdp_bucket_find(bucket, sig);
    if (slot && oxdp_flow_verify(key, slot - 1)) {
        search->slot = slot;
        return 1;
    }
    if (bucket->spilled) {
        n = oxdp_hash_bucket2(hash, search->order);
        bucket = bpf_map_lookup_elem(search->buckets, &n);
        slot = bucket ? oxdp_bucket_find(bucket, sig) : 0;
        if (slot && oxdp_flow_verify(key, slot - 1)) {
            search->slot = slot;
            return 1;
        }
    }
    return 0;
}

/* Looks 'key', whose first 'n_words' words may be nonzero, up.  Returns its
 * flow and sets '*slotp', and '*hinted' to 1 if the hint knew it and to 0 if
 * not, or returns NULL. */
OXDP_INLINE struct oxdp_flow *
oxdp_lookup(const struct oxdp_key *key, __u32 n_words,
            const struct oxdp_control *control,
            struct oxdp_port_stats *stats, __u32 *slotp, __u32 *hinted)
{
    struct oxdp_search search;
    struct oxdp_flow *flow;
    __u64 *hint, hash;
    __u32 i, order;

    hash = oxdp_hash_key(key, n_words, oxdp_seeds);
    i = bpf_get_smp_processor_id() * (oxdp_hint_mask + 1)
        + (hash & oxdp_hint_mask);
    hint = bpf_map_lookup_elem(&oxdp_hints, &i);
    if (!hint) {
        return NULL;
    }
    if (*hint >> 32 == oxdp_hash_sig(hash)) {
        *slotp = (__u32) *hint;
        flow = oxdp_flow_verify(key, *slotp);
        if (flow) {
            *hinted = 1;
            return flow;
        }
    }

    *hinted = 0;
    order = control->bucket_order;
    search.buckets = bpf_map_lookup_elem(&oxdp_buckets, &order);
    if (!search.buckets) {
        return NULL;
    }
    search.key = key;
    search.order = order & 31;
    search.probes = 0;
    search.slot = 0;
    bpf_loop(control->n_masks, oxdp_search_mask, &search, 0);
    stats->mask_probes += search.probes;
    if (!search.slot) {
        return NULL;
    }
    *slotp = search.slot - 1;
    *hint = ((__u64) oxdp_hash_sig(hash) << 32) | *slotp;
    return oxdp_flow_verify(key, *slotp);
}

#endif /* oxdp-megaflow.h */
