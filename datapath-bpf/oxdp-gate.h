/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-gate.h: packets that the kernel bridge is given, on their way in and
 * out.
 *
 * The bridge knows of MAC addresses alone, and the packet stays as it came in
 * while the bridge has it.  Its mark says that it may be there and where it
 * came from; where it is about to leave it gets the tags that it should have
 * there, or is dropped.  What has neither the mark nor been redirected by us,
 * the bridge has forwarded on its own account.
 */

#ifndef OXDP_GATE_H
#define OXDP_GATE_H 1

#include "oxdp-ctx-skb.h"
#include "oxdp-port.h"
#include "oxdp-stats.h"
#include "oxdp-vlan.h"

OXDP_INLINE struct oxdp_bport *
oxdp_bport_get(__u32 port_no)
{
    return &oxdp_shared.bports[OXDP_BOUND(port_no, OXDP_MAX_PORTS)];
}

/* If '*type', the Ethernet type in front of 'offset', is that of a VLAN tag,
 * stores the tag in '*v' and the type behind it in '*type'.  Returns nonzero if
 * it did. */
OXDP_INLINE int
oxdp_ctx_tag_at(oxdp_ctx *ctx, __u32 offset, __be16 *type, struct oxdp_vlan *v)
{
    __be16 tag[2];

    if (!oxdp_is_vlan(*type) || bpf_skb_load_bytes(ctx, offset, tag, 4)) {
        return 0;
    }
    v->tpid = *type;
    v->tci = tag[0] | bpf_htons(OXDP_VLAN_CFI);
    *type = tag[1];
    return 1;
}

/* Stores in '*tags' those that OVS would parse.  Returns 0, or -1 if OVS would
 * drop the packet for what it has instead of one. */
OXDP_INLINE int
oxdp_ctx_get_tags(oxdp_ctx *ctx, struct oxdp_tags *tags)
{
    int two = oxdp_shared.control.vlan_limit > 1;
    __be16 type;

    oxdp_memset(tags, 0, sizeof *tags);
    if (bpf_skb_load_bytes(ctx, 12, &type, sizeof type)) {
        return -1;
    }
    if (ctx->vlan_present) {
        tags->v[0].tpid = ctx->vlan_proto;
        tags->v[0].tci = bpf_htons(ctx->vlan_tci | OXDP_VLAN_CFI);
        if (two) {
            oxdp_ctx_tag_at(ctx, 14, &type, &tags->v[1]);
        }
    } else if (oxdp_ctx_tag_at(ctx, 14, &type, &tags->v[0])) {
        if (two) {
            oxdp_ctx_tag_at(ctx, 18, &type, &tags->v[1]);
        }
    } else if (oxdp_is_vlan(type)) {
        return -1;
    }
    return 0;
}

OXDP_INLINE int
oxdp_ctx_push_tag(oxdp_ctx *ctx, const struct oxdp_vlan *v)
{
    return oxdp_ctx_vlan_push(ctx, v->tpid,
                              v->tci & ~bpf_htons(OXDP_VLAN_CFI));
}

/* Makes 'to' the tags of a packet that has 'from', of which those that both end
 * with stay untouched.  Returns 0, or -1 if there is no room for them. */
OXDP_INLINE int
oxdp_ctx_set_tags(oxdp_ctx *ctx, const struct oxdp_tags *from,
                  const struct oxdp_tags *to)
{
    int common = oxdp_tags_common(from, to);
    int n_pop = oxdp_tags_count(from) - common;
    int n_push = oxdp_tags_count(to) - common;

    return (n_pop > 0 && oxdp_ctx_vlan_pop(ctx))
           || (n_pop > 1 && oxdp_ctx_vlan_pop(ctx))
           || (n_push > 1 && oxdp_ctx_push_tag(ctx, &to->v[1]))
           || (n_push > 0 && oxdp_ctx_push_tag(ctx, &to->v[0])) ? -1 : 0;
}

/* Gives the kernel bridge the packet, which came in on 'in_port' and is as it
 * came in.  Returns the program's return code. */
OXDP_INLINE int
oxdp_gate_in(oxdp_ctx *ctx, __u32 in_port)
{
    struct oxdp_tags tags, vlans;
    __u8 dst[6];

    if (bpf_skb_load_bytes(ctx, 0, dst, sizeof dst) || oxdp_is_reserved(dst)
        || oxdp_ctx_get_tags(ctx, &tags)
        || !oxdp_vlan_input(oxdp_bport_get(in_port), &tags, &vlans)) {
        return oxdp_drop(in_port, OXDP_DROP_FALLBACK_IN);
    }
    ctx->mark = OXDP_MARK_BRIDGE | in_port;
    return TC_ACT_OK;
}

/* Lets the packet, which the kernel bridge sends out of 'out_port' and which we
 * have given it, out as NORMAL would do, or drops it. */
OXDP_INLINE int
oxdp_gate_out(oxdp_ctx *ctx, __u32 out_port)
{
    __u32 in_port = ctx->mark & ~OXDP_MARK_BRIDGE_MASK;
    struct oxdp_tags tags, out_tags;

    if (out_port >= OXDP_MAX_PORTS || oxdp_ctx_get_tags(ctx, &tags)
        || !oxdp_vlan_forward(oxdp_bport_get(in_port),
                              oxdp_bport_get(out_port), &tags, &out_tags)) {
        return oxdp_drop(in_port, OXDP_DROP_FALLBACK_OUT);
    }
    if (oxdp_ctx_set_tags(ctx, &tags, &out_tags)) {
        return oxdp_drop(in_port, OXDP_DROP_REWRITE);
    }
    ctx->mark = 0;
    return TC_ACT_UNSPEC;
}

/* Returns nonzero if we have redirected the packet to where it is now, and
 * forgets it. */
OXDP_INLINE int
oxdp_gate_is_ours(oxdp_ctx *ctx)
{
    if (ctx->tc_index != OXDP_TC_INDEX) {
        return 0;
    }
    ctx->tc_index = 0;
    return 1;
}

OXDP_INLINE int
oxdp_gate_is_given(oxdp_ctx *ctx)
{
    return (ctx->mark & OXDP_MARK_BRIDGE_MASK) == OXDP_MARK_BRIDGE;
}

/* Returns nonzero if the packet came in on one of our ports, and not from the
 * host. */
OXDP_INLINE int
oxdp_gate_is_from_port(oxdp_ctx *ctx)
{
    struct oxdp_port *port;

    if (!ctx->ingress_ifindex) {
        return 0;
    }
    port = oxdp_port_get(oxdp_port_from_ifindex(ctx->ingress_ifindex));
    return port && !(port->flags & OXDP_PORT_F_LOCAL);
}

#endif /* oxdp-gate.h */
