/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-bflood.h"

#include <stdlib.h>

#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/match.h"
#include "ovs-atomic.h"
#include "oxdp-abi.h"
#include "oxdp-compile.h"
#include "oxdp-vlan.h"
#include "packets.h"
#include "util.h"

/* What a list of actions outputs of one packet, by port. */
struct outputs {
    struct oxdp_tags tags[OXDP_MAX_PORTS];
    bool there[OXDP_MAX_PORTS];
    size_t n;
};

bool
oxdp_bflood_is_candidate(const struct match *match)
{
    return (eth_mask_is_exact(match->wc.masks.dl_dst)
            && eth_addr_is_multicast(match->flow.dl_dst));
}

/* Stores in '*tags' those of packets that 'match' matches.  Returns false if
 * it matches packets with other ones, but for their priorities. */
static bool
get_tags(const struct match *match, int n_parsed, struct oxdp_tags *tags)
{
    const ovs_be16 need = htons(VLAN_VID_MASK | VLAN_CFI);

    memset(tags, 0, sizeof *tags);
    for (int i = 0; i < MIN(n_parsed, 2); i++) {
        const union flow_vlan_hdr *v = &match->flow.vlans[i];
        const union flow_vlan_hdr *m = &match->wc.masks.vlans[i];

        if ((m->tci & need) != need) {
            return false;
        }
        if (!(v->tci & htons(VLAN_CFI))) {
            break;
        }
        if (m->tpid != OVS_BE16_MAX) {
            return false;
        }
        tags->v[i].tpid = (OVS_FORCE __be16) v->tpid;
        tags->v[i].tci = (OVS_FORCE __be16) v->tci;
    }
    return true;
}

static bool
push_tag(struct oxdp_tags *tags, const struct ovs_action_push_vlan *vlan)
{
    if (oxdp_tags_count(tags) > 1) {
        return false;
    }
    tags->v[1] = tags->v[0];
    tags->v[0].tpid = (OVS_FORCE __be16) vlan->vlan_tpid;
    tags->v[0].tci = (OVS_FORCE __be16) (vlan->vlan_tci | htons(VLAN_CFI));
    return true;
}

/* Stores in '*o' what 'actions' output of a packet with 'tags'.  Returns false
 * if they do anything else, or output to a port twice. */
static bool
get_outputs(const struct nlattr *actions, size_t actions_len,
            struct oxdp_tags tags, struct outputs *o)
{
    const struct nlattr *a;
    size_t left;

    memset(o, 0, sizeof *o);
    NL_ATTR_FOR_EACH_UNSAFE (a, left, actions, actions_len) {
        if (nl_attr_type(a) == OVS_ACTION_ATTR_OUTPUT) {
            uint32_t port = odp_to_u32(nl_attr_get_odp_port(a));

            if (port >= OXDP_MAX_PORTS || o->there[port]) {
                return false;
            }
            o->there[port] = true;
            o->tags[port] = tags;
            o->n++;
        } else if (nl_attr_type(a) == OVS_ACTION_ATTR_PUSH_VLAN) {
            if (!push_tag(&tags, nl_attr_get(a))) {
                return false;
            }
        } else if (nl_attr_type(a) == OVS_ACTION_ATTR_POP_VLAN) {
            tags.v[0] = tags.v[1];
            memset(&tags.v[1], 0, sizeof tags.v[1]);
        } else {
            return false;
        }
    }
    return true;
}

/* Returns true if the kernel bridge floods a packet with 'tags' that comes in
 * on 'in_port' to exactly '*o'. */
static bool
is_same(const struct oxdp_shared *shared, uint32_t in_port,
        const struct oxdp_tags *tags, const struct outputs *o)
{
    const struct oxdp_bport *in = &shared->bports[in_port];
    size_t n = 0;

    for (uint32_t port = 1; port < OXDP_MAX_PORTS; port++) {
        struct oxdp_tags out_tags;

        if (port == in_port
            || shared->bports[port].bridge != in->bridge
            || !oxdp_vlan_forward(in, &shared->bports[port], tags,
                                  &out_tags)) {
            continue;
        }
        if (!o->there[port]
            || memcmp(&out_tags, &o->tags[port], sizeof out_tags)) {
            return false;
        }
        n++;
    }
    return n == o->n;
}

/* Returns true if the kernel bridge does with all packets that 'match' matches
 * what 'actions' say. */
static bool
bridge_does_it(const struct oxdp_shared *shared, const struct match *match,
               const struct nlattr *actions, size_t actions_len)
{
    static const uint16_t priorities[] = { 0, 1 << VLAN_PCP_SHIFT,
                                           7 << VLAN_PCP_SHIFT };
    ovs_be16 mask = match->wc.masks.vlans[0].tci;
    struct outputs *o = xmalloc(sizeof *o);
    struct oxdp_tags tags;
    bool same;

    same = get_tags(match, shared->control.vlan_limit, &tags);
    for (size_t i = 0; same && i < ARRAY_SIZE(priorities); i++) {
        struct oxdp_tags t = tags;

        if (t.v[0].tci) {
            t.v[0].tci |= htons(priorities[i]) & ~mask;
        }
        same = (get_outputs(actions, actions_len, t, o)
                && is_same(shared, odp_to_u32(match->flow.in_port.odp_port),
                           &t, o));
    }
    free(o);
    return same;
}

void
oxdp_bflood_choose(const struct oxdp_shared *shared, const struct match *match,
                   const struct nlattr *actions, size_t actions_len,
                   struct oxdp_code *code)
{
    struct oxdp_flow *flow = &code->flow;
    uint32_t in_port = odp_to_u32(match->flow.in_port.odp_port);
    uint32_t gen = shared->control.bridge_gen;
    const struct oxdp_bport *in;
    bool too_long;

    /* What the bridge has learned must not matter. */
    if (in_port >= OXDP_MAX_PORTS || match->flow.recirc_id
        || !eth_mask_is_exact(match->wc.masks.dl_dst)
        || !eth_addr_is_multicast(match->flow.dl_dst)
        || oxdp_is_reserved(match->flow.dl_dst.ea)) {
        return;
    }
    in = &shared->bports[in_port];
    too_long = code->rest.reason == OXDP_REASON_TOO_LONG;
    if (!in->bridge
        || !(too_long || (in->flags & OXDP_BPORT_F_FLOOD
                          && (flow->verdict == OXDP_VERDICT_FLOOD
                              || flow->verdict == OXDP_VERDICT_SKB)))) {
        return;
    }
    /* 'gen' from before, in case that ports change meanwhile. */
    atomic_thread_fence(memory_order_acquire);
    if (bridge_does_it(shared, match, actions, actions_len)) {
        flow->verdict = OXDP_VERDICT_BRIDGE;
        code->rest.reason = OXDP_REASON_BRIDGE;
        code->rest.bridge_gen = gen;
    }
}
