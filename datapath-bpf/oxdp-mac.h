/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-mac.h: the table of addresses of bridges with xdp-l2=macvlan.
 *
 * An address is in one of the two buckets that a keyed hash gives it, so that
 * looking for it takes a cache line or two, in memory whose place is a
 * constant.  Builds for BPF and natively.
 */

#ifndef OXDP_MAC_H
#define OXDP_MAC_H 1

#include "oxdp-abi.h"
#include "oxdp-key.h"

/* The first six bytes of a word. */
#define OXDP_MAC_MASK 0xffffffffffffull

/* Returns the 'key' of address 'mac', in VLAN 'vlan', in a struct oxdp_mac. */
OXDP_INLINE __u64
oxdp_mac_key(const __u8 mac[6], __u16 vlan)
{
    __u64 key = (__u64) vlan << 48;

    oxdp_memcpy(&key, mac, 6);
    return key;
}

/* Returns the hash of 'key' behind the lower port 'lower'. */
OXDP_INLINE __u64
oxdp_mac_hash(__u64 key, __u16 lower, const volatile __u64 *seeds)
{
    return oxdp_hash_finish(oxdp_hash_word(key, seeds[0])
                            + oxdp_hash_word(lower, seeds[1]), 0);
}

/* Returns the number of the first bucket, if 'i' is 0, or of the second one,
 * of those for 'hash'. */
OXDP_INLINE __u32
oxdp_mac_bucket(__u64 hash, int i)
{
    return hash >> (i ? 32 : 0) & (OXDP_MAC_BUCKETS - 1);
}

/* Returns who has the address 'key' behind the lower port 'lower': zero
 * throughout if nobody has. */
OXDP_INLINE union oxdp_mac_owner
oxdp_mac_find(const struct oxdp_shared *shared, __u64 key, __u16 lower,
              const volatile __u64 *seeds)
{
    __u64 hash = oxdp_mac_hash(key, lower, seeds);
    union oxdp_mac_owner owner;
    int i, j;

    _Pragma("GCC unroll 2")
    for (i = 0; i < 2; i++) {
        const struct oxdp_mac_bucket *bucket
            = &shared->macs[OXDP_BOUND(oxdp_mac_bucket(hash, i),
                                       OXDP_MAC_BUCKETS)];

        _Pragma("GCC unroll 8")
        for (j = 0; j < OXDP_MAC_SLOTS; j++) {
            const struct oxdp_mac *mac = &bucket->macs[j];

            if (*(volatile __u64 *) &mac->key == key) {
                owner.both = *(volatile __u64 *) &mac->owner.both;
                if (owner.lower == lower) {
                    return owner;
                }
            }
        }
    }
    owner.both = 0;
    return owner;
}

#endif /* oxdp-mac.h */
