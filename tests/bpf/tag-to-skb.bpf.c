// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * tag-to-skb.bpf.c: on the egress of a host, turns the packet's mark into a
 * VLAN tag that is in the SKB and not in the frame, TPID in the upper half.
 */

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int
tag_to_skb(struct __sk_buff *skb)
{
    __u32 mark = skb->mark;

    skb->mark = 0;
    if (mark && bpf_skb_vlan_push(skb, bpf_htons(mark >> 16),
                                  mark & 0xffff)) {
        return TC_ACT_SHOT;
    }
    return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
