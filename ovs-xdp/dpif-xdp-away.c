/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-away: what the log says of packets that should have come to
 * userspace and could not, as it was away: not alive, or too busy.
 *
 * The handlers notice that there are such packets, the main thread looks at
 * the counters of ports then, until there have been none for a while.  How far
 * it has got stands in shared memory, from where the next daemon goes on.
 */

#include <config.h>

#include "dpif-xdp.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "seq.h"
#include "timeval.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_away);

/* While there are such packets, the counters are read so often, in ms. */
#define LOOK_MS 1000

/* It is over when there have been none for so long. */
#define OVER_MS 5000

static const char *
away_text(int away)
{
    static const char *const texts[] = {
#define OXDP_AWAY(ENUM, NAME, TEXT, ADVICE) [OXDP_AWAY_##ENUM] = TEXT,
        OXDP_AWAYS(OXDP_AWAY)
#undef OXDP_AWAY
    };

    return texts[away];
}

/* Adds up what has become of packets of a port with counters '*s' for want of
 * ovs-vswitchd. */
static void
sum_up(const struct oxdp_port_stats *s, struct oxdp_away_sum *sum)
{
    sum->fallbacks = 0;
    sum->drops = s->drops[OXDP_DROP_USER_FLOW];
    for (int i = 0; i < OXDP_N_AWAYS; i++) {
        sum->fallbacks += s->fallbacks[i];
        sum->drops += s->drops[i];
        sum->reasons[i] = s->fallbacks[i] + s->drops[i];
    }
}

/* Whether there were any between 'old' and 'new'. */
static bool
is_different(const struct oxdp_away_sum *old, const struct oxdp_away_sum *new)
{
    return old->fallbacks != new->fallbacks || old->drops != new->drops;
}

/* Writes what has become of packets between 'old' and 'new'. */
static void
format_fate(const struct oxdp_away_sum *old, const struct oxdp_away_sum *new,
            struct ds *ds)
{
    uint64_t n_fallbacks = new->fallbacks - old->fallbacks;
    uint64_t n_drops = new->drops - old->drops;

    if (n_fallbacks) {
        ds_put_format(ds, "the kernel bridge was given %"PRIu64" packet%s",
                      n_fallbacks, n_fallbacks > 1 ? "s" : "");
    }
    if (n_drops) {
        ds_put_format(ds, "%s%"PRIu64" packet%s lost", n_fallbacks ? ", " : "",
                      n_drops, n_drops > 1 ? "s were" : " was");
    }
}

/* Writes why. */
static void
format_reasons(const struct oxdp_away_sum *old, const struct oxdp_away_sum *new,
               struct ds *ds)
{
    const char *sep = "";

    for (int i = 0; i < OXDP_N_AWAYS; i++) {
        if (new->reasons[i] != old->reasons[i]) {
            ds_put_format(ds, "%s%s", sep, away_text(i));
            sep = ", ";
        }
    }
    if (!*sep) {
        ds_put_cstr(ds, "ovs-vswitchd was away");
    }
}

/* Logs what is new with 'port'. */
static void
port_run(struct xdp_dp *dp, struct xdp_port *port, long long int now)
    OVS_REQUIRES(dp->port_mutex)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(60, 60);
    uint32_t port_no = odp_to_u32(port->port_no);
    struct oxdp_away_sum *last = &dp->bpf->shared->ports[port_no].away;
    struct oxdp_away_sum *start = &port->away_start;
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct oxdp_port_stats stats;
    struct oxdp_away_sum sum;

    xdp_port_get_stats(dp, port_no, &stats);
    sum_up(&stats, &sum);
    if (is_different(last, &sum)) {
        if (!port->away_until) {
            *start = *last;
            format_fate(start, &sum, &ds);
            ds_put_cstr(&ds, ": ");
            format_reasons(start, &sum, &ds);
            VLOG_WARN_RL(&rl, "port %s: %s", port->name, ds_cstr(&ds));
        }
        port->away_until = now + OVER_MS;
    } else if (port->away_until && now >= port->away_until) {
        format_fate(start, &sum, &ds);
        VLOG_INFO_RL(&rl, "port %s: ovs-vswitchd gets its packets again; in "
                     "the meantime %s", port->name, ds_cstr(&ds));
        port->away_until = 0;
    }
    *last = sum;
    ds_destroy(&ds);
}

void
xdp_away_run(struct xdp_dp *dp)
{
    uint64_t seqno = seq_read(dp->refused_seq);
    long long int now = time_msec();
    struct xdp_port *port;

    if (dp->next_away ? now < dp->next_away : seqno == dp->refused_seqno) {
        return;
    }
    dp->refused_seqno = seqno;
    dp->next_away = 0;
    ovs_mutex_lock(&dp->port_mutex);
    HMAP_FOR_EACH (port, node, &dp->ports) {
        port_run(dp, port, now);
        if (port->away_until) {
            dp->next_away = now + LOOK_MS;
        }
    }
    ovs_mutex_unlock(&dp->port_mutex);
}

void
xdp_away_wait(struct xdp_dp *dp)
{
    if (dp->next_away) {
        poll_timer_wait_until(dp->next_away);
    } else {
        seq_wait(dp->refused_seq, dp->refused_seqno);
    }
}

/* Goes on counting packets of 'port' that came while no daemon ran from 'old', of
 * the maps that were in use then.  With the maps that are in use now BPF counts
 * none, as there are sockets. */
static void
port_inherit(struct xdp_dp *dp, const struct xdp_port *port,
             const struct oxdp_port_stats *old)
{
    uint32_t port_no = odp_to_u32(port->port_no);
    struct oxdp_port_stats *first
        = &oxdp_bpf_cpu_block(dp->bpf, 0)->ports[port_no];
    struct oxdp_port_stats stats;

    first->drops[OXDP_DROP_NO_DAEMON] += old->drops[OXDP_DROP_NO_DAEMON];
    first->fallbacks[OXDP_AWAY_NO_DAEMON]
        += old->fallbacks[OXDP_AWAY_NO_DAEMON];
    xdp_port_get_stats(dp, port_no, &stats);
    sum_up(&stats, &dp->bpf->shared->ports[port_no].away);
}

/* Logs what 'legacy' says of 'port'. */
static void
port_tell_legacy(struct xdp_dp *dp, const struct xdp_port *port,
                 const struct oxdp_legacy *legacy)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct oxdp_port_stats stats;
    struct oxdp_away_sum sum;
    struct oxdp_port old;

    /* A device keeps its number. */
    if (oxdp_legacy_get_port(legacy, odp_to_u32(port->port_no), &old, &stats)
        && old.ifindex == port->ifindex) {
        sum_up(&stats, &sum);
        if (is_different(&old.away, &sum)) {
            format_fate(&old.away, &sum, &ds);
            ds_put_cstr(&ds, ": ");
            format_reasons(&old.away, &sum, &ds);
            VLOG_WARN("port %s: before this ovs-vswitchd took over, %s",
                      port->name, ds_cstr(&ds));
        }
        port_inherit(dp, port, &stats);
    }
    ds_destroy(&ds);
}

void
xdp_away_tell_legacy(struct xdp_dp *dp, const struct oxdp_legacy *legacy)
{
    struct xdp_port *port;

    if (oxdp_legacy_version(legacy) != OXDP_ABI_VERSION) {
        VLOG_INFO("what became of packets before this ovs-vswitchd took over "
                  "is not known: the earlier one was of ABI version %"PRIu32
                  ", this one is of %d", oxdp_legacy_version(legacy),
                  OXDP_ABI_VERSION);
        return;
    }
    ovs_mutex_lock(&dp->port_mutex);
    HMAP_FOR_EACH (port, node, &dp->ports) {
        port_tell_legacy(dp, port, legacy);
    }
    ovs_mutex_unlock(&dp->port_mutex);
}
