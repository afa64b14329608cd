/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-match.h"

#include <string.h>

#include "flow.h"
#include "openvswitch/match.h"
#include "oxdp-abi.h"
#include "packets.h"
#include "util.h"

BUILD_ASSERT_DECL(OXDP_FRAG_ANY == FLOW_NW_FRAG_ANY);
BUILD_ASSERT_DECL(OXDP_FRAG_LATER == FLOW_NW_FRAG_LATER);
BUILD_ASSERT_DECL(OXDP_ETH_TYPE_NONE == FLOW_DL_TYPE_NONE);
BUILD_ASSERT_DECL(OXDP_VLAN_CFI == VLAN_CFI);
BUILD_ASSERT_DECL(FLOW_MAX_VLAN_HEADERS == 2);

/* Copies the fields that both have from 'flow' to '*key'; 'dl_type' says which
 * of the network addresses, or that there are labels. */
static void
copy_fields(const struct flow *flow, ovs_be16 dl_type, struct oxdp_key *key)
{
    memset(key, 0, sizeof *key);
    key->in_port = MIN(odp_to_u32(flow->in_port.odp_port), UINT16_MAX);
    key->recirc_id = flow->recirc_id;
    key->dp_hash = flow->dp_hash;
    key->skb_mark = flow->pkt_mark;
    key->skb_priority = flow->skb_priority;
    memcpy(key->eth_dst, &flow->dl_dst, sizeof key->eth_dst);
    memcpy(key->eth_src, &flow->dl_src, sizeof key->eth_src);
    key->eth_type = flow->dl_type;
    key->vlan.tpid = flow->vlans[0].tpid;
    key->vlan.tci = flow->vlans[0].tci;
    key->vlan2.tpid = flow->vlans[1].tpid;
    key->vlan2.tci = flow->vlans[1].tci;
    key->ipv6_label = flow->ipv6_label;
    key->nw_frag = flow->nw_frag;
    key->nw_tos = flow->nw_tos;
    key->nw_ttl = flow->nw_ttl;
    key->nw_proto = flow->nw_proto;
    key->tp_src = flow->tp_src;
    key->tp_dst = flow->tp_dst;
    key->tcp_flags = flow->tcp_flags;
    if (eth_type_mpls(dl_type)) {
        memcpy(key->mpls_lse, flow->mpls_lse, sizeof key->mpls_lse);
    } else if (dl_type == htons(ETH_TYPE_IPV6)) {
        memcpy(key->ipv6_src, &flow->ipv6_src, sizeof key->ipv6_src);
        memcpy(key->ipv6_dst, &flow->ipv6_dst, sizeof key->ipv6_dst);
    } else {
        key->nw_src = flow->nw_src;
        key->nw_dst = flow->nw_dst;
    }
    memcpy(key->nd_target, &flow->nd_target, sizeof key->nd_target);
    memcpy(key->arp_sha, &flow->arp_sha, sizeof key->arp_sha);
    memcpy(key->arp_tha, &flow->arp_tha, sizeof key->arp_tha);
    key->igmp_group = flow->igmp_group_ip4;
}

void
oxdp_key_from_flow(const struct flow *flow, struct oxdp_key *key)
{
    copy_fields(flow, flow->dl_type, key);
}

void
oxdp_flow_from_key(const struct oxdp_key *key, struct flow *flow)
{
    const struct oxdp_vlan *vlans[] = { &key->vlan, &key->vlan2 };

    memset(flow, 0, sizeof *flow);
    flow->in_port.odp_port = u32_to_odp(key->in_port);
    flow->recirc_id = key->recirc_id;
    flow->dp_hash = key->dp_hash;
    flow->pkt_mark = key->skb_mark;
    flow->skb_priority = key->skb_priority;
    memcpy(&flow->dl_dst, key->eth_dst, sizeof flow->dl_dst);
    memcpy(&flow->dl_src, key->eth_src, sizeof flow->dl_src);
    flow->dl_type = key->eth_type;
    for (size_t i = 0; i < ARRAY_SIZE(vlans); i++) {
        flow->vlans[i].tci = vlans[i]->tci;
        flow->vlans[i].tpid = (vlans[i]->tci && !vlans[i]->tpid
                               ? htons(ETH_TYPE_VLAN) : vlans[i]->tpid);
    }
    flow->ipv6_label = key->ipv6_label;
    flow->nw_frag = key->nw_frag;
    flow->nw_tos = key->nw_tos;
    flow->nw_ttl = key->nw_ttl;
    flow->nw_proto = key->nw_proto;
    flow->tp_src = key->tp_src;
    flow->tp_dst = key->tp_dst;
    flow->tcp_flags = key->tcp_flags;
    if (eth_type_mpls(key->eth_type)) {
        memcpy(flow->mpls_lse, key->mpls_lse, sizeof key->mpls_lse);
    } else if (key->eth_type == htons(ETH_TYPE_IPV6)) {
        memcpy(&flow->ipv6_src, key->ipv6_src, sizeof flow->ipv6_src);
        memcpy(&flow->ipv6_dst, key->ipv6_dst, sizeof flow->ipv6_dst);
    } else {
        flow->nw_src = key->nw_src;
        flow->nw_dst = key->nw_dst;
    }
    memcpy(&flow->nd_target, key->nd_target, sizeof flow->nd_target);
    memcpy(&flow->arp_sha, key->arp_sha, sizeof flow->arp_sha);
    memcpy(&flow->arp_tha, key->arp_tha, sizeof flow->arp_tha);
    flow->igmp_group_ip4 = key->igmp_group;
}

/* Zeroes in '*masks' what copy_fields() copies. */
static void
clear_fields(ovs_be16 dl_type, struct flow *masks)
{
    masks->in_port.odp_port = 0;
    masks->recirc_id = 0;
    masks->dp_hash = 0;
    masks->pkt_mark = 0;
    masks->skb_priority = 0;
    memset(&masks->dl_dst, 0, sizeof masks->dl_dst);
    memset(&masks->dl_src, 0, sizeof masks->dl_src);
    masks->dl_type = 0;
    memset(masks->vlans, 0, sizeof masks->vlans);
    masks->ipv6_label = 0;
    masks->nw_frag = 0;
    masks->nw_tos = 0;
    masks->nw_ttl = 0;
    masks->nw_proto = 0;
    masks->tp_src = 0;
    masks->tp_dst = 0;
    masks->tcp_flags = 0;
    if (eth_type_mpls(dl_type)) {
        memset(masks->mpls_lse, 0, sizeof masks->mpls_lse);
    } else if (dl_type == htons(ETH_TYPE_IPV6)) {
        memset(&masks->ipv6_src, 0, sizeof masks->ipv6_src);
        memset(&masks->ipv6_dst, 0, sizeof masks->ipv6_dst);
    } else {
        masks->nw_src = 0;
        masks->nw_dst = 0;
    }
    memset(&masks->nd_target, 0, sizeof masks->nd_target);
    memset(&masks->arp_sha, 0, sizeof masks->arp_sha);
    memset(&masks->arp_tha, 0, sizeof masks->arp_tha);
    masks->igmp_group_ip4 = 0;
}

bool
oxdp_key_from_match(const struct match *match, struct oxdp_key *key,
                    struct oxdp_key *mask)
{
    const struct flow *masks = &match->wc.masks;
    ovs_be16 dl_type = match->flow.dl_type;
    struct flow rest;

    copy_fields(&match->flow, dl_type, key);
    copy_fields(masks, dl_type, mask);

    /* Which network addresses or labels the key has depends on the Ethernet
     * type. */
    if (masks->dl_type != OVS_BE16_MAX
        && (masks->nw_src || masks->nw_dst
            || !is_all_zeros(masks->ipv6_src.s6_addr, 16)
            || !is_all_zeros(masks->ipv6_dst.s6_addr, 16)
            || !is_all_zeros(masks->mpls_lse, sizeof masks->mpls_lse))) {
        return false;
    }

    /* Fields that other frames than the key's can have. */
    if (!is_all_zeros(&masks->nsh, sizeof masks->nsh)) {
        return false;
    }

    /* The rest is zero in every frame from a port. */
    rest = *masks;
    clear_fields(dl_type, &rest);
    const uint64_t *m = (const uint64_t *) &rest;
    const uint64_t *f = (const uint64_t *) &match->flow;
    for (size_t i = 0; i < FLOW_U64S; i++) {
        if (m[i] & f[i]) {
            return false;
        }
    }
    return true;
}
