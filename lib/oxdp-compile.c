/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-compile.h"

#include <string.h>

#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/dynamic-string.h"
#include "oxdp-abi.h"
#include "packets.h"
#include "util.h"

/* Appends an opcode, or returns NULL if there is no room. */
static struct oxdp_op *
add_op(struct oxdp_flow *flow, enum oxdp_opcode code)
{
    if (flow->n_ops >= OXDP_MAX_OPS) {
        return NULL;
    }
    struct oxdp_op *op = &flow->ops[flow->n_ops++];

    memset(op, 0, sizeof *op);
    op->code = code;
    return op;
}

/* Appends an opcode that sets fields of layer 3 or 4, of packets with
 * 'headers'.  It goes before those of all other kinds, so that the executor,
 * which looks for the headers once, finds them where they were.  That makes no
 * difference to what comes out: these have nothing in common with layer 2. */
static struct oxdp_op *
add_set_op(struct oxdp_flow *flow, enum oxdp_opcode code, uint32_t headers)
{
    struct oxdp_op *op = add_op(flow, code);
    struct oxdp_op new;
    int i;

    if (!op) {
        return NULL;
    }
    for (i = 0; flow->ops[i].code >= OXDP_OP_SET_IPV4; i++) {
        if (&flow->ops[i] == op) {
            break;
        }
    }
    new = *op;
    memmove(&flow->ops[i + 1], &flow->ops[i],
            (char *) op - (char *) &flow->ops[i]);
    flow->ops[i] = new;
    flow->headers |= headers;
    return &flow->ops[i];
}

static enum oxdp_reason
compile_set_eth(struct oxdp_flow *flow, const struct ovs_key_ethernet *value,
                const struct ovs_key_ethernet *mask)
{
    struct oxdp_op *op = add_op(flow, OXDP_OP_SET_ETH);

    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
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
compile_set_ipv4(struct oxdp_flow *flow, const struct ovs_key_ipv4 *key,
                 const struct ovs_key_ipv4 *key_mask)
{
    ovs_be32 value[3], mask[3];
    struct oxdp_op *op;

    ipv4_words(key, value);
    ipv4_words(key_mask, mask);
    op = add_set_op(flow, OXDP_OP_SET_IPV4,
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
compile_set_ipv6(struct oxdp_flow *flow, const struct ovs_key_ipv6 *key,
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
        op = add_set_op(flow, OXDP_OP_SET_IPV6,
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
compile_set_ports(struct oxdp_flow *flow, enum oxdp_opcode code,
                  uint32_t headers, const ovs_be32 *value,
                  const ovs_be32 *mask)
{
    struct oxdp_op *op = add_set_op(flow, code, headers);

    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    set_words(op, value, mask, 1);
    return OXDP_REASON_NONE;
}

BUILD_ASSERT_DECL(sizeof(struct ovs_key_tcp) == sizeof(ovs_be32));
BUILD_ASSERT_DECL(sizeof(struct ovs_key_udp) == sizeof(ovs_be32));

/* Compiles the setting of field 'key' to its value, under the mask that
 * follows the value if 'masked'.
 *
 * Fields of ARP, ICMP and ND are not worth an opcode: ofproto sends flows that
 * set these to userspace anyway (SLOW_ACTION).  A change of SCTP ports takes a
 * new CRC over the whole packet. */
static enum oxdp_reason
compile_set(struct oxdp_flow *flow, const struct nlattr *key, bool masked)
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
    switch ((enum ovs_key_attr) nl_attr_type(key)) {
    case OVS_KEY_ATTR_ETHERNET:
        return compile_set_eth(flow, value, mask);
    case OVS_KEY_ATTR_IPV4:
        return compile_set_ipv4(flow, value, mask);
    case OVS_KEY_ATTR_IPV6:
        return compile_set_ipv6(flow, value, mask);
    case OVS_KEY_ATTR_TCP:
        return compile_set_ports(flow, OXDP_OP_SET_TCP, OXDP_HEADERS_TCP,
                                 value, mask);
    case OVS_KEY_ATTR_UDP:
        return compile_set_ports(flow, OXDP_OP_SET_UDP, OXDP_HEADERS_UDP,
                                 value, mask);
    default:
        return OXDP_REASON_SET_FIELD;
    }
}

static enum oxdp_reason
compile_push_vlan(struct oxdp_flow *flow, const struct nlattr *a)
{
    const struct ovs_action_push_vlan *vlan = nl_attr_get(a);
    struct oxdp_op *op;

    if (!eth_type_vlan(vlan->vlan_tpid)) {
        return OXDP_REASON_ACTION;
    }
    op = add_op(flow, OXDP_OP_PUSH_VLAN);
    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    op->be16[0] = vlan->vlan_tpid;
    op->be16[1] = vlan->vlan_tci & ~htons(VLAN_CFI);
    return OXDP_REASON_NONE;
}

/* Compiles one action.  'last' says that no other follows. */
static enum oxdp_reason
compile_action(struct oxdp_flow *flow, const struct nlattr *a, bool last)
{
    struct oxdp_op *op;

    switch ((enum ovs_action_attr) nl_attr_type(a)) {
    case OVS_ACTION_ATTR_OUTPUT:
        if (!last) {
            return OXDP_REASON_MULTI_OUTPUT;
        }
        op = add_op(flow, OXDP_OP_OUTPUT);
        if (!op) {
            return OXDP_REASON_TOO_LONG;
        }
        op->arg32 = odp_to_u32(nl_attr_get_odp_port(a));
        if (op->arg32 == 0 || op->arg32 >= OXDP_MAX_PORTS) {
            return OXDP_REASON_PORT;
        }
        flow->out_port = op->arg32;
        return OXDP_REASON_NONE;

    case OVS_ACTION_ATTR_RECIRC:
        if (!last) {
            return OXDP_REASON_MULTI_OUTPUT;
        }
        op = add_op(flow, OXDP_OP_RECIRC);
        if (!op) {
            return OXDP_REASON_TOO_LONG;
        }
        op->arg32 = nl_attr_get_u32(a);
        return OXDP_REASON_NONE;

    case OVS_ACTION_ATTR_SET:
        return compile_set(flow, nl_attr_get(a), false);

    case OVS_ACTION_ATTR_SET_MASKED:
        return compile_set(flow, nl_attr_get(a), true);

    case OVS_ACTION_ATTR_PUSH_VLAN:
        return compile_push_vlan(flow, a);

    case OVS_ACTION_ATTR_POP_VLAN:
        return add_op(flow, OXDP_OP_POP_VLAN) ? OXDP_REASON_NONE
                                              : OXDP_REASON_TOO_LONG;

    case OVS_ACTION_ATTR_USERSPACE:
        return OXDP_REASON_USERSPACE;

    default:
        /* The rest, some of which not all versions of OVS have. */
        return OXDP_REASON_ACTION;
    }
}

void
oxdp_compile_actions(const struct nlattr *actions, size_t actions_len,
                     struct oxdp_flow *flow)
{
    enum oxdp_reason reason = OXDP_REASON_NONE;
    const struct nlattr *a;
    unsigned int left;

    flow->n_ops = 0;
    flow->headers = 0;
    flow->out_port = OXDP_PORT_NONE;
    memset(flow->ops, 0, sizeof flow->ops);

    NL_ATTR_FOR_EACH_UNSAFE (a, left, actions, actions_len) {
        bool last = left <= NLA_ALIGN(a->nla_len);

        if (nl_attr_type(a) == OVS_ACTION_ATTR_DROP) {
            /* Dropping is what the fast path does at the end of a list.  The
             * flow counts such packets; OVS's coverage counters, one per
             * reason, count only those that userspace executes. */
            break;
        }
        reason = compile_action(flow, a, last);
        if (reason) {
            break;
        }
    }

    if ((flow->headers & OXDP_HEADERS_IPV4
         && flow->headers & OXDP_HEADERS_IPV6)
        || (flow->headers & OXDP_HEADERS_TCP
            && flow->headers & OXDP_HEADERS_UDP)) {
        /* No packet has both. */
        reason = OXDP_REASON_SET_FIELD;
    }
    flow->reason = reason;
    if (reason) {
        flow->verdict = OXDP_VERDICT_USER;
        flow->n_ops = 0;
        flow->headers = 0;
        flow->out_port = OXDP_PORT_NONE;
    } else {
        flow->verdict = OXDP_VERDICT_BPF;
    }
}

const char *
oxdp_verdict_name(int verdict)
{
    static const char *names[] = {
#define OXDP_VERDICT(ENUM, NAME) [OXDP_VERDICT_##ENUM] = NAME,
        OXDP_VERDICTS
#undef OXDP_VERDICT
    };

    return verdict < OXDP_N_VERDICTS ? names[verdict] : "?";
}

const char *
oxdp_reason_name(int reason)
{
    static const char *names[] = {
#define OXDP_REASON(ENUM, NAME, TEXT) [OXDP_REASON_##ENUM] = NAME,
        OXDP_REASONS
#undef OXDP_REASON
    };

    return reason < OXDP_N_REASONS ? names[reason] : "?";
}

const char *
oxdp_reason_text(int reason)
{
    static const char *texts[] = {
#define OXDP_REASON(ENUM, NAME, TEXT) [OXDP_REASON_##ENUM] = TEXT,
        OXDP_REASONS
#undef OXDP_REASON
    };

    return reason < OXDP_N_REASONS ? texts[reason] : "?";
}

static const char *
op_name(int code)
{
    static const char *names[] = {
        [OXDP_OP_END] = "end",
#define OXDP_OP(ENUM, NAME) [OXDP_OP_##ENUM] = NAME,
        OXDP_OPS
#undef OXDP_OP
    };

    return code < (int) ARRAY_SIZE(names) ? names[code] : "?";
}

/* Appends the words that 'op' sets, by their offsets in the header. */
static void
format_words(const struct oxdp_op *op, struct ds *ds)
{
    for (int i = 0; i < 3; i++) {
        uint32_t value = ntohl((OVS_FORCE ovs_be32) op->set.value[i]);
        uint32_t mask = ntohl((OVS_FORCE ovs_be32) op->set.mask[i]);

        if (mask) {
            ds_put_format(ds, ",%"PRIu32"=%#"PRIx32, op->arg32 + i * 4, value);
        }
        if (mask && mask != UINT32_MAX) {
            ds_put_format(ds, "/%#"PRIx32, mask);
        }
    }
}

/* Appends field 'name' with 'value' under 'mask' of 'bits' bits, unless that
 * is zero. */
static void
format_field(struct ds *ds, const char *name, uint32_t value, uint32_t mask,
             int bits)
{
    if (mask) {
        ds_put_format(ds, ",%s=%"PRIu32, name, value);
        if (mask != UINT32_MAX >> (32 - bits)) {
            ds_put_format(ds, "/%#"PRIx32, mask);
        }
    }
}

static void
format_set_ipv4(const struct oxdp_op *op, struct ds *ds)
{
    static const char *names[] = { NULL, "src", "dst" };
    const uint8_t *value = (const uint8_t *) op->set.value;
    const uint8_t *mask = (const uint8_t *) op->set.mask;

    for (int i = 1; i < 3; i++) {
        ovs_be32 addr = (OVS_FORCE ovs_be32) op->set.value[i];
        ovs_be32 bits = (OVS_FORCE ovs_be32) op->set.mask[i];

        if (bits) {
            ds_put_format(ds, ",%s=", names[i]);
            ip_format_masked(addr, bits, ds);
        }
    }
    format_field(ds, "tos", value[0], mask[0], 8);
    format_field(ds, "ttl", value[1], mask[1], 8);
}

static void
format_set_ports(const struct oxdp_op *op, struct ds *ds)
{
    uint32_t value = ntohl((OVS_FORCE ovs_be32) op->set.value[0]);
    uint32_t mask = ntohl((OVS_FORCE ovs_be32) op->set.mask[0]);

    format_field(ds, "src", value >> 16, mask >> 16, 16);
    format_field(ds, "dst", value & 0xffff, mask & 0xffff, 16);
}

/* Appends what stands in parentheses behind the name of 'op', after a comma, or
 * nothing. */
static void
format_args(const struct oxdp_op *op, struct ds *ds)
{
    const uint8_t *d = op->eth.dst, *s = op->eth.src;

    switch ((enum oxdp_opcode) op->code) {
    case OXDP_OP_OUTPUT:
        ds_put_format(ds, ",%u", op->arg32);
        break;
    case OXDP_OP_RECIRC:
        ds_put_format(ds, ",%#x", op->arg32);
        break;
    case OXDP_OP_PUSH_VLAN:
        ds_put_format(ds, ",tpid=%#x,tci=%#x", ntohs(op->be16[0]),
                      ntohs(op->be16[1]));
        break;
    case OXDP_OP_SET_ETH:
        ds_put_format(ds, ",src="ETH_ADDR_FMT",dst="ETH_ADDR_FMT,
                      s[0], s[1], s[2], s[3], s[4], s[5],
                      d[0], d[1], d[2], d[3], d[4], d[5]);
        break;
    case OXDP_OP_SET_IPV4:
        format_set_ipv4(op, ds);
        break;
    case OXDP_OP_SET_IPV6:
        format_words(op, ds);
        break;
    case OXDP_OP_SET_TCP:
    case OXDP_OP_SET_UDP:
        format_set_ports(op, ds);
        break;
    case OXDP_OP_POP_VLAN:
    case OXDP_OP_END:
        break;
    }
}

void
oxdp_format_ops(const struct oxdp_flow *flow, struct ds *ds)
{
    if (flow->verdict == OXDP_VERDICT_BPF && !flow->n_ops) {
        ds_put_cstr(ds, "drop");
    }
    for (int i = 0; i < flow->n_ops; i++) {
        const struct oxdp_op *op = &flow->ops[i];
        size_t start;

        if (i) {
            ds_put_char(ds, ',');
        }
        ds_put_cstr(ds, op_name(op->code));
        start = ds->length;
        format_args(op, ds);
        if (ds->length > start) {
            ds->string[start] = '(';
            ds_put_char(ds, ')');
        }
    }
}
