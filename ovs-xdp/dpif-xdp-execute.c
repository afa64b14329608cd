/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-execute: actions on packets in userspace.
 *
 * OVS's odp_execute_actions() does the work; here is what it leaves to a
 * datapath: output, bonds, recirculation, userspace and conntrack.
 */

#include <config.h>

#include <errno.h>

#include "dp-packet.h"
#include "dpif-xdp.h"
#include "flow.h"
#include "odp-execute.h"
#include "odp-util.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_execute);

/* As deep as in dpif-netdev. */
#define MAX_RECIRC_DEPTH 6

DEFINE_STATIC_PER_THREAD_DATA(int, recirc_depth, 0)

struct execute_aux {
    struct xdp_dp *dp;
    const struct flow *flow;    /* Of the packets before the actions. */
};

/* Sends the packets, which stay the caller's, out of 'port_no', cut short if
 * they are to be; that ends with this output. */
static void
output(struct xdp_dp *dp, struct dp_packet_batch *batch, odp_port_t port_no)
{
    uint32_t i = odp_to_u32(port_no);
    struct dp_packet *packet;

    if (batch->trunc) {
        struct dp_packet_batch cut;

        dp_packet_batch_clone(&cut, batch);
        dp_packet_batch_reset_cutlen(batch);
        dp_packet_batch_apply_cutlen(&cut);
        output(dp, &cut, port_no);
        dp_packet_delete_batch(&cut, true);
        return;
    }
    if (i >= OXDP_MAX_PORTS
        || !(dp->bpf->shared->ports[i].flags & OXDP_PORT_F_PRESENT)) {
        xdp_lose(dp, XDP_LOSS_USER_PORT, dp_packet_batch_size(batch));
        return;
    }
    DP_PACKET_BATCH_FOR_EACH (j, packet, batch) {
        xdp_cpu_send(dp, port_no, packet);
    }
}

/* Outputs the packets, which stay the caller's, to bond 'id', by the hash that
 * they came in with. */
static void
lb_output(struct xdp_dp *dp, struct dp_packet_batch *batch, uint32_t id)
{
    struct dp_packet_batch all;
    struct dp_packet *packet;

    dp_packet_batch_clone(&all, batch);
    dp_packet_batch_reset_cutlen(batch);
    dp_packet_batch_apply_cutlen(&all);
    DP_PACKET_BATCH_FOR_EACH (i, packet, &all) {
        struct dp_packet_batch one;
        odp_port_t port_no;

        if (!dp_packet_rss_valid(packet)) {
            struct flow flow;

            flow_extract(packet, &flow);
            dp_packet_set_rss_hash(packet, flow_hash_5tuple(&flow, 0));
        }
        port_no = xdp_bond_take(dp, id, dp_packet_get_rss_hash(packet),
                                dp_packet_size(packet));
        if (port_no == ODPP_NONE) {
            xdp_lose(dp, XDP_LOSS_USER_BOND, 1);
            continue;
        }
        dp_packet_batch_init_packet(&one, packet);
        output(dp, &one, port_no);
    }
    dp_packet_delete_batch(&all, true);
}

static void
userspace(struct xdp_dp *dp, struct dp_packet_batch *batch,
          const struct nlattr *a)
{
    const struct nlattr *userdata
        = nl_attr_find_nested(a, OVS_USERSPACE_ATTR_USERDATA);
    const struct nlattr *actions
        = nl_attr_find_nested(a, OVS_USERSPACE_ATTR_ACTIONS);
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        struct dp_packet *clone = dp_packet_clone(packet);
        uint32_t cutlen = dp_packet_get_cutlen(packet);
        struct flow flow;

        /* The cut applies to this copy alone. */
        dp_packet_set_size(clone, dp_packet_size(clone) - cutlen);
        dp_packet_reset_cutlen(clone);
        flow_extract(clone, &flow);
        xdp_upcall_queue(dp, clone, DPIF_UC_ACTION, &flow, userdata, actions);
    }
}

/* Returns false, and counts the packets as lost, if they have been through the
 * table too often. */
static bool
may_recirculate(struct xdp_dp *dp, const struct dp_packet_batch *batch)
{
    if (*recirc_depth_get() >= MAX_RECIRC_DEPTH) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        xdp_lose(dp, XDP_LOSS_USER_RECIRC, dp_packet_batch_size(batch));
        VLOG_WARN_RL(&rl, "packet dropped: recirculated more than %d times",
                     MAX_RECIRC_DEPTH);
        return false;
    }
    return true;
}

static void
recirculate(struct xdp_dp *dp, struct dp_packet_batch *batch,
            uint32_t recirc_id)
{
    int *depth = recirc_depth_get();
    struct dp_packet_batch clones;
    struct dp_packet *packet;

    if (!may_recirculate(dp, batch)) {
        return;
    }
    dp_packet_batch_clone(&clones, batch);
    DP_PACKET_BATCH_FOR_EACH (i, packet, &clones) {
        packet->md.recirc_id = recirc_id;
        /* As BPF does, which hashes packets as they are now. */
        *dp_packet_ol_flags_ptr(packet) &= ~DP_PACKET_OL_RSS_HASH;
    }
    (*depth)++;
    xdp_receive(dp, &clones);
    (*depth)--;
}

/* Takes the header of tunnel port 'port_no' off copies of the packets, and
 * receives what was inside. */
static void
tunnel_pop(struct xdp_dp *dp, struct dp_packet_batch *batch,
           odp_port_t port_no)
{
    int *depth = recirc_depth_get();
    struct dp_packet_batch inner;

    if (!may_recirculate(dp, batch)) {
        return;
    }
    dp_packet_batch_clone(&inner, batch);
    dp_packet_batch_apply_cutlen(&inner);
    if (!xdp_tunnel_pop(dp, &inner, port_no)) {
        dp_packet_delete_batch(&inner, true);
        return;
    }
    (*depth)++;
    xdp_receive(dp, &inner);
    (*depth)--;
}

/* Called by odp_execute_actions() for what it does not do itself. */
static void
execute_cb(void *aux_, struct dp_packet_batch *batch, const struct nlattr *a,
           bool should_steal)
{
    struct execute_aux *aux = aux_;
    struct xdp_dp *dp = aux->dp;

    switch ((enum ovs_action_attr) nl_attr_type(a)) {
    case OVS_ACTION_ATTR_OUTPUT:
        output(dp, batch, nl_attr_get_odp_port(a));
        break;

    case OVS_ACTION_ATTR_LB_OUTPUT:
        lb_output(dp, batch, nl_attr_get_u32(a));
        break;

    case OVS_ACTION_ATTR_USERSPACE:
        userspace(dp, batch, a);
        dp_packet_batch_reset_cutlen(batch);
        break;

    case OVS_ACTION_ATTR_RECIRC:
        recirculate(dp, batch, nl_attr_get_u32(a));
        break;

    case OVS_ACTION_ATTR_CT:
        xdp_ct_execute(dp, batch, a, aux->flow);
        break;

    case OVS_ACTION_ATTR_TUNNEL_PUSH:
        if (should_steal) {
            /* Nothing follows that could need the header. */
            break;
        }
        dp_packet_batch_apply_cutlen(batch);
        if (!xdp_tunnel_push(dp, batch, nl_attr_get(a))) {
            dp_packet_delete_batch(batch, true);
        }
        return;

    case OVS_ACTION_ATTR_TUNNEL_POP:
        tunnel_pop(dp, batch, nl_attr_get_odp_port(a));
        dp_packet_batch_reset_cutlen(batch);
        break;

    case OVS_ACTION_ATTR_METER:
        if (should_steal) {
            break;
        }
        xdp_meter_run(dp, batch, nl_attr_get_u32(a));
        return;

    default:
        break;
    }
    dp_packet_delete_batch(batch, should_steal);
}

/* Returns how many bytes of 'actions' are in front of the action that drops,
 * if it is one of the list itself, or else 'actions_len'. */
static size_t
find_drop(const struct nlattr *actions, size_t actions_len)
{
    const struct nlattr *a;
    size_t left;

    NL_ATTR_FOR_EACH_UNSAFE (a, left, actions, actions_len) {
        if (nl_attr_type(a) == OVS_ACTION_ATTR_DROP) {
            break;
        }
    }
    return actions_len - left;
}

/* Executes 'actions' on '*batch'; unless 'steal', what is left of the packets
 * stays in it. */
static void
execute(struct xdp_dp *dp, struct dp_packet_batch *batch,
        const struct flow *flow, const struct nlattr *actions,
        size_t actions_len, bool steal)
{
    struct execute_aux aux = { .dp = dp, .flow = flow };
    size_t len = find_drop(actions, actions_len);

    if (len && len < actions_len) {
        odp_execute_actions(&aux, batch, false, actions, len, execute_cb);
    }
    if (!actions_len || len < actions_len) {
        xdp_lose(dp, XDP_LOSS_USER_ACTION, dp_packet_batch_size(batch));
        actions = ALIGNED_CAST(const struct nlattr *,
                               (const char *) actions + len);
        actions_len -= len;
    }
    odp_execute_actions(&aux, batch, steal, actions, actions_len,
                        execute_cb);
}

/* Packets in a row that the same flow matches, whose actions are executed on
 * all of them together. */
struct run {
    struct oxdp_megaflow *mf;   /* Or NULL if there is none yet. */
    struct flow flow;           /* Of the first of the packets. */
    struct dp_packet_batch packets;
    uint64_t n_bytes;
    uint16_t tcp_flags;
};

/* Executes the actions of what there is of 'run', and empties it. */
static void
run_execute(struct xdp_dp *dp, struct run *run)
{
    size_t n = dp_packet_batch_size(&run->packets);
    struct oxdp_actions *actions;
    uint64_t old;

    if (!n) {
        return;
    }
    actions = ovsrcu_get(struct oxdp_actions *, &run->mf->actions);
    atomic_add_relaxed(&dp->n_user_hits, n, &old);
    oxdp_megaflow_count(run->mf, n, run->n_bytes, run->tcp_flags);
    execute(dp, &run->packets, &run->flow, actions->actions, actions->size,
            true);
    dp_packet_batch_init(&run->packets);
    run->n_bytes = 0;
    run->tcp_flags = 0;
}

/* Adds 'packet', of which 'mini' was extracted and whose flow is in 'run'. */
static void
run_add(struct run *run, struct dp_packet *packet, const struct miniflow *mini)
{
    ovs_be16 dl_type = MINIFLOW_GET_BE16(mini, dl_type);

    dp_packet_batch_add(&run->packets, packet);
    run->n_bytes += dp_packet_size(packet);
    if (MINIFLOW_GET_U8(mini, nw_proto) == IPPROTO_TCP
        && (dl_type == htons(ETH_TYPE_IP) || dl_type == htons(ETH_TYPE_IPV6))) {
        run->tcp_flags |= miniflow_get_tcp_flags(mini);
    }
}

/* Returns true if the actions that a packet with 'mini' gets can be executed
 * together with those of 'run': conntrack looks at protocol and ports of the
 * first packet, whether the flow matches them or not. */
static bool
run_takes(const struct run *run, const struct miniflow *mini)
{
    return (!dp_packet_batch_is_empty(&run->packets)
            && run->flow.nw_proto == MINIFLOW_GET_U8(mini, nw_proto)
            && run->flow.tp_src == MINIFLOW_GET_BE16(mini, tp_src)
            && run->flow.tp_dst == MINIFLOW_GET_BE16(mini, tp_dst));
}

static void
receive(struct xdp_dp *dp, struct run *run, struct dp_packet *packet)
{
    struct {
        struct miniflow flow;
        uint64_t buf[FLOW_U64S];
    } mini;
    bool same_flow;
    uint64_t old;

    miniflow_extract(packet, &mini.flow);
    if (!dp_packet_rss_valid(packet)) {
        dp_packet_set_rss_hash(packet, miniflow_hash_5tuple(&mini.flow, 0));
    }
    same_flow = run->mf && oxdp_megaflow_matches(run->mf, &mini.flow);
    if (!same_flow || !run_takes(run, &mini.flow)) {
        run_execute(dp, run);
        miniflow_expand(&mini.flow, &run->flow);
        if (!same_flow) {
            run->mf = oxdp_table_lookup(dp->table, &run->flow);
        }
    }
    if (run->mf) {
        run_add(run, packet, &mini.flow);
    } else {
        atomic_add_relaxed(&dp->n_missed, 1, &old);
        xdp_upcall_queue(dp, packet, DPIF_UC_MISS, &run->flow, NULL, NULL);
    }
}

void
xdp_receive(struct xdp_dp *dp, struct dp_packet_batch *batch)
{
    struct dp_packet *packet;
    struct run run;

    run.mf = NULL;
    run.n_bytes = 0;
    run.tcp_flags = 0;
    dp_packet_batch_init(&run.packets);
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        receive(dp, &run, packet);
    }
    run_execute(dp, &run);
}

int
dpif_xdp_execute(struct xdp_dp *dp, struct dpif_execute *e)
{
    struct dp_packet_batch batch;
    struct dp_packet *clone;

    if (dp_packet_size(e->packet) < ETH_HEADER_LEN
        || dp_packet_size(e->packet) > UINT16_MAX
        || !oxdp_actions_are_valid(e->actions, e->actions_len)) {
        return EINVAL;
    }
    if (e->probe || xdp_warm_is_packet(e->packet)) {
        /* Running a probe's actions could send packets. */
        return 0;
    }
    clone = dp_packet_clone(e->packet);
    if (!dp_packet_rss_valid(clone)) {
        dp_packet_set_rss_hash(clone, flow_hash_5tuple(e->flow, 0));
    }
    dp_packet_batch_init_packet(&batch, clone);
    execute(dp, &batch, e->flow, e->actions, e->actions_len, false);

    if (dp_packet_batch_size(&batch) == 1) {
        /* The caller may expect to find the packet changed.  It need not be
         * 'clone' any more: conntrack replaces fragments. */
        dp_packet_swap(e->packet, batch.packets[0]);
    }
    dp_packet_delete_batch(&batch, true);
    return 0;
}
