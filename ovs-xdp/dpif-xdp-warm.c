/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-warm: makes OVS put flows for the traffic that there is, before the
 * programs that an earlier daemon has left are replaced.
 *
 * Without, the first packets of all flows would make upcalls at once, and
 * packets that come while OVS answers these would be too many to wait.
 *
 * What traffic there is, the flows of the earlier daemon say, whatever its ABI
 * version.  Nothing else of them is used: for each, a packet is made that
 * matches it, and an upcall of that.  OVS puts the flow that it now wants for
 * such packets.  It also executes the packet; that is where it ends.
 */

#include <config.h>

#include <stdlib.h>

#include "dp-packet.h"
#include "dpif-xdp.h"
#include "flow.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "oxdp-compat.h"
#include "oxdp-legacy.h"
#include "oxdp-match.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_warm);

/* As many upcalls can wait. */
#define MAX_FLOWS 4096

/* Flows that have not been used for so long, in ms, are history. */
#define MAX_AGE 10000

/* How long OVS gets for it all, in ms, and how often to look. */
#define PATIENCE 3000
#define INTERVAL 10

/* A packet's flow_mark, which nothing else here has. */
#define PACKET_MARK 0x6f786477

struct xdp_warm {
    struct flow flows[MAX_FLOWS];
    size_t n;
    size_t n_done;              /* The first ones, for which there are flows
                                 * in the table. */
    long long int deadline;
};

bool
xdp_warm_is_packet(const struct dp_packet *packet)
{
    uint32_t mark;

    return dp_packet_has_flow_mark(packet, &mark) && mark == PACKET_MARK;
}

/* Returns a packet that matches 'key' under 'mask' and stores its flow in
 * '*flow', or returns NULL if there can be none. */
static struct dp_packet *
make_packet(const struct oxdp_key *key, const struct oxdp_key *mask,
            struct flow *flow)
{
    const oxdp_word *k = (const oxdp_word *) key;
    const oxdp_word *m = (const oxdp_word *) mask;
    struct dp_packet *packet = dp_packet_new(0);
    struct oxdp_key result;
    const oxdp_word *r = (const oxdp_word *) &result;

    oxdp_flow_from_key(key, flow);
    flow_compose(packet, flow, NULL, 64
#if OXDP_OVS_VERSION >= 305
                 , false
#endif
                 );
    pkt_metadata_from_flow(&packet->md, flow);
    flow_extract(packet, flow);
    oxdp_key_from_flow(flow, &result);
    for (size_t i = 0; i < OXDP_KEY_WORDS; i++) {
        if ((r[i] & m[i]) != k[i]) {
            dp_packet_delete(packet);
            return NULL;
        }
    }
    dp_packet_set_flow_mark(packet, PACKET_MARK);
    return packet;
}

/* Whether 'f' is a flow to make a packet of: one that was used lately, on a
 * port that there still is, and that tells nobody but ports. */
static bool
is_wanted(struct xdp_dp *dp, const struct oxdp_legacy_flow *f)
{
    return (!f->to_user && f->used
            && !f->key.recirc_id && !f->key.dp_hash && !f->key.skb_mark
            && !f->key.skb_priority
            && xdp_port_is_present(dp, f->key.in_port)
            && (oxdp_bpf_used_to_msec(dp->bpf, f->used)
                >= time_msec() - MAX_AGE));
}

/* Makes an upcall of 'f'.  Returns false if there may be no more. */
static bool
warm_flow(const struct oxdp_legacy_flow *f, void *dp_)
{
    struct xdp_dp *dp = dp_;
    struct xdp_warm *warm = dp->warm;

    if (is_wanted(dp, f)) {
        struct flow *flow = &warm->flows[warm->n];
        struct dp_packet *packet = make_packet(&f->key, &f->mask, flow);

        if (packet) {
            xdp_upcall_queue(dp, packet, DPIF_UC_MISS, flow, NULL, NULL);
            warm->n++;
        }
    }
    return warm->n < MAX_FLOWS;
}

void
xdp_warm_start(struct xdp_dp *dp, const struct oxdp_legacy *legacy)
{
    dp->warm = xzalloc(sizeof *dp->warm);
    dp->warm->deadline = time_msec() + PATIENCE;
    if (legacy) {
        oxdp_legacy_for_each_flow(legacy, warm_flow, dp);
    }
}

bool
xdp_warm_is_done(struct xdp_dp *dp)
{
    struct xdp_warm *warm = dp->warm;

    while (warm->n_done < warm->n
           && oxdp_table_lookup(dp->table, &warm->flows[warm->n_done])) {
        warm->n_done++;
    }
    return warm->n_done >= warm->n || time_msec() >= warm->deadline;
}

void
xdp_warm_finish(struct xdp_dp *dp)
{
    if (dp->warm && dp->warm->n) {
        VLOG_INFO("there are flows for %"PRIuSIZE" of the %"PRIuSIZE" kinds "
                  "of packets that there were lately", dp->warm->n_done,
                  dp->warm->n);
    }
    free(dp->warm);
    dp->warm = NULL;
}

void
xdp_warm_wait(const struct xdp_dp *dp)
{
    if (dp->warm) {
        poll_timer_wait(INTERVAL);
    }
}
