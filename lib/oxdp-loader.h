/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-loader: the BPF programs in the kernel, and their maps in our memory.
 */

#ifndef OXDP_LOADER_H
#define OXDP_LOADER_H 1

#include <stddef.h>
#include <stdint.h>

#include "oxdp-abi.h"

struct ds;
struct oxdp_cpu;
struct oxdp_tc;
struct oxdp_tc_trace;
struct oxdp_xdp;
struct oxdp_xdp_trace;

/* Sizes, all fixed for the life of a datapath. */
struct oxdp_bpf_config {
    uint32_t hint_size;         /* Elements of the flow hint per CPU, rounded
                                 * up to a power of two; 0 for a default. */
    struct ds *verifier_log;    /* If nonnull, gets "program NAME" and what the
                                 * verifier found of it, for each. */
};

/* Loaded programs and mapped maps.  Members are constant after
 * oxdp_bpf_open(), or oxdp_bpf_load_trace(); oxdp-maps.h says who may write the
 * memory behind them. */
struct oxdp_bpf {
    uint32_t n_cpus;            /* Highest number of a possible CPU, + 1. */
    uint32_t n_queues;          /* Queues and sockets of the CPU port. */
    uint32_t hint_size;
    __u64 seeds[OXDP_KEY_WORDS];

    struct oxdp_shared *shared;

    int devs_fd, xsks_fd;
    int buckets_fd, chunks_fd, lists_fd, floods_fd; /* The outer maps, */
    int orders_fd, meters_fd;           /* and these. */
    int mac_srcs_fd;
    int samples_fd;             /* From oxdp_bpf_load_trace() on. */

    int xdp_port_fd, tc_port_fd;        /* Programs for ports. */
    int tc_local_fd, tc_keeper_fd;      /* For LOCAL and its keeper. */
    int tc_gate_fd, tc_host_fd;         /* For the kernel bridge's members, and
                                         * for itself. */
    int cpu_to_user_fd, cpu_from_user_fd;       /* For the CPU port. */
    int cpu_tc_fd, cpu_encap_fd, cpu_drop_fd;

    /* Private. */
    struct oxdp_xdp *xdp;
    struct oxdp_tc *tc;
    struct oxdp_xdp_trace *xdp_trace;   /* Or NULL, */
    struct oxdp_tc_trace *tc_trace;     /* likewise. */
    struct oxdp_cpu *cpu;
    void *cpu_blocks;
    int clock_fd;
    double ms_per_jiffy;
};

/* Loads everything.  Returns 0 and a new object in '*bpfp', or a positive errno
 * value and in '*errp' a sentence, to be freed, with what to do. */
int oxdp_bpf_open(const struct oxdp_bpf_config *, struct oxdp_bpf **bpfp,
                  char **errp);
void oxdp_bpf_close(struct oxdp_bpf *);

/* Loads the programs that ports with OXDP_PORT_F_TRACED need, if they are not
 * loaded; takes some 100 ms.  If 'log' is nonnull, it gets what 'verifier_log'
 * gets.  Returns 0 or a positive errno value.  Main thread. */
int oxdp_bpf_load_trace(struct oxdp_bpf *, struct ds *log);

/* Calls 'cb' for every other program and map, with "prog" or "map" and a name. */
void oxdp_bpf_for_each(const struct oxdp_bpf *,
                       void (*cb)(const char *kind, const char *name, int fd,
                                  void *aux), void *aux);

/* Returns what 'cpu' has for itself; its flow hint has 'hint_size' elements. */
struct oxdp_cpu_block *oxdp_bpf_cpu_block(const struct oxdp_bpf *,
                                          uint32_t cpu);

/* Adds the counters '*stats', which BPF may be writing, to '*sum'. */
void oxdp_port_stats_add(struct oxdp_port_stats *sum,
                         const struct oxdp_port_stats *stats);

/* Returns the size of a struct oxdp_chunk here. */
size_t oxdp_bpf_chunk_size(const struct oxdp_bpf *);

/* Creates an array map that can be mapped and be an element of a map in maps,
 * stores its file descriptor in '*fdp' and returns its memory, or NULL with
 * errno set.  oxdp_map_free() undoes it; the kernel keeps the map as long as it
 * is an element. */
void *oxdp_map_new(const char *name, size_t value_size, uint32_t n,
                   uint32_t flags, int *fdp);
void oxdp_map_free(void *memory, size_t value_size, uint32_t n, int fd);

/* Converts the low 32 bits of a value of bpf_jiffies64(), from the last 2**32
 * jiffies (49 days if there are 1000 in a second), to the clock of
 * time_msec(). */
long long int oxdp_bpf_used_to_msec(const struct oxdp_bpf *, uint32_t);

/* Waits until every BPF program that was running has finished.  Several
 * milliseconds. */
void oxdp_bpf_synchronize(void);

#endif /* oxdp-loader.h */
