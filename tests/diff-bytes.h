/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff-bytes: packets as bytes, with what BPF puts in front of them.
 */

#ifndef DIFF_BYTES_H
#define DIFF_BYTES_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oxdp-abi.h"
#include "packet-gen.h"

/* No more than this many bytes are made longer by anything. */
#define DIFF_SLACK 256

/* A packet as bytes. */
struct diff_bytes {
    size_t len;
    uint8_t data[PACKET_GEN_MAX + DIFF_SLACK];
};

/* Puts a tag into the frame '*b'. */
void diff_insert_tag(struct diff_bytes *b, __be16 tpid, __be16 tci);

/* If '*b' is a packet for userspace, takes its header off and stores it in
 * '*hdr'. */
bool diff_take_header(struct diff_bytes *b, struct oxdp_hdr *hdr);

/* If 'b', a frame of XDP, has metadata for TC in front, takes them off. */
bool diff_take_meta(struct diff_bytes *b, struct oxdp_meta *meta);

/* Puts the tag that a header for userspace has back into '*b', which should be
 * the packet at 'data'. */
void diff_restore_tag(struct diff_bytes *b, const struct oxdp_hdr *hdr,
                      const uint8_t *data);

#endif /* diff-bytes.h */
