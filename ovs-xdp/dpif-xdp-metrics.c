/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-metrics: dpif-xdp/metrics, all counters as OpenMetrics text.
 *
 * These are the counters themselves, which dpif-xdp/stats-clear does not
 * change.  Main thread.
 */

#include <config.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "dpif-xdp-show.h"
#include "netdev.h"
#include "openvswitch/dynamic-string.h"
#include "oxdp-format.h"
#include "unixctl.h"
#include "util.h"

#define DATAPATH DPIF_XDP_TYPE "@" DPIF_XDP_NAME

/* A port and what it has counted. */
struct port_figures {
    char *name;
    struct netdev *netdev;      /* Or NULL, of the CPU port. */
    struct oxdp_port_stats stats;
    struct netdev_stats all;    /* What its Interface has, UINT64_MAX if that is
                                 * not known. */
};

/* A counter of a port: a name, the unit that the name ends with, and where it
 * is in struct oxdp_port_stats. */
struct port_counter {
    const char *name, *unit, *help;
    size_t offset;
};

#define COUNTER(NAME, UNIT, MEMBER, HELP) \
    { "ovs_xdp_port_" NAME "_" UNIT, UNIT, HELP, \
      offsetof(struct oxdp_port_stats, MEMBER) }

static const struct port_counter port_counters[] = {
    COUNTER("search_hit", "packets", search_hits,
            "Hits that took a search, since no hint was right."),
    COUNTER("missed", "packets", misses, "Lookups without a flow."),
    COUNTER("cut_search", "packets", cut_searches,
            "Misses without a search of all masks."),
    COUNTER("searched", "masks", mask_probes, "Masks looked at in searches."),
    COUNTER("upcall", "packets", punts, "Packets sent to ovs-vswitchd."),
    COUNTER("to_skb", "packets", to_skb, "Packets passed from XDP to TC."),
    COUNTER("direct_transmit", "packets", tx_packets,
            "Packets sent that the device does not count."),
    COUNTER("direct_transmit", "bytes", tx_bytes,
            "Bytes sent that the device does not count."),
    COUNTER("direct_receive", "packets", rx_packets,
            "Packets received that the device does not count."),
    COUNTER("direct_receive", "bytes", rx_bytes,
            "Bytes received that the device does not count."),
    COUNTER("macvlan_receive", "packets", macvlan.rx_packets,
            "Packets that an upper port received with xdp-l2=macvlan."),
    COUNTER("macvlan_receive", "bytes", macvlan.rx_bytes,
            "Bytes that an upper port received with xdp-l2=macvlan."),
    COUNTER("macvlan_multicast", "packets", macvlan.rx_multicast,
            "Multicast packets among these."),
    COUNTER("macvlan_transmit", "packets", macvlan.tx_packets,
            "Packets that an upper port sent with xdp-l2=macvlan."),
    COUNTER("macvlan_transmit", "bytes", macvlan.tx_bytes,
            "Bytes that an upper port sent with xdp-l2=macvlan."),
};

#define TOTAL(NAME, UNIT, MEMBER, HELP)         \
    { "ovs_xdp_port_" NAME "_" UNIT, UNIT, HELP, \
      offsetof(struct netdev_stats, MEMBER) }

/* The same in struct netdev_stats. */
static const struct port_counter port_totals[] = {
    TOTAL("receive", "packets", rx_packets, "Packets received."),
    TOTAL("receive", "bytes", rx_bytes, "Bytes received."),
    TOTAL("transmit", "packets", tx_packets, "Packets sent."),
    TOTAL("transmit", "bytes", tx_bytes, "Bytes sent."),
    TOTAL("receive_dropped", "packets", rx_dropped,
          "Packets that the device counts as lost on receipt."),
    TOTAL("transmit_dropped", "packets", tx_dropped,
          "Packets that the device did not send."),
    TOTAL("transmit_error", "packets", tx_errors,
          "Packets that the device could not send."),
};

/* Begins the family 'name' of 'type', whose samples must follow. */
static void
put_family(struct ds *ds, const char *name, const char *type,
           const char *unit, const char *help)
{
    ds_put_format(ds, "# TYPE %s %s\n", name, type);
    ds_put_format(ds, "# UNIT %s %s\n", name, unit);
    ds_put_format(ds, "# HELP %s %s\n", name, help);
}

static void
put_label(struct ds *ds, const char *label, const char *value)
{
    ds_put_format(ds, ",%s=\"", label);
    for (; *value; value++) {
        if (*value == '\n') {
            ds_put_cstr(ds, "\\n");
        } else {
            if (*value == '"' || *value == '\\') {
                ds_put_char(ds, '\\');
            }
            ds_put_char(ds, *value);
        }
    }
    ds_put_char(ds, '"');
}

/* Begins a sample; put_label() may follow, put_value() ends it. */
static void
put_sample(struct ds *ds, const char *name, const char *suffix)
{
    ds_put_format(ds, "%s%s{datapath=\"" DATAPATH "\"", name, suffix);
}

static void
put_value(struct ds *ds, uint64_t value)
{
    ds_put_format(ds, "} %"PRIu64"\n", value);
}

/* A family of 'type' with one sample, without labels of its own. */
static void
put_single(struct ds *ds, const char *name, const char *type,
           const char *unit, const char *help, uint64_t value)
{
    put_family(ds, name, type, unit, help);
    put_sample(ds, name, strcmp(type, "counter") ? "" : "_total");
    put_value(ds, value);
}

/* A sample of a port's counter, which has one more label. */
static void
put_port(struct ds *ds, const char *name, const char *port,
         const char *label, const char *label_value, uint64_t value)
{
    put_sample(ds, name, "_total");
    put_label(ds, "port", port);
    if (label) {
        put_label(ds, label, label_value);
    }
    put_value(ds, value);
}

/* The family 'c' of all ports that know it, in that structure of theirs. */
static void
put_counter(struct ds *ds, const struct port_figures *ports, size_t n,
            const struct port_counter *c, size_t structure)
{
    put_family(ds, c->name, "counter", c->unit, c->help);
    for (size_t i = 0; i < n; i++) {
        const char *stats = (const char *) &ports[i] + structure;
        uint64_t value;

        memcpy(&value, stats + c->offset, sizeof value);
        if (value != UINT64_MAX) {
            put_port(ds, c->name, ports[i].name, NULL, NULL, value);
        }
    }
}

static void
put_ports(struct ds *ds, const struct port_figures *ports, size_t n)
{
    static const char hits[] = "ovs_xdp_port_hit_packets";
    static const char drops[] = "ovs_xdp_port_dropped_packets";
    static const char fallbacks[] = "ovs_xdp_port_bridge_packets";

    put_family(ds, hits, "counter", "packets",
               "Packets whose flow was executed there.");
    for (size_t i = 0; i < n; i++) {
        for (int j = 0; j < OXDP_N_HOOKS; j++) {
            put_port(ds, hits, ports[i].name, "hook", oxdp_hook_name(j),
                     ports[i].stats.hits[j]);
        }
    }
    put_family(ds, drops, "counter", "packets",
               "Packets lost, by the port where they came in.");
    for (size_t i = 0; i < n; i++) {
        for (int j = 0; j < OXDP_N_DROPS; j++) {
            put_port(ds, drops, ports[i].name, "reason",
                     oxdp_drop_info(j)->name, ports[i].stats.drops[j]);
        }
    }
    put_family(ds, fallbacks, "counter", "packets",
               "Packets that the Linux bridge got for ovs-vswitchd.");
    for (size_t i = 0; i < n; i++) {
        for (int j = 0; j < OXDP_N_AWAYS; j++) {
            put_port(ds, fallbacks, ports[i].name, "reason",
                     oxdp_drop_info(j)->name, ports[i].stats.fallbacks[j]);
        }
    }
    for (size_t j = 0; j < ARRAY_SIZE(port_counters); j++) {
        put_counter(ds, ports, n, &port_counters[j],
                    offsetof(struct port_figures, stats));
    }
    for (size_t j = 0; j < ARRAY_SIZE(port_totals); j++) {
        put_counter(ds, ports, n, &port_totals[j],
                    offsetof(struct port_figures, all));
    }
}

/* The flows, by where they are and why. */
static void
put_reasons(struct ds *ds, const struct xdp_dp *dp)
{
    static const char name[] = "ovs_xdp_layer_flows";
    struct xdp_port_reasons *ports = xdp_reasons_get(dp);

    put_family(ds, name, "gauge", "flows",
               "Flows by where they are, and why nowhere faster.");
    for (int layer = 0; layer < XDP_N_LAYERS; layer++) {
        for (int reason = 0; reason < OXDP_N_REASONS; reason++) {
            uint64_t flows = 0;

            for (int i = 0; i < OXDP_MAX_PORTS; i++) {
                flows += ports[i].sums[layer][reason].flows;
            }
            put_sample(ds, name, "");
            put_label(ds, "layer", xdp_layer_name(layer));
            put_label(ds, "reason", oxdp_reason_name(reason));
            put_value(ds, flows);
        }
    }
    free(ports);
}

static void
put_sockets(struct ds *ds, const struct xdp_dp *dp)
{
    static const char received[] = "ovs_xdp_socket_receive_packets";
    static const char sent[] = "ovs_xdp_socket_transmit_packets";

    for (int tx = 0; tx < 2; tx++) {
        const char *name = tx ? sent : received;

        put_family(ds, name, "counter", "packets",
                   "Packets through an AF_XDP socket.");
        for (uint32_t i = 0; i < dp->bpf->n_queues; i++) {
            char number[INT_STRLEN(uint32_t) + 1];
            struct oxdp_xsk_stats s;

            oxdp_xsk_get_stats(dp->xsks[i], &s);
            snprintf(number, sizeof number, "%"PRIu32, i);
            put_sample(ds, name, "_total");
            put_label(ds, "socket", number);
            put_value(ds, tx ? s.tx_packets : s.rx_packets);
        }
    }
}

static void
put_datapath(struct ds *ds, struct xdp_dp *dp)
{
    static const char lost[] = "ovs_xdp_lost_packets";
    struct dpif_xdp dpif = { .dp = dp };
    uint64_t losses[XDP_N_LOSSES];
    struct oxdp_table_stats table;
    struct dpif_dp_stats stats;

    dpif.dpif.dpif_class = &dpif_xdp_class;
    dpif_xdp_class.get_stats(&dpif.dpif, &stats);
    oxdp_table_get_stats(dp->table, &table);
    put_single(ds, "ovs_xdp_flows", "gauge", "flows",
               "Flows.", table.n_flows);
    put_single(ds, "ovs_xdp_bpf_flows", "gauge", "flows",
               "Of these in BPF.", table.n_bpf_flows);
    put_single(ds, "ovs_xdp_max_flows", "gauge", "flows",
               "Flows that there may be.", table.max_flows);
    put_single(ds, "ovs_xdp_masks", "gauge", "masks",
               "Masks in BPF.", table.n_masks);
    put_single(ds, "ovs_xdp_refused_flows", "counter", "flows",
               "Flows refused since the table was full.", table.n_full);
    put_single(ds, "ovs_xdp_hit_packets", "counter", "packets",
               "Lookups with a flow, everywhere.", stats.n_hit);
    put_single(ds, "ovs_xdp_missed_packets", "counter", "packets",
               "Packets that OVS was asked about.", stats.n_missed);

    xdp_losses_get(dp, losses);
    put_family(ds, lost, "counter", "packets",
               "Packets lost between BPF and OVS.");
    for (int i = 0; i < XDP_N_LOSSES; i++) {
        put_sample(ds, lost, "_total");
        put_label(ds, "reason", xdp_loss_info(i)->name);
        put_value(ds, losses[i]);
    }
}

/* Returns the ports, '*n' of them, the CPU port first, to be given to
 * free_figures(). */
static struct port_figures *
get_figures(struct xdp_dp *dp, size_t *n)
{
    struct port_figures *figures;
    struct xdp_port **ports;

    ovs_mutex_lock(&dp->port_mutex);
    ports = xdp_ports_sorted(dp, n);
    figures = xmalloc((*n + 1) * sizeof *figures);
    figures[0].name = xstrdup(DPIF_XDP_NAME);
    figures[0].netdev = NULL;
    xdp_port_get_stats(dp, 0, &figures[0].stats);
    for (size_t i = 0; i < *n; i++) {
        figures[i + 1].name = xstrdup(ports[i]->name);
        figures[i + 1].netdev = netdev_ref(ports[i]->netdev);
        xdp_port_get_stats(dp, odp_to_u32(ports[i]->port_no),
                           &figures[i + 1].stats);
    }
    ovs_mutex_unlock(&dp->port_mutex);
    free(ports);
    ++*n;
    /* Ours are added to the device's, which takes the lock again. */
    for (size_t i = 0; i < *n; i++) {
        if (!figures[i].netdev
            || netdev_get_stats(figures[i].netdev, &figures[i].all)) {
            memset(&figures[i].all, 0xff, sizeof figures[i].all);
        }
    }
    return figures;
}

static void
free_figures(struct port_figures *figures, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(figures[i].name);
        netdev_close(figures[i].netdev);
    }
    free(figures);
}

static void
dpif_xdp_metrics(struct unixctl_conn *conn, int argc OVS_UNUSED,
                 const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct xdp_dp *dp = xdp_unixctl_get_dp(conn);
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct port_figures *figures;
    size_t n;

    if (!dp) {
        return;
    }
    put_datapath(&ds, dp);
    put_reasons(&ds, dp);
    put_sockets(&ds, dp);
    figures = get_figures(dp, &n);
    put_ports(&ds, figures, n);
    free_figures(figures, n);
    ds_put_cstr(&ds, "# EOF\n");
    xdp_dp_unref(dp);
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

void
xdp_metrics_init(void)
{
    unixctl_command_register("dpif-xdp/metrics", "", 0, 0, dpif_xdp_metrics,
                             NULL);
}
