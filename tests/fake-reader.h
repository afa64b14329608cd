/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake-reader: makes BPF believe that somebody reads what it sends to
 * userspace, for tests that run programs and have no CPU port.
 */

#ifndef FAKE_READER_H
#define FAKE_READER_H 1

#include <stdint.h>

struct oxdp_bpf;

/* Opens a socket for each queue, which has room for 'limit' packets.  Returns 0
 * or a positive errno value. */
int fake_reader_open(struct oxdp_bpf *, uint32_t limit);

/* Closes the sockets. */
void fake_reader_close(void);

/* Is alive until the end of time. */
void fake_reader_beat(struct oxdp_bpf *);

#endif /* fake-reader.h */
