/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-pool.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "oxdp-compat.h"
#include "oxdp-loader.h"
#include "util.h"

struct oxdp_pool_chunk {
    void *mem;
    int fd;
};

static void
free_chunk(const struct oxdp_pool *pool, struct oxdp_pool_chunk *chunk)
{
    oxdp_map_free(chunk->mem, pool->config.value_size, pool->config.n_values,
                  chunk->fd);
}

void
oxdp_pool_init(struct oxdp_pool *pool, const struct oxdp_pool_config *config)
{
    *pool = (struct oxdp_pool) {
        .config = *config,
        .chunks = xcalloc(config->max_chunks, sizeof *pool->chunks),
    };
}

void
oxdp_pool_destroy(struct oxdp_pool *pool)
{
    for (uint32_t i = 0; i < pool->n_chunks; i++) {
        free_chunk(pool, &pool->chunks[i]);
    }
    free(pool->chunks);
    free(pool->free);
}

static int
add_chunk(struct oxdp_pool *pool)
{
    const struct oxdp_pool_config *config = &pool->config;
    uint32_t n = pool->n_chunks;
    struct oxdp_pool_chunk *chunk = &pool->chunks[n];
    uint32_t chunk_size = 1u << config->shift;
    int error;

    if (n >= config->max_chunks) {
        return ENOSPC;
    }
    chunk->mem = oxdp_map_new(config->name, config->value_size,
                              config->n_values, 0, &chunk->fd);
    if (!chunk->mem) {
        return errno;
    }
    error = -bpf_map_update_elem(config->outer_fd, &n, &chunk->fd, BPF_ANY);
    if (error) {
        free_chunk(pool, chunk);
        return error;
    }
    pool->n_chunks++;

    while (pool->allocated_free < oxdp_pool_size(pool)) {
        pool->free = x2nrealloc(pool->free, &pool->allocated_free,
                                sizeof *pool->free);
    }
    for (uint32_t i = chunk_size; i-- > 0; ) {
        oxdp_pool_give(pool, n * chunk_size + i);
    }
    return 0;
}

int
oxdp_pool_reserve(struct oxdp_pool *pool)
{
    return pool->n_free ? 0 : add_chunk(pool);
}

uint32_t
oxdp_pool_take(struct oxdp_pool *pool)
{
    ovs_assert(pool->n_free);
    return pool->free[--pool->n_free];
}

void
oxdp_pool_give(struct oxdp_pool *pool, uint32_t element)
{
    pool->free[pool->n_free++] = element;
}

void *
oxdp_pool_memory(const struct oxdp_pool *pool, uint32_t element)
{
    return pool->chunks[element >> pool->config.shift].mem;
}
