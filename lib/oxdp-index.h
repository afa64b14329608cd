/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-index: the flows of the flow table, by what they match.
 *
 * Does what Open vSwitch's classifier does for flows without priorities, in a
 * fraction of the memory: an entry is its masked fields, those that its mask
 * looks at, and the Netlink key as it was put; masks are shared.  Of entries
 * that overlap, any one is found.
 *
 * Threads: writers exclude each other, by the flow table's mutex.  Readers take
 * no lock and rely on RCU: entries and what they point to stay valid until the
 * calling thread quiesces.
 */

#ifndef OXDP_INDEX_H
#define OXDP_INDEX_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmap.h"
#include "openvswitch/hmap.h"
#include "pvector.h"

struct flow;
struct match;
struct miniflow;
struct nlattr;
struct oxdp_wildcards;

struct oxdp_index {
    struct pvector subtables;   /* Of struct subtable. */
    struct hmap by_mask;        /* The same, for writers. */
    struct hmap wildcards;      /* Of struct oxdp_wildcards, for writers. */
};

/* In a flow, as its last member.  Constant but for 'node'. */
struct oxdp_index_entry {
    struct cmap_node node;      /* In a subtable's 'entries'. */
    struct oxdp_wildcards *wildcards;
    uint32_t key_len;           /* In bytes. */
    uint64_t data[];            /* Masked fields, then the Netlink key. */
};

void oxdp_index_init(struct oxdp_index *);

/* There must be no entries left. */
void oxdp_index_destroy(struct oxdp_index *);

/* Returns what flows with the mask of 'match' that was put as 'mask' share, with
 * a reference for the caller, which oxdp_index_insert() takes over.  Writers
 * only. */
struct oxdp_wildcards *oxdp_index_get_wildcards(struct oxdp_index *,
                                                const struct match *match,
                                                const struct nlattr *mask,
                                                size_t mask_len);

/* Returns how long 'data' of an entry has to be, in bytes. */
size_t oxdp_index_data_size(const struct oxdp_wildcards *, size_t key_len);

/* Makes 'e', whose memory is the caller's, an entry with 'wildcards', the fields
 * of 'match' and the Netlink key 'key', and inserts it into the index of
 * 'wildcards'.  Writers only. */
void oxdp_index_insert(struct oxdp_index_entry *e,
                       struct oxdp_wildcards *wildcards,
                       const struct match *match,
                       const struct nlattr *key, size_t key_len);

/* Removes 'e', which readers may use until they quiesce.  Writers only. */
void oxdp_index_remove(struct oxdp_index *, struct oxdp_index_entry *e);

/* Returns an entry that 'flow' matches, or NULL. */
struct oxdp_index_entry *oxdp_index_lookup(const struct oxdp_index *,
                                           const struct flow *flow);

/* Returns true if 'e' matches 'flow'. */
bool oxdp_index_entry_matches(const struct oxdp_index_entry *e,
                              const struct miniflow *flow);

/* Stores in '*match' what 'e' matches. */
void oxdp_index_entry_expand(const struct oxdp_index_entry *e,
                             struct match *match);

/* Return the Netlink key of 'e', 'key_len' bytes, and its mask, '*mask_len'
 * bytes, as they were put. */
const struct nlattr *oxdp_index_entry_key(const struct oxdp_index_entry *);
const struct nlattr *oxdp_index_entry_mask(const struct oxdp_index_entry *,
                                           size_t *mask_len);

#endif /* oxdp-index.h */
