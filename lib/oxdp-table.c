/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coverage.h"
#include "odp-util.h"
#include "openvswitch/list.h"
#include "openvswitch/match.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "oxdp-abi.h"
#include "oxdp-bflood.h"
#include "oxdp-buckets.h"
#include "oxdp-compile.h"
#include "oxdp-flood.h"
#include "oxdp-key.h"
#include "oxdp-loader.h"
#include "oxdp-masks.h"
#include "oxdp-match.h"
#include "oxdp-pool.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(oxdp_table);

COVERAGE_DEFINE(xdp_table_full);
COVERAGE_DEFINE(xdp_table_grow);

/* Number of flows per bucket from which on the table of buckets is enlarged. */
#define FLOWS_PER_BUCKET 3

/* Something to be reused or freed after a grace period of BPF. */
struct pending {
    struct ovs_list node;
    uint32_t slot;              /* Or OXDP_NO_SLOT. */
    struct oxdp_masks_gone masks;
    struct oxdp_megaflow *mf;   /* Owner of 'slot', or NULL. */
    bool free_mf;               /* 'mf' was deleted. */
    struct oxdp_buckets buckets;        /* 'mem' is NULL if not used. */
};

struct oxdp_table {
    struct oxdp_bpf *bpf;
    struct oxdp_floods *floods;
    uint32_t max_flows;

    struct oxdp_index index;    /* Changed under 'mutex', as is 'by_ufid'. */
    struct cmap by_ufid;

    struct ovs_mutex mutex;     /* Protects all that follows. */
    struct oxdp_pool slots;
    struct oxdp_pool lists;     /* Of opcodes. */
    struct oxdp_buckets buckets;
    struct oxdp_masks *masks;
    uint32_t n_bpf_flows;
    uint64_t n_full, n_grown;

    struct ovs_list pending;    /* Of struct pending, oldest first. */
    bool reclaiming;            /* The reclaimer has taken some of them. */
    bool exiting;
    pthread_cond_t work_cond;   /* 'pending' is not empty, or 'exiting'. */
    pthread_cond_t done_cond;   /* The reclaimer has finished. */
    pthread_t reclaimer;
};

static struct oxdp_flow *
slot_flow(const struct oxdp_table *t, uint32_t slot)
{
    struct oxdp_chunk *chunk = oxdp_pool_memory(&t->slots, slot);

    return &chunk->flows[oxdp_pool_index(&t->slots, slot)];
}

static struct oxdp_flow_rest *
slot_rest(const struct oxdp_table *t, uint32_t slot)
{
    struct oxdp_chunk *chunk = oxdp_pool_memory(&t->slots, slot);

    return &chunk->rests[oxdp_pool_index(&t->slots, slot)];
}

static struct oxdp_flow_stats *
slot_stats(const struct oxdp_table *t, uint32_t slot, uint32_t cpu)
{
    struct oxdp_chunk *chunk = oxdp_pool_memory(&t->slots, slot);

    return &chunk->stats[cpu * OXDP_CHUNK_FLOWS
                         + oxdp_pool_index(&t->slots, slot)];
}

/* Returns the opcodes of 'flow', which has a list. */
static struct oxdp_list *
flow_list(const struct oxdp_table *t, const struct oxdp_flow *flow)
{
    struct oxdp_list *lists = oxdp_pool_memory(&t->lists, flow->list - 1);

    return &lists[oxdp_pool_index(&t->lists, flow->list - 1)];
}

/* Adds to '*c' what BPF counted on 'slot'. */
static void
add_slot_counters(const struct oxdp_table *t, uint32_t slot,
                  struct oxdp_counters *c)
{
    const volatile struct oxdp_flow *flow = slot_flow(t, slot);
    uint32_t used = flow->used;

    if (!used) {
        return;
    }
    c->used = MAX(c->used, oxdp_bpf_used_to_msec(t->bpf, used));
    c->tcp_flags |= flow->tcp_flags;
    for (uint32_t cpu = 0; cpu < t->bpf->n_cpus; cpu++) {
        const volatile struct oxdp_flow_stats *s = slot_stats(t, slot, cpu);

        c->packets += s->packets;
        c->bytes += s->bytes;
    }
}

static void
pools_init(struct oxdp_table *t)
{
    const struct oxdp_pool_config slots = {
        .name = "oxdp_chunk",
        .outer_fd = t->bpf->chunks_fd,
        .value_size = oxdp_bpf_chunk_size(t->bpf),
        .n_values = 1,
        .shift = OXDP_CHUNK_SHIFT,
        .max_chunks = OXDP_MAX_CHUNKS,
    };
    const struct oxdp_pool_config lists = {
        .name = "oxdp_list_chunk",
        .outer_fd = t->bpf->lists_fd,
        .value_size = sizeof(struct oxdp_list),
        .n_values = OXDP_LIST_CHUNK,
        .shift = OXDP_LIST_SHIFT,
        .max_chunks = OXDP_MAX_LIST_CHUNKS,
    };

    oxdp_pool_init(&t->slots, &slots);
    oxdp_pool_init(&t->lists, &lists);
}

/* Reuse after a grace period. */

static void
megaflow_free(struct oxdp_megaflow *mf)
{
    oxdp_actions_free(ovsrcu_get_protected(struct oxdp_actions *,
                                           &mf->actions));
    free(mf);
}

/* Records that 'mf' was used at 'used', if not later already. */
static void
set_used(struct oxdp_megaflow *mf, long long int used)
{
    long long int old;

    atomic_read_relaxed(&mf->base_used, &old);
    while (old < used
           && !atomic_compare_exchange_weak_relaxed(&mf->base_used, &old,
                                                    used)) {
        /* 'old' is what it is now. */
    }
}

/* Moves the counters of the former slot of 'mf' to its base. */
static void
fold_counters(struct oxdp_table *t, struct oxdp_megaflow *mf)
{
    struct oxdp_counters c = { 0 };
    uint64_t old;
    uint16_t flags;

    add_slot_counters(t, mf->prev_slot, &c);
    mf->prev_slot = OXDP_NO_SLOT;
    atomic_add_relaxed(&mf->base_packets, c.packets, &old);
    atomic_add_relaxed(&mf->base_bytes, c.bytes, &old);
    set_used(mf, c.used);
    atomic_or_relaxed(&mf->base_flags, c.tcp_flags, &flags);
}

/* Gives 'slot' back, and what its flow has had. */
static void
free_slot(struct oxdp_table *t, uint32_t slot)
    OVS_REQUIRES(t->mutex)
{
    const struct oxdp_flow *flow = slot_flow(t, slot);

    oxdp_flood_unref(t->floods, slot_rest(t, slot)->flood);
    if (flow->list) {
        oxdp_pool_give(&t->lists, flow->list - 1);
    }
    oxdp_pool_give(&t->slots, slot);
}

static void
reclaim(struct oxdp_table *t, struct ovs_list *done)
    OVS_REQUIRES(t->mutex)
{
    struct pending *p;

    LIST_FOR_EACH_POP (p, node, done) {
        if (p->slot != OXDP_NO_SLOT) {
            if (p->mf && !p->free_mf) {
                fold_counters(t, p->mf);
            }
            free_slot(t, p->slot);
        }
        oxdp_masks_reuse(t->masks, &p->masks);
        if (p->free_mf) {
            ovsrcu_postpone(megaflow_free, p->mf);
        }
        if (p->buckets.mem) {
            oxdp_buckets_destroy(t->bpf, &p->buckets);
        }
        free(p);
    }
}

static struct pending *
add_pending(struct oxdp_table *t)
    OVS_REQUIRES(t->mutex)
{
    struct pending *p = xzalloc(sizeof *p);

    p->slot = OXDP_NO_SLOT;
    p->masks = (struct oxdp_masks_gone) { OXDP_NO_MASK, OXDP_NO_ORDER };
    ovs_list_push_back(&t->pending, &p->node);
    xpthread_cond_signal(&t->work_cond);
    return p;
}

/* 'gone' is to be given back. */
static void
add_pending_masks(struct oxdp_table *t, const struct oxdp_masks_gone *gone)
    OVS_REQUIRES(t->mutex)
{
    if (gone->mask_id != OXDP_NO_MASK || gone->order != OXDP_NO_ORDER) {
        add_pending(t)->masks = *gone;
    }
}

/* Waits until nothing is pending, for some 10 ms without the mutex, and
 * without quiescing: the caller may hold objects that RCU protects. */
static void
wait_reclaimed(struct oxdp_table *t)
    OVS_REQUIRES(t->mutex)
{
    while (!ovs_list_is_empty(&t->pending) || t->reclaiming) {
        ovs_mutex_cond_wait(&t->done_cond, &t->mutex);
    }
}

/* The only thread that reclaims, so that things become free in the order in
 * which they became pending. */
static void *
reclaimer_main(void *t_)
{
    struct oxdp_table *t = t_;

    ovs_mutex_lock(&t->mutex);
    for (;;) {
        struct ovs_list done;

        if (ovs_list_is_empty(&t->pending)) {
            if (t->exiting) {
                break;
            }
            ovsrcu_quiesce_start();
            ovs_mutex_cond_wait(&t->work_cond, &t->mutex);
            ovsrcu_quiesce_end();
            continue;
        }
        ovs_list_move(&done, &t->pending);
        ovs_list_init(&t->pending);
        t->reclaiming = true;
        ovs_mutex_unlock(&t->mutex);

        ovsrcu_quiesce_start();
        oxdp_bpf_synchronize();
        ovsrcu_quiesce_end();

        ovs_mutex_lock(&t->mutex);
        reclaim(t, &done);
        t->reclaiming = false;
        pthread_cond_broadcast(&t->done_cond);
    }
    ovs_mutex_unlock(&t->mutex);
    return NULL;
}

/* Buckets. */

static uint64_t
slot_hash(const struct oxdp_table *t, uint32_t slot)
{
    uint16_t mask_id = slot_rest(t, slot)->mask_id;
    const struct oxdp_mask *mask = &t->bpf->shared->masks[mask_id];
    struct oxdp_key key;

    oxdp_flow_get_key(slot_flow(t, slot), slot_rest(t, slot), &key);
    return oxdp_hash_masked(&key, &mask->bits, mask->n_words, mask_id,
                            t->bpf->seeds);
}

/* Replaces the buckets by twice as many. */
static int
buckets_grow(struct oxdp_table *t)
    OVS_REQUIRES(t->mutex)
{
    uint32_t order = t->buckets.order + 1;
    struct oxdp_buckets new;
    int error;

    if (order > OXDP_MAX_ORDER) {
        return ENOSPC;
    }
    error = oxdp_buckets_create(t->bpf, order, &new);
    if (error) {
        return error;
    }
    for (uint32_t slot = 0; slot < oxdp_pool_size(&t->slots); slot++) {
        if (slot_flow(t, slot)->live
            && !oxdp_buckets_insert(&new, slot_hash(t, slot), slot)) {
            /* Cannot be in half-empty buckets, except by a bad hash. */
            oxdp_buckets_destroy(t->bpf, &new);
            return ENOSPC;
        }
    }
    atomic_thread_fence(memory_order_release);
    t->bpf->shared->control.bucket_order = order;
    add_pending(t)->buckets = t->buckets;
    t->buckets = new;
    t->n_grown++;
    COVERAGE_INC(xdp_table_grow);
    return 0;
}

/* Flows in BPF's maps. */

/* Makes a free slot, and a free mask if one is only waiting for a grace
 * period.  May release the mutex for a while. */
static void
make_room(struct oxdp_table *t)
    OVS_REQUIRES(t->mutex)
{
    if (oxdp_masks_is_full(t->masks)
        || oxdp_pool_reserve(&t->slots)) {
        wait_reclaimed(t);
    }
}

/* Makes the free slot 'slot' a flow with 'key', under mask 'mask_id', of verdict
 * and opcodes of 'code', whose set of ports it chooses, that is not live
 * yet. */
static void
fill_slot(struct oxdp_table *t, uint32_t slot, const struct oxdp_key *key,
          uint32_t mask_id, struct oxdp_code *code)
    OVS_REQUIRES(t->mutex)
{
    struct oxdp_flow_rest *rest = slot_rest(t, slot);
    struct oxdp_flow *flow = slot_flow(t, slot);

    if (code->flow.verdict == OXDP_VERDICT_FLOOD) {
        oxdp_flood_ref(t->floods, code);
    }
    *flow = code->flow;
    *rest = code->rest;
    flow->live = 0;
    rest->mask_id = mask_id;
    oxdp_flow_set_key(flow, rest, key);
    flow->tcp_flags = 0;
    flow->used = 0;
    flow->list = 0;
    if (oxdp_code_needs_list(code)) {
        flow->list = oxdp_pool_take(&t->lists) + 1;
        memcpy(flow_list(t, flow)->ops, code->ops, sizeof code->ops);
    }
    for (uint32_t cpu = 0; cpu < t->bpf->n_cpus; cpu++) {
        memset(slot_stats(t, slot, cpu), 0, sizeof(struct oxdp_flow_stats));
    }
}

/* Puts a flow with 'key' under 'bits' and with verdict and opcodes of 'code',
 * whose set of ports it chooses, into BPF's maps, and stores its slot in
 * '*slotp'.  Returns OXDP_REASON_NONE or why it cannot be there. */
static enum oxdp_reason
install(struct oxdp_table *t, const struct oxdp_key *key,
        const struct oxdp_key *bits, struct oxdp_code *code, uint32_t *slotp)
    OVS_REQUIRES(t->mutex)
{
    struct oxdp_masks_gone gone;
    uint32_t mask_id;

    *slotp = OXDP_NO_SLOT;
    if (!t->slots.n_free
        || (oxdp_code_needs_list(code) && oxdp_pool_reserve(&t->lists))) {
        return OXDP_REASON_TABLE_FULL;
    }
    mask_id = oxdp_masks_ref(t->masks, key, bits, &gone);
    add_pending_masks(t, &gone);
    if (mask_id == OXDP_NO_MASK) {
        return OXDP_REASON_MASKS;
    }

    uint32_t slot = oxdp_pool_take(&t->slots);
    struct oxdp_flow *flow = slot_flow(t, slot);

    fill_slot(t, slot, key, mask_id, code);
    if (t->n_bpf_flows >= (FLOWS_PER_BUCKET << t->buckets.order)) {
        buckets_grow(t);
    }
    atomic_thread_fence(memory_order_release);
    *(volatile uint16_t *) &flow->live = mask_id + 1;
    if (!oxdp_buckets_insert(&t->buckets, slot_hash(t, slot), slot)
        && (buckets_grow(t)
            /* Growing inserted it, as it is live. */
            || !flow->live)) {
        /* It was live, so the slot cannot be reused at once. */
        *(volatile uint16_t *) &flow->live = 0;
        struct pending *p = add_pending(t);
        p->slot = slot;
        p->masks = oxdp_masks_unref(t->masks, key, mask_id);
        return OXDP_REASON_TABLE_FULL;
    }
    t->n_bpf_flows++;
    *slotp = slot;
    return OXDP_REASON_NONE;
}

/* Takes 'slot' out of BPF's maps.  'mf' is its owner, which is freed as well if
 * 'free_mf'. */
static void
uninstall(struct oxdp_table *t, uint32_t slot, struct oxdp_megaflow *mf,
          bool free_mf)
    OVS_REQUIRES(t->mutex)
{
    struct pending *p;

    if (slot == OXDP_NO_SLOT) {
        if (free_mf) {
            /* Its earlier slots may still be pending, with a pointer. */
            p = add_pending(t);
            p->mf = mf;
            p->free_mf = true;
        }
        return;
    }

    struct oxdp_flow_rest *rest = slot_rest(t, slot);
    struct oxdp_flow *flow = slot_flow(t, slot);
    struct oxdp_key key;

    oxdp_flow_get_key(flow, rest, &key);
    oxdp_buckets_remove(&t->buckets, slot_hash(t, slot), slot);
    *(volatile uint16_t *) &flow->live = 0;
    p = add_pending(t);
    p->slot = slot;
    p->masks = oxdp_masks_unref(t->masks, &key, rest->mask_id);
    p->mf = mf;
    p->free_mf = free_mf;
    t->n_bpf_flows--;
}

/* Stores in '*code' what BPF is to do with packets that match 'match'. */
static void
compile(const struct oxdp_table *t, const struct match *match,
        const struct nlattr *actions, size_t actions_len,
        struct oxdp_code *code)
{
    memset(code, 0, sizeof *code);
    oxdp_compile_actions(actions, actions_len, code);
    oxdp_bflood_choose(t->bpf->shared, match, actions, actions_len,
                       code);
}

/* Compiles 'actions' and installs 'mf', which matches 'match', anew. */
static void
megaflow_install(struct oxdp_table *t, struct oxdp_megaflow *mf,
                 const struct match *match,
                 const struct nlattr *actions, size_t actions_len)
    OVS_REQUIRES(t->mutex)
{
    struct oxdp_key key, bits;
    enum oxdp_reason reason;
    struct oxdp_code code;
    uint32_t slot = OXDP_NO_SLOT;

    compile(t, match, actions, actions_len, &code);
    reason = (oxdp_key_from_match(match, &key, &bits)
              ? install(t, &key, &bits, &code, &slot)
              : OXDP_REASON_MATCH);
    atomic_store_relaxed(&mf->verdict,
                         reason ? OXDP_VERDICT_USER : code.flow.verdict);
    atomic_store_relaxed(&mf->reason, reason ? reason : code.rest.reason);
    atomic_store_relaxed(&mf->slot, slot);
}

/* One chunk is kept for slots that wait for a grace period. */
static uint32_t
clamp_max_flows(uint32_t max_flows)
{
    return MIN(MAX(max_flows, 1), OXDP_MAX_FLOWS - OXDP_CHUNK_FLOWS);
}

void
oxdp_table_sort_masks(struct oxdp_table *t)
{
    ovs_mutex_lock(&t->mutex);
    for (uint32_t i = 0; i < OXDP_SCOPES; i++) {
        const struct oxdp_masks_gone gone = oxdp_masks_sort(t->masks, i);

        add_pending_masks(t, &gone);
    }
    ovs_mutex_unlock(&t->mutex);
}

uint32_t
oxdp_table_get_order(const struct oxdp_table *t, const struct oxdp_key *key,
                     struct oxdp_order *order)
{
    uint32_t scope;

    ovs_mutex_lock(&t->mutex);
    scope = oxdp_masks_get_order(t->masks, key, order);
    ovs_mutex_unlock(&t->mutex);
    return scope;
}

void
oxdp_table_set_max_flows(struct oxdp_table *t, uint32_t max_flows)
{
    ovs_mutex_lock(&t->mutex);
    t->max_flows = clamp_max_flows(max_flows);
    ovs_mutex_unlock(&t->mutex);
}

struct oxdp_table *
oxdp_table_create(struct oxdp_bpf *bpf, uint32_t max_flows)
{
    struct oxdp_table *t = xzalloc(sizeof *t);

    t->bpf = bpf;
    t->max_flows = clamp_max_flows(max_flows);
    if (oxdp_buckets_create(bpf, OXDP_MIN_ORDER, &t->buckets)) {
        free(t);
        return NULL;
    }
    bpf->shared->control.bucket_order = t->buckets.order;

    pools_init(t);
    t->floods = oxdp_floods_create(bpf);
    oxdp_index_init(&t->index);
    cmap_init(&t->by_ufid);
    ovs_mutex_init(&t->mutex);
    t->masks = oxdp_masks_create(bpf);
    ovs_list_init(&t->pending);
    xpthread_cond_init(&t->work_cond, NULL);
    xpthread_cond_init(&t->done_cond, NULL);
    t->reclaimer = ovs_thread_create("xdp_reclaim", reclaimer_main, t);
    return t;
}

void
oxdp_table_destroy(struct oxdp_table *t)
{
    if (!t) {
        return;
    }
    oxdp_table_flush(t);

    ovs_mutex_lock(&t->mutex);
    t->exiting = true;
    xpthread_cond_signal(&t->work_cond);
    ovs_mutex_unlock(&t->mutex);
    xpthread_join(t->reclaimer, NULL);
    oxdp_floods_destroy(t->floods);

    oxdp_pool_destroy(&t->slots);
    oxdp_pool_destroy(&t->lists);
    oxdp_buckets_destroy(t->bpf, &t->buckets);
    oxdp_masks_destroy(t->masks);
    cmap_destroy(&t->by_ufid);
    oxdp_index_destroy(&t->index);
    xpthread_cond_destroy(&t->work_cond);
    xpthread_cond_destroy(&t->done_cond);
    ovs_mutex_destroy(&t->mutex);
    free(t);
}

struct oxdp_floods *
oxdp_table_floods(const struct oxdp_table *t)
{
    return t->floods;
}

static uint32_t
ufid_hash(const ovs_u128 *ufid)
{
    return ufid->u32[0];
}

static int
table_add(struct oxdp_table *t, const struct oxdp_put *put)
    OVS_REQUIRES(t->mutex)
{
    struct oxdp_wildcards *wildcards;
    struct oxdp_megaflow *mf;

    if (cmap_count(&t->by_ufid) >= t->max_flows) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);

        COVERAGE_INC(xdp_table_full);
        t->n_full++;
        VLOG_WARN_RL(&rl, "flow table is full (%"PRIu32" flows): packets of "
                     "further flows take the slow path; raise Open_vSwitch "
                     "other_config:xdp-max-flows", t->max_flows);
        return EFBIG;
    }

    wildcards = oxdp_index_get_wildcards(&t->index, put->match, put->mask,
                                         put->mask_len);
    mf = xzalloc(sizeof *mf + oxdp_index_data_size(wildcards, put->key_len));
    mf->ufid = *put->ufid;
    mf->in_port = odp_to_u32(put->match->flow.in_port.odp_port);
    mf->prev_slot = OXDP_NO_SLOT;
    ovsrcu_init(&mf->actions,
                oxdp_actions_clone(put->actions, put->actions_len));
    megaflow_install(t, mf, put->match, put->actions, put->actions_len);

    oxdp_index_insert(&mf->entry, wildcards, put->match, put->key,
                      put->key_len);
    cmap_insert(&t->by_ufid, &mf->node, ufid_hash(&mf->ufid));
    return 0;
}

static void
table_modify(struct oxdp_table *t, struct oxdp_megaflow *mf,
             const struct oxdp_put *put)
    OVS_REQUIRES(t->mutex)
{
    struct oxdp_actions *old, *new;
    struct match match;
    uint32_t slot;

    new = oxdp_actions_clone(put->actions, put->actions_len);
    atomic_read_relaxed(&mf->slot, &slot);
    atomic_store_relaxed(&mf->modified, true);
    mf->prev_slot = slot;
    oxdp_index_entry_expand(&mf->entry, &match);
    megaflow_install(t, mf, &match, put->actions, put->actions_len);
    uninstall(t, slot, mf, false);

    old = ovsrcu_get_protected(struct oxdp_actions *, &mf->actions);
    ovsrcu_set(&mf->actions, new);
    ovsrcu_postpone(oxdp_actions_free, old);
}

/* Looks again whether the kernel bridge can flood the packets of 'mf', which
 * matches 'match'. */
static void
refresh_bridged(struct oxdp_table *t, struct oxdp_megaflow *mf,
                const struct match *match)
    OVS_REQUIRES(t->mutex)
{
    const struct oxdp_actions *actions
        = ovsrcu_get_protected(struct oxdp_actions *, &mf->actions);
    struct oxdp_code code;
    uint8_t verdict;
    uint32_t slot;

    atomic_read_relaxed(&mf->verdict, &verdict);
    atomic_read_relaxed(&mf->slot, &slot);
    compile(t, match, actions->actions, actions->size, &code);
    if (slot == OXDP_NO_SLOT
        || (verdict == OXDP_VERDICT_BRIDGE)
           == (code.flow.verdict == OXDP_VERDICT_BRIDGE)) {
        if (slot != OXDP_NO_SLOT) {
            slot_rest(t, slot)->bridge_gen = code.rest.bridge_gen;
        }
        return;
    }
    atomic_store_relaxed(&mf->modified, true);
    mf->prev_slot = slot;
    megaflow_install(t, mf, match, actions->actions, actions->size);
    uninstall(t, slot, mf, false);
}

void
oxdp_table_refresh_bridged(struct oxdp_table *t)
{
    struct oxdp_megaflow *mf;

    ovs_mutex_lock(&t->mutex);
    CMAP_FOR_EACH (mf, node, &t->by_ufid) {
        struct match match;

        oxdp_index_entry_expand(&mf->entry, &match);
        if (!oxdp_bflood_is_candidate(&match)) {
            continue;
        }
        /* Both may release the mutex, and 'mf' be deleted. */
        make_room(t);
        if (mf->prev_slot != OXDP_NO_SLOT) {
            wait_reclaimed(t);
        }
        if (oxdp_table_find(t, &mf->ufid) == mf
            && mf->prev_slot == OXDP_NO_SLOT) {
            refresh_bridged(t, mf, &match);
        }
    }
    ovs_mutex_unlock(&t->mutex);
}

int
oxdp_table_put(struct oxdp_table *t, const struct oxdp_put *put)
{
    struct oxdp_megaflow *mf;
    int error = 0;

    ovs_mutex_lock(&t->mutex);
    for (;;) {
        make_room(t);
        mf = oxdp_table_find(t, put->ufid);
        if (!mf) {
            mf = oxdp_table_lookup(t, put->flow);
        }
        if (!mf || !put->modify || mf->prev_slot == OXDP_NO_SLOT) {
            break;
        }
        /* A flow has one former slot at a time. */
        wait_reclaimed(t);
    }
    if (!mf) {
        error = put->create ? table_add(t, put) : ENOENT;
    } else if (!put->modify) {
        error = put->create ? EEXIST : EINVAL;
    } else {
        table_modify(t, mf, put);
    }
    ovs_mutex_unlock(&t->mutex);

    if (put->counters) {
        memset(put->counters, 0, sizeof *put->counters);
        if (!error && mf) {
            oxdp_megaflow_counters(t, mf, put->counters);
        }
    }
    if (!error && mf && put->zero_stats) {
        struct oxdp_counters c;
        uint64_t old;

        oxdp_megaflow_counters(t, mf, &c);
        atomic_sub_relaxed(&mf->base_packets, c.packets, &old);
        atomic_sub_relaxed(&mf->base_bytes, c.bytes, &old);
    }
    return error;
}

static void
table_remove(struct oxdp_table *t, struct oxdp_megaflow *mf)
    OVS_REQUIRES(t->mutex)
{
    uint32_t slot;

    atomic_read_relaxed(&mf->slot, &slot);
    oxdp_index_remove(&t->index, &mf->entry);
    cmap_remove(&t->by_ufid, &mf->node, ufid_hash(&mf->ufid));
    uninstall(t, slot, mf, true);
}

int
oxdp_table_delete(struct oxdp_table *t, const ovs_u128 *ufid,
                  struct oxdp_counters *counters)
{
    struct oxdp_megaflow *mf;

    ovs_mutex_lock(&t->mutex);
    mf = oxdp_table_find(t, ufid);
    if (mf) {
        table_remove(t, mf);
    }
    ovs_mutex_unlock(&t->mutex);

    if (mf && counters) {
        oxdp_megaflow_counters(t, mf, counters);
    }
    return mf ? 0 : ENOENT;
}

void
oxdp_table_flush(struct oxdp_table *t)
{
    struct oxdp_megaflow *mf;

    ovs_mutex_lock(&t->mutex);
    CMAP_FOR_EACH (mf, node, &t->by_ufid) {
        table_remove(t, mf);
    }
    ovs_mutex_unlock(&t->mutex);
}

struct oxdp_megaflow *
oxdp_table_lookup(const struct oxdp_table *t, const struct flow *flow)
{
    struct oxdp_index_entry *e = oxdp_index_lookup(&t->index, flow);

    return e ? CONTAINER_OF(e, struct oxdp_megaflow, entry) : NULL;
}

bool
oxdp_megaflow_matches(const struct oxdp_megaflow *mf,
                      const struct miniflow *flow)
{
    return oxdp_index_entry_matches(&mf->entry, flow);
}

struct oxdp_megaflow *
oxdp_table_find(const struct oxdp_table *t, const ovs_u128 *ufid)
{
    struct oxdp_megaflow *mf;

    CMAP_FOR_EACH_WITH_HASH (mf, node, ufid_hash(ufid), &t->by_ufid) {
        if (ovs_u128_equals(mf->ufid, *ufid)) {
            return mf;
        }
    }
    return NULL;
}

struct oxdp_megaflow *
oxdp_table_next(const struct oxdp_table *t, struct cmap_position *pos)
{
    struct cmap_node *node = cmap_next_position(&t->by_ufid, pos);

    return node ? CONTAINER_OF(node, struct oxdp_megaflow, node) : NULL;
}

void
oxdp_table_get_stats(const struct oxdp_table *t_,
                     struct oxdp_table_stats *stats)
{
    struct oxdp_table *t = CONST_CAST(struct oxdp_table *, t_);

    ovs_mutex_lock(&t->mutex);
    stats->n_flows = cmap_count(&t->by_ufid);
    stats->n_bpf_flows = t->n_bpf_flows;
    stats->max_flows = t->max_flows;
    stats->n_masks = oxdp_masks_count(t->masks);
    stats->n_full = t->n_full;
    stats->n_grown = t->n_grown;
    ovs_mutex_unlock(&t->mutex);
}

void
oxdp_megaflow_count(struct oxdp_megaflow *mf, uint64_t packets,
                    uint64_t bytes, uint16_t tcp_flags)
{
    uint16_t old_flags;
    uint64_t old;

    atomic_add_relaxed(&mf->user_packets, packets, &old);
    atomic_add_relaxed(&mf->base_bytes, bytes, &old);
    set_used(mf, time_msec());
    atomic_or_relaxed(&mf->base_flags, tcp_flags, &old_flags);
}

static void
prefetch(const void *p, size_t size)
{
    for (size_t i = 0; i < size; i += CACHE_LINE_SIZE) {
        OVS_PREFETCH((const char *) p + i);
    }
}

void
oxdp_megaflows_prefetch(const struct oxdp_table *t,
                        struct oxdp_megaflow *const mfs[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        prefetch(mfs[i], sizeof *mfs[i]);
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t slot;

        OVS_PREFETCH(ovsrcu_get(struct oxdp_actions *, &mfs[i]->actions));
        atomic_read_relaxed(&mfs[i]->slot, &slot);
        if (slot != OXDP_NO_SLOT) {
            OVS_PREFETCH(slot_flow(t, slot));
            for (uint32_t cpu = 0; cpu < t->bpf->n_cpus; cpu++) {
                OVS_PREFETCH(slot_stats(t, slot, cpu));
            }
        }
    }
}

void
oxdp_megaflow_counters(const struct oxdp_table *t_,
                       const struct oxdp_megaflow *mf_,
                       struct oxdp_counters *c)
{
    struct oxdp_megaflow *mf = CONST_CAST(struct oxdp_megaflow *, mf_);
    struct oxdp_table *t = CONST_CAST(struct oxdp_table *, t_);
    uint64_t packets, bytes;
    long long int used;
    uint16_t flags;
    uint32_t slot;
    bool modified;

    memset(c, 0, sizeof *c);
    atomic_read_relaxed(&mf->user_packets, &c->packets);

    /* While slots change, the sum of slot, former slot and base is consistent
     * only under the mutex. */
    atomic_read_relaxed(&mf->modified, &modified);
    if (modified) {
        ovs_mutex_lock(&t->mutex);
    }
    atomic_read_relaxed(&mf->slot, &slot);
    if (slot != OXDP_NO_SLOT) {
        add_slot_counters(t, slot, c);
    }
    if (modified) {
        if (mf->prev_slot != OXDP_NO_SLOT) {
            add_slot_counters(t, mf->prev_slot, c);
        }
        ovs_mutex_unlock(&t->mutex);
    }
    atomic_read_relaxed(&mf->base_packets, &packets);
    atomic_read_relaxed(&mf->base_bytes, &bytes);
    atomic_read_relaxed(&mf->base_used, &used);
    atomic_read_relaxed(&mf->base_flags, &flags);
    c->packets += packets;
    c->bytes += bytes;
    c->used = MAX(c->used, used);
    c->tcp_flags |= flags;
}

bool
oxdp_megaflow_get_slot(const struct oxdp_table *t,
                       const struct oxdp_megaflow *mf_, struct oxdp_code *code)
{
    struct oxdp_megaflow *mf = CONST_CAST(struct oxdp_megaflow *, mf_);
    uint32_t slot;

    atomic_read_relaxed(&mf->slot, &slot);
    if (slot == OXDP_NO_SLOT) {
        return false;
    }
    code->flow = *slot_flow(t, slot);
    code->rest = *slot_rest(t, slot);
    memset(code->ops, 0, sizeof code->ops);
    if (code->flow.list) {
        memcpy(code->ops, flow_list(t, &code->flow)->ops, sizeof code->ops);
    } else if (code->flow.n_ops) {
        code->ops[0].code = OXDP_OP_OUTPUT;
        code->ops[0].arg32 = code->flow.out_port;
    }
    return true;
}
