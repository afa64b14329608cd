/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-index.h"

#include <stdlib.h>
#include <string.h>

#include "classifier.h"
#include "classifier-private.h"     /* Needs the former. */
#include "flow.h"
#include "hash.h"
#include "netlink.h"
#include "openvswitch/match.h"
#include "ovs-rcu.h"
#include "util.h"

/* The entries with one mask.  Constant but for 'entries' and the writers'
 * 'n_refs'. */
struct subtable {
    struct hmap_node node;      /* In 'by_mask'. */
    struct cmap entries;        /* Of struct oxdp_index_entry. */
    unsigned int n_refs;        /* Of struct oxdp_wildcards. */
    size_t n_values;            /* Of 'mask'. */
    struct minimask mask;       /* Followed by its values. */
};

/* A mask as it was put.  The same mask can be put in several ways: a field that
 * is not matched may be left out, or be there with zeros.  Constant but for the
 * writers' 'n_refs'. */
struct oxdp_wildcards {
    struct hmap_node node;      /* In 'wildcards'. */
    struct subtable *subtable;
    unsigned int n_refs;        /* Of struct oxdp_index_entry. */
    uint32_t mask_len;          /* Of 'attrs', in bytes. */
    struct nlattr attrs[];
};

void
oxdp_index_init(struct oxdp_index *index)
{
    pvector_init(&index->subtables);
    hmap_init(&index->by_mask);
    hmap_init(&index->wildcards);
}

void
oxdp_index_destroy(struct oxdp_index *index)
{
    ovs_assert(hmap_is_empty(&index->by_mask));
    pvector_destroy(&index->subtables);
    hmap_destroy(&index->by_mask);
    hmap_destroy(&index->wildcards);
}

static struct subtable *
get_subtable(struct oxdp_index *index, const struct flow_wildcards *wc)
{
    uint64_t buf[sizeof(struct minimask) / sizeof(uint64_t) + FLOW_U64S];
    struct minimask *mask = (struct minimask *) buf;
    struct subtable *s;
    uint32_t hash;
    size_t size;

    miniflow_map_init(&mask->masks, &wc->masks);
    minimask_init(mask, wc);
    hash = minimask_hash(mask, 0);
    HMAP_FOR_EACH_WITH_HASH (s, node, hash, &index->by_mask) {
        if (minimask_equal(&s->mask, mask)) {
            return s;
        }
    }

    size = MINIFLOW_VALUES_SIZE(miniflow_n_values(&mask->masks));
    s = xmalloc(sizeof *s + size);
    cmap_init(&s->entries);
    s->n_refs = 0;
    s->n_values = miniflow_n_values(&mask->masks);
    memcpy(&s->mask, mask, sizeof *mask + size);
    hmap_insert(&index->by_mask, &s->node, hash);
    pvector_insert(&index->subtables, s, 0);
    pvector_publish(&index->subtables);
    return s;
}

static void
subtable_free(struct subtable *s)
{
    cmap_destroy(&s->entries);
    free(s);
}

static void
unref_subtable(struct oxdp_index *index, struct subtable *s)
{
    if (!--s->n_refs) {
        hmap_remove(&index->by_mask, &s->node);
        pvector_remove(&index->subtables, s);
        pvector_publish(&index->subtables);
        ovsrcu_postpone(subtable_free, s);
    }
}

struct oxdp_wildcards *
oxdp_index_get_wildcards(struct oxdp_index *index, const struct match *match,
                         const struct nlattr *mask, size_t mask_len)
{
    struct subtable *subtable = get_subtable(index, &match->wc);
    uint32_t hash = hash_bytes(mask, mask_len, subtable->node.hash);
    struct oxdp_wildcards *w;

    HMAP_FOR_EACH_WITH_HASH (w, node, hash, &index->wildcards) {
        if (w->subtable == subtable && w->mask_len == mask_len
            && (!mask_len || !memcmp(w->attrs, mask, mask_len))) {
            w->n_refs++;
            return w;
        }
    }

    w = xmalloc(sizeof *w + mask_len);
    w->subtable = subtable;
    subtable->n_refs++;
    w->n_refs = 1;
    w->mask_len = mask_len;
    nullable_memcpy(w->attrs, mask, mask_len);
    hmap_insert(&index->wildcards, &w->node, hash);
    return w;
}

static void
unref_wildcards(struct oxdp_index *index, struct oxdp_wildcards *w)
{
    if (!--w->n_refs) {
        hmap_remove(&index->wildcards, &w->node);
        unref_subtable(index, w->subtable);
        ovsrcu_postpone(free, w);
    }
}

size_t
oxdp_index_data_size(const struct oxdp_wildcards *w, size_t key_len)
{
    return MINIFLOW_VALUES_SIZE(w->subtable->n_values) + key_len;
}

void
oxdp_index_insert(struct oxdp_index_entry *e, struct oxdp_wildcards *w,
                  const struct match *match,
                  const struct nlattr *key, size_t key_len)
{
    struct subtable *s = w->subtable;
    const uint64_t *m = miniflow_get_values(&s->mask.masks);
    uint64_t *value = e->data;
    size_t idx;

    e->wildcards = w;
    e->key_len = key_len;
    FLOWMAP_FOR_EACH_INDEX (idx, s->mask.masks.map) {
        *value++ = flow_u64_value(&match->flow, idx) & *m++;
    }
    nullable_memcpy(value, key, key_len);
    cmap_insert(&s->entries, &e->node,
                flow_hash_in_minimask(&match->flow, &s->mask, 0));
}

/* Returns the hash of 'e', as flow_hash_in_minimask() of a flow that
 * matches. */
static uint32_t
entry_hash(const struct oxdp_index_entry *e)
{
    size_t n_values = e->wildcards->subtable->n_values;
    uint32_t hash = 0;

    for (size_t i = 0; i < n_values; i++) {
        hash = hash_add64(hash, e->data[i]);
    }
    return hash_finish(hash, n_values * sizeof *e->data);
}

void
oxdp_index_remove(struct oxdp_index *index, struct oxdp_index_entry *e)
{
    cmap_remove(&e->wildcards->subtable->entries, &e->node, entry_hash(e));
    unref_wildcards(index, e->wildcards);
}

static bool
entry_matches(const struct oxdp_index_entry *e, const struct minimask *mask,
              const struct flow *flow)
{
    const uint64_t *m = miniflow_get_values(&mask->masks);
    const uint64_t *value = e->data;
    size_t idx;

    FLOWMAP_FOR_EACH_INDEX (idx, mask->masks.map) {
        if ((flow_u64_value(flow, idx) & *m++) != *value++) {
            return false;
        }
    }
    return true;
}

struct oxdp_index_entry *
oxdp_index_lookup(const struct oxdp_index *index, const struct flow *flow)
{
    struct oxdp_index_entry *e;
    struct subtable *s;

    PVECTOR_FOR_EACH (s, &index->subtables) {
        uint32_t hash = flow_hash_in_minimask(flow, &s->mask, 0);

        CMAP_FOR_EACH_WITH_HASH (e, node, hash, &s->entries) {
            if (entry_matches(e, &s->mask, flow)) {
                return e;
            }
        }
    }
    return NULL;
}

bool
oxdp_index_entry_matches(const struct oxdp_index_entry *e,
                         const struct miniflow *flow)
{
    const struct minimask *mask = &e->wildcards->subtable->mask;
    const uint64_t *m = miniflow_get_values(&mask->masks);
    const uint64_t *value = e->data;
    size_t idx;

    FLOWMAP_FOR_EACH_INDEX (idx, mask->masks.map) {
        if ((miniflow_get(flow, idx) & *m++) != *value++) {
            return false;
        }
    }
    return true;
}

void
oxdp_index_entry_expand(const struct oxdp_index_entry *e, struct match *match)
{
    const struct minimask *mask = &e->wildcards->subtable->mask;
    const uint64_t *value = e->data;
    size_t idx;

    match_init_catchall(match);
    minimask_expand(mask, &match->wc);
    FLOWMAP_FOR_EACH_INDEX (idx, mask->masks.map) {
        *flow_u64_lvalue(&match->flow, idx) = *value++;
    }
}

const struct nlattr *
oxdp_index_entry_key(const struct oxdp_index_entry *e)
{
    return ALIGNED_CAST(const struct nlattr *,
                        e->data + e->wildcards->subtable->n_values);
}

const struct nlattr *
oxdp_index_entry_mask(const struct oxdp_index_entry *e, size_t *mask_len)
{
    *mask_len = e->wildcards->mask_len;
    return e->wildcards->attrs;
}
