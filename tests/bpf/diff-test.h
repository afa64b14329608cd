/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * diff-test.h: what tests/diff-actions.c shares with its BPF program, which is
 * that of the TC hook, and tells what BPF_PROG_TEST_RUN does not: the VLAN tag
 * beside the frame.
 */

#ifndef DIFF_TEST_H
#define DIFF_TEST_H 1

#include "oxdp-abi.h"

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
    __u32 mark;
    __u32 priority;
};

#endif /* diff-test.h */
