/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-flow: OVS's operations on flows, on our table.
 */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "dpif-xdp.h"
#include "flow.h"
#include "odp-util.h"
#include "openvswitch/match.h"
#include "openvswitch/vlog.h"
#include "oxdp-compile.h"
#include "oxdp-flood.h"
#include "oxdp-format.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_flow);

static void
counters_to_stats(const struct oxdp_counters *c, struct dpif_flow_stats *stats)
{
    stats->n_packets = c->packets;
    stats->n_bytes = c->bytes;
    stats->used = c->used;
    stats->tcp_flags = c->tcp_flags;
}

/* Returns OXDP_REASON_FLOOD if XDP can broadcast to the set of ports 'flood', or
 * else why it cannot. */
static enum oxdp_reason
flood_reason(const struct xdp_dp *dp, uint16_t flood)
{
    if (dp->bpf->shared->floods[flood].max_len) {
        return OXDP_REASON_FLOOD;
    }
    return (oxdp_flood_lacks_frames(oxdp_table_floods(dp->table), flood)
            ? OXDP_REASON_NO_XMIT : OXDP_REASON_FLOOD_MAP);
}

const char *
xdp_flow_layer(const struct xdp_dp *dp, const struct oxdp_megaflow *mf_,
               uint8_t *reason)
{
    struct oxdp_megaflow *mf = CONST_CAST(struct oxdp_megaflow *, mf_);
    const struct oxdp_port *ports = dp->bpf->shared->ports;
    struct oxdp_code code;
    const struct oxdp_flow *slot = &code.flow;
    uint8_t verdict;

    atomic_read_relaxed(&mf->verdict, &verdict);
    atomic_read_relaxed(&mf->reason, reason);
    if (verdict == OXDP_VERDICT_USER
        || !oxdp_megaflow_get_slot(dp->table, mf, &code)) {
        return "user";
    }
    if (verdict == OXDP_VERDICT_BRIDGE
        && code.rest.bridge_gen != dp->bpf->shared->control.bridge_gen) {
        *reason = (slot->n_ops ? OXDP_REASON_MULTI_OUTPUT
                   : OXDP_REASON_TOO_LONG);
        return slot->n_ops ? "tc" : "user";
    }
    if (mf->in_port >= OXDP_MAX_PORTS
        || !(ports[mf->in_port].flags & OXDP_PORT_F_XDP)) {
        if (slot->headers & OXDP_HEADERS_MPLS) {
            *reason = OXDP_REASON_FRAME;
            return "user";
        }
        return "tc";
    }
    if (verdict == OXDP_VERDICT_SKB || verdict == OXDP_VERDICT_BRIDGE) {
        return "tc";
    }
    if (code.rest.flood) {
        *reason = flood_reason(dp, code.rest.flood);
        return *reason == OXDP_REASON_FLOOD ? "xdp" : "tc";
    }
    for (int i = 0; i < slot->n_ops; i++) {
        const struct oxdp_op *op = &code.ops[i];

        if (op->code == OXDP_OP_OUTPUT
            && !(ports[op->arg32].flags & OXDP_PORT_F_XMIT)) {
            *reason = OXDP_REASON_NO_XMIT;
            return "tc";
        }
        if (op->code == OXDP_OP_LB_OUTPUT
            && !xdp_bond_takes_frames(dp, op->arg32)) {
            *reason = OXDP_REASON_NO_XMIT;
            return "tc";
        }
    }
    return "xdp";
}

/* Translates key and mask, if any, to '*match' and the key alone to '*flow'.
 * Returns 0 or EINVAL. */
static int
match_from_nlattrs(const struct nlattr *key, size_t key_len,
                   const struct nlattr *mask, size_t mask_len, bool probe,
                   struct match *match, struct flow *flow)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    const char *what = NULL;

    if (odp_flow_key_to_flow(key, key_len, &match->flow, NULL)) {
        what = "key";
    } else if (odp_flow_key_to_mask(mask, mask_len, &match->wc, &match->flow,
                                    NULL)) {
        what = "mask";
    }
    if (what) {
        if (!probe && !VLOG_DROP_ERR(&rl)) {
            struct ds s = DS_EMPTY_INITIALIZER;

            xdp_flow_format(key, key_len, mask, mask_len, NULL, &s, true);
            VLOG_ERR("internal error parsing flow %s %s", what, ds_cstr(&s));
            ds_destroy(&s);
        }
        return EINVAL;
    }
    if (match->wc.masks.in_port.odp_port != ODPP_NONE) {
        VLOG_ERR_RL(&rl, "failed to put flow: in_port is not an exact match");
        return EINVAL;
    }

    /* Netlink cannot say that the presence of a tag does not matter: a missing
     * one means that there must be none. */
    if (!match->wc.masks.vlans[0].tci) {
        match->wc.masks.vlans[0].tci = htons(VLAN_VID_MASK | VLAN_CFI);
    }
    match->tun_md.valid = false;
    *flow = match->flow;
    match_zero_wildcarded_fields(match);
    return 0;
}

static int
flow_put(struct xdp_dp *dp, const struct dpif_flow_put *put)
{
    struct oxdp_counters counters;
    struct match match;
    struct flow flow;
    ovs_u128 ufid;
    int error;

    if (put->stats) {
        memset(put->stats, 0, sizeof *put->stats);
    }
    if (!oxdp_actions_are_valid(put->actions, put->actions_len)) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_ERR_RL(&rl, "failed to put flow: invalid actions");
        return EINVAL;
    }
    error = match_from_nlattrs(put->key, put->key_len, put->mask,
                               put->mask_len, put->flags & DPIF_FP_PROBE,
                               &match, &flow);
    if (error) {
        return error;
    }
    if (put->ufid) {
        ufid = *put->ufid;
    } else {
        odp_flow_key_hash(put->key, put->key_len, &ufid);
    }

    struct oxdp_put p = {
        .match = &match,
        .flow = &flow,
        .ufid = &ufid,
        .key = put->key,
        .key_len = put->key_len,
        .mask = put->mask,
        .mask_len = put->mask_len,
        .actions = put->actions,
        .actions_len = put->actions_len,
        .create = put->flags & DPIF_FP_CREATE,
        .modify = put->flags & DPIF_FP_MODIFY,
        .zero_stats = put->flags & DPIF_FP_ZERO_STATS,
        .counters = &counters,
    };
    error = oxdp_table_put(dp->table, &p);
    if (!error && put->stats) {
        counters_to_stats(&counters, put->stats);
    }
    return error;
}

/* The ufid of the flow that 'ufid' or 'key' names. */
static ovs_u128
get_ufid(const ovs_u128 *ufid, const struct nlattr *key, size_t key_len)
{
    ovs_u128 hash;

    if (ufid) {
        return *ufid;
    }
    odp_flow_key_hash(key, key_len, &hash);
    return hash;
}

static int
flow_del(struct xdp_dp *dp, const struct dpif_flow_del *del)
{
    ovs_u128 ufid = get_ufid(del->ufid, del->key, del->key_len);
    struct oxdp_counters counters = { 0 };
    int error;

    error = oxdp_table_delete(dp->table, &ufid, &counters);
    if (!error && del->stats) {
        counters_to_stats(&counters, del->stats);
    }
    return error;
}

/* Fills in '*flow' from 'mf'; pointers are valid until quiescence. */
static void
megaflow_to_dpif_flow(const struct xdp_dp *dp, struct oxdp_megaflow *mf,
                      bool terse, struct dpif_flow *flow)
{
    struct oxdp_counters counters;
    uint8_t reason;

    memset(flow, 0, sizeof *flow);
    if (!terse) {
        struct oxdp_actions *actions
            = ovsrcu_get(struct oxdp_actions *, &mf->actions);

        flow->key = oxdp_index_entry_key(&mf->entry);
        flow->key_len = mf->entry.key_len;
        flow->mask = oxdp_index_entry_mask(&mf->entry, &flow->mask_len);
        flow->actions = actions->actions;
        flow->actions_len = actions->size;
    }
    flow->ufid = mf->ufid;
    flow->ufid_present = true;
    flow->pmd_id = PMD_ID_NULL;
    oxdp_megaflow_counters(dp->table, mf, &counters);
    counters_to_stats(&counters, &flow->stats);
    flow->attrs.dp_layer = xdp_flow_layer(dp, mf, &reason);
    if (reason) {
        flow->attrs.dp_extra_info = oxdp_reason_name(reason);
    }
}

/* Copies 'attrs' to '*p', which moves on behind them.  Returns the copy. */
static const struct nlattr *
put_attrs(char **p, const struct nlattr *attrs, size_t len)
{
    const struct nlattr *copy = ALIGNED_CAST(const struct nlattr *, *p);

    nullable_memcpy(*p, attrs, len);
    *p += len;
    return copy;
}

static int
flow_get(struct xdp_dp *dp, const struct dpif_flow_get *get)
{
    ovs_u128 ufid = get_ufid(get->ufid, get->key, get->key_len);
    struct oxdp_megaflow *mf = oxdp_table_find(dp->table, &ufid);

    if (!mf) {
        return ENOENT;
    }
    megaflow_to_dpif_flow(dp, mf, false, get->flow);

    /* The caller's buffer lives longer than RCU lets the flow live. */
    struct dpif_flow *f = get->flow;
    char *p = ofpbuf_put_uninit(get->buffer,
                                f->key_len + f->mask_len + f->actions_len);

    f->key = put_attrs(&p, f->key, f->key_len);
    f->mask = put_attrs(&p, f->mask, f->mask_len);
    f->actions = put_attrs(&p, f->actions, f->actions_len);
    return 0;
}

void
dpif_xdp_operate(struct dpif *dpif, struct dpif_op **ops, size_t n_ops,
                 enum dpif_offload_type offload_type OVS_UNUSED)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    bool executed = false;

    /* Packets first, as in dpif-netdev: they are on their way while their flows
     * are put, and are not overtaken by those that find the flows there.  None
     * of them needs a flow that is put here. */
    for (size_t i = 0; i < n_ops; i++) {
        struct dpif_op *op = ops[i];

        if (op->type == DPIF_OP_EXECUTE) {
            op->error = dpif_xdp_execute(dp, &op->execute);
            executed = true;
        }
    }
    if (executed) {
        xdp_cpu_flush(dp);
    }

    for (size_t i = 0; i < n_ops; i++) {
        struct dpif_op *op = ops[i];

        switch (op->type) {
        case DPIF_OP_FLOW_PUT:
            op->error = flow_put(dp, &op->flow_put);
            break;
        case DPIF_OP_FLOW_DEL:
            op->error = flow_del(dp, &op->flow_del);
            break;
        case DPIF_OP_EXECUTE:
            break;
        case DPIF_OP_FLOW_GET:
            op->error = flow_get(dp, &op->flow_get);
            break;
        }
    }
}

int
dpif_xdp_flow_flush(struct dpif *dpif)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);

    oxdp_table_flush(dp->table);
    dpif_xdp_recv_purge(dpif);
    return 0;
}

/* Dumps. */

struct flow_dump {
    struct dpif_flow_dump up;
    struct ovs_mutex mutex;
    struct cmap_position pos;   /* Under 'mutex'. */
    bool done;                  /* Under 'mutex'. */
};

struct flow_dump_thread {
    struct dpif_flow_dump_thread up;
    struct flow_dump *dump;
};

struct dpif_flow_dump *
dpif_xdp_flow_dump_create(const struct dpif *dpif, bool terse,
                          struct dpif_flow_dump_types *types OVS_UNUSED)
{
    struct flow_dump *dump = xzalloc(sizeof *dump);

    dpif_flow_dump_init(&dump->up, dpif);
    dump->up.terse = terse;
    ovs_mutex_init(&dump->mutex);
    return &dump->up;
}

int
dpif_xdp_flow_dump_destroy(struct dpif_flow_dump *dump_)
{
    struct flow_dump *dump = CONTAINER_OF(dump_, struct flow_dump, up);

    ovs_mutex_destroy(&dump->mutex);
    free(dump);
    return 0;
}

struct dpif_flow_dump_thread *
dpif_xdp_flow_dump_thread_create(struct dpif_flow_dump *dump)
{
    struct flow_dump_thread *thread = xzalloc(sizeof *thread);

    dpif_flow_dump_thread_init(&thread->up, dump);
    thread->dump = CONTAINER_OF(dump, struct flow_dump, up);
    return &thread->up;
}

void
dpif_xdp_flow_dump_thread_destroy(struct dpif_flow_dump_thread *thread)
{
    free(CONTAINER_OF(thread, struct flow_dump_thread, up));
}

int
dpif_xdp_flow_dump_next(struct dpif_flow_dump_thread *thread_,
                        struct dpif_flow *flows, int max_flows)
{
    struct flow_dump_thread *thread
        = CONTAINER_OF(thread_, struct flow_dump_thread, up);
    struct flow_dump *dump = thread->dump;
    struct xdp_dp *dp = get_xdp_dp(dump->up.dpif);
    struct oxdp_megaflow *batch[50];
    int n = 0;

    ovs_mutex_lock(&dump->mutex);
    while (!dump->done && n < MIN(max_flows, (int) ARRAY_SIZE(batch))) {
        struct oxdp_megaflow *mf = oxdp_table_next(dp->table, &dump->pos);

        if (mf) {
            batch[n++] = mf;
        } else {
            dump->done = true;
        }
    }
    ovs_mutex_unlock(&dump->mutex);

    oxdp_megaflows_prefetch(dp->table, batch, n);
    for (int i = 0; i < n; i++) {
        megaflow_to_dpif_flow(dp, batch[i], dump->up.terse, &flows[i]);
    }
    return n;
}
