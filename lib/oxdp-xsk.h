/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-xsk: an AF_XDP socket on one queue of the CPU port.
 *
 * Copy mode, interrupt-driven.  Frames larger than a chunk are joined from and
 * split into several descriptors where the kernel can (6.6).
 *
 * Receiving is for one thread at a time, the handler that owns the socket;
 * sending is for any thread, a mutex inside protects the transmit ring.
 */

#ifndef OXDP_XSK_H
#define OXDP_XSK_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dp_packet;
struct oxdp_hdr;
struct oxdp_xsk;

/* What happened on a socket since it was created. */
struct oxdp_xsk_stats {
    uint64_t rx_packets;        /* Given out by oxdp_xsk_recv(). */
    uint64_t rx_bad;            /* Dropped: no valid header, too short. */
    uint64_t rx_ring_full;      /* XDP_STATISTICS: dropped by the kernel. */
    uint64_t rx_fill_empty;     /* XDP_STATISTICS. */
    uint64_t tx_packets;
    uint64_t tx_dropped;        /* Ring full, or longer than can be sent. */
};

/* Opens a socket on queue 'queue' of 'ifname', whose XDP program is not
 * touched, with 'n_frames' chunks, half of them for transmission.  Retries for
 * five seconds if the queue was only just released.  Returns 0 or a positive
 * errno value with a sentence in '*errp'. */
int oxdp_xsk_open(const char *ifname, uint32_t queue, uint32_t n_frames,
                  struct oxdp_xsk **, char **errp);
void oxdp_xsk_close(struct oxdp_xsk *);

/* The socket's file descriptor: for the XSKMAP and for poll(). */
int oxdp_xsk_fd(const struct oxdp_xsk *);
bool oxdp_xsk_can_sg(const struct oxdp_xsk *);

/* How many packets of one chunk, 4096 bytes, may wait to be received. */
uint32_t oxdp_xsk_capacity(const struct oxdp_xsk *);

/* Takes one packet off the receive ring.  Stores its header in '*hdr' and
 * returns the frame behind it as a new dp_packet with at least 128 bytes of
 * headroom, packet_type Ethernet, the VLAN tag of the header not yet inserted.
 * Returns NULL if the ring is empty. */
struct dp_packet *oxdp_xsk_recv(struct oxdp_xsk *, struct oxdp_hdr *hdr);

/* Returns true if there is something on the receive ring: a look at memory. */
bool oxdp_xsk_is_waiting(struct oxdp_xsk *);

/* Drops everything on the receive ring. */
void oxdp_xsk_purge(struct oxdp_xsk *);

/* Puts '*hdr' and 'packet', which stays the caller's, onto the transmit ring.
 * Returns 0, ENOBUFS if the ring is full even after a kick, or EMSGSIZE if the
 * packet is longer than the kernel takes.  oxdp_xsk_flush() tells the kernel;
 * until then nothing may leave. */
int oxdp_xsk_send(struct oxdp_xsk *, const struct oxdp_hdr *hdr,
                  const struct dp_packet *packet);
void oxdp_xsk_flush(struct oxdp_xsk *);

void oxdp_xsk_get_stats(const struct oxdp_xsk *, struct oxdp_xsk_stats *);

#endif /* oxdp-xsk.h */
