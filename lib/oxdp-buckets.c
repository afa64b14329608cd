/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-buckets.h"

#include <bpf/bpf.h>
#include <errno.h>

#include "ovs-atomic.h"
#include "oxdp-abi.h"
#include "oxdp-compat.h"
#include "oxdp-key.h"
#include "oxdp-loader.h"

static void
free_memory(struct oxdp_buckets *b)
{
    oxdp_map_free(b->mem, sizeof *b->mem, 1u << b->order, b->fd);
    b->mem = NULL;
}

int
oxdp_buckets_create(const struct oxdp_bpf *bpf, uint32_t order,
                    struct oxdp_buckets *b)
{
    int error;

    b->order = order;
    b->mem = oxdp_map_new("oxdp_buckets_in", sizeof *b->mem, 1u << order,
                          BPF_F_INNER_MAP, &b->fd);
    if (!b->mem) {
        return errno;
    }
    error = -bpf_map_update_elem(bpf->buckets_fd, &order, &b->fd, BPF_ANY);
    if (error) {
        free_memory(b);
    }
    return error;
}

void
oxdp_buckets_destroy(const struct oxdp_bpf *bpf, struct oxdp_buckets *b)
{
    bpf_map_delete_elem(bpf->buckets_fd, &b->order);
    free_memory(b);
}

static bool
bucket_insert(struct oxdp_bucket *b, uint32_t sig, uint32_t slot)
{
    for (int i = 0; i < OXDP_BUCKET_SLOTS; i++) {
        if (!b->slots[i]) {
            b->slots[i] = slot + 1;
            atomic_thread_fence(memory_order_release);
            *(volatile uint32_t *) &b->sigs[i] = sig;
            return true;
        }
    }
    return false;
}

bool
oxdp_buckets_insert(struct oxdp_buckets *b, uint64_t hash, uint32_t slot)
{
    struct oxdp_bucket *first = &b->mem[oxdp_hash_bucket(hash, b->order)];

    if (bucket_insert(first, oxdp_hash_sig(hash), slot)) {
        return true;
    }
    if (!bucket_insert(&b->mem[oxdp_hash_bucket2(hash, b->order)],
                       oxdp_hash_sig(hash), slot)) {
        return false;
    }
    first->spilled = 1;
    return true;
}

static bool
bucket_remove(struct oxdp_bucket *b, uint32_t slot)
{
    for (int i = 0; i < OXDP_BUCKET_SLOTS; i++) {
        if (b->slots[i] == slot + 1) {
            *(volatile uint32_t *) &b->sigs[i] = 0;
            atomic_thread_fence(memory_order_release);
            b->slots[i] = 0;
            return true;
        }
    }
    return false;
}

void
oxdp_buckets_remove(struct oxdp_buckets *b, uint64_t hash, uint32_t slot)
{
    if (!bucket_remove(&b->mem[oxdp_hash_bucket(hash, b->order)], slot)) {
        bucket_remove(&b->mem[oxdp_hash_bucket2(hash, b->order)], slot);
    }
}
