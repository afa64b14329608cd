/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-hint.h: the sets of the flow hint.
 *
 * The last element of a set is for newcomers: whoever is found there again
 * changes places with another one.  So packets of ever new connections push
 * each other out, and not the connections that go on; and where they go depends
 * on a keyed hash.
 */

#ifndef OXDP_HINT_H
#define OXDP_HINT_H 1

#include "oxdp-key.h"

#define OXDP_HINT_NEW (OXDP_HINT_WAYS - 1)
OXDP_ASSERT(OXDP_HINT_WAYS == 4);

/* Returns 'hint' if it is the one for 'hash', otherwise 0; without a branch,
 * since which of several it is cannot be predicted. */
OXDP_INLINE __u64
oxdp_hint_select(__u64 hint, __u64 hash)
{
    __u64 differs = (hint >> OXDP_HINT_SIG_SHIFT) ^ oxdp_hash_sig(hash);

    return hint & -((differs - 1) >> 63);
}

/* Returns the element of 'hints', the set for 'hash', that is for 'hash', or
 * 0. */
OXDP_INLINE __u64
oxdp_hint_get(__u64 *hints, __u64 hash)
{
    __u64 hint = oxdp_hint_select(hints[0], hash);
    __u32 i;

    if (hint) {
        return hint;
    }
    hint = oxdp_hint_select(hints[1], hash) | oxdp_hint_select(hints[2], hash);
    if (hint) {
        return hint;
    }
    hint = oxdp_hint_select(hints[OXDP_HINT_NEW], hash);
    if (hint) {
        i = (hash >> 62) & 1;
        hints[OXDP_HINT_NEW] = hints[i];
        hints[i] = hint;
    }
    return hint;
}

/* Stores in 'hints', the set for 'hash', mask and slot: in the place of what
 * there is for 'hash', otherwise in an empty one or in that for newcomers. */
OXDP_INLINE void
oxdp_hint_put(__u64 *hints, __u64 hash, __u32 mask_id, __u32 slot)
{
    __u64 hint = ((__u64) oxdp_hash_sig(hash) << OXDP_HINT_SIG_SHIFT)
                 | mask_id << OXDP_HINT_MASK_SHIFT | slot;
    __u32 to = OXDP_HINT_NEW, found = 0;
    int i;

#pragma GCC unroll 4
    for (i = 0; i < OXDP_HINT_WAYS; i++) {
        if (oxdp_hint_select(hints[i], hash) || (!hints[i] && !found)) {
            found = 1;
            to = i;
        }
    }
    hints[OXDP_BOUND(to, OXDP_HINT_WAYS)] = hint;
}

#endif /* oxdp-hint.h */
