/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-predict.h: the sets of the predictor, which says with which mask the
 * first packet of a connection will be found.
 *
 * A set's elements have tags, so that places that share a set do not push each
 * other out, and what is not known costs no probe.  Which one makes room
 * depends on the connection: if it were the oldest, packets to one place too
 * many in turn would never find theirs.
 */

#ifndef OXDP_PREDICT_H
#define OXDP_PREDICT_H 1

#include "oxdp-key.h"

/* What connections may have in common, in the order in which the predictor is
 * asked. */
enum oxdp_likeness {
    OXDP_LIKE_SERVICE,          /* The host that they go to and the port. */
    OXDP_LIKE_HOST,             /* The host. */
    OXDP_LIKE_KIND,             /* The kind of packet. */
    OXDP_N_LIKE
};

/* Returns a hash of what is the same in packets of all connections with that
 * 'likeness'. */
OXDP_INLINE __u64
oxdp_predict_hash(const struct oxdp_key *key, enum oxdp_likeness likeness,
                  const volatile __u64 *seeds)
{
    const oxdp_word *k = (const oxdp_word *) key;
    __u64 sum;

    /* VLAN tag, nw_frag and nw_proto. */
    sum = oxdp_hash_word(k[OXDP_W_TYPE], seeds[OXDP_W_TYPE])
          + oxdp_hash_word(k[OXDP_W_NW] & 0xff0000ffffffffffull,
                           seeds[OXDP_W_NW]);
    if (likeness == OXDP_LIKE_SERVICE) {
        sum += oxdp_hash_word(k[OXDP_W_TP] & 0xffff0000u, seeds[OXDP_W_TP]);
    }
    if (likeness != OXDP_LIKE_KIND) {
        /* eth_dst and nw_dst or ipv6_dst. */
        sum += oxdp_hash_word(k[OXDP_W_ETH] & 0xffffffffffffull,
                              seeds[OXDP_W_ETH]);
        if (key->eth_type == (__be16) 0xdd86) {
            sum += oxdp_hash_word(k[OXDP_W_ADDR + 2], seeds[OXDP_W_ADDR + 2])
                   + oxdp_hash_word(k[OXDP_W_ADDR + 3],
                                    seeds[OXDP_W_ADDR + 3]);
        } else {
            sum += oxdp_hash_word(k[OXDP_W_ADDR] & 0xffffffff00000000ull,
                                  seeds[OXDP_W_ADDR]);
        }
    }
    return oxdp_hash_finish(sum, likeness);
}

/* Returns the set of 'predictions' for 'hash', from oxdp_predict_hash(). */
OXDP_INLINE __u32 *
oxdp_predict_set(__u32 *predictions, __u64 hash)
{
    return &predictions[OXDP_BOUND(hash, OXDP_PREDICTIONS)
                        & ~(OXDP_PREDICT_WAYS - 1)];
}

/* Returns an element for 'hash' and mask 'id'. */
OXDP_INLINE __u32
oxdp_predict_element(__u64 hash, __u32 id)
{
    return (((__u32) (hash >> 32) | 1u << OXDP_PREDICT_TAG_SHIFT)
            & ~((1u << OXDP_PREDICT_TAG_SHIFT) - 1)) | id;
}

/* Returns nonzero if 'element' is one for 'hash'. */
OXDP_INLINE int
oxdp_predict_is(__u32 element, __u64 hash)
{
    return !((element ^ oxdp_predict_element(hash, 0))
             >> OXDP_PREDICT_TAG_SHIFT);
}

/* Returns the mask that 'set' has for 'hash', its id plus 1, or 0. */
OXDP_INLINE __u32
oxdp_predict_get(const __u32 *set, __u64 hash)
{
    __u32 found = 0;
    int i;

#pragma GCC unroll 4
    for (i = 0; i < OXDP_PREDICT_WAYS; i++) {
        if (oxdp_predict_is(set[i], hash)) {
            found = (set[i] & (OXDP_MAX_MASKS - 1)) + 1;
        }
    }
    return found;
}

/* Stores in 'set' mask 'id' for 'hash': in the place of what there is for
 * 'hash', otherwise in an empty one or in number 'other'. */
OXDP_INLINE void
oxdp_predict_put(__u32 *set, __u64 hash, __u32 id, __u32 other)
{
    __u32 to = other, found = 0;
    int i;

#pragma GCC unroll 4
    for (i = 0; i < OXDP_PREDICT_WAYS; i++) {
        if (oxdp_predict_is(set[i], hash) || (!set[i] && !found)) {
            found = 1;
            to = i;
        }
    }
    set[OXDP_BOUND(to, OXDP_PREDICT_WAYS)] = oxdp_predict_element(hash, id);
}

#endif /* oxdp-predict.h */
