/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-buckets: BPF's hash table of flows, by key under the flow's mask.
 *
 * Each table is one map, an element of a map in maps: 2**order buckets of a few
 * signatures.  A flow stands in one of two buckets, which its hash chooses.
 * BPF reads while flows come and go: a reader finds a flow that has been
 * inserted, or not yet; it verifies what it finds.
 *
 * No thread safety among writers: the flow table has a lock.
 */

#ifndef OXDP_BUCKETS_H
#define OXDP_BUCKETS_H 1

#include <stdbool.h>
#include <stdint.h>

struct oxdp_bpf;
struct oxdp_bucket;

struct oxdp_buckets {
    struct oxdp_bucket *mem;    /* Mapped, or NULL if there are none. */
    uint32_t order;
    int fd;
};

/* Creates 2**order empty buckets and shows them to BPF, which uses those of
 * control.bucket_order.  Returns 0 or a positive errno value, with NULL in
 * 'mem'. */
int oxdp_buckets_create(const struct oxdp_bpf *, uint32_t order,
                        struct oxdp_buckets *);

/* Takes the buckets, which BPF has not used for a grace period, from it and
 * frees them. */
void oxdp_buckets_destroy(const struct oxdp_bpf *, struct oxdp_buckets *);

/* Inserts 'slot', whose key under its mask has 'hash'.  Returns false if both
 * its buckets are full. */
bool oxdp_buckets_insert(struct oxdp_buckets *, uint64_t hash, uint32_t slot);

/* Removes it again, if it is there. */
void oxdp_buckets_remove(struct oxdp_buckets *, uint64_t hash, uint32_t slot);

#endif /* oxdp-buckets.h */
