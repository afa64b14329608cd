/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-bench.h: what the parts of oxdp-bench-gen share.
 *
 * All of these end the program, with a message, if something is wrong.
 */

#ifndef OXDP_BENCH_H
#define OXDP_BENCH_H 1

#include <stdint.h>

struct bpf_map;
struct bpf_program;
struct oxdp_bench;

/* 'error' is a positive errno value, or 0. */
void fatal(int error, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

/* Enters a namespace that has a name, for good, and returns the ifindex of
 * 'name' there. */
int enter_place(const char *netns, const char *name);

/* Attaches an XDP program for as long as this process lives. */
void attach(const struct bpf_program *, int ifindex, const char *name);

/* Makes 'ifindex', of the namespace that we are in, target 'key' of devmap
 * 'map'. */
void set_device(const struct bpf_map *map, uint32_t key, int ifindex);

/* Binds the calling thread to a CPU.  Returns 0 or a positive errno value. */
int bind_to_cpu(unsigned int cpu);

/* Reads what is punted to an AF_XDP socket, see oxdp-bench-read.c, until the
 * end of the input. */
void read_punts(struct oxdp_bench *, const char *where, unsigned int cpu);

#endif /* oxdp-bench.h */
