/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-masks.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/hmap.h"
#include "ovs-atomic.h"
#include "oxdp-abi.h"
#include "oxdp-compat.h"
#include "oxdp-key.h"
#include "oxdp-loader.h"
#include "oxdp-pool.h"
#include "util.h"

/* A mask that BPF has. */
struct mask {
    struct hmap_node node;      /* In 'masks', by content. */
    struct oxdp_key bits;
    uint32_t id;
    uint32_t n_flows;
};

/* A scope that has masks. */
struct scope {
    uint32_t order;             /* BPF's, */
    uint32_t n_flows[OXDP_ORDER_MASKS]; /* and flows by place in that. */
    bool has_holes;             /* Masks have been removed from it. */
};

struct oxdp_masks {
    struct oxdp_bpf *bpf;
    struct hmap masks;          /* Of struct mask. */
    struct mask *by_id[OXDP_MAX_MASKS];
    uint32_t free_ids[OXDP_MAX_MASKS];  /* Stack. */
    uint32_t n_free_ids;
    /* Flows by input port and words of their masks. */
    uint32_t n_by_words[OXDP_MAX_PORTS][OXDP_KEY_WORDS + 1];
    struct oxdp_pool orders;
    struct scope *scopes[OXDP_SCOPES];
    uint32_t n_gone;            /* Masks and orders not given back yet. */
};

struct oxdp_masks *
oxdp_masks_create(struct oxdp_bpf *bpf)
{
    const struct oxdp_pool_config orders = {
        .name = "oxdp_order_chun",
        .outer_fd = bpf->orders_fd,
        .value_size = sizeof(struct oxdp_order),
        .n_values = OXDP_ORDER_CHUNK,
        .shift = OXDP_ORDER_SHIFT,
        .max_chunks = OXDP_MAX_ORDER_CHUNKS,
    };
    struct oxdp_masks *masks = xzalloc(sizeof *masks);

    masks->bpf = bpf;
    hmap_init(&masks->masks);
    for (uint32_t i = OXDP_MAX_MASKS; i-- > 0; ) {
        masks->free_ids[masks->n_free_ids++] = i;
    }
    oxdp_pool_init(&masks->orders, &orders);
    return masks;
}

void
oxdp_masks_destroy(struct oxdp_masks *masks)
{
    ovs_assert(hmap_is_empty(&masks->masks));
    oxdp_pool_destroy(&masks->orders);
    hmap_destroy(&masks->masks);
    free(masks);
}

/* Masks. */

/* Counts a flow with 'mask' for packets from 'in_port', or with 'n' -1 one less,
 * and tells BPF how many words of their keys matter. */
static void
count_words(struct oxdp_masks *masks, uint32_t in_port,
            const struct mask *mask, int n)
{
    uint32_t n_words = OXDP_KEY_WORDS;

    if (in_port >= OXDP_MAX_PORTS) {
        return;                 /* No packet that BPF sees is from there. */
    }
    masks->n_by_words[in_port][oxdp_mask_words(&mask->bits)] += n;
    while (n_words > OXDP_KEY_WORDS_MIN
           && !masks->n_by_words[in_port][n_words]) {
        n_words--;
    }
    masks->bpf->shared->key_words[in_port] = n_words;
}

/* Returns the mask with 'bits', which may be new, or NULL if there is no room
 * for another. */
static struct mask *
get_mask(struct oxdp_masks *masks, const struct oxdp_key *bits)
{
    uint32_t hash = hash_bytes(bits, sizeof *bits, 0);
    struct oxdp_mask *m;
    struct mask *mask;

    HMAP_FOR_EACH_WITH_HASH (mask, node, hash, &masks->masks) {
        if (!memcmp(&mask->bits, bits, sizeof *bits)) {
            return mask;
        }
    }
    if (!masks->n_free_ids) {
        return NULL;
    }

    mask = xmalloc(sizeof *mask);
    mask->bits = *bits;
    mask->id = masks->free_ids[--masks->n_free_ids];
    mask->n_flows = 0;
    hmap_insert(&masks->masks, &mask->node, hash);
    masks->by_id[mask->id] = mask;

    m = &masks->bpf->shared->masks[mask->id];
    m->bits = *bits;
    m->n_words = oxdp_mask_words(bits);
    return mask;
}

/* Removes 'mask' if no flow has it any more.  Returns its id, or
 * OXDP_NO_MASK. */
static uint32_t
put_mask(struct oxdp_masks *masks, struct mask *mask)
{
    uint32_t id = mask->id;

    if (mask->n_flows) {
        return OXDP_NO_MASK;
    }
    hmap_remove(&masks->masks, &mask->node);
    masks->by_id[id] = NULL;
    free(mask);
    masks->n_gone++;
    return id;
}

/* Orders. */

static struct oxdp_order *
get_order(const struct oxdp_masks *masks, uint32_t id)
{
    struct oxdp_order *orders = oxdp_pool_memory(&masks->orders, id);

    return &orders[oxdp_pool_index(&masks->orders, id)];
}

static uint32_t
key_scope(const struct oxdp_masks *masks, const struct oxdp_key *key)
{
    return oxdp_scope(key->in_port, key->recirc_id, masks->bpf->seeds);
}

/* Makes what is in 'order' the order of scope 'i'.  Returns the former one, or
 * OXDP_NO_ORDER.  There must be a free one. */
static uint32_t
replace_order(struct oxdp_masks *masks, uint32_t i,
              const struct oxdp_order *order)
{
    struct scope *scope = masks->scopes[i];
    uint32_t old = scope->order;

    scope->order = oxdp_pool_take(&masks->orders);
    *get_order(masks, scope->order) = *order;
    scope->has_holes = false;
    atomic_thread_fence(memory_order_release);
    *(volatile uint32_t *) &masks->bpf->shared->scopes[i] = scope->order + 1;
    masks->n_gone += old != OXDP_NO_ORDER;
    return old;
}

/* Returns the place of mask 'id' in 'order', or 'order->n' if it has none. */
static uint32_t
find_place(const struct oxdp_order *order, uint32_t id)
{
    uint32_t place;

    for (place = 0; place < order->n; place++) {
        if (order->ids[place] == id) {
            break;
        }
    }
    return place;
}

/* Appends mask 'id' to the order of scope 'i'.  Returns false if there is no
 * room.  An order that has lost a mask since it was made is replaced, for packets
 * that are being looked up have its old length and would miss the last one. */
static bool
append_mask(struct oxdp_masks *masks, uint32_t i, uint32_t id,
            uint32_t *gonep)
{
    struct scope *scope = masks->scopes[i];
    struct oxdp_order *order;

    if (scope && !scope->has_holes) {
        order = get_order(masks, scope->order);
        if (order->n >= OXDP_ORDER_MASKS) {
            return false;
        }
        order->ids[order->n] = id;
        order->hits[order->n] = 0;
        scope->n_flows[order->n] = 0;
        atomic_thread_fence(memory_order_release);
        *(volatile uint32_t *) &order->n = order->n + 1;
        return true;
    }
    if (oxdp_pool_reserve(&masks->orders)) {
        return false;
    }

    struct oxdp_order new = { .n = 0 };

    if (scope) {
        new = *get_order(masks, scope->order);
    } else {
        scope = masks->scopes[i] = xzalloc(sizeof *scope);
        scope->order = OXDP_NO_ORDER;
    }
    scope->n_flows[new.n] = 0;
    new.hits[new.n] = 0;
    new.ids[new.n++] = id;
    *gonep = replace_order(masks, i, &new);
    return true;
}

uint32_t
oxdp_masks_ref(struct oxdp_masks *masks, const struct oxdp_key *key,
               const struct oxdp_key *bits, struct oxdp_masks_gone *gone)
{
    uint32_t i = key_scope(masks, key);
    struct scope *scope = masks->scopes[i];
    struct mask *mask = get_mask(masks, bits);
    const struct oxdp_order *order;

    *gone = (struct oxdp_masks_gone) { OXDP_NO_MASK, OXDP_NO_ORDER };
    if (!mask) {
        return OXDP_NO_MASK;
    }
    order = scope ? get_order(masks, scope->order) : NULL;
    if ((!order || find_place(order, mask->id) == order->n)
        && !append_mask(masks, i, mask->id, &gone->order)) {
        gone->mask_id = put_mask(masks, mask);
        return OXDP_NO_MASK;
    }
    scope = masks->scopes[i];
    scope->n_flows[find_place(get_order(masks, scope->order), mask->id)]++;
    mask->n_flows++;
    count_words(masks, key->in_port, mask, 1);
    return mask->id;
}

/* Removes the mask in 'place' of the order of scope 'i'.  Returns the order if
 * that was its last one, otherwise OXDP_NO_ORDER. */
static uint32_t
remove_place(struct oxdp_masks *masks, uint32_t i, uint32_t place)
{
    struct scope *scope = masks->scopes[i];
    uint32_t id = scope->order;
    struct oxdp_order *order = get_order(masks, id);
    uint32_t last = order->n - 1;

    if (!last) {
        masks->bpf->shared->scopes[i] = 0;
        masks->scopes[i] = NULL;
        free(scope);
        masks->n_gone++;
        return id;
    }
    /* The last one stays where it is, too, for whoever looks there. */
    order->ids[place] = order->ids[last];
    order->hits[place] = order->hits[last];
    scope->n_flows[place] = scope->n_flows[last];
    atomic_thread_fence(memory_order_release);
    *(volatile uint32_t *) &order->n = last;
    scope->has_holes = true;
    return OXDP_NO_ORDER;
}

struct oxdp_masks_gone
oxdp_masks_unref(struct oxdp_masks *masks, const struct oxdp_key *key,
                 uint32_t id)
{
    struct oxdp_masks_gone gone = { OXDP_NO_MASK, OXDP_NO_ORDER };
    uint32_t i = key_scope(masks, key);
    struct scope *scope = masks->scopes[i];
    uint32_t place = find_place(get_order(masks, scope->order), id);
    struct mask *mask = masks->by_id[id];

    if (!--scope->n_flows[place]) {
        gone.order = remove_place(masks, i, place);
    }
    mask->n_flows--;
    count_words(masks, key->in_port, mask, -1);
    gone.mask_id = put_mask(masks, mask);
    return gone;
}

void
oxdp_masks_reuse(struct oxdp_masks *masks, const struct oxdp_masks_gone *gone)
{
    if (gone->mask_id != OXDP_NO_MASK) {
        masks->free_ids[masks->n_free_ids++] = gone->mask_id;
        masks->n_gone--;
    }
    if (gone->order != OXDP_NO_ORDER) {
        oxdp_pool_give(&masks->orders, gone->order);
        masks->n_gone--;
    }
}

/* Returns true if some mask of 'order' has found so much more than one before
 * it that a new order is worth it. */
static bool
is_unsorted(const struct oxdp_order *order)
{
    uint64_t least = UINT64_MAX;

    for (uint32_t i = 0; i < order->n; i++) {
        if (least != UINT64_MAX && order->hits[i] > 2 * least + 16) {
            return true;
        }
        least = MIN(least, order->hits[i]);
    }
    return false;
}

/* A place of an order. */
struct place {
    uint32_t hits, n_flows;
    uint16_t id;
};

static int
compare_places(const void *a_, const void *b_)
{
    const struct place *a = a_, *b = b_;

    return a->hits > b->hits ? -1 : a->hits < b->hits;
}

struct oxdp_masks_gone
oxdp_masks_sort(struct oxdp_masks *masks, uint32_t i)
{
    struct oxdp_masks_gone gone = { OXDP_NO_MASK, OXDP_NO_ORDER };
    struct scope *scope = masks->scopes[i];
    struct place places[OXDP_ORDER_MASKS];
    struct oxdp_order new;

    if (!scope) {
        return gone;
    }
    new = *get_order(masks, scope->order);
    if (!is_unsorted(&new) || oxdp_pool_reserve(&masks->orders)) {
        /* Only forget a half. */
        for (uint32_t j = 0; j < new.n; j++) {
            get_order(masks, scope->order)->hits[j] = new.hits[j] / 2;
        }
        return gone;
    }

    for (uint32_t j = 0; j < new.n; j++) {
        places[j] = (struct place) { new.hits[j], scope->n_flows[j],
                                     new.ids[j] };
    }
    qsort(places, new.n, sizeof *places, compare_places);
    for (uint32_t j = 0; j < new.n; j++) {
        new.ids[j] = places[j].id;
        new.hits[j] = places[j].hits / 2;
        scope->n_flows[j] = places[j].n_flows;
    }
    gone.order = replace_order(masks, i, &new);
    return gone;
}

uint32_t
oxdp_masks_get_order(const struct oxdp_masks *masks,
                     const struct oxdp_key *key, struct oxdp_order *order)
{
    uint32_t i = key_scope(masks, key);

    if (masks->scopes[i]) {
        *order = *get_order(masks, masks->scopes[i]->order);
    } else {
        memset(order, 0, sizeof *order);
    }
    return i;
}

uint32_t
oxdp_masks_count(const struct oxdp_masks *masks)
{
    return hmap_count(&masks->masks);
}

bool
oxdp_masks_is_full(const struct oxdp_masks *masks)
{
    return (masks->n_gone
            && (!masks->n_free_ids
                || (!masks->orders.n_free
                    && masks->orders.n_chunks >= OXDP_MAX_ORDER_CHUNKS)));
}
