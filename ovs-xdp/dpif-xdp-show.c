/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "dpif-xdp-show.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "netdev.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "oxdp-compile.h"
#include "oxdp-format.h"
#include "oxdp-key.h"
#include "table.h"
#include "unixctl.h"
#include "util.h"

const char *
xdp_layer_name(enum xdp_layer layer)
{
    static const char *names[] = {
#define XDP_LAYER(ENUM, NAME) [XDP_LAYER_##ENUM] = NAME,
        XDP_LAYERS
#undef XDP_LAYER
    };

    return names[layer];
}

const struct xdp_loss_info *
xdp_loss_info(enum xdp_loss loss)
{
    static const struct xdp_loss_info infos[] = {
#define XDP_LOSS(ENUM, NAME, TEXT, ADVICE) \
        [XDP_LOSS_##ENUM] = { NAME, TEXT, ADVICE },
        XDP_LOSSES
#undef XDP_LOSS
    };

    return &infos[loss];
}

void
xdp_losses_get(const struct xdp_dp *dp, uint64_t losses[XDP_N_LOSSES])
{
    for (int i = 0; i < XDP_N_LOSSES; i++) {
        atomic_read_relaxed(&CONST_CAST(struct xdp_dp *, dp)->losses[i],
                            &losses[i]);
    }
    for (uint32_t i = 0; i < dp->bpf->n_queues; i++) {
        struct oxdp_xsk_stats s;

        oxdp_xsk_get_stats(dp->xsks[i], &s);
        losses[XDP_LOSS_RING_FULL] += s.rx_ring_full;
        losses[XDP_LOSS_RING_BAD] += s.rx_bad;
        losses[XDP_LOSS_NOT_SENT] += s.tx_dropped;
    }
}

struct xdp_port_reasons *
xdp_reasons_get(const struct xdp_dp *dp)
{
    struct xdp_port_reasons *ports = xcalloc(OXDP_MAX_PORTS, sizeof *ports);
    struct cmap_position pos = { 0 };
    struct oxdp_megaflow *mf;

    while ((mf = oxdp_table_next(dp->table, &pos))) {
        uint32_t in_port = mf->in_port < OXDP_MAX_PORTS ? mf->in_port : 0;
        struct oxdp_counters counters;
        struct xdp_reason_sum *sum;
        const char *name;
        uint8_t reason;
        int layer = 0;

        name = xdp_flow_layer(dp, mf, &reason);
        while (strcmp(name, xdp_layer_name(layer))) {
            layer++;
        }
        oxdp_megaflow_counters(dp->table, mf, &counters);
        sum = &ports[in_port].sums[layer][reason];
        sum->flows++;
        sum->packets += counters.packets;
    }
    return ports;
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct xdp_port *const *a = a_, *const *b = b_;
    uint32_t x = odp_to_u32((*a)->port_no), y = odp_to_u32((*b)->port_no);

    return x < y ? -1 : x > y;
}

struct xdp_port **
xdp_ports_sorted(const struct xdp_dp *dp, size_t *n)
{
    struct xdp_port **ports;
    struct xdp_port *port;

    ports = xmalloc((hmap_count(&dp->ports) + 1) * sizeof *ports);
    *n = 0;
    HMAP_FOR_EACH (port, node, &dp->ports) {
        ports[(*n)++] = port;
    }
    qsort(ports, *n, sizeof *ports, compare_ports);
    return ports;
}

static void
put_custom(struct netdev_custom_stats *stats, const char *kind,
           const char *reason, uint64_t value)
{
    struct netdev_custom_counter *counter;

    if (!value) {
        return;
    }
    stats->counters = xrealloc(stats->counters, ((stats->size + 1)
                                                 * sizeof *stats->counters));
    counter = &stats->counters[stats->size++];
    counter->value = value;
    snprintf(counter->name, sizeof counter->name, "xdp_%s_%s", kind, reason);
    for (char *p = counter->name; *p; p++) {
        *p = *p == '-' ? '_' : *p;
    }
}

void
xdp_custom_stats_put(const struct oxdp_port_stats *s,
                     struct netdev_custom_stats *stats)
{
    for (int i = 0; i < OXDP_N_DROPS; i++) {
        put_custom(stats, "drop", oxdp_drop_info(i)->name, s->drops[i]);
    }
    for (int i = 0; i < OXDP_N_AWAYS; i++) {
        put_custom(stats, "bridge", oxdp_drop_info(i)->name, s->fallbacks[i]);
    }
}

/* Tables. */

/* Gives 't' columns, up to a NULL. */
static void SENTINEL(0)
table_columns(struct table *t, const char *heading, ...)
{
    va_list args;

    table_init(t);
    va_start(args, heading);
    for (; heading; heading = va_arg(args, const char *)) {
        table_add_column(t, "%s", heading);
    }
    va_end(args);
}

static void
table_text(struct table *t, const char *text)
{
    table_add_cell(t)->text = xstrdup(text);
}

static void
table_number(struct table *t, uint64_t number)
{
    table_add_cell(t)->json = json_integer_create(number);
}

/* Replies with 't', which it destroys, under 'caption', or in text with 'empty'
 * if it has no rows. */
static void
reply_table(struct unixctl_conn *conn, struct table *t, const char *caption,
            const char *empty)
{
    struct table_style style = TABLE_STYLE_DEFAULT;
    struct ds ds = DS_EMPTY_INITIALIZER;

    table_format_reset();
    table_set_caption(t, xstrdup(caption));
#if OXDP_OVS_VERSION >= 305
    if (unixctl_command_get_output_format(conn) == UNIXCTL_OUTPUT_FMT_JSON) {
        style.format = TF_JSON;
        table_format(t, &style, &ds);
        unixctl_command_reply_json(conn, json_from_string(ds_cstr(&ds)));
        ds_destroy(&ds);
        table_destroy(t);
        return;
    }
#endif
    if (t->n_rows) {
        style.format = TF_TABLE;
        style.cell_format = CF_BARE;
        table_format(t, &style, &ds);
    } else {
        ds_put_format(&ds, "%s\n", empty);
    }
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
    table_destroy(t);
}

/* Ports. */

/* A port, or the CPU port, which has no struct xdp_port. */
struct view {
    const char *name;
    uint32_t port_no;
    struct oxdp_port_stats **cleared;   /* By CPU, or NULL. */
};

static struct view
port_view(struct xdp_dp *dp, struct xdp_port *port)
{
    return port
           ? (struct view) { port->name, odp_to_u32(port->port_no),
                             &port->cleared }
           : (struct view) { DPIF_XDP_NAME, 0, &dp->cpu_cleared };
}

void
xdp_reply_no_port(struct unixctl_conn *conn, const struct xdp_dp *dp,
                  const char *name, bool cpu_port)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    const char *sep = " ";
    struct xdp_port **ports;
    size_t n;

    ports = xdp_ports_sorted(dp, &n);
    ds_put_format(&ds, "there is no port \"%s\": use one of", name);
    if (cpu_port) {
        ds_put_cstr(&ds, " " DPIF_XDP_NAME);
        sep = ", ";
    }
    for (size_t i = 0; i < n; i++) {
        ds_put_format(&ds, "%s%s", sep, ports[i]->name);
        sep = ", ";
    }
    free(ports);
    unixctl_command_reply_error(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

/* Returns the port 'name', or if that is NULL all, '*n' of them, in an array to
 * be freed.  Returns NULL after having replied that there is none. */
static struct view *
get_views(struct unixctl_conn *conn, struct xdp_dp *dp, const char *name,
          size_t *n)
    OVS_REQUIRES(dp->port_mutex)
{
    struct xdp_port **ports;
    struct view *views;
    size_t n_ports;

    ports = xdp_ports_sorted(dp, &n_ports);
    views = xmalloc((n_ports + 1) * sizeof *views);
    *n = 0;
    if (!name || !strcmp(name, DPIF_XDP_NAME)) {
        views[(*n)++] = port_view(dp, NULL);
    }
    for (size_t i = 0; i < n_ports; i++) {
        if (!name || !strcmp(name, ports[i]->name)) {
            views[(*n)++] = port_view(dp, ports[i]);
        }
    }
    free(ports);
    if (!*n) {
        free(views);
        xdp_reply_no_port(conn, dp, name, true);
        return NULL;
    }
    return views;
}

/* Adds to '*sum' what the port has counted on 'cpu' since it was last
 * cleared. */
static void
view_add_cpu(const struct xdp_dp *dp, const struct view *view, uint32_t cpu,
             struct oxdp_port_stats *sum)
{
    oxdp_port_stats_add(
        sum, &oxdp_bpf_cpu_block(dp->bpf, cpu)->ports[view->port_no]);
    if (*view->cleared) {
        const uint64_t *from = (const uint64_t *) &(*view->cleared)[cpu];
        uint64_t *to = (uint64_t *) sum;

        for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) {
            to[i] -= from[i];
        }
    }
}

/* The same on all CPUs together. */
static void
view_get_stats(const struct xdp_dp *dp, const struct view *view,
               struct oxdp_port_stats *sum)
{
    memset(sum, 0, sizeof *sum);
    for (uint32_t cpu = 0; cpu < dp->bpf->n_cpus; cpu++) {
        view_add_cpu(dp, view, cpu, sum);
    }
}

/* Makes a command of 'format', which puts rows about ports into a table. */
static void
show_ports(struct unixctl_conn *conn, const char *name, struct table *t,
           const char *caption, const char *empty,
           void (*format)(struct xdp_dp *, const struct view *, size_t n,
                          struct table *))
{
    struct xdp_dp *dp = xdp_unixctl_get_dp(conn);
    struct view *views;
    size_t n;

    if (!dp) {
        table_destroy(t);
        return;
    }
    ovs_mutex_lock(&dp->port_mutex);
    views = get_views(conn, dp, name, &n);
    if (views) {
        format(dp, views, n, t);
    }
    ovs_mutex_unlock(&dp->port_mutex);
    if (views) {
        reply_table(conn, t, caption, empty);
        free(views);
    } else {
        table_destroy(t);
    }
    xdp_dp_unref(dp);
}

#define SINCE ", since the port was added or dpif-xdp/stats-clear"

/* stats-show and stats-clear. */

static uint64_t
sum_counters(const __u64 *counters, int n)
{
    uint64_t sum = 0;

    for (int i = 0; i < n; i++) {
        sum += counters[i];
    }
    return sum;
}

static void
format_stats(struct xdp_dp *dp, const struct view *views, size_t n,
             struct table *t)
{
    for (size_t i = 0; i < n; i++) {
        for (uint32_t cpu = 0; cpu < dp->bpf->n_cpus; cpu++) {
            struct oxdp_port_stats s = { .misses = 0 };

            view_add_cpu(dp, &views[i], cpu, &s);
            table_add_row(t);
            table_text(t, views[i].name);
            table_number(t, cpu);
            table_number(t, s.hits[OXDP_HOOK_XDP]);
            table_number(t, s.hits[OXDP_HOOK_TC]);
            table_number(t, s.misses);
            table_number(t, s.punts);
            table_number(t, s.to_skb);
            table_number(t, sum_counters(s.drops, OXDP_N_DROPS));
            table_number(t, sum_counters(s.fallbacks, OXDP_N_AWAYS));
        }
    }
}

static void
dpif_xdp_stats_show(struct unixctl_conn *conn, int argc, const char *argv[],
                    void *aux OVS_UNUSED)
{
    struct table t;

    table_columns(&t, "port", "cpu", "xdp-hits", "tc-hits", "misses",
                  "to-vswitchd", "to-skb", "drops", "to-bridge", NULL);
    show_ports(conn, argc > 1 ? argv[1] : NULL, &t, "Packets" SINCE,
               "there is no port", format_stats);
}

static void
clear_port(const struct xdp_dp *dp, const struct view *view)
{
    uint32_t n_cpus = dp->bpf->n_cpus;
    struct oxdp_port_stats *stats = xcalloc(n_cpus, sizeof *stats);

    for (uint32_t cpu = 0; cpu < n_cpus; cpu++) {
        oxdp_port_stats_add(
            &stats[cpu],
            &oxdp_bpf_cpu_block(dp->bpf, cpu)->ports[view->port_no]);
    }
    free(*view->cleared);
    *view->cleared = stats;
}

static void
dpif_xdp_stats_clear(struct unixctl_conn *conn, int argc, const char *argv[],
                     void *aux OVS_UNUSED)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    struct xdp_dp *dp = xdp_unixctl_get_dp(conn);
    struct view *views;
    size_t n;

    if (!dp) {
        return;
    }
    ovs_mutex_lock(&dp->port_mutex);
    views = get_views(conn, dp, name, &n);
    if (views) {
        for (size_t i = 0; i < n; i++) {
            clear_port(dp, &views[i]);
            if (!views[i].port_no) {
                free(dp->losses_cleared);
                dp->losses_cleared = xcalloc(XDP_N_LOSSES,
                                             sizeof *dp->losses_cleared);
                xdp_losses_get(dp, dp->losses_cleared);
            }
        }
        unixctl_command_reply(conn, NULL);
    }
    free(views);
    ovs_mutex_unlock(&dp->port_mutex);
    xdp_dp_unref(dp);
}

/* drops-show. */

static void
add_drop(struct table *t, const char *port, const char *reason,
         uint64_t packets, const char *text, const char *advice)
{
    if (packets) {
        table_add_row(t);
        table_text(t, port);
        table_text(t, reason);
        table_number(t, packets);
        table_text(t, text);
        table_text(t, advice);
    }
}

static void
format_losses(const struct xdp_dp *dp, const char *port, struct table *t)
{
    uint64_t losses[XDP_N_LOSSES];

    xdp_losses_get(dp, losses);
    for (int i = 0; i < XDP_N_LOSSES; i++) {
        const struct xdp_loss_info *info = xdp_loss_info(i);
        uint64_t cleared = dp->losses_cleared ? dp->losses_cleared[i] : 0;

        add_drop(t, port, info->name, losses[i] - cleared, info->text,
                 info->advice);
    }
}

static void
format_drops(struct xdp_dp *dp, const struct view *views, size_t n,
             struct table *t)
{
    for (size_t i = 0; i < n; i++) {
        struct oxdp_port_stats s;

        view_get_stats(dp, &views[i], &s);
        for (int j = 0; j < OXDP_N_DROPS; j++) {
            const struct oxdp_drop_info *info = oxdp_drop_info(j);

            add_drop(t, views[i].name, info->name, s.drops[j], info->text,
                     info->advice);
        }
        if (!views[i].port_no) {
            format_losses(dp, views[i].name, t);
        }
    }
}

static void
dpif_xdp_drops_show(struct unixctl_conn *conn, int argc, const char *argv[],
                    void *aux OVS_UNUSED)
{
    struct table t;

    table_columns(&t, "port", "reason", "packets", "meaning", "what to do",
                  NULL);
    show_ports(conn, argc > 1 ? argv[1] : NULL, &t,
               "Packets lost, by the port where they came in" SINCE,
               "no packet was lost" SINCE, format_drops);
}

/* fallback-show. */

/* A row about flows, or without any about the kernel bridge. */
static void
add_fallback(struct table *t, const char *port, const char *where,
             const char *reason, const struct xdp_reason_sum *sum,
             const char *text)
{
    table_add_row(t);
    table_text(t, port);
    table_text(t, where);
    table_text(t, reason);
    table_number(t, sum->flows);
    table_number(t, sum->packets);
    table_text(t, text);
}

static void
format_port_fallbacks(const struct xdp_dp *dp, const struct view *view,
                      const struct xdp_port_reasons *reasons,
                      struct table *t)
{
    struct oxdp_port_stats s;

    for (int layer = 0; layer < XDP_N_LAYERS; layer++) {
        for (int i = OXDP_REASON_NONE + 1; i < OXDP_N_REASONS; i++) {
            const struct xdp_reason_sum *sum = &reasons->sums[layer][i];

            if (sum->flows) {
                add_fallback(t, view->name, xdp_layer_name(layer),
                             oxdp_reason_name(i), sum, oxdp_reason_text(i));
            }
        }
    }
    view_get_stats(dp, view, &s);
    for (int i = 0; i < OXDP_N_AWAYS; i++) {
        const struct oxdp_drop_info *info = oxdp_drop_info(i);
        const struct xdp_reason_sum sum = { 0, s.fallbacks[i] };

        if (sum.packets) {
            add_fallback(t, view->name, "bridge", info->name, &sum,
                         info->text);
        }
    }
}

static void
format_fallbacks(struct xdp_dp *dp, const struct view *views, size_t n,
                 struct table *t)
{
    struct xdp_port_reasons *reasons = xdp_reasons_get(dp);

    for (size_t i = 0; i < n; i++) {
        if (views[i].port_no < OXDP_MAX_PORTS) {
            format_port_fallbacks(dp, &views[i], &reasons[views[i].port_no],
                                  t);
        }
    }
    free(reasons);
}

static void
dpif_xdp_fallback_show(struct unixctl_conn *conn, int argc,
                       const char *argv[], void *aux OVS_UNUSED)
{
    struct table t;

    table_columns(&t, "port", "where", "reason", "flows", "packets",
                  "meaning", NULL);
    show_ports(conn, argc > 1 ? argv[1] : NULL, &t,
               "Flows that are not plainly in XDP or TC, with their packets, "
               "and packets that the Linux bridge got, by input port",
               "every flow is where it is fastest", format_fallbacks);
}

/* masks-show. */

/* A mask in the order of one scope, and the flows under it there. */
struct mask_row {
    uint32_t scope, place;
    uint32_t mask_id, hits;
    uint64_t flows, packets;
    const struct oxdp_megaflow *mf;     /* One of them. */
};

static int
compare_rows(const void *a_, const void *b_)
{
    const struct mask_row *a = a_, *b = b_;

    return (a->scope != b->scope ? (a->scope < b->scope ? -1 : 1)
            : a->place < b->place ? -1 : a->place > b->place);
}

/* Fills '*row' in for 'mf' alone.  Returns false if BPF has no such flow. */
static bool
get_mask_row(const struct xdp_dp *dp, const struct oxdp_megaflow *mf,
             struct mask_row *row)
{
    struct oxdp_counters counters;
    struct oxdp_order order;
    struct oxdp_code code;
    struct oxdp_key key;

    if (!oxdp_megaflow_get_slot(dp->table, mf, &code)) {
        return false;
    }
    oxdp_flow_get_key(&code.flow, &code.rest, &key);
    row->scope = oxdp_table_get_order(dp->table, &key, &order);
    for (row->place = 0; row->place < order.n; row->place++) {
        if (order.ids[row->place] == code.rest.mask_id) {
            oxdp_megaflow_counters(dp->table, mf, &counters);
            row->mask_id = code.rest.mask_id;
            row->hits = order.hits[row->place];
            row->flows = 1;
            row->packets = counters.packets;
            row->mf = mf;
            return true;
        }
    }
    return false;
}

/* Returns the rows of all masks, '*n' of them, in an array to be freed. */
static struct mask_row *
get_mask_rows(const struct xdp_dp *dp, size_t *n)
{
    struct mask_row *rows = NULL;
    struct cmap_position pos = { 0 };
    const struct oxdp_megaflow *mf;
    size_t n_flows = 0, allocated = 0;

    while ((mf = oxdp_table_next(dp->table, &pos))) {
        if (n_flows >= allocated) {
            rows = x2nrealloc(rows, &allocated, sizeof *rows);
        }
        n_flows += get_mask_row(dp, mf, &rows[n_flows]);
    }
    *n = 0;
    if (n_flows) {
        qsort(rows, n_flows, sizeof *rows, compare_rows);
    }
    for (size_t i = 0; i < n_flows; i++) {
        if (*n && !compare_rows(&rows[*n - 1], &rows[i])) {
            rows[*n - 1].flows++;
            rows[*n - 1].packets += rows[i].packets;
        } else {
            rows[(*n)++] = rows[i];
        }
    }
    return rows;
}

static void
dpif_xdp_masks_show(struct unixctl_conn *conn, int argc OVS_UNUSED,
                    const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct xdp_dp *dp = xdp_unixctl_get_dp(conn);
    struct mask_row *rows;
    struct table t;
    size_t n;

    if (!dp) {
        return;
    }
    table_columns(&t, "scope", "place", "mask", "words", "flows", "packets",
                  "recent-hits", "one of the flows", NULL);
    rows = get_mask_rows(dp, &n);
    for (size_t i = 0; i < n; i++) {
        const struct mask_row *row = &rows[i];
        struct ds ds = DS_EMPTY_INITIALIZER;

        table_add_row(&t);
        table_number(&t, row->scope);
        table_number(&t, row->place);
        table_number(&t, row->mask_id);
        table_number(&t, dp->bpf->shared->masks[row->mask_id].n_words);
        table_number(&t, row->flows);
        table_number(&t, row->packets);
        table_number(&t, row->hits);
        xdp_megaflow_format(row->mf, NULL, &ds);
        table_text(&t, ds_cstr(&ds));
        ds_destroy(&ds);
    }
    free(rows);
    reply_table(conn, &t, "Masks in the order in which they are searched for "
                "packets of one scope; recent hits are those of searches, "
                "halved each second", "BPF has no flows");
    xdp_dp_unref(dp);
}

/* cache-show. */

static void
add_cache(struct xdp_dp *dp, const struct view *views, size_t n,
          uint32_t cpu, struct table *t)
{
    const struct oxdp_cpu_block *block = oxdp_bpf_cpu_block(dp->bpf, cpu);
    const volatile __u64 *hints = block->hints;
    struct oxdp_port_stats s = { .misses = 0 };
    uint64_t hits, hint_hits, used = 0;
    char *rate;

    for (uint32_t i = 0; i < dp->bpf->hint_size; i++) {
        used += hints[i] != 0;
    }
    for (size_t i = 0; i < n; i++) {
        view_add_cpu(dp, &views[i], cpu, &s);
    }
    hits = s.hits[OXDP_HOOK_XDP] + s.hits[OXDP_HOOK_TC];
    /* The counters move on between being read. */
    hint_hits = hits - MIN(hits, s.search_hits);
    rate = xasprintf("%.1f", hits ? 100.0 * hint_hits / hits : 0.0);

    table_add_row(t);
    table_number(t, cpu);
    table_number(t, dp->bpf->hint_size);
    table_number(t, used);
    table_number(t, hint_hits);
    table_number(t, s.search_hits);
    table_add_cell(t)->text = rate;
    table_number(t, s.misses);
    table_number(t, s.mask_probes);
    table_number(t, s.cut_searches);
}

static void
format_caches(struct xdp_dp *dp, const struct view *views, size_t n,
              struct table *t)
{
    for (uint32_t cpu = 0; cpu < dp->bpf->n_cpus; cpu++) {
        add_cache(dp, views, n, cpu, t);
    }
}

static void
dpif_xdp_cache_show(struct unixctl_conn *conn, int argc OVS_UNUSED,
                    const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct table t;

    table_columns(&t, "cpu", "hints", "used", "hint-hits", "search-hits",
                  "hint-hits-%", "misses", "masks-searched", "cut-short",
                  NULL);
    show_ports(conn, NULL, &t,
               "Flow hints, by CPU, and packets looked up" SINCE,
               "there is no CPU", format_caches);
}

/* rings-show. */

/* How long ago a reader of 'queue' was alive, in ms, or -1 if it never
 * was. */
static long long int
beat_age(const struct oxdp_queue *queue)
{
    uint64_t beat = *(const volatile __u64 *) &queue->beat;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return beat ? (now.tv_sec * 1000LL + now.tv_nsec / 1000000
                   - (long long int) (beat / 1000000)) : -1;
}

static void
add_ring(const struct xdp_dp *dp, uint32_t socket, struct table *t)
{
    uint64_t waiting = 0, limit = 0, refused = 0;
    struct oxdp_xsk_stats s;

    oxdp_xsk_get_stats(dp->xsks[socket], &s);
    for (uint32_t cpu = socket; cpu < dp->bpf->n_cpus;
         cpu += dp->bpf->n_queues) {
        const volatile struct oxdp_queue *queue
            = &oxdp_bpf_cpu_block(dp->bpf, cpu)->queue;
        uint32_t read = queue->read;

        waiting += (uint32_t) (queue->sent - read);
        limit += queue->limit;
        refused += queue->refused;
    }
    table_add_row(t);
    table_number(t, socket);
    table_number(t, s.rx_packets);
    table_number(t, s.tx_packets);
    table_number(t, waiting);
    table_number(t, limit);
    table_number(t, refused);
    table_number(t, s.rx_ring_full);
    table_number(t, s.rx_fill_empty);
    table_number(t, s.rx_bad);
    table_number(t, s.tx_dropped);
    table_number(t, beat_age(&oxdp_bpf_cpu_block(dp->bpf, socket)->queue));
}

static void
dpif_xdp_rings_show(struct unixctl_conn *conn, int argc OVS_UNUSED,
                    const char *argv[] OVS_UNUSED, void *aux OVS_UNUSED)
{
    struct xdp_dp *dp = xdp_unixctl_get_dp(conn);
    struct table t;

    if (!dp) {
        return;
    }
    table_columns(&t, "socket", "received", "sent", "waiting", "room",
                  "refused", "ring-full", "fill-empty", "bad", "not-sent",
                  "read-ms-ago", NULL);
    for (uint32_t i = 0; i < dp->bpf->n_queues; i++) {
        add_ring(dp, i, &t);
    }
    reply_table(conn, &t, "AF_XDP sockets, in packets since ovs-vswitchd "
                "started", "there is no socket");
    xdp_dp_unref(dp);
}

void
xdp_show_init(void)
{
    unixctl_command_register("dpif-xdp/stats-show", "[port]", 0, 1,
                             dpif_xdp_stats_show, NULL);
    unixctl_command_register("dpif-xdp/stats-clear", "[port]", 0, 1,
                             dpif_xdp_stats_clear, NULL);
    unixctl_command_register("dpif-xdp/drops-show", "[port]", 0, 1,
                             dpif_xdp_drops_show, NULL);
    unixctl_command_register("dpif-xdp/fallback-show", "[port]", 0, 1,
                             dpif_xdp_fallback_show, NULL);
    unixctl_command_register("dpif-xdp/masks-show", "", 0, 0,
                             dpif_xdp_masks_show, NULL);
    unixctl_command_register("dpif-xdp/cache-show", "", 0, 0,
                             dpif_xdp_cache_show, NULL);
    unixctl_command_register("dpif-xdp/rings-show", "", 0, 0,
                             dpif_xdp_rings_show, NULL);
}
