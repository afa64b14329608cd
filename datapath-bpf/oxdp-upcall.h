/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-upcall.h: whether userspace can have a packet.
 *
 * A packet to userspace waits in the AF_XDP socket of its CPU.  What waits
 * there is known from numbers: BPF counts what it sends and puts the number
 * into each packet's header, ovs-vswitchd says which one it has read.
 *
 * How much of the queue a port may have depends on how much is free: the more
 * wait, the less.  One port that sends ever new flows gets a small part; any
 * number of such ports leave something to the next.
 */

#ifndef OXDP_UPCALL_H
#define OXDP_UPCALL_H 1

#include "oxdp-maps.h"
#include "oxdp-port.h"

/* Part of what is free, as a shift, that may wait of one port: of packets that
 * make an upcall, which takes long, and of those whose flow says that they go
 * that way. */
#define OXDP_SHARE_UPCALL 3
#define OXDP_SHARE_FLOW 1

/* Returns how many packets of one port may wait, so that one more may be sent
 * because of 'reason', if 'waiting' do of all. */
OXDP_INLINE __u32
oxdp_queue_share(const struct oxdp_queue *queue, __u32 waiting,
                 enum oxdp_punt reason)
{
    int flow = reason == OXDP_PUNT_USER || reason == OXDP_PUNT_SKB;
    __u32 limit = flow ? queue->limit : queue->upcall_limit;

    return waiting >= limit ? 0
           : (limit - waiting) >> (flow ? OXDP_SHARE_FLOW : OXDP_SHARE_UPCALL);
}

/* Reads what the other side writes. */
#define OXDP_READ(X) (*(const volatile typeof(X) *) &(X))

OXDP_INLINE struct oxdp_port_queue *
oxdp_port_queue_get(struct oxdp_cpu_block *block, __u32 port_no)
{
    return &block->port_queues[OXDP_BOUND(port_no, OXDP_MAX_PORTS)];
}

/* Returns how many packets of 'pq' wait, 'read' being the last one that was
 * read of all in the queue. */
OXDP_INLINE __u32
oxdp_port_queue_waiting(struct oxdp_port_queue *pq, __u32 read)
{
    __u32 done = OXDP_READ(pq->read);

    if ((__s32) (read - pq->last) >= 0) {
        pq->gone = pq->sent;
    }
    if ((__s32) (pq->gone - done) > 0) {
        done = pq->gone;
    }
    return pq->sent - done;
}

/* Returns an enum oxdp_away if nobody reads 'queue', or OXDP_N_AWAYS. */
OXDP_INLINE int
oxdp_upcall_away(const struct oxdp_queue *queue)
{
    __u64 beat = OXDP_READ(queue->beat);
    __u32 socket = queue->socket;

    /* Sockets end with their process. */
    if (!bpf_map_lookup_elem(&oxdp_xsks, &socket)) {
        return OXDP_AWAY_NO_DAEMON;
    }
    if (!beat) {
        return OXDP_AWAY_NO_HANDLER;
    }
    if ((__s64) (bpf_ktime_get_coarse_ns() - beat) > (__s64) OXDP_STALE_NS) {
        return OXDP_AWAY_STALE;
    }
    return OXDP_N_AWAYS;
}

/* Returns OXDP_N_DROPS if a packet from 'port', whose number is 'port_no', may
 * go to userspace because of 'reason', or else why it is lost, or away if less
 * than OXDP_N_AWAYS. */
OXDP_INLINE int
oxdp_upcall_check(struct oxdp_cpu_block *block, struct oxdp_port *port,
                  __u32 port_no, enum oxdp_punt reason)
{
    const struct oxdp_queue *queue = &block->queue;
    struct oxdp_port_queue *pq = oxdp_port_queue_get(block, port_no);
    __u32 read = OXDP_READ(queue->read);
    __u32 waiting = queue->sent - read;
    int away;

    away = oxdp_upcall_away(queue);
    if (away < OXDP_N_AWAYS) {
        return away;
    }
    if (waiting >= queue->limit) {
        return OXDP_DROP_QUEUE_FULL;
    }
    if (oxdp_port_queue_waiting(pq, read)
        > oxdp_queue_share(queue, waiting, reason)) {
        return OXDP_DROP_UPCALL_QUEUE;
    }
    return oxdp_port_may_punt(port) ? OXDP_N_DROPS : OXDP_DROP_PUNT_RATE;
}

/* Numbers a packet that goes to userspace from port 'port_no' and this CPU,
 * which is 'cpu', in its header. */
OXDP_INLINE void
oxdp_upcall_number(struct oxdp_cpu_block *block, __u32 port_no, __u32 cpu,
                   struct oxdp_hdr *hdr)
{
    struct oxdp_port_queue *pq = oxdp_port_queue_get(block, port_no);

    hdr->cpu = cpu;
    hdr->seq = ++block->queue.sent;
    hdr->port_seq = ++pq->sent;
    pq->last = hdr->seq;
}

#endif /* oxdp-upcall.h */
