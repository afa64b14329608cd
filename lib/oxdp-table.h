/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-table: the flow table, in our memory and in BPF's.
 *
 * The table holds every megaflow that OVS installed.  Those that the fast path
 * can tell apart stand in BPF's maps as well, and this file alone writes these
 * maps (except for counters and hints).  Since userspace looks every packet up
 * here before it makes an upcall of it, BPF's copy may lag or be incomplete
 * without any packet getting wrong actions.
 *
 * Threads: writers (put, delete, flush) serialize on a mutex inside.  Readers
 * (lookup, find, dump, counters) take no lock and rely on RCU: a struct
 * oxdp_megaflow stays valid until the calling thread quiesces.
 */

#ifndef OXDP_TABLE_H
#define OXDP_TABLE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmap.h"
#include "openvswitch/types.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "oxdp-actions.h"
#include "oxdp-index.h"

struct dp_packet;
struct flow;
struct match;
struct oxdp_bpf;
struct oxdp_code;
struct oxdp_floods;
struct oxdp_key;
struct oxdp_order;
struct oxdp_table;

/* Counters of a flow, "used" on the clock of time_msec(), 0 if never. */
struct oxdp_counters {
    uint64_t packets;
    uint64_t bytes;
    long long int used;
    uint16_t tcp_flags;
};

/* One megaflow.  There are many: members are in an order without holes. */
struct oxdp_megaflow {
    struct cmap_node node;      /* In the table's index by ufid. */
    ovs_u128 ufid;              /* Constant. */
    uint32_t in_port;           /* Constant. */
    uint32_t prev_slot;         /* Former slot until a grace period has
                                 * passed, or OXDP_NO_SLOT; under the table's
                                 * mutex. */
    OVSRCU_TYPE(struct oxdp_actions *) actions;
    atomic_uint32_t slot;       /* In BPF's maps, or OXDP_NO_SLOT. */
    atomic_uint8_t verdict;     /* enum oxdp_verdict. */
    atomic_uint8_t reason;      /* enum oxdp_reason. */
    atomic_bool modified;       /* Has had another slot before. */

    /* What userspace executed, and what former slots had counted, less what
     * was cleared. */
    atomic_uint16_t base_flags;
    atomic_uint64_t user_packets, base_packets;
    atomic_uint64_t base_bytes;
    atomic_llong base_used;

    struct oxdp_index_entry entry;      /* What it matches; constant. */
};

#define OXDP_NO_SLOT UINT32_MAX

/* Figures of the whole table. */
struct oxdp_table_stats {
    uint32_t n_flows;           /* All. */
    uint32_t n_bpf_flows;       /* In BPF's maps. */
    uint32_t max_flows;
    uint32_t n_masks;           /* In BPF's maps. */
    uint64_t n_full;            /* Puts refused because the table was full. */
    uint64_t n_grown;           /* Times the hash table was enlarged. */
};

/* Creates a table of up to 'max_flows' flows over the maps of 'bpf'. */
struct oxdp_table *oxdp_table_create(struct oxdp_bpf *bpf,
                                     uint32_t max_flows);
void oxdp_table_destroy(struct oxdp_table *);

/* Returns the sets of ports that flows are broadcast to. */
struct oxdp_floods *oxdp_table_floods(const struct oxdp_table *);

/* BPF's 'bports' have changed: looks again which flows the kernel bridge can
 * flood the packets of.  May block for some 10 ms. */
void oxdp_table_refresh_bridged(struct oxdp_table *);

/* Makes BPF search those masks first that find most packets.  To be called
 * about once a second. */
void oxdp_table_sort_masks(struct oxdp_table *);

/* Copies the masks that BPF searches for packets with 'key', in their order.
 * Returns the scope of such packets. */
uint32_t oxdp_table_get_order(const struct oxdp_table *,
                              const struct oxdp_key *, struct oxdp_order *);

/* Changes how many flows there may be.  Those that exist stay. */
void oxdp_table_set_max_flows(struct oxdp_table *, uint32_t max_flows);

/* What to put.  The meaning of the flags is dpif-netdev's. */
struct oxdp_put {
    const struct match *match;  /* Masked. */
    const struct flow *flow;    /* Not masked: which flow is already there is
                                 * found by it, since masked fields are zeros,
                                 * which another flow's mask may match. */
    const ovs_u128 *ufid;
    const struct nlattr *key, *mask, *actions;
    size_t key_len, mask_len, actions_len;
    bool create, modify, zero_stats;
    struct oxdp_counters *counters; /* If nonnull, those of the modified
                                     * flow. */
};

/* Returns 0 or a positive errno value: EEXIST if a flow that matches the key
 * exists and only 'create' is true, EINVAL if one exists and neither is, ENOENT
 * if none does and 'create' is false, EFBIG if the table is full. */
int oxdp_table_put(struct oxdp_table *, const struct oxdp_put *);

/* Deletes the flow 'ufid'.  Returns 0 or ENOENT. */
int oxdp_table_delete(struct oxdp_table *, const ovs_u128 *ufid,
                      struct oxdp_counters *);
void oxdp_table_flush(struct oxdp_table *);

/* Returns the flow that 'flow' matches, or NULL. */
struct oxdp_megaflow *oxdp_table_lookup(const struct oxdp_table *,
                                        const struct flow *flow);

/* Returns true if 'mf' matches 'flow'. */
bool oxdp_megaflow_matches(const struct oxdp_megaflow *mf,
                           const struct miniflow *flow);

struct oxdp_megaflow *oxdp_table_find(const struct oxdp_table *,
                                      const ovs_u128 *ufid);

/* Returns the next flow, or NULL at the end.  '*pos' starts zeroed. */
struct oxdp_megaflow *oxdp_table_next(const struct oxdp_table *,
                                      struct cmap_position *pos);

void oxdp_table_get_stats(const struct oxdp_table *,
                          struct oxdp_table_stats *);

/* Counts 'packets' packets of together 'bytes' bytes that userspace executes
 * for 'mf'. */
void oxdp_megaflow_count(struct oxdp_megaflow *mf, uint64_t packets,
                         uint64_t bytes, uint16_t tcp_flags);

/* Lets 'n' flows come into the CPU's cache, for which oxdp_megaflow_counters()
 * and the like are about to be called. */
void oxdp_megaflows_prefetch(const struct oxdp_table *,
                             struct oxdp_megaflow *const mfs[], size_t n);
void oxdp_megaflow_counters(const struct oxdp_table *,
                            const struct oxdp_megaflow *,
                            struct oxdp_counters *);

/* Copies the slot of 'mf' as BPF sees it to '*code'.  Returns false if there is
 * none. */
bool oxdp_megaflow_get_slot(const struct oxdp_table *,
                            const struct oxdp_megaflow *,
                            struct oxdp_code *code);

#endif /* oxdp-table.h */
