/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "diff-list.h"

#include <string.h>

#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "packet-gen.h"
#include "packets.h"
#include "util.h"

/* The fields that BPF sets, of these those of layers 3 and 4, and those that
 * only an SKB has. */
#define BPF_SETS (1u << OVS_KEY_ATTR_ETHERNET | NW_SETS                 \
                  | 1u << OVS_KEY_ATTR_MPLS | SKB_SETS)
#define NW_SETS (1u << OVS_KEY_ATTR_IPV4 | 1u << OVS_KEY_ATTR_IPV6      \
                 | 1u << OVS_KEY_ATTR_TCP | 1u << OVS_KEY_ATTR_UDP)
#define SKB_SETS (1u << OVS_KEY_ATTR_SKB_MARK | 1u << OVS_KEY_ATTR_PRIORITY)

/* Lists in lists. */
#define MAX_DEPTH 2

/* What diff_list_make() works on. */
static struct diff_list *list;
static struct packet_gen *gen;

/* Makes a value for a field of 'size' bytes at 'value' that has the value
 * 'now', and a mask for it, all ones if 'whole'. */
static void
random_field(void *value_, void *mask_, const void *now_, size_t size,
             bool whole)
{
    uint8_t *value = value_, *mask = mask_;
    const uint8_t *now = now_;
    bool is_set = whole || packet_gen_chance(gen, 50);
    bool partly = is_set && !whole && packet_gen_chance(gen, 20);
    bool same = packet_gen_chance(gen, 20);

    for (size_t i = 0; i < size; i++) {
        mask[i] = partly ? packet_gen_random(gen) : is_set ? 0xff : 0;
        value[i] = same ? now[i] : packet_gen_random(gen);
        value[i] &= mask[i];
    }
}

/* Appends the setting of a field 'type' of 'size' bytes. */
static void
put_set(enum ovs_key_attr type, const void *value, const void *mask,
        size_t size, bool whole)
{
    size_t start = nl_msg_start_nested(&list->actions,
                                       whole ? OVS_ACTION_ATTR_SET
                                       : OVS_ACTION_ATTR_SET_MASKED);
    uint8_t *p = nl_msg_put_unspec_uninit(&list->actions, type,
                                          whole ? size : 2 * size);

    memcpy(p, value, size);
    if (!whole) {
        memcpy(p + size, mask, size);
    }
    nl_msg_end_nested(&list->actions, start);
    if (!whole && is_all_zeros(mask, size)) {
        return;
    }
    list->user |= !(BPF_SETS & 1u << type);
    list->user |= list->changed_mpls && NW_SETS & 1u << type;
    list->skb |= !!(SKB_SETS & 1u << type);
    list->changed_l2 |= type == OVS_KEY_ATTR_ETHERNET;
    list->changed_nw |= !!(NW_SETS & 1u << type);
    /* And one to look for headers again. */
    list->max_ops += type == OVS_KEY_ATTR_IPV6 ? 5 : 2;
}

/* Declares a field's structure with 'value' and 'mask', and 'whole'. */
#define SET_VARS(TYPE, CHANCE)                          \
    bool whole = packet_gen_chance(gen, CHANCE);       \
    TYPE value, mask;                                   \
                                                        \
    memset(&value, 0, sizeof value);                    \
    memset(&mask, 0, sizeof mask)
#define SET_FIELD(FIELD, NOW)                                           \
    random_field(&value.FIELD, &mask.FIELD, NOW, sizeof value.FIELD, whole)

static void
put_set_eth(const struct flow *flow)
{
    SET_VARS(struct ovs_key_ethernet, 30);

    SET_FIELD(eth_dst, &flow->dl_dst);
    SET_FIELD(eth_src, &flow->dl_src);
    put_set(OVS_KEY_ATTR_ETHERNET, &value, &mask, sizeof value, whole);
}

static void
put_set_ipv4(const struct flow *flow)
{
    SET_VARS(struct ovs_key_ipv4, 30);

    SET_FIELD(ipv4_src, &flow->nw_src);
    SET_FIELD(ipv4_dst, &flow->nw_dst);
    SET_FIELD(ipv4_tos, &flow->nw_tos);
    SET_FIELD(ipv4_ttl, &flow->nw_ttl);
    value.ipv4_proto = flow->nw_proto;
    put_set(OVS_KEY_ATTR_IPV4, &value, &mask, sizeof value, whole);
}

static void
put_set_ipv6(const struct flow *flow)
{
    SET_VARS(struct ovs_key_ipv6, 30);

    SET_FIELD(ipv6_src, &flow->ipv6_src);
    SET_FIELD(ipv6_dst, &flow->ipv6_dst);
    SET_FIELD(ipv6_label, &flow->ipv6_label);
    SET_FIELD(ipv6_tclass, &flow->nw_tos);
    SET_FIELD(ipv6_hlimit, &flow->nw_ttl);
    value.ipv6_label &= htonl(0xfffff);
    mask.ipv6_label &= htonl(0xfffff);
    value.ipv6_proto = flow->nw_proto;
    put_set(OVS_KEY_ATTR_IPV6, &value, &mask, sizeof value, whole);
}

/* All with ports have the same structure. */
static void
put_set_ports(const struct flow *flow, enum ovs_key_attr type)
{
    SET_VARS(struct ovs_key_tcp, 30);

    SET_FIELD(tcp_src, &flow->tp_src);
    SET_FIELD(tcp_dst, &flow->tp_dst);
    put_set(type, &value, &mask, sizeof value, whole);
}

static void
put_set_icmp(enum ovs_key_attr type)
{
    struct ovs_key_icmp value = {
        .icmp_type = packet_gen_random(gen),
        .icmp_code = packet_gen_random(gen),
    };

    put_set(type, &value, NULL, sizeof value, true);
}

static void
put_set_arp(const struct flow *flow)
{
    SET_VARS(struct ovs_key_arp, 30);

    SET_FIELD(arp_sip, &flow->nw_src);
    SET_FIELD(arp_tip, &flow->nw_dst);
    SET_FIELD(arp_sha, &flow->arp_sha);
    SET_FIELD(arp_tha, &flow->arp_tha);
    put_set(OVS_KEY_ATTR_ARP, &value, &mask, sizeof value, whole);
}

static void
put_set_metadata(enum ovs_key_attr type)
{
    bool whole = packet_gen_chance(gen, 60);
    uint32_t value, mask, zero = 0;

    random_field(&value, &mask, &zero, sizeof value, whole);
    put_set(type, &value, &mask, sizeof value, whole);
}

static bool
has_l4(const struct flow *flow, uint8_t proto)
{
    return is_ip_any(flow) && flow->nw_proto == proto
           && !(flow->nw_frag & FLOW_NW_FRAG_LATER);
}

/* Appends the setting of a field of layer 3 or 4 that 'flow' has, if any. */
static void
put_set_nw(const struct flow *flow)
{
    bool l4 = packet_gen_chance(gen, 40);

    if (!flow->nw_proto) {
        return;
    } else if (l4 && has_l4(flow, IPPROTO_TCP)) {
        put_set_ports(flow, OVS_KEY_ATTR_TCP);
    } else if (l4 && has_l4(flow, IPPROTO_UDP)) {
        put_set_ports(flow, OVS_KEY_ATTR_UDP);
    } else if (l4 && has_l4(flow, IPPROTO_SCTP)) {
        put_set_ports(flow, OVS_KEY_ATTR_SCTP);
    } else if (l4 && is_icmpv4(flow, NULL)) {
        put_set_icmp(OVS_KEY_ATTR_ICMP);
    } else if (l4 && is_icmpv6(flow, NULL)) {
        put_set_icmp(OVS_KEY_ATTR_ICMPV6);
    } else if (flow->dl_type == htons(ETH_TYPE_IP)) {
        put_set_ipv4(flow);
    } else if (flow->dl_type == htons(ETH_TYPE_IPV6)) {
        put_set_ipv6(flow);
    } else if (flow->dl_type == htons(ETH_TYPE_ARP)) {
        put_set_arp(flow);
    }
}

static void
put_push_vlan(void)
{
    struct ovs_action_push_vlan vlan = {
        .vlan_tpid = htons(packet_gen_chance(gen, 70) ? ETH_TYPE_VLAN_8021Q
                           : ETH_TYPE_VLAN_8021AD),
        .vlan_tci = htons(packet_gen_random(gen) | VLAN_CFI),
    };

    nl_msg_put_unspec(&list->actions, OVS_ACTION_ATTR_PUSH_VLAN, &vlan,
                      sizeof vlan);
    list->changed_l2 = true;
    list->n_pushed++;
    list->max_ops++;
}

static uint32_t
random_port(void)
{
    return (packet_gen_chance(gen, 15) ? DIFF_SKB_PORT
            : packet_gen_chance(gen, 60) ? DIFF_FRAME_PORT
            : DIFF_FRAME_PORT2);
}

static void
put_output(void)
{
    nl_msg_put_odp_port(&list->actions, OVS_ACTION_ATTR_OUTPUT,
                        u32_to_odp(random_port()));
    list->output = true;
    list->max_ops++;
}

static void
put_trunc(void)
{
    struct ovs_action_trunc trunc = {
        .max_len = 14 + packet_gen_below(gen, packet_gen_chance(gen, 50)
                                              ? 300 : 2000),
    };

    nl_msg_put_unspec(&list->actions, OVS_ACTION_ATTR_TRUNC, &trunc,
                      sizeof trunc);
    list->user |= trunc.max_len < 128;
    list->max_ops++;
}

/* Each is another action. */
static void
put_userspace(void)
{
    uint32_t userdata = packet_gen_random(gen);
    size_t start = nl_msg_start_nested(&list->actions,
                                       OVS_ACTION_ATTR_USERSPACE);

    nl_msg_put_u32(&list->actions, OVS_USERSPACE_ATTR_PID, 0);
    nl_msg_put_unspec(&list->actions, OVS_USERSPACE_ATTR_USERDATA, &userdata,
                      sizeof userdata);
    nl_msg_end_nested(&list->actions, start);
    list->skb = true;
    list->max_ops++;
}

static void
put_sample(void)
{
    size_t start = nl_msg_start_nested(&list->actions,
                                       OVS_ACTION_ATTR_SAMPLE);
    size_t inner;

    nl_msg_put_u32(&list->actions, OVS_SAMPLE_ATTR_PROBABILITY,
                   packet_gen_chance(gen, 70) ? UINT32_MAX : 0);
    inner = nl_msg_start_nested(&list->actions, OVS_SAMPLE_ATTR_ACTIONS);
    put_userspace();
    if (packet_gen_chance(gen, 10)) {
        put_output();
        list->user = true;
    }
    nl_msg_end_nested(&list->actions, inner);
    nl_msg_end_nested(&list->actions, start);
}

static void
put_hash(const struct flow *flow)
{
    struct ovs_action_hash hash = {
        .hash_alg = packet_gen_chance(gen, 50) ? OVS_HASH_ALG_L4
                    : OVS_HASH_ALG_SYM_L4,
        .hash_basis = packet_gen_chance(gen, 50) ? 0 : packet_gen_random(gen),
    };

    if (flow->nw_frag & FLOW_NW_FRAG_LATER) {
        /* OVS parses the packet again, and then takes it to have a layer 4,
         * against which the reference otherwise takes measures. */
        return;
    }
    nl_msg_put_unspec(&list->actions, OVS_ACTION_ATTR_HASH, &hash,
                      sizeof hash);
    list->user |= (list->changed_nw || list->changed_mpls
                   || (hash.hash_alg == OVS_HASH_ALG_SYM_L4
                       && list->changed_l2));
    list->max_ops++;
}

/* No meter is installed, so that every packet passes. */
static void
put_meter(void)
{
    nl_msg_put_u32(&list->actions, OVS_ACTION_ATTR_METER,
                   packet_gen_below(gen, 3000));
    list->max_ops++;
}

/* A clone that is not last. */
static void
put_clone(void)
{
    size_t start = nl_msg_start_nested(&list->actions, OVS_ACTION_ATTR_CLONE);

    put_output();
    if (packet_gen_chance(gen, 10)) {
        nl_msg_put_flag(&list->actions, OVS_ACTION_ATTR_POP_VLAN);
        list->user = true;
    } else if (packet_gen_chance(gen, 50)) {
        put_userspace();
    }
    nl_msg_end_nested(&list->actions, start);
    list->skb = true;
}

/* Appends a change of the label stack. */
static void
put_mpls(const struct flow *flow)
{
    struct ovs_action_push_mpls push = {
        .mpls_ethertype = htons(packet_gen_chance(gen, 80) ? ETH_TYPE_MPLS
                                : ETH_TYPE_MPLS_MCAST),
        .mpls_lse = htonl(packet_gen_random(gen)),
    };
    bool bos = flow->mpls_lse[0] & htonl(MPLS_BOS_MASK);

    if (!eth_type_mpls(flow->dl_type) || packet_gen_chance(gen, 30)) {
        nl_msg_put_unspec(&list->actions, OVS_ACTION_ATTR_PUSH_MPLS, &push,
                          sizeof push);
    } else if (!list->changed_mpls && packet_gen_chance(gen, 50)) {
        /* ofproto knows no more of the label behind than that it is one. */
        nl_msg_put_be16(&list->actions, OVS_ACTION_ATTR_POP_MPLS,
                        bos ? htons(ETH_TYPE_IP) : flow->dl_type);
    } else {
        SET_VARS(ovs_be32, 50);

        random_field(&value, &mask, &flow->mpls_lse[0], sizeof value, whole);
        put_set(OVS_KEY_ATTR_MPLS, &value, &mask, sizeof value, whole);
        if (!whole && !mask) {
            return;
        }
    }
    list->frame = list->changed_l2 = list->changed_mpls = true;
    list->max_ops++;
}

/* Appends what BPF does not do at all. */
static void
put_unsupported(void)
{
    list->user = true;
    put_trunc();
    put_output();
}

static void
put_action(const struct flow *flow)
{
    uint32_t choice = packet_gen_below(gen, eth_type_mpls(flow->dl_type)
                                            ? 91 : 61);

    if (choice < 6) {
        put_set_eth(flow);
    } else if (choice < 11) {
        put_push_vlan();
    } else if (choice < 16) {
        nl_msg_put_flag(&list->actions, OVS_ACTION_ATTR_POP_VLAN);
        list->changed_l2 = true;
        list->max_ops++;
    } else if (choice < 36) {
        put_set_nw(flow);
    } else if (choice < 42) {
        put_output();
        list->skb = true;
    } else if (choice < 45) {
        put_userspace();
    } else if (choice < 47) {
        put_sample();
    } else if (choice < 49) {
        put_clone();
    } else if (choice < 52) {
        put_hash(flow);
    } else if (choice < 54) {
        put_meter();
    } else if (choice < 55) {
        nl_msg_put_flag(&list->actions, OVS_ACTION_ATTR_CT_CLEAR);
    } else if (choice < 57) {
        put_set_metadata(OVS_KEY_ATTR_PRIORITY);
    } else if (choice < 59) {
        put_set_metadata(OVS_KEY_ATTR_SKB_MARK);
    } else if (choice < 60 || (eth_type_mpls(flow->dl_type)
                               && choice < 90)) {
        put_mpls(flow);
    } else {
        put_unsupported();
    }
}

static void put_list(const struct flow *, int depth);

static void
put_check_pkt_len(const struct flow *flow, int depth)
{
    size_t start = nl_msg_start_nested(&list->actions,
                                       OVS_ACTION_ATTR_CHECK_PKT_LEN);
    bool changed_l2 = list->changed_l2;
    bool changed_nw = list->changed_nw;
    bool changed_mpls = list->changed_mpls;
    size_t inner;

    list->user |= changed_mpls;
    nl_msg_put_u16(&list->actions, OVS_CHECK_PKT_LEN_ATTR_PKT_LEN,
                   packet_gen_chance(gen, 70)
                   ? MAX(0, (int) gen->len - 8
                            + (int) packet_gen_below(gen, 16))
                   : packet_gen_below(gen, 1600));
    inner = nl_msg_start_nested(&list->actions,
                                OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER);
    put_list(flow, depth + 1);
    nl_msg_end_nested(&list->actions, inner);

    list->changed_l2 = changed_l2;
    list->changed_nw = changed_nw;
    list->changed_mpls = changed_mpls;
    inner = nl_msg_start_nested(&list->actions,
                                OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL);
    put_list(flow, depth + 1);
    nl_msg_end_nested(&list->actions, inner);
    nl_msg_end_nested(&list->actions, start);
    list->max_ops += 2;
}

/* Appends what is last in a list. */
static void
put_end(const struct flow *flow, int depth)
{
    uint32_t choice = packet_gen_below(gen, 100);
    size_t start;

    if (choice < 5) {
        /* So that whatever is before this is not last. */
        nl_msg_put_flag(&list->actions, OVS_ACTION_ATTR_CT_CLEAR);
    } else if (choice < 15) {
        nl_msg_put_u32(&list->actions, OVS_ACTION_ATTR_RECIRC,
                       DIFF_RECIRC + random_port());
    } else if (choice < 22) {
        nl_msg_put_u32(&list->actions, OVS_ACTION_ATTR_RECIRC,
                       DIFF_RECIRC_USER);
    } else if (choice < 25) {
        nl_msg_put_u32(&list->actions, OVS_ACTION_ATTR_LB_OUTPUT, DIFF_BOND);
    } else if (choice < 28 && depth < MAX_DEPTH) {
        put_check_pkt_len(flow, depth);
        return;
    } else if (choice < 32 && depth < MAX_DEPTH) {
        start = nl_msg_start_nested(&list->actions, OVS_ACTION_ATTR_CLONE);
        put_list(flow, depth + 1);
        nl_msg_end_nested(&list->actions, start);
        return;
    } else {
        if (choice < 40) {
            put_trunc();
        }
        while (choice >= 85 && packet_gen_chance(gen, 60)) {
            put_output();
            list->skb = true;
        }
        put_output();
        return;
    }
    list->output |= choice >= 5;
    list->max_ops++;
}

static void
put_list(const struct flow *flow, int depth)
{
    uint32_t n = packet_gen_chance(gen, 80) || depth
                 ? packet_gen_below(gen, 4) : packet_gen_below(gen, 9);

    while (n--) {
        put_action(flow);
    }
    put_end(flow, depth);
}

void
diff_list_make(struct diff_list *list_, struct packet_gen *gen_,
               const struct flow *flow)
{
    list = list_;
    gen = gen_;
    ofpbuf_clear(&list->actions);
    list->user = list->skb = list->frame = list->output = false;
    list->changed_l2 = list->changed_nw = list->changed_mpls = false;
    list->max_ops = list->n_pushed = 0;
    put_list(flow, 0);
}
