/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp: the provider's class, and the life of its one datapath.
 */

#include <config.h>

#include "dpif-xdp.h"

#include <errno.h>
#include <stdlib.h>

#include "conntrack.h"
#include "netdev.h"
#include "netdev-xdp.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "oxdp-instance.h"
#include "seq.h"
#include "smap.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp);

#define DEFAULT_MAX_FLOWS 65536
#define MAX_HINT_SIZE (1u << 22)

/* How often BPF's masks are sorted, in ms. */
#define SORT_INTERVAL 1000
#define DEFAULT_UPCALL_RATE 200000
#define DEFAULT_UPCALL_BURST 2048
#define DEFAULT_UPCALL_POLL_US 200
#define MAX_UPCALL_POLL_US 10000

/* Protects 'the_dp', and serializes creation and destruction. */
static struct ovs_mutex dp_mutex = OVS_MUTEX_INITIALIZER;
static struct xdp_dp *the_dp OVS_GUARDED_BY(dp_mutex);

/* With 'leave', leaves what an earlier daemon has left. */
static void
dp_destroy(struct xdp_dp *dp, bool leave)
{
    xdp_warm_finish(dp);
    oxdp_legacy_close(dp->legacy);
    xdp_trace_destroy(dp);
    oxdp_macs_destroy(dp->macs);
    xdp_ports_destroy(dp);
    xdp_handlers_destroy(dp);
    xdp_cpu_close(dp);
    oxdp_table_destroy(dp->table);
    xdp_fdb_destroy(dp->fdb);
    xdp_meters_destroy(dp);
    xdp_carrier_destroy(dp);
    xdp_bonds_destroy(dp);
    if (dp->conntrack) {
        conntrack_destroy(dp->conntrack);
    }
    if (!leave) {
        oxdp_pins_remove(dp->pins);
    }
    oxdp_pins_close(dp->pins);
    oxdp_bpf_close(dp->bpf);
    seq_destroy(dp->refused_seq);
    ovs_rwlock_destroy(&dp->handlers_lock);
    ovs_mutex_destroy(&dp->port_mutex);
    free(dp->default_mode);
    free(dp->cpu_cleared);
    free(dp->losses_cleared);
    free(dp);
}

/* Reads a number from 'config'; a bad one is logged and the default taken. */
static uint32_t
get_number(const struct smap *config, const char *name, uint32_t def,
           uint32_t max)
{
    const char *s = smap_get(config, name);
    unsigned int value;

    if (!s) {
        return def;
    }
    if (!str_to_uint(s, 10, &value) || value > max) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_WARN_RL(&rl, "Open_vSwitch other_config:%s=\"%s\" is not a "
                     "number up to %"PRIu32": using %"PRIu32, name, s, max,
                     def);
        return def;
    }
    return value;
}

static int
dp_create(struct xdp_dp **dpp)
    OVS_REQUIRES(dp_mutex)
{
    struct oxdp_bpf_config config = {
        .hint_size = get_number(xdp_other_config(), "xdp-flow-hints",
                                0, MAX_HINT_SIZE),
    };
    struct xdp_dp *dp = xzalloc(sizeof *dp);
    char *why = NULL;
    int error;

    ovs_refcount_init(&dp->ref_cnt);
    atomic_flag_clear(&dp->destroyed);
    ovs_mutex_init(&dp->port_mutex);
    ovs_rwlock_init(&dp->handlers_lock);
    hmap_init(&dp->ports);
    shash_init(&dp->port_refusals);
    dp->port_seq = seq_create();
    dp->refused_seq = seq_create();
    cmap_init(&dp->tunnels);
    dp->tnl_conf_seq = seq_read(tnl_conf_seq);
    dp->upcall_rate = DEFAULT_UPCALL_RATE;
    dp->upcall_burst = DEFAULT_UPCALL_BURST;
    xdp_upcall_set_poll(dp, DEFAULT_UPCALL_POLL_US);

    error = oxdp_bpf_open(&config, &dp->bpf, &why);
    error = error ? error : oxdp_pins_open(&dp->pins, &why);
    if (error) {
        VLOG_ERR("cannot create datapath: %s", why);
        free(why);
        oxdp_bpf_close(dp->bpf);
        seq_destroy(dp->port_seq);
        seq_destroy(dp->refused_seq);
        cmap_destroy(&dp->tunnels);
        hmap_destroy(&dp->ports);
        ovs_rwlock_destroy(&dp->handlers_lock);
        ovs_mutex_destroy(&dp->port_mutex);
        free(dp);
        return error;
    }
    oxdp_instance_destroy_others(dp->pins);
    xdp_meters_create(dp);
    xdp_bonds_create(dp);
    dp->fdb = xdp_fdb_create();
    dp->macs = oxdp_macs_create(dp->bpf);
    dp->table = oxdp_table_create(dp->bpf, DEFAULT_MAX_FLOWS);
    error = dp->table ? xdp_carrier_create(dp) : ENOMEM;
    error = error ? error : xdp_cpu_open(dp, &why);
    error = error ? error : xdp_ports_init(dp);
    if (error) {
        VLOG_ERR("cannot create datapath: %s",
                 why ? why : ovs_strerror(error));
        free(why);
        dp_destroy(dp, true);
        return error;
    }
    dp->conntrack = conntrack_init();
    *dpp = the_dp = dp;
    return 0;
}

struct xdp_dp *
xdp_dp_get(void)
{
    struct xdp_dp *dp;

    ovs_mutex_lock(&dp_mutex);
    dp = the_dp;
    if (dp) {
        ovs_refcount_ref(&dp->ref_cnt);
    }
    ovs_mutex_unlock(&dp_mutex);
    return dp;
}

void
xdp_dp_unref(struct xdp_dp *dp)
{
    if (dp) {
        /* 'dp_mutex' keeps xdp_dp_get() from reviving it. */
        ovs_mutex_lock(&dp_mutex);
        if (ovs_refcount_unref_relaxed(&dp->ref_cnt) == 1) {
            if (the_dp == dp) {
                the_dp = NULL;
            }
            xdp_ports_forget_found(dp);
            dp_destroy(dp, false);
        }
        ovs_mutex_unlock(&dp_mutex);
    }
}

void
xdp_dp_remove_leftover(void)
{
    struct sset names = SSET_INITIALIZER(&names);
    char *name = oxdp_instance_name();
    int pid;

    ovs_mutex_lock(&dp_mutex);
    oxdp_instance_list(&names);
    if (!the_dp && sset_contains(&names, name)
        && !oxdp_instance_is_alive(&pid)) {
        VLOG_INFO("removing the datapath that an earlier ovs-vswitchd has "
                  "left: there is no bridge with datapath_type=%s",
                  DPIF_XDP_TYPE);
        oxdp_instance_delete_devices();
        oxdp_instance_destroy(name);
    }
    ovs_mutex_unlock(&dp_mutex);
    sset_destroy(&names);
    free(name);
}

static int
dpif_xdp_init(void)
{
    xdp_unixctl_init();
    return 0;
}

static int
dpif_xdp_enumerate(struct sset *all_dps,
                   const struct dpif_class *class OVS_UNUSED)
{
    ovs_mutex_lock(&dp_mutex);
    if (the_dp) {
        sset_add(all_dps, DPIF_XDP_NAME);
    }
    ovs_mutex_unlock(&dp_mutex);
    return 0;
}

static const char *
dpif_xdp_port_open_type(const struct dpif_class *class OVS_UNUSED,
                        const char *type)
{
    return strcmp(type, "internal") ? type : NETDEV_XDP_TYPE;
}

static int
dpif_xdp_open(const struct dpif_class *class OVS_UNUSED, const char *name,
              bool create, struct dpif **dpifp)
{
    struct xdp_dp *dp;
    int error = 0;

    ovs_mutex_lock(&dp_mutex);
    dp = the_dp;
    if (strcmp(name, DPIF_XDP_NAME)) {
        if (create) {
            VLOG_ERR("datapath \"%s\" cannot be: there is one datapath of "
                     "type %s, and its name is \"%s\"", name, DPIF_XDP_TYPE,
                     DPIF_XDP_NAME);
        }
        error = create ? EINVAL : ENODEV;
    } else if (!dp) {
        error = create ? dp_create(&dp) : ENODEV;
    } else if (create) {
        error = EEXIST;
    } else {
        ovs_refcount_ref(&dp->ref_cnt);
    }
    if (!error) {
        struct dpif_xdp *dpif = xzalloc(sizeof *dpif);

        dpif_init(&dpif->dpif, &dpif_xdp_class, DPIF_XDP_NAME, 0, 0);
        dpif->dp = dp;
        dpif->last_port_seq = seq_read(dp->port_seq);
        *dpifp = &dpif->dpif;
    }
    ovs_mutex_unlock(&dp_mutex);

    if (!error && create) {
        /* A second reference, which lives until the datapath is deleted. */
        ovs_refcount_ref(&dp->ref_cnt);
    }
    return error;
}

static void
dpif_xdp_close(struct dpif *dpif)
{
    xdp_dp_unref(get_xdp_dp(dpif));
    free(dpif);
}

static int
dpif_xdp_destroy(struct dpif *dpif)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);

    if (!atomic_flag_test_and_set(&dp->destroyed)) {
        /* 'dpif' still has a reference. */
        ovs_refcount_unref(&dp->ref_cnt);
    }
    return 0;
}

/* Replaces the programs of an earlier daemon once OVS can answer upcalls, since
 * it has set the handlers and, after that, run once with all ports; and once it
 * has flows. */
static void
run_take_over(struct xdp_dp *dp)
{
    if (dp->in_charge || !dp->n_handlers) {
        return;
    }
    if (!dp->handlers_seen) {
        dp->handlers_seen = true;
        return;
    }
    if (!dp->warm) {
        dp->legacy = oxdp_legacy_open(dp->bpf, dp->pins);
        xdp_warm_start(dp, dp->legacy);
    }
    if (xdp_warm_is_done(dp)) {
        xdp_warm_finish(dp);
        xdp_ports_take_over(dp);
        if (dp->legacy) {
            xdp_away_tell_legacy(dp, dp->legacy);
            oxdp_legacy_close(dp->legacy);
            dp->legacy = NULL;
        }
        dp->in_charge = true;
    }
}

static bool
dpif_xdp_run(struct dpif *dpif)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);

    dp->bpf->shared->control.vlan_limit = flow_vlan_limit;
    oxdp_pins_run(dp->pins);
    xdp_ports_run(dp);
    xdp_bonds_run(dp);
    xdp_bridges_run(dp);
    run_take_over(dp);
    xdp_away_run(dp);
    xdp_trace_run(dp);
    xdp_fdb_run(dp);
    if (time_msec() >= dp->next_sort) {
        oxdp_table_sort_masks(dp->table);
        dp->next_sort = time_msec() + SORT_INTERVAL;
    }
    return xdp_tunnels_run(dp);
}

static void
dpif_xdp_wait(struct dpif *dpif)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);

    xdp_ports_wait(dp);
    xdp_away_wait(dp);
    xdp_trace_wait(dp);
    xdp_bonds_wait(dp);
    xdp_bridges_wait(dp);
    xdp_fdb_wait(dp);
    xdp_tunnels_wait(dp);
    xdp_warm_wait(dp);
    poll_timer_wait_until(dp->next_sort);
    if (dp->n_handlers && !dp->in_charge && !dp->warm) {
        poll_immediate_wake();
    }
}

static int
dpif_xdp_get_stats(const struct dpif *dpif, struct dpif_dp_stats *stats)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    struct oxdp_table_stats table;
    struct oxdp_port_stats ps;
    uint64_t n;

    memset(stats, 0, sizeof *stats);
    oxdp_table_get_stats(dp->table, &table);
    stats->n_flows = table.n_flows;
    stats->n_masks = table.n_masks;

    xdp_ports_get_stats(dp, &ps);
    stats->n_hit = ps.hits[OXDP_HOOK_XDP] + ps.hits[OXDP_HOOK_TC];
    /* The counters move on between being read. */
    stats->n_cache_hit = stats->n_hit - MIN(stats->n_hit, ps.search_hits);
    stats->n_mask_hit = ps.mask_probes;
    stats->n_lost = ps.drops[OXDP_DROP_PUNT_RATE]
                    + ps.drops[OXDP_DROP_PUNT_ERROR]
                    + ps.drops[OXDP_DROP_UPCALL_QUEUE]
                    + ps.drops[OXDP_DROP_USER_FLOW];
    for (int i = 0; i < OXDP_N_AWAYS; i++) {
        stats->n_lost += ps.drops[i];
    }
    for (uint32_t i = 0; i < dp->bpf->n_queues; i++) {
        struct oxdp_xsk_stats xs;

        oxdp_xsk_get_stats(dp->xsks[i], &xs);
        stats->n_lost += xs.rx_ring_full;
    }
    atomic_read_relaxed(&dp->n_user_hits, &n);
    stats->n_hit += n;
    atomic_read_relaxed(&dp->n_missed, &n);
    stats->n_missed += n;
    atomic_read_relaxed(&dp->losses[XDP_LOSS_HANDLER], &n);
    stats->n_lost += n;
    atomic_read_relaxed(&dp->losses[XDP_LOSS_FLOW_GONE], &n);
    stats->n_lost += n;
    return 0;
}

static int
dpif_xdp_set_config(struct dpif *dpif, const struct smap *config)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);

    oxdp_table_set_max_flows(dp->table,
                             get_number(config, "xdp-max-flows",
                                        DEFAULT_MAX_FLOWS, 1000000));
    xdp_ports_set_defaults(dp, smap_get(config, "xdp-mode"),
                           get_number(config, "xdp-upcall-rate",
                                      DEFAULT_UPCALL_RATE, 100000000),
                           get_number(config, "xdp-upcall-burst",
                                      DEFAULT_UPCALL_BURST, 1000000));
    xdp_upcall_set_poll(dp, get_number(config, "xdp-upcall-poll-us",
                                       DEFAULT_UPCALL_POLL_US,
                                       MAX_UPCALL_POLL_US));
    return 0;
}

static char *
dpif_xdp_get_datapath_version(void)
{
    return xstrdup("<built-in>");
}

const struct dpif_class dpif_xdp_class = {
    .type = DPIF_XDP_TYPE,
    .cleanup_required = false,  /* Pinned. */
#if OXDP_OVS_VERSION >= 302
    .synced_dp_layers = true,
#endif
    .init = dpif_xdp_init,
    .enumerate = dpif_xdp_enumerate,
    .port_open_type = dpif_xdp_port_open_type,
    .open = dpif_xdp_open,
    .close = dpif_xdp_close,
    .destroy = dpif_xdp_destroy,
    .run = dpif_xdp_run,
    .wait = dpif_xdp_wait,
    .get_stats = dpif_xdp_get_stats,
    .port_add = dpif_xdp_port_add,
    .port_del = dpif_xdp_port_del,
    .port_set_config = dpif_xdp_port_set_config,
    .port_query_by_number = dpif_xdp_port_query_by_number,
    .port_query_by_name = dpif_xdp_port_query_by_name,
    .port_dump_start = dpif_xdp_port_dump_start,
    .port_dump_next = dpif_xdp_port_dump_next,
    .port_dump_done = dpif_xdp_port_dump_done,
    .port_poll = dpif_xdp_port_poll,
    .port_poll_wait = dpif_xdp_port_poll_wait,
    .flow_flush = dpif_xdp_flow_flush,
    .flow_dump_create = dpif_xdp_flow_dump_create,
    .flow_dump_destroy = dpif_xdp_flow_dump_destroy,
    .flow_dump_thread_create = dpif_xdp_flow_dump_thread_create,
    .flow_dump_thread_destroy = dpif_xdp_flow_dump_thread_destroy,
    .flow_dump_next = dpif_xdp_flow_dump_next,
    .operate = dpif_xdp_operate,
    .recv_set = dpif_xdp_recv_set,
    .handlers_set = dpif_xdp_handlers_set,
    .number_handlers_required = dpif_xdp_number_handlers_required,
    .queue_to_priority = dpif_xdp_queue_to_priority,
    .set_config = dpif_xdp_set_config,
    .recv = dpif_xdp_recv,
    .recv_wait = dpif_xdp_recv_wait,
    .recv_purge = dpif_xdp_recv_purge,
    .get_datapath_version = dpif_xdp_get_datapath_version,
    .ct_dump_start = dpif_xdp_ct_dump_start,
    .ct_dump_next = dpif_xdp_ct_dump_next,
    .ct_dump_done = dpif_xdp_ct_dump_done,
#if OXDP_OVS_VERSION >= 302
    .ct_exp_dump_start = dpif_xdp_ct_exp_dump_start,
    .ct_exp_dump_next = dpif_xdp_ct_exp_dump_next,
    .ct_exp_dump_done = dpif_xdp_ct_exp_dump_done,
#endif
    .ct_flush = dpif_xdp_ct_flush,
    .ct_set_maxconns = dpif_xdp_ct_set_maxconns,
    .ct_get_maxconns = dpif_xdp_ct_get_maxconns,
    .ct_get_nconns = dpif_xdp_ct_get_nconns,
    .ct_set_tcp_seq_chk = dpif_xdp_ct_set_tcp_seq_chk,
    .ct_get_tcp_seq_chk = dpif_xdp_ct_get_tcp_seq_chk,
#if OXDP_OVS_VERSION >= 302
    .ct_set_sweep_interval = dpif_xdp_ct_set_sweep_interval,
    .ct_get_sweep_interval = dpif_xdp_ct_get_sweep_interval,
#endif
    .ct_set_limits = dpif_xdp_ct_set_limits,
    .ct_get_limits = dpif_xdp_ct_get_limits,
    .ct_del_limits = dpif_xdp_ct_del_limits,
    .ct_set_timeout_policy = dpif_xdp_ct_set_timeout_policy,
    .ct_get_timeout_policy = dpif_xdp_ct_get_timeout_policy,
    .ct_del_timeout_policy = dpif_xdp_ct_del_timeout_policy,
    .ct_get_timeout_policy_name = dpif_xdp_ct_get_timeout_policy_name,
    .ct_get_features = dpif_xdp_ct_get_features,
    .ipf_set_enabled = dpif_xdp_ipf_set_enabled,
    .ipf_set_min_frag = dpif_xdp_ipf_set_min_frag,
    .ipf_set_max_nfrags = dpif_xdp_ipf_set_max_nfrags,
    .ipf_get_status = dpif_xdp_ipf_get_status,
    .ipf_dump_start = dpif_xdp_ipf_dump_start,
    .ipf_dump_next = dpif_xdp_ipf_dump_next,
    .ipf_dump_done = dpif_xdp_ipf_dump_done,
    .meter_get_features = dpif_xdp_meter_get_features,
    .meter_set = dpif_xdp_meter_set,
    .meter_get = dpif_xdp_meter_get,
    .meter_del = dpif_xdp_meter_del,
    .bond_add = dpif_xdp_bond_add,
    .bond_del = dpif_xdp_bond_del,
    .bond_stats_get = dpif_xdp_bond_stats_get,
};
