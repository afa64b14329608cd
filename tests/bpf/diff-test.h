/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * diff-test.h: what tests/diff-actions.c shares with its BPF programs, and
 * BPF_PROG_TEST_RUN does not tell: the VLAN tag beside the frame, and the copies
 * that were sent.
 */

#ifndef DIFF_TEST_H
#define DIFF_TEST_H 1

#include "oxdp-abi.h"

#define DIFF_MAX_COPIES 32
#define DIFF_MAX_LEN 16384      /* A power of two. */

/* A packet that left through a device. */
struct diff_copy {
    __u32 ifindex;
    __u32 len;
    __u32 tagged;               /* Has a tag beside the frame: */
    __be16 tpid, tci;
    unsigned char data[DIFF_MAX_LEN];
};

/* The one element of map diff_test. */
struct diff_test {
    /* A tag to put beside the frame first, if 'push_tag'. */
    __u32 push_tag;
    __be16 tag_tpid;
    __be16 tag_tci;

    /* What is beside the frame at last. */
    __u32 tagged;
    __be16 out_tpid;
    __be16 out_tci;

    __u32 n_copies;
    struct diff_copy copies[DIFF_MAX_COPIES];
};

#endif /* diff-test.h */
