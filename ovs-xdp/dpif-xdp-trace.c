/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-trace: what becomes of packets that come in on a port, in the log or
 * for whoever asks.
 *
 * BPF stores packets of ports that are traced in a ring, as they came in and as
 * they were left; the main thread looks now and then what the flow table says
 * of some of them.
 */

#include <config.h>

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <time.h>

#include "dp-packet.h"
#include "dpif-xdp-show.h"
#include "flow.h"
#include "odp-util.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "oxdp-format.h"
#include "packets.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_trace);

/* The ring is read so often, in ms, and so many packets of it are logged, and
 * kept for those who ask. */
#define TRACE_MS 100
#define TRACE_LOGGED 5
#define TRACE_KEPT 100

/* So many are kept, and for whoever asked so long ago, in ms. */
#define TRACE_EVENTS 1024
#define TRACE_READER_MS 3000

struct xdp_trace {
    struct ring_buffer *ring;
    uint64_t start;             /* What is older is of an earlier one, in ns
                                 * of CLOCK_MONOTONIC. */
    long long int next;         /* When to read it, in time_msec(). */

    /* This time. */
    struct hmap names;          /* Of ports, see odp_portno_names_set(). */
    int n_logged, n_kept, n_skipped;

    /* For those who ask: event number N is in events[N % TRACE_EVENTS]. */
    long long int read_until;   /* Until when somebody does, in time_msec(). */
    struct json *events[TRACE_EVENTS];
    uint64_t n_events;          /* Number of the next one. */
};

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* Returns the packet that 'p' is a sample of, with zeros where its bytes are
 * not known, and as metadata those of 's'. */
static struct dp_packet *
sample_to_packet(const struct oxdp_sample *s,
                 const struct oxdp_sample_packet *p)
{
    uint32_t len = MIN(p->len, UINT16_MAX);
    struct dp_packet *packet = dp_packet_new_with_headroom(len,
                                                           VLAN_HEADER_LEN);

    dp_packet_put_zeros(packet, len);
    memcpy(dp_packet_data(packet), p->data, MIN(len, OXDP_SAMPLE_BYTES));
    pkt_metadata_init(&packet->md, u32_to_odp(s->port));
    packet->md.pkt_mark = s->skb_mark;
    packet->md.skb_priority = s->skb_priority;
    if (p->vlan_tci && len >= ETH_HEADER_LEN) {
        eth_push_vlan(packet, (OVS_FORCE ovs_be16) p->vlan_tpid,
                      (OVS_FORCE ovs_be16) p->vlan_tci);
    }
    return packet;
}

/* Appends the fields of 'packet', without its input port, which "Flow" in
 * OpenFlow's terms would have as another number, and stores them in 'flow'. */
static void
format_packet(struct dp_packet *packet, struct flow *flow, struct ds *ds)
{
    struct flow shown;

    flow_extract(packet, flow);
    shown = *flow;
    shown.in_port.odp_port = 0;
    flow_format(ds, &shown, NULL);
}

/* Appends what the flow table says of a packet with 'flow'. */
static void
format_megaflow(struct xdp_dp *dp, const struct flow *flow,
                const struct hmap *names, struct ds *ds)
{
    struct oxdp_megaflow *mf = oxdp_table_lookup(dp->table, flow);
    struct oxdp_actions *actions;
    const char *layer;
    uint8_t reason;

    if (!mf) {
        ds_put_cstr(ds, "\nMegaflow: none (any more)");
        return;
    }
    actions = ovsrcu_get(struct oxdp_actions *, &mf->actions);
    layer = xdp_flow_layer(dp, mf, &reason);
    ds_put_cstr(ds, "\nMegaflow: ");
    odp_format_ufid(&mf->ufid, ds);
    ds_put_cstr(ds, ", ");
    xdp_megaflow_format(mf, names, ds);
    ds_put_cstr(ds, "\nDatapath actions: ");
    format_odp_actions(ds, actions->actions, actions->size, names);
    ds_put_format(ds, "\nVerdict: dp:%s, reason %s (%s)", layer,
                  oxdp_reason_name(reason), oxdp_reason_text(reason));
}

/* If one of 'counters' is not 0, appends 'what' and its reason, and returns
 * true. */
static bool
format_reason(const __u64 *counters, int n, const char *what, struct ds *ds)
{
    for (int i = 0; i < n; i++) {
        if (counters[i]) {
            const struct oxdp_drop_info *info = oxdp_drop_info(i);

            ds_put_format(ds, "%s, reason %s (%s)", what, info->name,
                          info->text);
            return true;
        }
    }
    return false;
}

/* Appends what the hook has done, as far as return code and counters tell. */
static void
format_outcome(const struct oxdp_sample *s, struct ds *ds)
{
    bool xdp = s->hook == OXDP_HOOK_XDP;
    const struct oxdp_port_stats *stats = &s->stats;
    uint64_t n = stats->hits[s->hook];

    ds_put_cstr(ds, "\nOutcome: ");
    if (format_reason(stats->drops, OXDP_N_DROPS, "lost", ds)
        || format_reason(stats->fallbacks, OXDP_N_AWAYS,
                         "given to the Linux bridge", ds)) {
        /* That is it. */
    } else if (stats->punts) {
        ds_put_cstr(ds, "sent to ovs-vswitchd");
    } else if (xdp && s->ret == XDP_PASS) {
        ds_put_cstr(ds, "passed to TC");
    } else if (s->ret == (xdp ? XDP_REDIRECT : TC_ACT_REDIRECT)) {
        ds_put_cstr(ds, "sent");
    } else if (s->ret == (xdp ? XDP_DROP : TC_ACT_SHOT)) {
        ds_put_cstr(ds, "copies sent, or nothing");
    } else {
        ds_put_cstr(ds, "given to the Linux bridge");
    }
    if (n) {
        ds_put_format(ds, "; %"PRIu64" flow%s executed", n, n > 1 ? "s" : "");
    }
    if (stats->misses) {
        ds_put_cstr(ds, "; no flow found");
    }
    if (stats->mask_probes) {
        ds_put_format(ds, "; %"PRIu64" mask%s searched",
                      (uint64_t) stats->mask_probes,
                      stats->mask_probes > 1 ? "s" : "");
    }
}

/* Returns true if the packet has gone on, and what it is then is known.  In
 * front of what XDP sends to ovs-vswitchd there is a header of ours. */
static bool
has_after(const struct oxdp_sample *s)
{
    return (s->after.len && !s->stats.punts
            && s->ret != (s->hook == OXDP_HOOK_XDP
                          ? XDP_DROP : TC_ACT_SHOT));
}

/* If the hook has changed the packet, appends what it is after that. */
static void
format_after(const struct oxdp_sample *s, struct ds *ds)
{
    struct dp_packet *packet;
    struct flow flow;

    if (!has_after(s)
        || !memcmp(&s->before, &s->after, sizeof s->before)) {
        return;
    }
    packet = sample_to_packet(s, &s->after);
    ds_put_cstr(ds, "\nAfter it: ");
    format_packet(packet, &flow, ds);
    ds_put_format(ds, ", %"PRIu32" bytes", dp_packet_size(packet));
    dp_packet_delete(packet);
}

/* Appends all that is known of 's', in lines.  'names' are those of ports. */
static void
format_sample(struct xdp_dp *dp, const struct xdp_port *port,
              const struct oxdp_sample *s, const struct hmap *names,
              struct ds *ds)
    OVS_REQUIRES(dp->port_mutex)
{
    struct dp_packet *packet = sample_to_packet(s, &s->before);
    struct flow flow;

    ds_put_format(ds, "%s, %s hook, %"PRIu32" bytes\nFlow: ", port->name,
                  oxdp_hook_name(s->hook), dp_packet_size(packet));
    format_packet(packet, &flow, ds);
    if (port->macvlan) {
        ds_put_cstr(ds, "\nVerdict: by its addresses, xdp-l2=macvlan");
    } else {
        format_megaflow(dp, &flow, names, ds);
    }
    format_outcome(s, ds);
    format_after(s, ds);
    dp_packet_delete(packet);
}

/* Returns a packet of 's' for those who ask: how long it was, and the bytes of
 * it that are known. */
static struct json *
packet_to_json(const struct oxdp_sample *s, const struct oxdp_sample_packet *p)
{
    struct dp_packet *packet = sample_to_packet(s, p);
    size_t size = dp_packet_size(packet);
    size_t known = MIN(p->len, OXDP_SAMPLE_BYTES) + (p->vlan_tci ? 4 : 0);
    const uint8_t *data = dp_packet_data(packet);
    struct json *json = json_object_create();
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < MIN(size, known); i++) {
        ds_put_format(&ds, "%02"PRIx8, data[i]);
    }
    json_object_put(json, "length", json_integer_create(size));
    json_object_put_string(json, "data", ds_cstr(&ds));
    ds_destroy(&ds);
    dp_packet_delete(packet);
    return json;
}

static void
keep_event(struct xdp_trace *trace, const struct xdp_port *port,
           const struct oxdp_sample *s, const char *text)
{
    uint64_t ago = clock_ns(CLOCK_MONOTONIC) - s->ns;
    struct json *event = json_object_create();
    struct json **place = &trace->events[trace->n_events++ % TRACE_EVENTS];

    json_object_put_string(event, "port", port->name);
    json_object_put_string(event, "hook", oxdp_hook_name(s->hook));
    json_object_put(event, "ns",
                    json_integer_create(clock_ns(CLOCK_REALTIME) - ago));
    json_object_put_string(event, "text", text);
    json_object_put(event, "before", packet_to_json(s, &s->before));
    if (has_after(s)) {
        json_object_put(event, "after", packet_to_json(s, &s->after));
    }
    json_destroy(*place);
    *place = event;
}

/* Called for each packet in the ring. */
static int
trace_packet(void *dp_, void *data, size_t size)
{
    const struct oxdp_sample *s = data;
    struct xdp_dp *dp = dp_;
    struct xdp_trace *trace = dp->trace;
    struct xdp_port *port;
    bool log, keep;

    if (size < sizeof *s || s->ns < trace->start
        || s->hook >= OXDP_N_HOOKS) {
        return 0;
    }
    ovs_mutex_lock(&dp->port_mutex);
    port = xdp_port_by_number(dp, u32_to_odp(s->port));
    log = port && port->traced && trace->n_logged < TRACE_LOGGED;
    keep = port && trace->read_until && trace->n_kept < TRACE_KEPT;
    trace->n_skipped += port && port->traced && !log;
    if (log || keep) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        format_sample(dp, port, s, &trace->names, &ds);
        if (log) {
            VLOG_INFO("%s", ds_cstr(&ds));
            trace->n_logged++;
        }
        if (keep) {
            keep_event(trace, port, s, ds_cstr(&ds));
            trace->n_kept++;
        }
        ds_destroy(&ds);
    }
    ovs_mutex_unlock(&dp->port_mutex);
    return 0;
}

/* Whether packets of 'port' are to be traced now. */
bool
xdp_port_is_traced(const struct xdp_port *port)
{
    return port->traced || port->traced_until;
}

/* Ends what nobody has asked for again, and returns true if there is
 * something left to be traced. */
static bool
end_reading(struct xdp_dp *dp)
{
    long long int now = time_msec();
    struct xdp_port *port;
    bool any = false;

    if (now > dp->trace->read_until) {
        dp->trace->read_until = 0;
    }
    ovs_mutex_lock(&dp->port_mutex);
    HMAP_FOR_EACH (port, node, &dp->ports) {
        if (port->traced_until && now > port->traced_until) {
            port->traced_until = 0;
            xdp_port_refresh(dp, port);
        }
        any |= xdp_port_is_traced(port);
    }
    ovs_mutex_unlock(&dp->port_mutex);
    return any || dp->trace->read_until;
}

void
xdp_trace_run(struct xdp_dp *dp)
{
    struct xdp_trace *trace = dp->trace;
    struct xdp_port *port;

    if (!trace || time_msec() < trace->next) {
        return;
    }
    trace->n_logged = trace->n_kept = trace->n_skipped = 0;
    ovs_mutex_lock(&dp->port_mutex);
    HMAP_FOR_EACH (port, node, &dp->ports) {
        odp_portno_names_set(&trace->names, port->port_no, port->name);
    }
    ovs_mutex_unlock(&dp->port_mutex);
    ring_buffer__consume(trace->ring);
    odp_portno_names_destroy(&trace->names);
    if (trace->n_skipped) {
        VLOG_INFO("and %d more, which are not shown", trace->n_skipped);
    }
    trace->next = time_msec() + TRACE_MS;
    if (!end_reading(dp)) {
        xdp_trace_destroy(dp);
    }
}

void
xdp_trace_wait(struct xdp_dp *dp)
{
    if (dp->trace) {
        poll_timer_wait_until(dp->trace->next);
    }
}

void
xdp_trace_destroy(struct xdp_dp *dp)
{
    if (dp->trace) {
        for (size_t i = 0; i < TRACE_EVENTS; i++) {
            json_destroy(dp->trace->events[i]);
        }
        hmap_destroy(&dp->trace->names);
        ring_buffer__free(dp->trace->ring);
        free(dp->trace);
        dp->trace = NULL;
    }
}

/* Loads the programs and makes the ring readable.  Returns 0 or a positive
 * errno value. */
static int
trace_open(struct xdp_dp *dp)
{
    struct ring_buffer *ring;
    int error;

    if (dp->trace) {
        return 0;
    }
    error = oxdp_bpf_load_trace(dp->bpf, NULL);
    if (error) {
        return error;
    }
    ring = ring_buffer__new(dp->bpf->samples_fd, trace_packet, dp, NULL);
    if (!ring) {
        return errno;
    }
    dp->trace = xzalloc(sizeof *dp->trace);
    dp->trace->ring = ring;
    hmap_init(&dp->trace->names);
    dp->trace->start = clock_ns(CLOCK_MONOTONIC);
    return 0;
}

/* Sets until when the packets of 'port' are traced for those who ask, in
 * time_msec(), and whether they are anyway.  Returns NULL or why that is not
 * possible, to be freed. */
static char *
trace_set(struct xdp_dp *dp, struct xdp_port *port, bool on,
          long long int until)
    OVS_REQUIRES(dp->port_mutex)
{
    bool was = xdp_port_is_traced(port);
    int error = 0;

    if (port->tunnel) {
        return xasprintf("%s is a tunnel: trace the port that its packets "
                         "come in on", port->name);
    }
    if (on || until) {
        error = trace_open(dp);
    }
    if (!error) {
        port->traced = on;
        port->traced_until = until;
        error = was != xdp_port_is_traced(port) ? xdp_port_refresh(dp, port)
                : 0;
    }
    return error ? xasprintf("cannot trace %s (%s)", port->name,
                             ovs_strerror(error)) : NULL;
}

/* Has port 'name' traced, or no longer, or if 'on' is NULL for whoever asks; or
 * replies why not, and returns false. */
static bool
trace_set_by_name(struct unixctl_conn *conn, struct xdp_dp *dp,
                  const char *name, const bool *on)
{
    struct xdp_port *port;
    char *why = NULL;

    ovs_mutex_lock(&dp->port_mutex);
    port = xdp_port_by_name(dp, name);
    if (!port) {
        xdp_reply_no_port(conn, dp, name, false);
    } else if (on) {
        why = trace_set(dp, port, *on, port->traced_until);
    } else {
        why = trace_set(dp, port, port->traced,
                        time_msec() + TRACE_READER_MS);
    }
    ovs_mutex_unlock(&dp->port_mutex);
    if (why) {
        unixctl_command_reply_error(conn, why);
        free(why);
        return false;
    }
    return port != NULL;
}

static void
dpif_xdp_trace_set(struct unixctl_conn *conn, int argc OVS_UNUSED,
                   const char *argv[], void *aux OVS_UNUSED)
{
    bool on = !strcmp(argv[2], "on");
    struct xdp_dp *dp;

    if (!on && strcmp(argv[2], "off")) {
        unixctl_command_reply_error(conn, "say \"on\" or \"off\"");
        return;
    }
    dp = xdp_unixctl_get_dp(conn);
    if (dp) {
        if (trace_set_by_name(conn, dp, argv[1], &on)) {
            unixctl_command_reply(conn, NULL);
        }
        xdp_dp_unref(dp);
    }
}

/* Returns the events from number 'from' on. */
static struct json *
get_events(const struct xdp_trace *trace, uint64_t from)
{
    struct json *reply = json_object_create();
    struct json *events = json_array_create_empty();
    uint64_t oldest = (trace->n_events > TRACE_EVENTS
                       ? trace->n_events - TRACE_EVENTS : 0);

    for (uint64_t i = MAX(from, oldest); i < trace->n_events; i++) {
        json_array_add(events,
                       json_deep_clone(trace->events[i % TRACE_EVENTS]));
    }
    json_object_put(reply, "events", events);
    json_object_put(reply, "next", json_integer_create(trace->n_events));
    return reply;
}

/* For ovs-xdp-ctl.  Replies what has happened from an event on, with the number
 * of the one that will be next, and goes on tracing the ports for a while. */
static void
dpif_xdp_trace_read(struct unixctl_conn *conn, int argc, const char *argv[],
                    void *aux OVS_UNUSED)
{
    struct xdp_dp *dp;
    struct json *reply;
    uint64_t from;
    char *text;
    int error;

    if (!strcmp(argv[1], "now")) {
        from = UINT64_MAX;
    } else if (!ovs_scan(argv[1], "%"SCNu64, &from)) {
        unixctl_command_reply_error(conn, "say \"now\", or the number of an "
                                    "event");
        return;
    }
    dp = xdp_unixctl_get_dp(conn);
    if (!dp) {
        return;
    }
    for (int i = 2; i < argc; i++) {
        if (!trace_set_by_name(conn, dp, argv[i], NULL)) {
            xdp_dp_unref(dp);
            return;
        }
    }
    error = trace_open(dp);
    if (error) {
        unixctl_command_reply_error(conn, ovs_strerror(error));
    } else {
        dp->trace->read_until = time_msec() + TRACE_READER_MS;
        reply = get_events(dp->trace, from);
        text = json_to_string(reply, 0);
        unixctl_command_reply(conn, text);
        free(text);
        json_destroy(reply);
    }
    xdp_dp_unref(dp);
}

void
xdp_trace_init(void)
{
    unixctl_command_register("dpif-xdp/trace-set", "port on|off", 2, 2,
                             dpif_xdp_trace_set, NULL);
    unixctl_command_register("dpif-xdp/trace-read", "now|number [port]...", 1,
                             INT_MAX, dpif_xdp_trace_read, NULL);
}
