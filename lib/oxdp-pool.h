/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-pool: numbered elements in BPF's memory, in chunks that are maps.
 *
 * The chunks are elements of a map in maps, are mapped, and are created as they
 * are needed and freed with the pool alone.
 *
 * No thread safety: the owner has a lock.
 */

#ifndef OXDP_POOL_H
#define OXDP_POOL_H 1

#include <stddef.h>
#include <stdint.h>

/* What is constant about a pool. */
struct oxdp_pool_config {
    const char *name;           /* Of chunks' maps. */
    int outer_fd;               /* The map in maps. */
    size_t value_size;          /* Of a chunk's map: bytes of one value, */
    uint32_t n_values;          /* and values. */
    uint32_t shift;             /* A chunk is for 2**shift elements. */
    uint32_t max_chunks;
};

struct oxdp_pool_chunk;

struct oxdp_pool {
    struct oxdp_pool_config config;
    struct oxdp_pool_chunk *chunks;
    uint32_t n_chunks;
    uint32_t *free;             /* Stack of elements. */
    size_t n_free, allocated_free;
};

void oxdp_pool_init(struct oxdp_pool *, const struct oxdp_pool_config *);
void oxdp_pool_destroy(struct oxdp_pool *);

/* Sees to it that there is a free element.  Returns 0 or a positive errno
 * value: ENOSPC if there are as many as there can be. */
int oxdp_pool_reserve(struct oxdp_pool *);

/* Takes a free element, of which there must be one, or gives it back. */
uint32_t oxdp_pool_take(struct oxdp_pool *);
void oxdp_pool_give(struct oxdp_pool *, uint32_t element);

/* Returns the memory of the chunk with 'element'. */
void *oxdp_pool_memory(const struct oxdp_pool *, uint32_t element);

/* Returns 'element''s index in its chunk. */
static inline uint32_t
oxdp_pool_index(const struct oxdp_pool *pool, uint32_t element)
{
    return element & ((1u << pool->config.shift) - 1);
}

/* Elements that there are, in use or not. */
static inline uint32_t
oxdp_pool_size(const struct oxdp_pool *pool)
{
    return pool->n_chunks << pool->config.shift;
}

#endif /* oxdp-pool.h */
