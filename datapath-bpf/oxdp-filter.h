/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-filter.h: the filter of multicast groups of an upper port.
 *
 * Like a network card's and that of the kernel's macvlan devices it is a hash:
 * another group gets through if it has the same bit.  Builds for BPF and
 * natively.
 */

#ifndef OXDP_FILTER_H
#define OXDP_FILTER_H 1

#include "oxdp-compat.h"

/* Returns the bit of group 'mac', 0...255. */
OXDP_INLINE __u32
oxdp_filter_bit(const __u8 mac[6])
{
    __u64 addr = ((__u64) mac[0] << 40 | (__u64) mac[1] << 32
                  | (__u64) mac[2] << 24 | (__u64) mac[3] << 16
                  | (__u64) mac[4] << 8 | mac[5]);

    return addr * 0x9e3779b97f4a7c15ull >> 56;
}

#endif /* oxdp-filter.h */
