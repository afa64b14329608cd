/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-csum.h: Internet checksums that follow changes, see RFC 1624.
 *
 * The results are those of OVS's recalc_csum16() and the like, bit by bit,
 * where the checksum has two representations of zero: the sum of all terms is
 * folded once at last, and a sum of not only zeros does not become 0.
 */

#ifndef OXDP_CSUM_H
#define OXDP_CSUM_H 1

#include "oxdp-compat.h"

/* Returns what a change of a half word from 'old' to 'new' adds to the sum of
 * what a checksum covers. */
OXDP_INLINE __u32
oxdp_csum_diff16(__u16 old, __u16 new)
{
    return (__u16) ~old + new;
}

/* The same for a word, 0 if it does not change. */
OXDP_INLINE __u32
oxdp_csum_diff(__u32 old, __u32 new)
{
    return old == new ? 0 : oxdp_csum_diff16(old, new)
                            + oxdp_csum_diff16(old >> 16, new >> 16);
}

/* Returns what 'csum' becomes if what it covers changes by 'diff', a sum of
 * some ten of the above. */
OXDP_INLINE __u16
oxdp_csum_update(__u16 csum, __u32 diff)
{
    __u32 sum = (__u16) ~csum + diff;

    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}

#endif /* oxdp-csum.h */
