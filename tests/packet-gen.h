/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet-gen: random packets for tests of whatever parses packets.
 *
 * Each packet depends on nothing but a seed and a number, so that a failure
 * can be repeated from what the test printed.  Well-formed packets come first,
 * then mutations: a parser's mistakes are found near valid packets, and hardly
 * ever in noise.
 */

#ifndef PACKET_GEN_H
#define PACKET_GEN_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than 64 kB, since parsers compare lengths with 16-bit fields. */
#define PACKET_GEN_MAX 73728

struct packet_gen {
    uint64_t random;            /* State. */
    bool long_headers;          /* Make IPv6 with kilobytes of them. */
    uint8_t data[PACKET_GEN_MAX];
    size_t len;

    /* Of the well-formed packet, for mutations that aim. */
    size_t headers_len;         /* Bytes before the payload. */
    size_t ip_ofs;              /* Of the IP header, 0 if none. */
    int ip_version;
    struct {
        uint32_t ofs;
        uint32_t width;         /* 2 bytes, 1, or 0 for a nibble. */
    } lengths[48];              /* Fields that hold a length. */
    size_t n_lengths;
};

/* Returns the seed for this run: from environment variable OXDP_TEST_SEED, or
 * 'seed' otherwise. */
uint64_t packet_gen_seed(uint64_t seed);

/* Starts the sequence of random numbers number 'i' of 'seed'. */
void packet_gen_start(struct packet_gen *, uint64_t seed, uint64_t i);

uint32_t packet_gen_random(struct packet_gen *);

/* Returns a random number less than 'n', which is not 0. */
uint32_t packet_gen_below(struct packet_gen *, uint32_t n);

/* Returns true in 'percent' of all cases. */
bool packet_gen_chance(struct packet_gen *, uint32_t percent);

/* Makes a packet that is well-formed, though it may have more headers of a
 * kind than parsers are ready for. */
void packet_gen_make(struct packet_gen *);

/* Makes one whose headers end behind more than a page, more often than not. */
void packet_gen_make_long(struct packet_gen *);

/* Changes the packet in one to four places, or its length. */
void packet_gen_mutate(struct packet_gen *);

/* Makes the IP header's length tell how long the packet is now, so that it is
 * not for its sake that a parser stops. */
void packet_gen_fix_length(struct packet_gen *);

/* Prints the packet 'data' in lines of 16 bytes. */
void packet_gen_dump(const void *data, size_t len);

#endif /* packet-gen.h */
