/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-queue.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "oxdp-abi.h"
#include "oxdp-loader.h"
#include "timeval.h"
#include "util.h"

/* What was sent arrives within this time or never: it waits for a soft
 * interrupt at most, in ms. */
#define ARRIVAL_MS 20

/* With this many packets at a time, the reader's speed is measured. */
#define SPEED_PACKETS 128

/* Upcalls of one port, which are a ninth of those that may wait, are to wait no
 * longer than this, in ms: others wait for them. */
#define UPCALL_MS 10
#define MIN_UPCALLS 64

/* What the reader of the queue of one CPU remembers. */
struct reader {
    struct oxdp_cpu_block *block;
    long long int empty_at;     /* When the queue was found empty, or 0. */
    uint32_t empty_sent;        /* What had been sent then. */
    uint64_t refused;           /* As last seen. */
    long long int busy_since;   /* When the last 'n_busy' packets began to be
                                 * read, or 0; never empty since then. */
    int n_busy;
};

struct oxdp_queues {
    uint32_t n_cpus, n_sockets;
    struct reader *readers;     /* By CPU. */
};

/* The CPUs of 'SOCKET'. */
#define FOR_EACH_READER(R, QUEUES, SOCKET)                              \
    for (R = &(QUEUES)->readers[SOCKET];                                \
         R < &(QUEUES)->readers[(QUEUES)->n_cpus];                      \
         R += (QUEUES)->n_sockets)

/* BPF reads and writes these at the same time. */
#define READ(X) (*(const volatile typeof(X) *) &(X))
#define WRITE(X, VALUE) (*(volatile typeof(X) *) &(X) = (VALUE))

struct oxdp_queues *
oxdp_queues_create(struct oxdp_bpf *bpf, uint32_t limit)
{
    struct oxdp_queues *queues = xmalloc(sizeof *queues);

    queues->n_cpus = bpf->n_cpus;
    queues->n_sockets = bpf->n_queues;
    queues->readers = xcalloc(bpf->n_cpus, sizeof *queues->readers);
    for (uint32_t cpu = 0; cpu < bpf->n_cpus; cpu++) {
        struct reader *r = &queues->readers[cpu];

        r->block = oxdp_bpf_cpu_block(bpf, cpu);
        r->block->queue.socket = cpu % bpf->n_queues;
        r->block->queue.limit = limit / DIV_ROUND_UP(bpf->n_cpus,
                                                     bpf->n_queues);
        r->block->queue.upcall_limit = r->block->queue.limit;
    }
    return queues;
}

void
oxdp_queues_destroy(struct oxdp_queues *queues)
{
    if (queues) {
        oxdp_queues_stop(queues);
        free(queues->readers);
        free(queues);
    }
}

bool
oxdp_queues_beat(struct oxdp_queues *queues, uint32_t socket)
{
    bool any_refused = false;
    struct timespec now;
    struct reader *r;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    FOR_EACH_READER (r, queues, socket) {
        uint64_t refused = READ(r->block->queue.refused);

        any_refused |= refused != r->refused;
        r->refused = refused;
        WRITE(r->block->queue.beat,
              now.tv_sec * UINT64_C(1000000000) + now.tv_nsec);
    }
    return any_refused;
}

void
oxdp_queues_stop(struct oxdp_queues *queues)
{
    for (uint32_t cpu = 0; cpu < queues->n_cpus; cpu++) {
        WRITE(queues->readers[cpu].block->queue.beat, 0);
    }
}

/* 'read' was read, in whatever order. */
static void
advance(uint32_t *p, uint32_t read)
{
    if ((int32_t) (read - *p) > 0) {
        WRITE(*p, read);
    }
}

static void
set_upcall_limit(struct oxdp_queue *queue, uint64_t limit)
{
    WRITE(queue->upcall_limit, MIN(MAX(limit, MIN_UPCALLS), queue->limit));
}

/* 'n' packets were read.  If many were and the queue always had more, this is
 * how fast they can be read. */
static void
measure_speed(struct reader *r, int n)
{
    r->n_busy += n;
    if (r->n_busy >= SPEED_PACKETS || !r->busy_since) {
        long long int now = time_msec();

        if (r->busy_since) {
            long long int ms = MAX(now - r->busy_since, 1);

            set_upcall_limit(&r->block->queue, 9 * UPCALL_MS * r->n_busy / ms);
        }
        r->busy_since = now;
        r->n_busy = 0;
    }
}

void
oxdp_queues_read(struct oxdp_queues *queues, uint32_t socket,
                 const struct oxdp_hdr *hdr, int n)
{
    /* Whoever wrote the header. */
    if (hdr->cpu < queues->n_cpus && hdr->cpu % queues->n_sockets == socket
        && hdr->port < OXDP_MAX_PORTS) {
        struct reader *r = &queues->readers[hdr->cpu];
        struct oxdp_cpu_block *block = r->block;

        measure_speed(r, n);
        advance(&block->port_queues[hdr->port].read, hdr->port_seq);
        advance(&block->queue.read, hdr->seq);
    }
}

long long int
oxdp_queues_empty(struct oxdp_queues *queues, uint32_t socket,
                  long long int now)
{
    long long int again = LLONG_MAX;
    struct reader *r;

    FOR_EACH_READER (r, queues, socket) {
        struct oxdp_queue *queue = &r->block->queue;
        uint32_t sent = READ(queue->sent);

        if (r->busy_since) {
            r->busy_since = 0;
            set_upcall_limit(queue, 2 * (uint64_t) queue->upcall_limit);
        }
        if (sent == queue->read) {
            r->empty_at = 0;
            continue;
        }
        if (r->empty_at && now - r->empty_at >= ARRIVAL_MS) {
            advance(&queue->read, r->empty_sent);
            r->empty_at = 0;
        }
        if (sent != queue->read) {
            if (!r->empty_at) {
                r->empty_at = now;
                r->empty_sent = sent;
            }
            again = MIN(again, r->empty_at + ARRIVAL_MS);
        }
    }
    return again;
}
