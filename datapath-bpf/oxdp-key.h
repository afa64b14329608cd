/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-key.h: hashing and comparing keys, in BPF and in ovs-vswitchd alike.
 *
 * The hash is NH (Black et al., UMAC): a sum of products of half words, each
 * with a random key of its own added, so that no sender can aim at a bucket
 * without knowing the seeds.  Its terms do not depend on each other.
 */

#ifndef OXDP_KEY_H
#define OXDP_KEY_H 1

#include "oxdp-compat.h"
#include "oxdp-abi.h"

OXDP_INLINE __u64
oxdp_hash_word(__u64 word, __u64 seed)
{
    __u32 lo = (__u32) word + (__u32) seed;
    __u32 hi = (__u32) (word >> 32) + (__u32) (seed >> 32);

    return (__u64) lo * hi;
}

/* Makes a hash of a sum of oxdp_hash_word().  The upper half has most of what
 * keys differ in, with little below when they differ in the last byte of an
 * address alone: it gets into the lower half, of which a bucket's number is, both
 * before and after the multiplication. */
OXDP_INLINE __u64
oxdp_hash_finish(__u64 sum, __u64 salt)
{
    sum += salt;
    sum = (sum ^ (sum >> 32)) * 0x9e3779b97f4a7c15ull;
    return sum ^ (sum >> 32);
}

/* Executes STATEMENT for I from 0 to N_WORDS, which is one of
 * OXDP_KEY_WORDS_* and at most MAX, a constant, less 1; without a loop, so that
 * it takes few jumps. */
#define OXDP_EACH_WORD(N_WORDS, MAX, I, STATEMENT)                         \
    do {                                                                   \
        OXDP_EACH_WORD__(0, OXDP_KEY_WORDS_MIN, I, STATEMENT);             \
        if (MAX > OXDP_KEY_WORDS_MIN && N_WORDS > OXDP_KEY_WORDS_MIN) {    \
            OXDP_EACH_WORD__(OXDP_KEY_WORDS_MIN, OXDP_KEY_WORDS_ETH, I,    \
                             STATEMENT);                                   \
        }                                                                  \
        if (MAX > OXDP_KEY_WORDS_ETH && N_WORDS > OXDP_KEY_WORDS_ETH) {    \
            OXDP_EACH_WORD__(OXDP_KEY_WORDS_ETH, OXDP_KEY_WORDS_IPV4, I,   \
                             STATEMENT);                                   \
        }                                                                  \
        if (MAX > OXDP_KEY_WORDS_IPV4 && N_WORDS > OXDP_KEY_WORDS_IPV4) {  \
            OXDP_EACH_WORD__(OXDP_KEY_WORDS_IPV4, OXDP_KEY_WORDS_IPV6, I,  \
                             STATEMENT);                                   \
        }                                                                  \
        if (MAX > OXDP_KEY_WORDS_IPV6 && N_WORDS > OXDP_KEY_WORDS_IPV6) {  \
            OXDP_EACH_WORD__(OXDP_KEY_WORDS_IPV6, OXDP_KEY_WORDS, I,       \
                             STATEMENT);                                   \
        }                                                                  \
    } while (0)
#define OXDP_EACH_WORD__(FROM, TO, I, STATEMENT)        \
    do {                                                \
        int I;                                          \
                                                        \
        _Pragma("GCC unroll 16")                        \
        for (I = FROM; I < TO; I++) {                   \
            STATEMENT;                                  \
        }                                               \
    } while (0)

/* Returns the hash of the first 'n_words' words of 'key' under 'mask'.  'salt'
 * distinguishes masks. */
OXDP_INLINE __u64
oxdp_hash_masked(const struct oxdp_key *key, const struct oxdp_key *mask,
                 __u32 n_words, __u32 salt, const volatile __u64 *seeds)
{
    const oxdp_word *k = (const oxdp_word *) key;
    const oxdp_word *m = (const oxdp_word *) mask;
    __u64 sum = 0;

    OXDP_EACH_WORD (n_words, OXDP_KEY_WORDS, i,
                    sum += oxdp_hash_word(k[i] & m[i], seeds[i]));
    return oxdp_hash_finish(sum, salt);
}

/* The same without a mask, for 'n_words' up to 'max', a constant. */
OXDP_INLINE __u64
oxdp_hash_key(const struct oxdp_key *key, __u32 n_words, __u32 max,
              const volatile __u64 *seeds)
{
    const oxdp_word *k = (const oxdp_word *) key;
    __u64 sum = 0;

    OXDP_EACH_WORD (n_words, max, i, sum += oxdp_hash_word(k[i], seeds[i]));
    return oxdp_hash_finish(sum, 0);
}

/* Returns nonzero if 'key' under 'mask' equals the key of the flow that 'flow'
 * and 'rest' are.  Words from 'n_words' on, which is up to 'max', a constant,
 * are not looked at. */
OXDP_INLINE int
oxdp_key_matches(const struct oxdp_key *key, const struct oxdp_key *mask,
                 const struct oxdp_flow *flow,
                 const struct oxdp_flow_rest *rest, __u32 n_words, __u32 max)
{
    const oxdp_word *k = (const oxdp_word *) key;
    const oxdp_word *m = (const oxdp_word *) mask;
    const oxdp_word *f = (const oxdp_word *) flow->key;
    const oxdp_word *r = (const oxdp_word *) rest->key;
    __u64 diff = 0;

    OXDP_EACH_WORD (n_words, max, i,
                    diff |= (k[i] & m[i])
                            ^ (i < OXDP_KEY_WORDS_IPV4
                               ? f[i] : r[i - OXDP_KEY_WORDS_IPV4]));
    return !diff;
}

/* Makes 'key' the key of the flow that 'flow' and 'rest' are, or the other way
 * round. */
OXDP_INLINE void
oxdp_flow_set_key(struct oxdp_flow *flow, struct oxdp_flow_rest *rest,
                  const struct oxdp_key *key)
{
    oxdp_memcpy(flow->key, key, sizeof flow->key);
    oxdp_memcpy(rest->key, (const char *) key + sizeof flow->key,
                sizeof rest->key);
}

OXDP_INLINE void
oxdp_flow_get_key(const struct oxdp_flow *flow,
                  const struct oxdp_flow_rest *rest, struct oxdp_key *key)
{
    oxdp_memcpy(key, flow->key, sizeof flow->key);
    oxdp_memcpy((char *) key + sizeof flow->key, rest->key, sizeof rest->key);
}

/* The number of words, as the functions above take it, that 'mask' uses. */
OXDP_INLINE __u32
oxdp_mask_words(const struct oxdp_key *mask)
{
    const oxdp_word *m = (const oxdp_word *) mask;
    int i;

    for (i = OXDP_KEY_WORDS; i > OXDP_KEY_WORDS_MIN; i--) {
        if (m[i - 1]) {
            break;
        }
    }
    return i > OXDP_KEY_WORDS_IPV6 ? OXDP_KEY_WORDS
           : i > OXDP_KEY_WORDS_IPV4 ? OXDP_KEY_WORDS_IPV6
           : i > OXDP_KEY_WORDS_ETH ? OXDP_KEY_WORDS_IPV4
           : i > OXDP_KEY_WORDS_MIN ? OXDP_KEY_WORDS_ETH
           : OXDP_KEY_WORDS_MIN;
}

/* Returns the scope, less than OXDP_SCOPES, of packets from 'in_port' with
 * 'recirc_id'. */
OXDP_INLINE __u32
oxdp_scope(__u16 in_port, __u32 recirc_id, const volatile __u64 *seeds)
{
    __u64 word = recirc_id | (__u64) in_port << 32;

    return (oxdp_hash_finish(oxdp_hash_word(word, seeds[0]), 1)
            & (OXDP_SCOPES - 1));
}

/* The parts of a hash: where the first and the second bucket are, and the
 * signature, which is never 0. */
OXDP_INLINE __u32
oxdp_hash_bucket(__u64 hash, __u32 order)
{
    return hash & ((1u << order) - 1);
}

OXDP_INLINE __u32
oxdp_hash_bucket2(__u64 hash, __u32 order)
{
    return ((hash >> 40) ^ hash ^ 1) & ((1u << order) - 1);
}

OXDP_INLINE __u32
oxdp_hash_sig(__u64 hash)
{
    return (__u32) (hash >> 32) | 1;
}

#endif /* oxdp-key.h */
