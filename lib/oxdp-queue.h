/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-queue: the queues of packets from BPF to userspace, as far as BPF asks
 * whether somebody reads them and how much waits: struct oxdp_queue.
 *
 * Each CPU has a queue, and each socket takes the packets of one or more CPUs.
 * A function about a socket is for the one thread that reads it.
 */

#ifndef OXDP_QUEUE_H
#define OXDP_QUEUE_H 1

#include <stdbool.h>
#include <stdint.h>

struct oxdp_bpf;
struct oxdp_hdr;
struct oxdp_queues;

/* How often the reader of a socket must show that it is alive, in ms.  BPF
 * takes it for dead after OXDP_STALE_NS. */
#define OXDP_BEAT_MS 250

/* Creates the accounting for the bpf->n_queues sockets of 'bpf', each of which
 * has room for 'limit' packets. */
struct oxdp_queues *oxdp_queues_create(struct oxdp_bpf *, uint32_t limit);
void oxdp_queues_destroy(struct oxdp_queues *);

/* The reader of 'socket' is alive.  Returns true if packets of its CPUs could
 * not be sent up since the last time. */
bool oxdp_queues_beat(struct oxdp_queues *, uint32_t socket);

/* Nobody reads any socket any more.  No reader may be active. */
void oxdp_queues_stop(struct oxdp_queues *);

/* 'n' packets were taken off 'socket', in a row, of the same CPU and the same
 * port; the last had header 'hdr'. */
void oxdp_queues_read(struct oxdp_queues *, uint32_t socket,
                      const struct oxdp_hdr *, int n);

/* 'socket' was found empty at time_msec() 'now'.  Returns when that should be
 * looked at again, for there was something sent that has not come, or LLONG_MAX
 * if all has come. */
long long int oxdp_queues_empty(struct oxdp_queues *, uint32_t socket,
                                long long int now);

#endif /* oxdp-queue.h */
