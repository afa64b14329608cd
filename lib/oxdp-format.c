/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-format.h"

#include <inttypes.h>

#include "openvswitch/dynamic-string.h"
#include "oxdp-compile.h"
#include "packets.h"
#include "util.h"

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
oxdp_hook_name(int hook)
{
    static const char *names[] = {
#define OXDP_HOOK(ENUM, NAME) [OXDP_HOOK_##ENUM] = NAME,
        OXDP_HOOKS
#undef OXDP_HOOK
    };

    return hook < OXDP_N_HOOKS ? names[hook] : "?";
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

const struct oxdp_drop_info *
oxdp_drop_info(enum oxdp_drop drop)
{
    static const struct oxdp_drop_info infos[] = {
#define OXDP_DROP(ENUM, NAME, TEXT, ADVICE) \
        [OXDP_DROP_##ENUM] = { NAME, TEXT, ADVICE },
        OXDP_DROPS
#undef OXDP_DROP
    };

    return &infos[drop];
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
    case OXDP_OP_LB_OUTPUT:
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
    case OXDP_OP_COPY:
        for (uint32_t i = 0; i < op->arg32; i++) {
            ds_put_format(ds, ",%"PRIu16, op->ports[i]);
        }
        break;
    case OXDP_OP_USERSPACE:
        ds_put_format(ds, ",cookie=%#"PRIx64, (uint64_t) op->user.cookie);
        if (op->user.probability != UINT32_MAX) {
            ds_put_format(ds, ",sample=%.1f%%",
                          100.0 * op->user.probability / UINT32_MAX);
        }
        break;
    case OXDP_OP_PUSH_MPLS:
        ds_put_format(ds, ",lse=%#"PRIx32, ntohl((OVS_FORCE ovs_be32)
                                                 op->mpls.lse));
        /* Fall through. */
    case OXDP_OP_POP_MPLS:
        ds_put_format(ds, ",eth_type=%#"PRIx16,
                      ntohs((OVS_FORCE ovs_be16) op->mpls.eth_type));
        break;
    case OXDP_OP_SET_MPLS:
        format_words(op, ds);
        break;
    case OXDP_OP_TRUNC:
    case OXDP_OP_METER:
        ds_put_format(ds, ",%"PRIu32, op->arg32);
        break;
    case OXDP_OP_HASH:
        ds_put_format(ds, ",%s,basis=%"PRIu32,
                      op->hash.alg == OXDP_HASH_L4 ? "l4" : "sym_l4",
                      op->hash.basis);
        break;
    case OXDP_OP_CHECK_LEN:
        ds_put_format(ds, ",size=%"PRIu32",else=%"PRIu32, op->check.len,
                      op->check.next);
        break;
    case OXDP_OP_SET_MARK:
    case OXDP_OP_SET_PRIORITY:
        ds_put_format(ds, ",%#"PRIx32"/%#"PRIx32, op->meta.value,
                      op->meta.mask);
        break;
    case OXDP_OP_DROP:
    case OXDP_OP_LOCATE:
    case OXDP_OP_POP_VLAN:
    case OXDP_OP_END:
    case OXDP_N_OPS:
        break;
    }
}

void
oxdp_format_ops(const struct oxdp_code *code, struct ds *ds)
{
    const struct oxdp_flow *flow = &code->flow;

    if (flow->verdict != OXDP_VERDICT_USER && !flow->n_ops) {
        ds_put_cstr(ds, "drop");
    }
    for (int i = 0; i < flow->n_ops; i++) {
        const struct oxdp_op *op = &code->ops[i];
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
