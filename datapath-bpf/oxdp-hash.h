/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-hash.h: the hashes of OVS's action "hash", of a packet with a key.
 *
 * The results are those of OVS's flow_hash_5tuple() and
 * flow_hash_symmetric_l3l4(), so that a connection's packets go one way
 * whoever executes the action.
 */

#ifndef OXDP_HASH_H
#define OXDP_HASH_H 1

#include "oxdp-parse.h"

OXDP_INLINE __u32
oxdp_mhash_rot(__u32 x, int k)
{
    return x << k | x >> (32 - k);
}

OXDP_INLINE __u32
oxdp_mhash_add(__u32 hash, __u32 data)
{
    data *= 0xcc9e2d51;
    data = oxdp_mhash_rot(data, 15);
    data *= 0x1b873593;
    hash = oxdp_mhash_rot(hash ^ data, 13);
    return hash * 5 + 0xe6546b64;
}

OXDP_INLINE __u32
oxdp_mhash_add64(__u32 hash, __u64 data)
{
    return oxdp_mhash_add(oxdp_mhash_add(hash, data), data >> 32);
}

OXDP_INLINE __u32
oxdp_mhash_finish(__u32 hash)
{
    hash ^= hash >> 16;
    hash *= 0x85ebca6b;
    hash ^= hash >> 13;
    hash *= 0xc2b2ae35;
    hash ^= hash >> 16;
    return hash;
}

/* The words of 'key' with the source address, and with the destination
 * address, of IPv6. */
#define OXDP_W_SRC OXDP_W_ADDR
#define OXDP_W_DST (OXDP_W_ADDR + 2)

/* oxdp_hash_5tuple() goes on with what it has made of the addresses. */
OXDP_INLINE __u32
oxdp_hash_ports(const struct oxdp_key *key, __u32 hash)
{
    const oxdp_word *w = (const oxdp_word *) key;
    __u8 proto = key->nw_proto;

    hash = oxdp_mhash_add(hash, proto);
    if (proto == OXDP_IPPROTO_TCP || proto == OXDP_IPPROTO_UDP
        || proto == OXDP_IPPROTO_SCTP || proto == OXDP_IPPROTO_ICMP
        || proto == OXDP_IPPROTO_ICMPV6) {
        hash = oxdp_mhash_add(hash, w[OXDP_W_TP]);
    }
    return oxdp_mhash_finish(hash ^ 42);
}

/* oxdp_hash_5tuple() of IPv4 and ARP, which looks no further than at the first
 * OXDP_KEY_WORDS_IPV4 words. */
OXDP_INLINE __u32
oxdp_hash_5tuple_ipv4(const struct oxdp_key *key)
{
    return oxdp_hash_ports(key, oxdp_mhash_add(oxdp_mhash_add(0, key->nw_src),
                                               key->nw_dst));
}

OXDP_INLINE __u32
oxdp_hash_5tuple(const struct oxdp_key *key)
{
    const oxdp_word *w = (const oxdp_word *) key;
    __u32 hash = 0;
    int i;

    if (key->eth_type == bpf_htons(OXDP_ETH_P_IPV6)) {
#pragma GCC unroll 4
        for (i = 0; i < 4; i++) {
            hash = oxdp_mhash_add64(hash, w[OXDP_W_SRC + i]);
        }
        return oxdp_hash_ports(key, hash);
    }
    return (key->eth_type == bpf_htons(OXDP_ETH_P_IP)
            || key->eth_type == bpf_htons(OXDP_ETH_P_ARP)
            ? oxdp_hash_5tuple_ipv4(key) : oxdp_mhash_finish(42));
}

/* OVS's hash_int(). */
OXDP_INLINE __u32
oxdp_hash_int(__u32 x, __u32 basis)
{
    return oxdp_mhash_finish(oxdp_mhash_add(oxdp_mhash_add(x, 0), basis) ^ 8);
}

/* flow_hash_symmetric_l2(), of a frame. */
OXDP_INLINE __u32
oxdp_hash_symmetric_l2(const struct oxdp_key *key, __u32 basis)
{
    const oxdp_half *dst = (const oxdp_half *) key->eth_dst;
    const oxdp_half *src = (const oxdp_half *) key->eth_src;
    __u16 vlan = (key->vlan.tci ^ key->vlan2.tci) & bpf_htons(0x0fff);
    __u32 hash;

    hash = oxdp_mhash_add(basis, key->eth_type | (__u32) vlan << 16);
    hash = oxdp_mhash_add(hash, (dst[0] ^ src[0])
                                | (__u32) (dst[1] ^ src[1]) << 16);
    hash = oxdp_mhash_add(hash, dst[2] ^ src[2]);
    return oxdp_mhash_finish(hash ^ basis);
}

OXDP_INLINE __u32
oxdp_hash_symmetric_l3l4(const struct oxdp_key *key, __u32 basis)
{
    const oxdp_word *w = (const oxdp_word *) key;
    __u8 proto = key->nw_proto;
    __u32 hash = basis;
    int i;

    if (key->eth_type == bpf_htons(OXDP_ETH_P_IP)) {
        hash = oxdp_mhash_add(hash, key->nw_src ^ key->nw_dst);
    } else if (key->eth_type == bpf_htons(OXDP_ETH_P_IPV6)) {
#pragma GCC unroll 2
        for (i = 0; i < 2; i++) {
            hash = oxdp_mhash_add64(hash, w[OXDP_W_SRC + i]
                                          ^ w[OXDP_W_DST + i]);
        }
    } else {
        return oxdp_hash_symmetric_l2(key, basis);
    }
    hash = oxdp_mhash_add(hash, proto);
    if (!key->nw_frag
        && (proto == OXDP_IPPROTO_TCP || proto == OXDP_IPPROTO_SCTP)) {
        hash = oxdp_mhash_add(hash, (__u16) (key->tp_src ^ key->tp_dst));
    }
    return oxdp_mhash_finish(hash ^ basis);
}

/* Returns what the action "hash" makes of a packet with 'key'. */
OXDP_INLINE __u32
oxdp_hash_packet(const struct oxdp_key *key, __u32 alg, __u32 basis)
{
    return alg == OXDP_HASH_SYM_L4
           ? oxdp_hash_symmetric_l3l4(key, basis)
           : oxdp_hash_int(oxdp_hash_5tuple(key), basis);
}

#endif /* oxdp-hash.h */
