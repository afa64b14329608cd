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

/* Compiles the setting of field 'key' to its value, under the mask that follows
 * the value if 'masked'. */
static enum oxdp_reason
compile_set(struct oxdp_flow *flow, const struct nlattr *key, bool masked)
{
    const struct ovs_key_ethernet *value, *mask;
    struct oxdp_op *op;

    if (nl_attr_type(key) != OVS_KEY_ATTR_ETHERNET) {
        return OXDP_REASON_SET_FIELD;
    }
    op = add_op(flow, OXDP_OP_SET_ETH);
    if (!op) {
        return OXDP_REASON_TOO_LONG;
    }
    value = nl_attr_get(key);
    mask = value + 1;
    memcpy(op->eth.dst, &value->eth_dst, ETH_ADDR_LEN);
    memcpy(op->eth.src, &value->eth_src, ETH_ADDR_LEN);
    if (masked) {
        memcpy(op->eth.dst_mask, &mask->eth_dst, ETH_ADDR_LEN);
        memcpy(op->eth.src_mask, &mask->eth_src, ETH_ADDR_LEN);
    } else {
        memset(op->eth.dst_mask, 0xff, ETH_ADDR_LEN);
        memset(op->eth.src_mask, 0xff, ETH_ADDR_LEN);
    }
    return OXDP_REASON_NONE;
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

    flow->reason = reason;
    if (reason) {
        flow->verdict = OXDP_VERDICT_USER;
        flow->n_ops = 0;
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

void
oxdp_format_ops(const struct oxdp_flow *flow, struct ds *ds)
{
    if (flow->verdict == OXDP_VERDICT_BPF && !flow->n_ops) {
        ds_put_cstr(ds, "drop");
    }
    for (int i = 0; i < flow->n_ops; i++) {
        const struct oxdp_op *op = &flow->ops[i];
        const uint8_t *d = op->eth.dst, *s = op->eth.src;

        if (i) {
            ds_put_char(ds, ',');
        }
        ds_put_cstr(ds, op_name(op->code));
        switch (op->code) {
        case OXDP_OP_OUTPUT:
            ds_put_format(ds, "(%u)", op->arg32);
            break;
        case OXDP_OP_RECIRC:
            ds_put_format(ds, "(%#x)", op->arg32);
            break;
        case OXDP_OP_PUSH_VLAN:
            ds_put_format(ds, "(tpid=%#x,tci=%#x)", ntohs(op->be16[0]),
                          ntohs(op->be16[1]));
            break;
        case OXDP_OP_SET_ETH:
            ds_put_format(ds, "(src="ETH_ADDR_FMT",dst="ETH_ADDR_FMT")",
                          s[0], s[1], s[2], s[3], s[4], s[5],
                          d[0], d[1], d[2], d[3], d[4], d[5]);
            break;
        }
    }
}
