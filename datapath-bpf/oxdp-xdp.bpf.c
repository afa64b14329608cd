// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * oxdp-xdp.bpf.c: the XDP hook of a port.
 */

#include "oxdp-ctx-xdp.h"
#include "oxdp-action.h"

SEC("xdp.frags")
int
oxdp_xdp_port(struct xdp_md *ctx)
{
    return oxdp_receive(ctx);
}

extern int bpf_xdp_metadata_rx_vlan_tag(const struct xdp_md *ctx,
                                        __be16 *tpid, __u16 *tci) __ksym __weak;

/* The same for a device that may have taken the VLAN tag out of the frame, a
 * NIC with rxvlan on or a veth whose peer has txvlan on.  Reading the tag takes
 * a program that is bound to the device (Linux 6.8; together with a devmap,
 * 6.12).  A redirect would lose the tag, so it is put into the frame; the
 * kernel keeps it for a frame that is passed up, which must not have it
 * twice. */
SEC("xdp.frags")
int
oxdp_xdp_tagged(struct xdp_md *ctx)
{
    __be16 tpid = 0;
    __u16 tci = 0;
    int tagged, ret;

    tagged = !bpf_xdp_metadata_rx_vlan_tag(ctx, &tpid, &tci);
    if (tagged && oxdp_ctx_vlan_push(ctx, tpid, bpf_htons(tci))) {
        return oxdp_drop(OXDP_PORT_NONE, OXDP_DROP_REWRITE);
    }
    ret = oxdp_receive(ctx);
    if (tagged && ret == XDP_PASS && oxdp_ctx_vlan_pop(ctx)) {
        return oxdp_drop(OXDP_PORT_NONE, OXDP_DROP_REWRITE);
    }
    return ret;
}

/* Not attached: run by ovs-vswitchd to relate bpf_jiffies64(), which is cheap
 * enough to be read for every packet, to CLOCK_MONOTONIC. */
SEC("xdp.frags")
int
oxdp_xdp_clock(struct xdp_md *ctx)
{
    __u32 key = 0;
    struct oxdp_control *control;

    control = bpf_map_lookup_elem(&oxdp_control, &key);
    if (control) {
        control->clock_ns = bpf_ktime_get_ns();
        control->clock_jiffies = bpf_jiffies64();
    }
    return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
