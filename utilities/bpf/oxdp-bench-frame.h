/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-bench-frame.h: the frames that oxdp-bench-gen.c describes and the program in
 * oxdp-bench.bpf.c makes.
 */

#ifndef OXDP_BENCH_FRAME_H
#define OXDP_BENCH_FRAME_H 1

#include <linux/types.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>

/* Fields that may vary from frame to frame. */
#define BENCH_FIELDS                            \
    BENCH_FIELD(DADDR, "daddr")                 \
    BENCH_FIELD(SADDR, "saddr")                 \
    BENCH_FIELD(DPORT, "dport")                 \
    BENCH_FIELD(SPORT, "sport")

enum bench_field_id {
#define BENCH_FIELD(ENUM, NAME) BENCH_##ENUM,
    BENCH_FIELDS
#undef BENCH_FIELD
    BENCH_N_FIELDS
};

/* How: the Nth value is 'base' itself, base + N, base with its bit N from the
 * left flipped, another one each time, for 2**32 frames, or base and up to so
 * much that no value is near the one before, and each comes equally often. */
#define BENCH_HOWS                              \
    BENCH_HOW(FIXED, "fixed")                   \
    BENCH_HOW(COUNT, "count")                   \
    BENCH_HOW(FLIP, "flip")                     \
    BENCH_HOW(FRESH, "fresh")                   \
    BENCH_HOW(SPREAD, "spread")

enum bench_how {
#define BENCH_HOW(ENUM, NAME) BENCH_##ENUM,
    BENCH_HOWS
#undef BENCH_HOW
};

struct bench_field {
    __u32 base;                 /* In host byte order, as all here. */
    __u32 how;                  /* BENCH_*. */
    __u32 n;                    /* COUNT, FLIP, SPREAD: values. */
    __u32 i;                    /* The next one's number. */
};

struct bench_headers {
    struct ethhdr eth;
    struct iphdr ip;
    struct udphdr udp;
} __attribute__((packed));

/* COUNT and FLIP fields together count as the digits of a number do, the first
 * field being the last digit, so that every combination has its turn. */
struct bench_stream {
    struct bench_headers headers;
    __u16 pad;
    __u32 sum;                  /* Of the IP header without addresses. */
    struct bench_field fields[BENCH_N_FIELDS];
};

#define BENCH_N_STREAMS 2

/* What is done to frames. */
enum {
    /* They get their headers anew each time, for they come back with what the
     * switch, or another stream, has made of them. */
    BENCH_F_RENEW = 1 << 0,
    BENCH_F_VARY = 1 << 1,      /* Fields vary. */
    BENCH_F_MACS = 1 << 2,      /* Each from another MAC, a random one. */
    BENCH_F_MIX = 1 << 3,       /* Some are of the second stream. */
    BENCH_F_STAMP = 1 << 4,     /* They carry the time. */
};

#endif /* utilities/bpf/oxdp-bench-frame.h */
