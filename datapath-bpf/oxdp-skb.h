/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-skb.h: what takes an SKB.  Part of oxdp-action.h.
 */

#ifndef OXDP_SKB_H
#define OXDP_SKB_H 1

/* Returns nonzero if 'port' is LOCAL and down, as it is if the host takes no
 * part in the network: a copy for it, which it is in every flood's list for,
 * would cost as much as one that is received. */
OXDP_INLINE int
oxdp_is_local_down(const struct oxdp_port *port)
{
    const __u32 flags = OXDP_PORT_F_LOCAL | OXDP_PORT_F_DOWN;

    return (port->flags & flags) == flags;
}

/* Sends a copy of the packet, from 'in_port', to 'out_port', or what stands in
 * for that, or counts why not. */
OXDP_INLINE void
oxdp_copy_to(oxdp_ctx *ctx, __u32 in_port, __u32 out_port)
{
    struct oxdp_port *port = oxdp_port_live(&out_port);

    if (!port || !(port->flags & OXDP_PORT_F_PRESENT)) {
        oxdp_drop(in_port, OXDP_DROP_OUT_PORT);
    } else if (oxdp_is_local_down(port)) {
        return;
    } else if (oxdp_ctx_is_too_long(ctx, port)) {
        oxdp_drop(in_port, OXDP_DROP_MTU);
    } else if (oxdp_ctx_copy(ctx, port, out_port)
               && !(port->flags & OXDP_PORT_F_DOWN)) {
        /* That floods do not get to ports that are down is no loss. */
        oxdp_drop(in_port, OXDP_DROP_OUT_ERROR);
    }
}

/* Sends copies of the packet, from 'in_port', to the ports of 'op'. */
OXDP_INLINE void
oxdp_copy(oxdp_ctx *ctx, __u32 in_port, const struct oxdp_op *op)
{
    __u32 i;

    for (i = 0; i < OXDP_COPY_PORTS; i++) {
        if (i >= op->arg32) {
            break;
        }
        oxdp_copy_to(ctx, in_port, op->ports[i]);
    }
}

OXDP_INLINE void
oxdp_userspace(oxdp_ctx *ctx, struct oxdp_state *st,
               const struct oxdp_op *op)
{
    if (op->user.probability != 0xffffffff
        && bpf_get_prandom_u32() >= op->user.probability) {
        return;
    }
    oxdp_punt(ctx, st, OXDP_PUNT_ACTION, op->user.cookie);
}

/* Executes an opcode that takes an SKB. */
__attribute__((noinline)) int
oxdp_pass_skb(oxdp_ctx *ctx, struct oxdp_state *st, const struct oxdp_op *op)
{
    if (!st || !op) {
        return 0;
    }
    switch (op->code) {
    case OXDP_OP_COPY:
        st->copied = 1;
        oxdp_copy(ctx, st->in_port, op);
        break;
    case OXDP_OP_USERSPACE:
        st->copied = 1;
        oxdp_userspace(ctx, st, op);
        break;
    case OXDP_OP_SET_MARK:
        ctx->mark = (ctx->mark & ~op->meta.mask) | op->meta.value;
        break;
    case OXDP_OP_SET_PRIORITY:
        ctx->priority = (ctx->priority & ~op->meta.mask) | op->meta.value;
        break;
    }
    return 0;
}

#endif /* oxdp-skb.h */
