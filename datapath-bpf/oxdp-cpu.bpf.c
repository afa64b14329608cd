// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * oxdp-cpu.bpf.c: the CPU port, a veth pair.
 *
 * "ovs-xdp" is the switch's end: punted packets are redirected into it, and
 * what userspace sends comes in on it.  "ovs-xdp-cpu" is userspace's end, with
 * an AF_XDP socket per queue.
 */

#include <linux/pkt_cls.h>

#include "oxdp-ctx-xdp.h"
#include "oxdp-local.h"
#include "oxdp-stats.h"

/* On "ovs-xdp-cpu": into this CPU's AF_XDP socket. */
SEC("xdp.frags")
int
oxdp_cpu_to_user(struct xdp_md *ctx)
{
    return bpf_redirect_map(&oxdp_xsks, ctx->rx_queue_index, XDP_DROP);
}

/* On "ovs-xdp": strips the header off a packet from userspace and outputs it,
 * or tells TC to do so. */
SEC("xdp.frags")
int
oxdp_cpu_from_user(struct xdp_md *ctx)
{
    struct oxdp_hdr *hdr = (void *) (long) ctx->data;
    struct oxdp_meta meta = { .magic = OXDP_HDR_MAGIC };
    struct oxdp_port *port;
    __u32 port_no;

    if ((void *) (hdr + 1) > (void *) (long) ctx->data_end
        || hdr->magic != OXDP_HDR_MAGIC) {
        return oxdp_drop(0, OXDP_DROP_INJECT);
    }
    port_no = hdr->port;
    port = oxdp_port_get(port_no);
    if (!port || !(port->flags & OXDP_PORT_F_PRESENT)) {
        return oxdp_drop(0, OXDP_DROP_OUT_PORT);
    }
    if (bpf_xdp_adjust_head(ctx, sizeof *hdr)) {
        return oxdp_drop(0, OXDP_DROP_INJECT);
    }
    if (oxdp_ctx_is_too_long(ctx, port)) {
        return oxdp_drop(0, OXDP_DROP_MTU);
    }
    if (oxdp_ctx_can_output(ctx, port, bpf_xdp_get_buff_len(ctx))) {
        return bpf_redirect_map(&oxdp_devs, port_no, XDP_DROP);
    }

    meta.port = port_no;
    return oxdp_ctx_to_skb(ctx, &meta) == XDP_PASS
           ? XDP_PASS : oxdp_drop(0, OXDP_DROP_INJECT);
}

/* On "ovs-xdp", behind the above. */
SEC("tc")
int
oxdp_cpu_tc(struct __sk_buff *ctx)
{
    struct oxdp_meta *meta = (void *) (long) ctx->data_meta;
    struct oxdp_port *port;
    __u32 port_no;

    if ((void *) (meta + 1) > (void *) (long) ctx->data
        || meta->magic != OXDP_HDR_MAGIC) {
        return TC_ACT_SHOT;
    }
    port_no = meta->port;
    port = oxdp_port_get(port_no);
    if (!port || !(port->flags & OXDP_PORT_F_PRESENT)) {
        return TC_ACT_SHOT;
    }
    return oxdp_redirect_skb(ctx, port, port_no);
}

/* On "ovs-xdp", TC egress: puts the header in front of a packet that a TC
 * program sends to userspace, after it has been copied if it is a copy.  Nobody
 * else sends packets here. */
SEC("tc")
int
oxdp_cpu_encap(struct __sk_buff *ctx)
{
    struct oxdp_cpu_block *block;
    struct oxdp_hdr hdr;

    block = oxdp_cpu_block_get(bpf_get_smp_processor_id());
    if (!block || block->punt.magic != OXDP_HDR_MAGIC) {
        return TC_ACT_SHOT;
    }
    hdr = block->punt;
    block->punt.magic = 0;
    /* Queue N of the CPU port is CPU N's. */
    ctx->queue_mapping = bpf_get_smp_processor_id() + 1;
    if (ctx->vlan_present) {
        hdr.vlan_tpid = ctx->vlan_proto;
        hdr.vlan_tci = bpf_htons(ctx->vlan_tci | OXDP_VLAN_CFI);
        /* What is beside the frame is lost on the way into AF_XDP, unless it
         * is pushed into the header that follows (MPLS, which few devices know,
         * makes the kernel do that).  Popping a tag that has another one behind
         * it, however, would put that one beside the frame. */
        if (!oxdp_is_vlan(ctx->protocol) && bpf_skb_vlan_pop(ctx)) {
            return TC_ACT_SHOT;
        }
    }
    return bpf_skb_change_head(ctx, sizeof hdr, 0)
           || bpf_skb_store_bytes(ctx, 0, &hdr, sizeof hdr, 0)
           ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

/* On "ovs-xdp-cpu", TC ingress: what XDP there did not take, because the
 * program is not attached (yet), must not reach the stack. */
SEC("tc")
int
oxdp_cpu_drop(struct __sk_buff *ctx)
{
    return TC_ACT_SHOT;
}

char _license[] SEC("license") = "Dual BSD/GPL";
