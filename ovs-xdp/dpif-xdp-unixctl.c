/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-unixctl: ovs-appctl dpif-xdp/...
 */

#include <config.h>

#include <stdlib.h>

#include "dpif-xdp.h"
#include "dpif-xdp-show.h"
#include "odp-util.h"
#include "openvswitch/dynamic-string.h"
#include "oxdp-compile.h"
#include "oxdp-format.h"
#include "unixctl.h"
#include "util.h"

struct xdp_dp *
xdp_unixctl_get_dp(struct unixctl_conn *conn)
{
    struct xdp_dp *dp = xdp_dp_get();

    if (!dp) {
        unixctl_command_reply_error(conn, "there is no datapath of type xdp: "
                                    "give a bridge datapath_type=xdp");
    }
    return dp;
}

static void
format_drops(const struct oxdp_port_stats *s, struct ds *ds)
{
    uint64_t sum = 0;
    const char *sep = " (";

    for (int i = 0; i < OXDP_N_DROPS; i++) {
        sum += s->drops[i];
    }
    ds_put_format(ds, " drop %"PRIu64, sum);
    if (!sum) {
        return;
    }
    for (int i = 0; i < OXDP_N_DROPS; i++) {
        if (s->drops[i]) {
            ds_put_format(ds, "%s%s %"PRIu64, sep, oxdp_drop_info(i)->name,
                          (uint64_t) s->drops[i]);
            sep = ", ";
        }
    }
    ds_put_char(ds, ')');
}

static void
format_port(const struct xdp_dp *dp, uint32_t port_no, const char *name,
            const char *mode, const char *why, struct ds *ds)
{
    struct oxdp_port_stats s;

    xdp_port_get_stats(dp, port_no, &s);
    ds_put_format(ds, "  port %"PRIu32" %s  %s (%s): xdp hit %"PRIu64
                  " tc hit %"PRIu64" miss %"PRIu64" punt %"PRIu64
                  " to-skb %"PRIu64, port_no, name, mode, why,
                  (uint64_t) s.hits[OXDP_HOOK_XDP],
                  (uint64_t) s.hits[OXDP_HOOK_TC], (uint64_t) s.misses,
                  (uint64_t) s.punts, (uint64_t) s.to_skb);
    format_drops(&s, ds);
    if (s.cut_searches) {
        ds_put_format(ds, " searches cut short %"PRIu64,
                      (uint64_t) s.cut_searches);
    }
    ds_put_char(ds, '\n');
}

/* What the kernel bridge was given of packets for ovs-vswitchd. */
static void
format_fallbacks(const struct xdp_dp *dp, const struct xdp_port *port,
                 struct ds *ds)
{
    uint32_t port_no = odp_to_u32(port->port_no);
    bool fallback = (dp->bpf->shared->ports[port_no].flags
                     & OXDP_PORT_F_FALLBACK);
    const char *sep = " (";
    struct oxdp_port_stats s;
    uint64_t sum = 0;

    xdp_port_get_stats(dp, port_no, &s);
    for (int i = 0; i < OXDP_N_AWAYS; i++) {
        sum += s.fallbacks[i];
    }
    if (!fallback && !sum) {
        return;
    }
    ds_put_format(ds, "    fallback: %s, packets %"PRIu64,
                  fallback ? "kernel bridge" : "none", sum);
    for (int i = 0; i < OXDP_N_AWAYS; i++) {
        if (s.fallbacks[i]) {
            ds_put_format(ds, "%s%s %"PRIu64, sep, oxdp_drop_info(i)->name,
                          (uint64_t) s.fallbacks[i]);
            sep = ", ";
        }
    }
    ds_put_cstr(ds, sum ? ")\n" : "\n");
}

/* How packets go out of 'port'. */
static void
format_port_out(const struct xdp_dp *dp, const struct xdp_port *port,
                struct ds *ds)
{
    struct oxdp_port_stats s;

    xdp_port_get_stats(dp, odp_to_u32(port->port_no), &s);
    if (port->local) {
        ds_put_format(ds, "    out: to the host %"PRIu64", in: from the host %"
                      PRIu64"\n", (uint64_t) s.tx_packets,
                      (uint64_t) s.rx_packets);
        return;
    }
    ds_put_cstr(ds, "    out: frames ");
    if (port->no_frames) {
        ds_put_format(ds, "no (%s)", port->no_frames);
    } else {
        ds_put_cstr(ds, "yes");
    }
    ds_put_cstr(ds, ", to the peer ");
    if (port->no_peer) {
        ds_put_format(ds, "no (%s)", port->no_peer);
    } else {
        ds_put_cstr(ds, "yes");
    }
    ds_put_format(ds, " %"PRIu64"\n", (uint64_t) s.tx_packets);
}

static void
format_ports(struct xdp_dp *dp, struct ds *ds)
{
    struct xdp_port **ports, *port;
    size_t n;

    format_port(dp, 0, DPIF_XDP_NAME, "native", "CPU port", ds);

    ovs_mutex_lock(&dp->port_mutex);
    ports = xdp_ports_sorted(dp, &n);
    for (size_t i = 0; i < n; i++) {
        port = ports[i];
        format_port(dp, odp_to_u32(port->port_no), port->name,
                    port->tunnel ? "user" : xdp_mode_name(port->mode),
                    port->why, ds);
        if (!port->tunnel) {
            format_port_out(dp, port, ds);
            format_fallbacks(dp, port, ds);
        }
        if (port->error) {
            ds_put_format(ds, "    error: %s\n", port->error);
        }
        if (port->l2_error) {
            ds_put_format(ds, "    error: %s\n", port->l2_error);
        }
    }
    free(ports);
    ovs_mutex_unlock(&dp->port_mutex);
}

static void
format_upcalls(const struct xdp_dp *dp, struct ds *ds)
{
    struct oxdp_xsk_stats sum = { 0 };
    bool sg = true;

    for (uint32_t i = 0; i < dp->bpf->n_queues; i++) {
        struct oxdp_xsk_stats s;

        oxdp_xsk_get_stats(dp->xsks[i], &s);
        sum.rx_packets += s.rx_packets;
        sum.rx_bad += s.rx_bad;
        sum.rx_ring_full += s.rx_ring_full;
        sum.tx_packets += s.tx_packets;
        sum.tx_dropped += s.tx_dropped;
        sg &= oxdp_xsk_can_sg(dp->xsks[i]);
    }
    ds_put_format(ds, "  upcalls: AF_XDP received %"PRIu64" sent %"PRIu64
                  ", sockets %"PRIu32", ring full %"PRIu64
                  ", not sent %"PRIu64", bad %"PRIu64"%s\n",
                  sum.rx_packets, sum.tx_packets, dp->bpf->n_queues,
                  sum.rx_ring_full, sum.tx_dropped, sum.rx_bad,
                  sg ? "" : ", no jumbo frames (Linux 6.6 has them)");
}

static void
format_reason_sums(const struct xdp_reason_sum sums[OXDP_N_REASONS],
                   const char *where, struct ds *ds)
{
    const char *sep = where;

    for (int i = OXDP_REASON_NONE + 1; i < OXDP_N_REASONS; i++) {
        if (sums[i].flows) {
            ds_put_format(ds, "%s%s flows %"PRIu64" packets %"PRIu64, sep,
                          oxdp_reason_name(i), sums[i].flows,
                          sums[i].packets);
            sep = ", ";
        }
    }
    if (sep != where) {
        ds_put_char(ds, '\n');
    }
}

/* The flows of which there is more to say than where they are executed, by the
 * reason. */
static void
format_reasons(const struct xdp_dp *dp, struct ds *ds)
{
    struct xdp_port_reasons *ports = xdp_reasons_get(dp);
    struct xdp_port_reasons all;

    memset(&all, 0, sizeof all);
    for (int i = 0; i < OXDP_MAX_PORTS; i++) {
        for (int j = 0; j < XDP_N_LAYERS; j++) {
            for (int k = 0; k < OXDP_N_REASONS; k++) {
                all.sums[j][k].flows += ports[i].sums[j][k].flows;
                all.sums[j][k].packets += ports[i].sums[j][k].packets;
            }
        }
    }
    format_reason_sums(all.sums[XDP_LAYER_XDP], "  in XDP: ", ds);
    format_reason_sums(all.sums[XDP_LAYER_TC], "  in TC: ", ds);
    format_reason_sums(all.sums[XDP_LAYER_USER], "  in ovs-vswitchd: ", ds);
    free(ports);
}

static void
dpif_xdp_show(struct unixctl_conn *conn, int argc OVS_UNUSED,
              const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct xdp_dp *dp = xdp_unixctl_get_dp(conn);
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct oxdp_table_stats table;
    struct dpif_dp_stats stats;
    struct dpif_xdp dpif = { .dp = dp };

    if (!dp) {
        return;
    }
    dpif.dpif.dpif_class = &dpif_xdp_class;
    dpif_xdp_class.get_stats(&dpif.dpif, &stats);
    oxdp_table_get_stats(dp->table, &table);

    ds_put_format(&ds, "%s@%s: masks %"PRIu32", flows %"PRIu32"/%"PRIu32
                  " (%"PRIu32" in BPF)\n", DPIF_XDP_TYPE, DPIF_XDP_NAME,
                  table.n_masks, table.n_flows, table.max_flows,
                  table.n_bpf_flows);
    ds_put_format(&ds, "  lookups: hit %"PRIu64" (hint %.1f%%) missed %"PRIu64
                  " lost %"PRIu64, stats.n_hit,
                  stats.n_hit ? 100.0 * stats.n_cache_hit / stats.n_hit : 0.0,
                  stats.n_missed, stats.n_lost);
    if (table.n_full) {
        ds_put_format(&ds, " table-full %"PRIu64, table.n_full);
    }
    ds_put_char(&ds, '\n');
    format_reasons(dp, &ds);
    format_upcalls(dp, &ds);
    format_ports(dp, &ds);

    xdp_dp_unref(dp);
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

static void
format_flow(const struct xdp_dp *dp, struct oxdp_megaflow *mf, struct ds *ds)
{
    struct oxdp_actions *actions
        = ovsrcu_get(struct oxdp_actions *, &mf->actions);
    struct oxdp_counters counters;
    struct oxdp_code code;
    const char *layer;
    uint64_t user;
    uint8_t reason;

    odp_format_ufid(&mf->ufid, ds);
    ds_put_cstr(ds, "\n  match: ");
    xdp_megaflow_format(mf, NULL, ds);
    ds_put_cstr(ds, "\n  actions: ");
    format_odp_actions(ds, actions->actions, actions->size, NULL);

    layer = xdp_flow_layer(dp, mf, &reason);
    ds_put_format(ds, "\n  verdict: dp:%s, reason %s (%s)\n", layer,
                  oxdp_reason_name(reason), oxdp_reason_text(reason));
    if (oxdp_megaflow_get_slot(dp->table, mf, &code)) {
        ds_put_format(ds, "  entry: verdict %s, mask %u, %u words, opcodes ",
                      oxdp_verdict_name(code.flow.verdict), code.rest.mask_id,
                      dp->bpf->shared->masks[code.rest.mask_id].n_words);
        oxdp_format_ops(&code, ds);
        ds_put_char(ds, '\n');
    } else {
        ds_put_cstr(ds, "  entry: none in BPF\n");
    }
    oxdp_megaflow_counters(dp->table, mf, &counters);
    atomic_read_relaxed(&mf->user_packets, &user);
    ds_put_format(ds, "  packets: %"PRIu64" (in userspace %"PRIu64"), bytes: "
                  "%"PRIu64"\n", counters.packets, user, counters.bytes);
}

static void
dpif_xdp_flow_show(struct unixctl_conn *conn, int argc, const char *argv[],
                   void *aux OVS_UNUSED)
{
    struct xdp_dp *dp = xdp_unixctl_get_dp(conn);
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct oxdp_megaflow *mf;

    if (!dp) {
        return;
    }
    if (argc > 1) {
        ovs_u128 ufid;

        mf = (odp_ufid_from_string(argv[1], &ufid) > 0
              ? oxdp_table_find(dp->table, &ufid) : NULL);
        if (!mf) {
            unixctl_command_reply_error(
                conn, "no flow has this ufid: \"ovs-appctl dpctl/dump-flows "
                "-m\" shows those that exist, as ufid:...");
            xdp_dp_unref(dp);
            return;
        }
        format_flow(dp, mf, &ds);
    } else {
        struct cmap_position pos = { 0 };

        while ((mf = oxdp_table_next(dp->table, &pos))) {
            format_flow(dp, mf, &ds);
        }
    }
    xdp_dp_unref(dp);
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

static bool
format_pins(struct xdp_dp *dp, const char *name OVS_UNUSED, struct ds *ds)
{
    if (oxdp_pins_directory(dp->pins)) {
        ds_put_format(ds, "%s\n", oxdp_pins_directory(dp->pins));
        oxdp_pins_format(dp->pins, ds);
    } else {
        ds_put_cstr(ds, "nothing is pinned, the log says why\n");
    }
    return true;
}

static bool
format_bridges(struct xdp_dp *dp, const char *name, struct ds *ds)
{
    bool found = xdp_bridges_format(dp, name, ds) || !name;

    if (!found) {
        ds_put_format(ds, "there is no bridge \"%s\" of type %s: see "
                      "\"ovs-vsctl list-br\"", name, DPIF_XDP_TYPE);
    }
    return found;
}

static bool
format_bonds(struct xdp_dp *dp, const char *name OVS_UNUSED, struct ds *ds)
{
    xdp_bonds_format(dp, ds);
    return true;
}

static bool
format_macvlans(struct xdp_dp *dp, const char *name, struct ds *ds)
{
    bool found = xdp_bridges_format_macvlan(dp, name, ds);

    if (!found) {
        ds_put_format(ds, "there is no bridge %s%s%swith "
                      "other_config:xdp-l2=macvlan", name ? "\"" : "",
                      name ? name : "", name ? "\" " : "");
    }
    return found;
}

/* Commands that print what 'format' appends about the argument, or if that is
 * NULL about all; it returns false after having appended why there is nothing
 * to be said. */
static const struct show {
    const char *command, *usage;
    bool (*format)(struct xdp_dp *, const char *name, struct ds *);
} shows[] = {
    { "dpif-xdp/bridge-show", "[bridge]", format_bridges },
    { "dpif-xdp/macvlan-show", "[bridge]", format_macvlans },
    { "dpif-xdp/bond-show", "", format_bonds },
    { "dpif-xdp/pins-show", "", format_pins },
};

static void
show_text(struct unixctl_conn *conn, int argc, const char *argv[],
          void *show_)
{
    const struct show *show = show_;
    struct xdp_dp *dp = xdp_unixctl_get_dp(conn);
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (!dp) {
        return;
    }
    if (show->format(dp, argc > 1 ? argv[1] : NULL, &ds)) {
        unixctl_command_reply(conn, ds_cstr(&ds));
    } else {
        unixctl_command_reply_error(conn, ds_cstr(&ds));
    }
    xdp_dp_unref(dp);
    ds_destroy(&ds);
}

void
xdp_unixctl_init(void)
{
    xdp_show_init();
    xdp_metrics_init();
    xdp_trace_init();
    unixctl_command_register("dpif-xdp/show", "", 0, 0, dpif_xdp_show, NULL);
    unixctl_command_register("dpif-xdp/flow-show", "[ufid]", 0, 1,
                             dpif_xdp_flow_show, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(shows); i++) {
        unixctl_command_register(shows[i].command, shows[i].usage, 0,
                                 shows[i].usage[0] != '\0', show_text,
                                 CONST_CAST(struct show *, &shows[i]));
    }
}
