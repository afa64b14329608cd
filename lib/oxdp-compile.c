/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-compile.h"

#include <string.h>

#include "hash.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "oxdp-abi.h"
#include "oxdp-actions.h"
#include "oxdp-hash.h"
#include "packets.h"
#include "util.h"

/* The kernel does not cut headers off an SKB. */
#define MIN_TRUNC 128

/* Compilation of one flow. */
struct compiler {
    struct oxdp_code *code;
    struct oxdp_flow *flow;     /* 'code->flow'. */
    enum oxdp_reason skb_reason; /* Why it takes an SKB, or NONE. */
    int set_pos;                /* Where the next SET of layers 3 and 4 goes. */
    bool moved;                 /* The headers move after 'set_pos', */
    bool lost;                  /* and have moved before it. */
    int n_pushed;               /* VLAN tags. */
    bool changed_l2;            /* Layer 2 is not as received. */
    bool changed_nw;            /* Nor are layers 3 and 4. */
    uint32_t trunc;             /* Length for the next output, or 0. */
    bool changed_mpls;
    bool has_output;
    bool has_userspace;         /* Of all packets, not of samples. */
};

/* Appends an opcode, or returns NULL if there is no room. */
static struct oxdp_op *
add_op(struct compiler *c, enum oxdp_opcode code)
{
    struct oxdp_flow *flow = c->flow;

    if (flow->n_ops >= OXDP_MAX_OPS) {
        return NULL;
    }
    struct oxdp_op *op = &c->code->ops[flow->n_ops++];

    memset(op, 0, sizeof *op);
    op->code = code;
    return op;
}

/* No opcode of what follows goes before what there is. */
static void
add_barrier(struct compiler *c)
{
    c->set_pos = c->flow->n_ops;
    c->lost |= c->moved;
    c->moved = false;
}

/* Inserts an opcode at 'set_pos'. */
static struct oxdp_op *
insert_op(struct compiler *c, enum oxdp_opcode code)
{
    struct oxdp_op *op = add_op(c, code);
    struct oxdp_op *place = &c->code->ops[c->set_pos];
    struct oxdp_op new;

    if (!op) {
        return NULL;
    }
    new = *op;
    memmove(place + 1, place, (char *) op - (char *) place);
    *place = new;
    c->set_pos++;
    return place;
}

/* Adds an opcode that sets fields of layer 3 or 4, of packets with 'headers'.
 * It goes before those that move headers, so that the executor finds the
 * headers where they were.  That makes no difference to what comes out: these
 * have nothing in common with layer 2. */
static struct oxdp_op *
add_set_op(struct compiler *c, enum oxdp_opcode code, uint32_t headers)
{
    if (c->lost) {
        /* OVS has parsed no more than two tags. */
        if (c->n_pushed > 2 || !insert_op(c, OXDP_OP_LOCATE)) {
            return NULL;
        }
        c->lost = false;
    }
    c->flow->headers |= headers;
    c->changed_nw = true;
    return insert_op(c, code);
}

/* The opcode takes an SKB, because of 'reason'.  That a flow sends packets to
 * userspace is worth knowing before all else. */
static void
need_skb(struct compiler *c, enum oxdp_reason reason)
{
    if (!c->skb_reason || reason == OXDP_REASON_USERSPACE) {
        c->skb_reason = reason;
    }
}

static enum oxdp_reason
compile_set_eth(struct compiler *c, const struct ovs_key_ethernet *value,
                const struct ovs_key_ethernet *mask)
{
    struct oxdp_op *op = add_op(c, OXDP_OP_SET_ETH);

    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    c->changed_l2 = true;
    memcpy(op->eth.dst, &value->eth_dst, ETH_ADDR_LEN);
    memcpy(op->eth.src, &value->eth_src, ETH_ADDR_LEN);
    memcpy(op->eth.dst_mask, &mask->eth_dst, ETH_ADDR_LEN);
    memcpy(op->eth.src_mask, &mask->eth_src, ETH_ADDR_LEN);
    return OXDP_REASON_NONE;
}

/* Sets words of 'op' from 'value' under 'mask'. */
static void
set_words(struct oxdp_op *op, const ovs_be32 *value, const ovs_be32 *mask,
          int n)
{
    for (int i = 0; i < n; i++) {
        op->set.value[i] = (OVS_FORCE __be32) (value[i] & mask[i]);
        op->set.mask[i] = (OVS_FORCE __be32) mask[i];
    }
}

/* Stores what opcode SET_IPV4 sets of 'key' in 'words'. */
static void
ipv4_words(const struct ovs_key_ipv4 *key, ovs_be32 words[3])
{
    uint8_t bytes[4] = { key->ipv4_tos, key->ipv4_ttl };

    memcpy(&words[0], bytes, sizeof bytes);
    words[1] = key->ipv4_src;
    words[2] = key->ipv4_dst;
}

static enum oxdp_reason
compile_set_ipv4(struct compiler *c, const struct ovs_key_ipv4 *key,
                 const struct ovs_key_ipv4 *key_mask)
{
    ovs_be32 value[3], mask[3];
    struct oxdp_op *op;

    ipv4_words(key, value);
    ipv4_words(key_mask, mask);
    op = add_set_op(c, OXDP_OP_SET_IPV4,
                    OXDP_HEADERS_IPV4
                    | (mask[1] | mask[2] ? OXDP_HEADERS_ADDR : 0));
    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    set_words(op, value, mask, 3);
    return OXDP_REASON_NONE;
}

/* The words of an IPv6 header, and of them those with addresses. */
#define IPV6_WORDS 10
#define IPV6_ADDR_WORD 2

/* Stores the fields of an IPv6 header that are in 'key' in 'words'. */
static void
ipv6_words(const struct ovs_key_ipv6 *key, ovs_be32 words[IPV6_WORDS])
{
    words[0] = htonl((uint32_t) key->ipv6_tclass << 20)
               | (key->ipv6_label & htonl(IPV6_LABEL_MASK));
    words[1] = htonl(key->ipv6_hlimit);
    memcpy(&words[2], &key->ipv6_src, 16);
    memcpy(&words[6], &key->ipv6_dst, 16);
}

/* An opcode holds three words. */
static enum oxdp_reason
compile_set_ipv6(struct compiler *c, const struct ovs_key_ipv6 *key,
                 const struct ovs_key_ipv6 *key_mask)
{
    ovs_be32 value[IPV6_WORDS], mask[IPV6_WORDS];
    int i = 0;

    ipv6_words(key, value);
    ipv6_words(key_mask, mask);
    while (i < IPV6_WORDS) {
        bool addr = i >= IPV6_ADDR_WORD;
        int last = addr ? IPV6_WORDS : IPV6_ADDR_WORD;
        struct oxdp_op *op;
        int n, start;

        if (!mask[i]) {
            i++;
            continue;
        }
        n = MIN(last - i, 3);
        start = MIN(i, IPV6_WORDS - 3);
        op = add_set_op(c, OXDP_OP_SET_IPV6,
                        OXDP_HEADERS_IPV6 | (addr ? OXDP_HEADERS_ADDR : 0));
        if (!op) {
            return OXDP_REASON_TOO_LONG;
        }
        op->arg32 = start * 4;
        memset(&mask[start], 0, (i - start) * sizeof *mask);
        set_words(op, &value[start], &mask[start], i - start + n);
        i += n;
    }
    return OXDP_REASON_NONE;
}

/* Compiles the setting of ports of TCP or UDP, whose structures are the
 * same. */
static enum oxdp_reason
compile_set_ports(struct compiler *c, enum oxdp_opcode code,
                  uint32_t headers, const ovs_be32 *value,
                  const ovs_be32 *mask)
{
    struct oxdp_op *op = add_set_op(c, code, headers);

    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    set_words(op, value, mask, 1);
    return OXDP_REASON_NONE;
}

BUILD_ASSERT_DECL(sizeof(struct ovs_key_tcp) == sizeof(ovs_be32));
BUILD_ASSERT_DECL(sizeof(struct ovs_key_udp) == sizeof(ovs_be32));

/* Appends an opcode about labels. */
static struct oxdp_op *
add_mpls_op(struct compiler *c, enum oxdp_opcode code)
{
    c->flow->headers |= OXDP_HEADERS_MPLS;
    c->changed_l2 = c->changed_mpls = true;
    return add_op(c, code);
}

static enum oxdp_reason
compile_set_mpls(struct compiler *c, const ovs_be32 *value,
                 const ovs_be32 *mask)
{
    struct oxdp_op *op = add_mpls_op(c, OXDP_OP_SET_MPLS);

    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    set_words(op, value, mask, 1);
    return OXDP_REASON_NONE;
}

static enum oxdp_reason
compile_push_mpls(struct compiler *c, ovs_be16 eth_type, ovs_be32 lse)
{
    struct oxdp_op *op = add_mpls_op(c, OXDP_OP_PUSH_MPLS);

    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    op->mpls.eth_type = (OVS_FORCE __be16) eth_type;
    op->mpls.lse = (OVS_FORCE __be32) lse;
    return eth_type_mpls(eth_type) ? OXDP_REASON_NONE : OXDP_REASON_ACTION;
}

static enum oxdp_reason
compile_pop_mpls(struct compiler *c, ovs_be16 eth_type)
{
    struct oxdp_op *op = add_mpls_op(c, OXDP_OP_POP_MPLS);

    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    op->mpls.eth_type = (OVS_FORCE __be16) eth_type;
    return OXDP_REASON_NONE;
}

static enum oxdp_reason
compile_set_metadata(struct compiler *c, enum oxdp_opcode code,
                     const uint32_t *value, const uint32_t *mask)
{
    struct oxdp_op *op = add_op(c, code);

    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    op->meta.value = *value & *mask;
    op->meta.mask = *mask;
    need_skb(c, OXDP_REASON_METADATA);
    return OXDP_REASON_NONE;
}

/* Compiles the setting of field 'key' to its value, under the mask that
 * follows the value if 'masked'.
 *
 * Fields of ARP, ICMP and ND are not worth an opcode: ofproto sends flows that
 * set these to userspace anyway (SLOW_ACTION).  A change of SCTP ports takes a
 * new CRC over the whole packet. */
static enum oxdp_reason
compile_set(struct compiler *c, const struct nlattr *key, bool masked)
{
    static const uint32_t all_ones[16] = {
        UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
        UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
        UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
        UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
    };
    const void *value = nl_attr_get(key);
    const void *mask = all_ones;

    if (masked) {
        size_t size = nl_attr_get_size(key) / 2;

        mask = (const char *) value + size;
        if (is_all_zeros(mask, size)) {
            return OXDP_REASON_NONE;
        }
    }
    if (c->changed_mpls && (nl_attr_type(key) == OVS_KEY_ATTR_IPV4
                            || nl_attr_type(key) == OVS_KEY_ATTR_IPV6
                            || nl_attr_type(key) == OVS_KEY_ATTR_TCP
                            || nl_attr_type(key) == OVS_KEY_ATTR_UDP)) {
        /* They are no longer where they were. */
        return OXDP_REASON_SET_FIELD;
    }
    switch ((enum ovs_key_attr) nl_attr_type(key)) {
    case OVS_KEY_ATTR_MPLS:
        return compile_set_mpls(c, value, mask);
    case OVS_KEY_ATTR_ETHERNET:
        return compile_set_eth(c, value, mask);
    case OVS_KEY_ATTR_IPV4:
        return compile_set_ipv4(c, value, mask);
    case OVS_KEY_ATTR_IPV6:
        return compile_set_ipv6(c, value, mask);
    case OVS_KEY_ATTR_TCP:
        return compile_set_ports(c, OXDP_OP_SET_TCP, OXDP_HEADERS_TCP,
                                 value, mask);
    case OVS_KEY_ATTR_UDP:
        return compile_set_ports(c, OXDP_OP_SET_UDP, OXDP_HEADERS_UDP,
                                 value, mask);
    case OVS_KEY_ATTR_SKB_MARK:
        return compile_set_metadata(c, OXDP_OP_SET_MARK, value, mask);
    case OVS_KEY_ATTR_PRIORITY:
        return compile_set_metadata(c, OXDP_OP_SET_PRIORITY, value, mask);
    default:
        return OXDP_REASON_SET_FIELD;
    }
}

static enum oxdp_reason
compile_push_vlan(struct compiler *c, const struct nlattr *a)
{
    const struct ovs_action_push_vlan *vlan = nl_attr_get(a);
    struct oxdp_op *op;

    if (!eth_type_vlan(vlan->vlan_tpid)) {
        return OXDP_REASON_ACTION;
    }
    op = add_op(c, OXDP_OP_PUSH_VLAN);
    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    c->moved = c->changed_l2 = true;
    c->n_pushed++;
    op->be16[0] = vlan->vlan_tpid;
    op->be16[1] = vlan->vlan_tci & ~htons(VLAN_CFI);
    return OXDP_REASON_NONE;
}

/* Compiles an output to 'port_no', the end of the list if 'last'. */
static enum oxdp_reason
compile_output(struct compiler *c, uint32_t port_no, bool last)
{
    struct oxdp_flow *flow = c->flow;
    struct oxdp_op *op = NULL;

    if (port_no == 0 || port_no >= OXDP_MAX_PORTS) {
        return OXDP_REASON_PORT;
    }
    c->has_output = true;
    if (c->trunc) {
        if (!last) {
            return OXDP_REASON_TRUNC;
        }
        op = add_op(c, OXDP_OP_TRUNC);
        if (!op) {
            return OXDP_REASON_TOO_LONG;
        }
        op->arg32 = c->trunc;
        c->trunc = 0;
    }
    if (last) {
        op = add_op(c, OXDP_OP_OUTPUT);
        if (!op) {
            return OXDP_REASON_TOO_LONG;
        }
        op->arg32 = flow->out_port = port_no;
        return OXDP_REASON_NONE;
    }

    /* One more of the copies that are made already. */
    op = c->set_pos && c->set_pos == flow->n_ops
         ? &c->code->ops[flow->n_ops - 1] : NULL;
    if (!op || op->code != OXDP_OP_COPY || op->arg32 >= OXDP_COPY_PORTS) {
        op = add_op(c, OXDP_OP_COPY);
        if (!op) {
            return OXDP_REASON_TOO_LONG;
        }
        add_barrier(c);
    }
    op->ports[op->arg32++] = port_no;
    need_skb(c, OXDP_REASON_MULTI_OUTPUT);
    return OXDP_REASON_NONE;
}

/* Compiles a "userspace" action, for packets with 'probability'. */
static enum oxdp_reason
compile_userspace(struct compiler *c, const struct nlattr *a,
                  uint32_t probability)
{
    struct oxdp_op *op = add_op(c, OXDP_OP_USERSPACE);

    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    op->user.cookie = oxdp_cookie(a);
    op->user.probability = probability;
    add_barrier(c);
    c->has_userspace |= probability == UINT32_MAX;
    need_skb(c, OXDP_REASON_USERSPACE);
    return OXDP_REASON_NONE;
}

/* Returns true if the list does nothing to the packet itself. */
static bool
only_copies(const struct nlattr *actions, size_t actions_len)
{
    const struct nlattr *a;
    size_t left;

    NL_ATTR_FOR_EACH_UNSAFE (a, left, actions, actions_len) {
        switch ((int) nl_attr_type(a)) {
        case OVS_ACTION_ATTR_OUTPUT:
        case OVS_ACTION_ATTR_USERSPACE:
        case OVS_ACTION_ATTR_SAMPLE:
            break;
        case OVS_ACTION_ATTR_CLONE:
            if (!only_copies(nl_attr_get(a), nl_attr_get_size(a))) {
                return false;
            }
            break;
        default:
            return false;
        }
    }
    return true;
}

static enum oxdp_reason compile_list(struct compiler *, const struct nlattr *,
                                     size_t, bool last);

static enum oxdp_reason
compile_clone(struct compiler *c, const struct nlattr *a, bool last)
{
    const struct nlattr *list = nl_attr_get(a);
    size_t len = nl_attr_get_size(a);

    return last || only_copies(list, len)
           ? compile_list(c, list, len, last) : OXDP_REASON_CLONE;
}

/* What is sampled goes to userspace, to a collector. */
static enum oxdp_reason
compile_sample(struct compiler *c, const struct nlattr *sample)
{
    const struct nlattr *list = nl_attr_find_nested(sample,
                                                    OVS_SAMPLE_ATTR_ACTIONS);
    const struct nlattr *probability
        = nl_attr_find_nested(sample, OVS_SAMPLE_ATTR_PROBABILITY);
    const struct nlattr *a;

    if (!list || !probability) {
        return OXDP_REASON_ACTION;
    }
    a = nl_attr_get(list);
    if (nl_attr_get_size(list) < NLA_HDRLEN
        || nl_attr_get_size(list) > NLA_ALIGN(a->nla_len)
        || nl_attr_type(a) != OVS_ACTION_ATTR_USERSPACE) {
        return OXDP_REASON_CLONE;
    }
    return compile_userspace(c, a, nl_attr_get_u32(probability));
}

static enum oxdp_reason
compile_check_pkt_len(struct compiler *c, const struct nlattr *check,
                      bool last)
{
    const struct nlattr *len, *longer, *other;
    enum oxdp_reason reason;
    struct compiler start;
    struct oxdp_op *op;
    int i;

    if (!last) {
        return OXDP_REASON_CLONE;
    }
    if (c->changed_mpls) {
        /* Where the IP packet ends cannot be seen any more. */
        return OXDP_REASON_ACTION;
    }
    len = nl_attr_find_nested(check, OVS_CHECK_PKT_LEN_ATTR_PKT_LEN);
    longer = nl_attr_find_nested(
        check, OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_GREATER);
    other = nl_attr_find_nested(
        check, OVS_CHECK_PKT_LEN_ATTR_ACTIONS_IF_LESS_EQUAL);
    if (!len || !longer || !other) {
        return OXDP_REASON_ACTION;
    }

    i = c->flow->n_ops;
    op = add_op(c, OXDP_OP_CHECK_LEN);
    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    op->check.len = nl_attr_get_u16(len);
    c->flow->headers |= OXDP_HEADERS_LEN;
    add_barrier(c);
    start = *c;

    reason = compile_list(c, nl_attr_get(longer), nl_attr_get_size(longer),
                          true);
    if (!reason && !add_op(c, OXDP_OP_DROP)) {
        reason = OXDP_REASON_TOO_LONG;
    }
    if (reason) {
        return reason;
    }
    c->code->ops[i].check.next = c->flow->n_ops;
    add_barrier(c);
    c->moved = start.moved;
    c->lost = start.lost;
    c->changed_l2 = start.changed_l2;
    c->changed_nw = start.changed_nw;
    c->changed_mpls = start.changed_mpls;
    c->trunc = start.trunc;
    return compile_list(c, nl_attr_get(other), nl_attr_get_size(other), true);
}

static enum oxdp_reason
compile_hash(struct compiler *c, const struct ovs_action_hash *hash)
{
    struct oxdp_op *op;

    /* BPF hashes the packet as it was received, and does not do it the way of
     * an OVS that is built for certain processors. */
    if (c->changed_nw || c->changed_mpls
        || hash_int(1, 2) != oxdp_hash_int(1, 2)
        || (hash->hash_alg == OVS_HASH_ALG_SYM_L4 && c->changed_l2)
        || (hash->hash_alg != OVS_HASH_ALG_L4
            && hash->hash_alg != OVS_HASH_ALG_SYM_L4)) {
        return OXDP_REASON_ACTION;
    }
    op = add_op(c, OXDP_OP_HASH);
    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    op->hash.alg = hash->hash_alg;
    op->hash.basis = hash->hash_basis;
    return OXDP_REASON_NONE;
}

/* Compiles an output to bond 'id', which is the end of the list.  OVS hashes a
 * packet when it comes in, so that what has been changed does not matter. */
static enum oxdp_reason
compile_lb_output(struct compiler *c, uint32_t id)
{
    struct oxdp_op *op;

    if (!id || hash_int(1, 2) != oxdp_hash_int(1, 2)) {
        return OXDP_REASON_ACTION;
    }
    op = add_op(c, OXDP_OP_LB_OUTPUT);
    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    op->arg32 = id;
    c->has_output = true;
    return OXDP_REASON_NONE;
}

static enum oxdp_reason
compile_meter(struct compiler *c, uint32_t id)
{
    struct oxdp_op *op;

    if (id >= OXDP_MAX_METERS) {
        return OXDP_REASON_ACTION;
    }
    op = add_op(c, OXDP_OP_METER);
    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    op->arg32 = id;
    return OXDP_REASON_NONE;
}

/* Compiles one action.  'last' says that no other follows. */
static enum oxdp_reason
compile_action(struct compiler *c, const struct nlattr *a, bool last)
{
    struct oxdp_op *op;

    if (c->trunc && nl_attr_type(a) != OVS_ACTION_ATTR_OUTPUT) {
        return OXDP_REASON_TRUNC;
    }
    switch ((enum ovs_action_attr) nl_attr_type(a)) {
    case OVS_ACTION_ATTR_OUTPUT:
        return compile_output(c, odp_to_u32(nl_attr_get_odp_port(a)), last);

    case OVS_ACTION_ATTR_RECIRC:
        if (!last) {
            return OXDP_REASON_CLONE;
        }
        op = add_op(c, OXDP_OP_RECIRC);
        if (!op) {
            return OXDP_REASON_TOO_LONG;
        }
        op->arg32 = nl_attr_get_u32(a);
        c->has_output = true;
        return OXDP_REASON_NONE;

    case OVS_ACTION_ATTR_SET:
        return compile_set(c, nl_attr_get(a), false);

    case OVS_ACTION_ATTR_SET_MASKED:
        return compile_set(c, nl_attr_get(a), true);

    case OVS_ACTION_ATTR_PUSH_VLAN:
        return compile_push_vlan(c, a);

    case OVS_ACTION_ATTR_POP_VLAN:
        c->moved = c->changed_l2 = true;
        return add_op(c, OXDP_OP_POP_VLAN) ? OXDP_REASON_NONE
                                           : OXDP_REASON_TOO_LONG;

    case OVS_ACTION_ATTR_PUSH_MPLS: {
        const struct ovs_action_push_mpls *mpls = nl_attr_get(a);

        return compile_push_mpls(c, mpls->mpls_ethertype, mpls->mpls_lse);
    }

    case OVS_ACTION_ATTR_ADD_MPLS: {
        const struct ovs_action_add_mpls *mpls = nl_attr_get(a);

        return (mpls->tun_flags & OVS_MPLS_L3_TUNNEL_FLAG_MASK
                ? compile_push_mpls(c, mpls->mpls_ethertype, mpls->mpls_lse)
                : OXDP_REASON_ACTION);
    }

    case OVS_ACTION_ATTR_POP_MPLS:
        return compile_pop_mpls(c, nl_attr_get_be16(a));

    case OVS_ACTION_ATTR_USERSPACE:
        return compile_userspace(c, a, UINT32_MAX);

    case OVS_ACTION_ATTR_CLONE:
        return compile_clone(c, a, last);

    case OVS_ACTION_ATTR_SAMPLE:
        return compile_sample(c, a);

    case OVS_ACTION_ATTR_CHECK_PKT_LEN:
        return compile_check_pkt_len(c, a, last);

    case OVS_ACTION_ATTR_TRUNC: {
        const struct ovs_action_trunc *trunc = nl_attr_get(a);

        c->trunc = trunc->max_len;
        return c->trunc < MIN_TRUNC ? OXDP_REASON_TRUNC : OXDP_REASON_NONE;
    }

    case OVS_ACTION_ATTR_HASH:
        return compile_hash(c, nl_attr_get(a));

    case OVS_ACTION_ATTR_LB_OUTPUT:
        return (last ? compile_lb_output(c, nl_attr_get_u32(a))
                : OXDP_REASON_CLONE);

    case OVS_ACTION_ATTR_METER:
        return compile_meter(c, nl_attr_get_u32(a));

    case OVS_ACTION_ATTR_CT_CLEAR:
        /* No packet in BPF has been through conntrack. */
        return OXDP_REASON_NONE;

    default:
        /* The rest, some of which not all versions of OVS have. */
        return OXDP_REASON_ACTION;
    }
}

/* Returns true if 'a', behind which there are 'rest' bytes of actions, is an
 * opcode that must be last, and is no different for being that. */
static bool
may_be_deferred(const struct compiler *c, const struct nlattr *a, size_t rest)
{
    return ((nl_attr_type(a) == OVS_ACTION_ATTR_LB_OUTPUT
             || nl_attr_type(a) == OVS_ACTION_ATTR_RECIRC)
            && rest && !c->trunc && only_copies(nl_attr_next(a), rest));
}

/* Compiles a list of actions, behind which nothing is done if 'last'. */
static enum oxdp_reason
compile_list(struct compiler *c, const struct nlattr *actions,
             size_t actions_len, bool last)
{
    const struct nlattr *deferred = NULL;
    const struct nlattr *a;
    unsigned int left;

    NL_ATTR_FOR_EACH_UNSAFE (a, left, actions, actions_len) {
        size_t size = NLA_ALIGN(a->nla_len);
        enum oxdp_reason reason;

        if (last && may_be_deferred(c, a, left - MIN(left, size))) {
            /* A flood, one of whose ports is a bond. */
            deferred = a;
            last = false;
            continue;
        }

        if (nl_attr_type(a) == OVS_ACTION_ATTR_DROP) {
            /* Dropping is what the fast path does at the end of a list.  The
             * flow counts such packets; OVS's coverage counters, one per
             * reason, count only those that userspace executes. */
            return last ? OXDP_REASON_NONE : OXDP_REASON_ACTION;
        }
        reason = compile_action(c, a, last && left <= size);
        if (reason) {
            return reason;
        }
    }
    return deferred ? compile_action(c, deferred, true) : OXDP_REASON_NONE;
}

/* Returns true if 'code', which is complete, ends in several outputs of the
 * same bytes, without anything else in it that takes an SKB. */
static bool
is_flood(const struct oxdp_code *code)
{
    bool copies = false;

    for (int i = 0; i < code->flow.n_ops; i++) {
        switch (code->ops[i].code) {
        case OXDP_OP_COPY:
            copies = true;
            break;
        case OXDP_OP_OUTPUT:
            return copies;
        case OXDP_OP_USERSPACE:
        case OXDP_OP_SET_MARK:
        case OXDP_OP_SET_PRIORITY:
        case OXDP_OP_CHECK_LEN:
            return false;
        default:
            if (copies) {
                return false;
            }
            break;
        }
    }
    return false;
}

void
oxdp_compile_actions(const struct nlattr *actions, size_t actions_len,
                     struct oxdp_code *code)
{
    struct oxdp_flow *flow = &code->flow;
    struct compiler c = { .code = code, .flow = flow };
    enum oxdp_reason reason;

    flow->n_ops = 0;
    flow->headers = 0;
    flow->out_port = OXDP_NO_OUT_PORT;
    code->rest.flood = code->rest.growth = 0;
    code->rest.bond = 0;
    memset(code->ops, 0, sizeof code->ops);

    reason = compile_list(&c, actions, actions_len, true);
    if (!reason && c.has_userspace && !c.has_output) {
        /* All that is to be had of an SKB is a copy, which nobody needs. */
        reason = OXDP_REASON_USERSPACE;
    }
    if ((flow->headers & OXDP_HEADERS_IPV4
         && flow->headers & OXDP_HEADERS_IPV6)
        || (flow->headers & OXDP_HEADERS_TCP
            && flow->headers & OXDP_HEADERS_UDP)) {
        /* No packet has both. */
        reason = OXDP_REASON_SET_FIELD;
    }
    if (flow->headers & OXDP_HEADERS_MPLS && c.skb_reason) {
        /* Neither frame nor SKB will do. */
        reason = OXDP_REASON_ACTION;
    }
    if (reason) {
        flow->verdict = OXDP_VERDICT_USER;
        flow->n_ops = 0;
        flow->headers = 0;
        flow->out_port = OXDP_NO_OUT_PORT;
    } else if (is_flood(code)) {
        flow->verdict = OXDP_VERDICT_FLOOD;
        code->rest.growth = c.n_pushed * VLAN_HEADER_LEN;
    } else {
        flow->verdict = c.skb_reason ? OXDP_VERDICT_SKB : OXDP_VERDICT_XDP;
        if (flow->n_ops == 1 && code->ops[0].code == OXDP_OP_LB_OUTPUT) {
            code->rest.bond = code->ops[0].arg32;
        }
    }
    code->rest.reason = reason ? reason : c.skb_reason;
}
