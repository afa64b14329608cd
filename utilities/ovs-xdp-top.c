/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All figures are of dpif-xdp/metrics, whose samples are told apart by their
 * text, name and labels.
 */

#include <config.h>

#include "ovs-xdp-top.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "ovs-xdp-client.h"
#include "timeval.h"
#include "util.h"

#define INTERVAL_MS 1000

#define DATAPATH "datapath=\"xdp@ovs-xdp\""

/* A column: its heading, and the family of counters, with those labels behind
 * that of the port, that it is the sum of per second, times 'scale'. */
#define COLUMNS                                                         \
    COLUMN(RX_PACKETS, "rx-pkt/s", "receive_packets", "", 1)            \
    COLUMN(RX_BITS, "rx-Mb/s", "receive_bytes", "", 8e-6)               \
    COLUMN(TX_PACKETS, "tx-pkt/s", "transmit_packets", "", 1)           \
    COLUMN(TX_BITS, "tx-Mb/s", "transmit_bytes", "", 8e-6)              \
    COLUMN(XDP, "xdp/s", "hit_packets", ",hook=\"xdp\"", 1)             \
    COLUMN(TC, "tc/s", "hit_packets", ",hook=\"tc\"", 1)                \
    COLUMN(SEARCHES, "search/s", "search_hit_packets", "", 1)           \
    COLUMN(MISSES, "miss/s", "missed_packets", "", 1)                   \
    COLUMN(UPCALLS, "vswitchd/s", "upcall_packets", "", 1)              \
    COLUMN(TO_TC, "to-tc/s", "to_skb_packets", "", 1)                   \
    COLUMN(BRIDGE, "bridge/s", "bridge_packets", "", 1)                 \
    COLUMN(DROPS, "drop/s", "dropped_packets", "", 1)

enum column {
#define COLUMN(ENUM, HEADING, FAMILY, LABELS, SCALE) COLUMN_##ENUM,
    COLUMNS
#undef COLUMN
    N_COLUMNS
};

static const struct {
    const char *heading, *family, *labels;
    double scale;
} columns[] = {
#define COLUMN(ENUM, HEADING, FAMILY, LABELS, SCALE) \
    { HEADING, "ovs_xdp_port_" FAMILY "_total{", LABELS, SCALE },
    COLUMNS
#undef COLUMN
};

/* What was counted at one time. */
struct figures {
    struct shash samples;       /* From a sample's text to a uint64_t. */
    long long int when;         /* In time_msec(). */
};

/* A port in the time between two figures. */
struct row {
    const char *name;           /* The node's. */
    double values[N_COLUMNS];   /* Per second. */
    double most_drops;          /* By one reason... */
    char *reason;               /* ...which is this, or NULL. */
};

static void
figures_get(struct figures *f, struct jsonrpc *client)
{
    char *text = ovs_xdp_client_call(client, "dpif-xdp/metrics", 0, NULL);
    char *line, *next = text;

    shash_init(&f->samples);
    f->when = time_msec();
    while ((line = strsep(&next, "\n")) != NULL) {
        char *value = strrchr(line, ' ');

        if (line[0] != '#' && value) {
            uint64_t *data = xmalloc(sizeof *data);

            *value = '\0';
            *data = strtoull(value + 1, NULL, 10);
            if (!shash_add_once(&f->samples, line, data)) {
                free(data);
            }
        }
    }
    free(text);
}

/* Returns what 'sample' is now. */
static uint64_t
figure(const struct figures *f, const char *sample)
{
    const uint64_t *data = shash_find_data(&f->samples, sample);

    return data ? *data : 0;
}

/* Returns the value of 'label' in 'sample', to be freed, or NULL.  '*endp', if
 * nonnull, is what comes behind it. */
static char *
get_label(const char *sample, const char *label, const char **endp)
{
    char *start = xasprintf(",%s=\"", label);
    const char *p = strstr(sample, start);
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (p) {
        for (p += strlen(start); *p && *p != '"'; p++) {
            p += *p == '\\' && p[1];
            ds_put_char(&ds, *p);
        }
        if (endp) {
            *endp = p + (*p != '\0');
        }
    }
    free(start);
    return p ? ds_steal_cstr(&ds) : NULL;
}

/* Adds to its port in 'rows' that 'sample' has become more by 'rate' per
 * second. */
static void
add_sample(struct shash *rows, const char *sample, double rate)
{
    struct row *row = NULL;
    const char *labels;

    for (size_t i = 0; i < N_COLUMNS; i++) {
        if (strncmp(sample, columns[i].family, strlen(columns[i].family))) {
            continue;
        }
        if (!row) {
            char *port = get_label(sample, "port", &labels);

            if (!port) {
                return;
            }
            row = shash_find_data(rows, port);
            if (!row) {
                row = xzalloc(sizeof *row);
                row->name = shash_add(rows, port, row)->name;
            }
            free(port);
        }
        if (strncmp(labels, columns[i].labels, strlen(columns[i].labels))) {
            continue;
        }
        row->values[i] += rate * columns[i].scale;
        if (i == COLUMN_DROPS && rate > row->most_drops) {
            row->most_drops = rate;
            free(row->reason);
            row->reason = get_label(sample, "reason", NULL);
        }
    }
}

/* The busiest first. */
static int
compare_rows(const void *a_, const void *b_)
{
    const struct row *a = ((const struct shash_node *const *) a_)[0]->data;
    const struct row *b = ((const struct shash_node *const *) b_)[0]->data;
    double x = a->values[COLUMN_RX_PACKETS] + a->values[COLUMN_TX_PACKETS];
    double y = b->values[COLUMN_RX_PACKETS] + b->values[COLUMN_TX_PACKETS];

    return x > y ? -1 : x < y ? 1 : strcmp(a->name, b->name);
}

static void
format_row(const struct row *row, struct ds *ds)
{
    double hits = row->values[COLUMN_XDP] + row->values[COLUMN_TC];

    ds_put_format(ds, "%-15s", row->name);
    for (size_t i = 0; i < N_COLUMNS; i++) {
        int width = MAX((int) strlen(columns[i].heading), 8);

        ds_put_format(ds, " %*.*f", width,
                      columns[i].scale < 1 ? 2 : 0, row->values[i]);
        if (i == COLUMN_SEARCHES && hits) {
            ds_put_format(ds, " %5.1f", 100 - 100 * row->values[i] / hits);
        } else if (i == COLUMN_SEARCHES) {
            ds_put_cstr(ds, "     -");
        }
    }
    ds_put_format(ds, " %s\n", row->reason ? row->reason : "");
}

static void
format_headings(struct ds *ds)
{
    ds_put_format(ds, "%-15s", "port");
    for (size_t i = 0; i < N_COLUMNS; i++) {
        ds_put_format(ds, " %8s", columns[i].heading);
        if (i == COLUMN_SEARCHES) {
            ds_put_cstr(ds, " hint%");
        }
    }
    ds_put_cstr(ds, " why\n");
}

/* The whole datapath. */
static void
format_summary(const struct figures *f, struct ds *ds)
{
    static const char *const layers[] = { "xdp", "tc", "user" };
    uint64_t flows[ARRAY_SIZE(layers)] = { 0 };
    struct shash_node *node;

    SHASH_FOR_EACH (node, &f->samples) {
        if (!strncmp(node->name, "ovs_xdp_layer_flows{", 20)) {
            char *layer = get_label(node->name, "layer", NULL);

            for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
                if (layer && !strcmp(layer, layers[i])) {
                    flows[i] += *(uint64_t *) node->data;
                }
            }
            free(layer);
        }
    }
    ds_put_format(ds, "flows: xdp %"PRIu64", tc %"PRIu64", user %"PRIu64
                  "; masks %"PRIu64"\n\n", flows[0], flows[1], flows[2],
                  figure(f, "ovs_xdp_masks{" DATAPATH "}"));
}

/* Appends at most 'n_lines' lines. */
static void
format_span(const struct figures *before, const struct figures *after,
            int n_lines, struct ds *ds)
{
    double seconds = MAX(after->when - before->when, 1) / 1000.0;
    struct shash rows = SHASH_INITIALIZER(&rows);
    const struct shash_node **sorted;
    struct shash_node *node;
    size_t n;

    SHASH_FOR_EACH (node, &after->samples) {
        uint64_t was = figure(before, node->name);
        uint64_t is = *(uint64_t *) node->data;

        /* A port that was added again begins at 0. */
        add_sample(&rows, node->name, is > was ? (is - was) / seconds : 0);
    }
    format_summary(after, ds);
    format_headings(ds);
    n = shash_count(&rows);
    sorted = shash_sort(&rows);
    qsort(sorted, n, sizeof *sorted, compare_rows);
    for (size_t i = 0; i < n && (int) i < n_lines - 3; i++) {
        format_row(sorted[i]->data, ds);
    }
    free(sorted);
    SHASH_FOR_EACH (node, &rows) {
        free(((struct row *) node->data)->reason);
    }
    shash_destroy_free_data(&rows);
}

static int
terminal_lines(void)
{
    struct winsize size;

    return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row > 4
           ? size.ws_row - 1 : INT_MAX;
}

void
ovs_xdp_top(struct jsonrpc *client, bool batch, int n)
{
    struct figures before, after;

    figures_get(&before, client);
    for (int i = 0; !n || i < n; i++) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        if (!ovs_xdp_client_sleep(before.when + INTERVAL_MS)) {
            break;
        }
        figures_get(&after, client);
        if (batch) {
            ds_put_cstr(&ds, i ? "\n" : "");
        } else {
            /* To the top left, and clear the screen. */
            ds_put_cstr(&ds, "\033[H\033[J");
        }
        format_span(&before, &after, batch ? INT_MAX : terminal_lines(), &ds);
        fputs(ds_cstr(&ds), stdout);
        fflush(stdout);
        ds_destroy(&ds);
        shash_destroy_free_data(&before.samples);
        before = after;
    }
    shash_destroy_free_data(&before.samples);
}
