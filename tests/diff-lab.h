/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff-lab: where diff-actions runs its cases: the datapath's programs and maps,
 * a flow table, and devices that record what TC sends to them, all of that in a
 * network namespace of its own.
 */

#ifndef DIFF_LAB_H
#define DIFF_LAB_H 1

#include <stdint.h>

#include "diff-list.h"
#include "oxdp-abi.h"

/* The exit status of a test that was skipped. */
enum { SKIP = 77 };

struct diff_lab {
    struct oxdp_bpf *bpf;
    struct oxdp_table *table;
    struct diff_test *test;     /* What tests/bpf/diff-tc.bpf.c shares. */
    int tc_fd, record_fd;       /* Its programs. */
    int port_ifindex[DIFF_N_PORTS];     /* 0 is the CPU port. */
    uint32_t bond_ports[OXDP_BOND_BUCKETS];     /* Of the bond DIFF_BOND. */
};

/* Fills in '*lab'.  If it cannot, prints why and exits, with SKIP if this
 * machine or user must not. */
void diff_lab_open(struct diff_lab *lab);

#endif /* diff-lab.h */
