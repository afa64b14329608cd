/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-compat.h: what Debian 12's kernel headers (6.1) and libbpf (1.1) lack.
 *
 * The one place for constants of newer kernels, for BPF and userspace.
 * Whether the running kernel has the feature is probed, never concluded from
 * these definitions.
 */

#ifndef OXDP_COMPAT_H
#define OXDP_COMPAT_H 1

#include <linux/types.h>
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>

/* tcx, 6.6. */
#define OXDP_BPF_TCX_INGRESS 46
#define OXDP_BPF_TCX_EGRESS 47
#define OXDP_BPF_LINK_TYPE_TCX 11

/* AF_XDP with several buffers per packet, 6.6. */
#define OXDP_XDP_USE_SG (1u << 4)
#define OXDP_XDP_PKT_CONTD (1u << 0)

/* Generic netlink family "netdev", 6.3. */
#define OXDP_NETDEV_FAMILY "netdev"
#define OXDP_NETDEV_MCGRP "mgmt"
#define OXDP_NETDEV_CMD_DEV_GET 1
#define OXDP_NETDEV_CMD_DEV_ADD_NTF 2
#define OXDP_NETDEV_CMD_DEV_DEL_NTF 3
#define OXDP_NETDEV_CMD_DEV_CHANGE_NTF 4
#define OXDP_NETDEV_A_DEV_IFINDEX 1
#define OXDP_NETDEV_A_DEV_XDP_FEATURES 3
#define OXDP_NETDEV_XDP_ACT_BASIC (1u << 0)
#define OXDP_NETDEV_XDP_ACT_REDIRECT (1u << 1)
#define OXDP_NETDEV_XDP_ACT_NDO_XMIT (1u << 2)
#define OXDP_NETDEV_XDP_ACT_RX_SG (1u << 5)
#define OXDP_NETDEV_XDP_ACT_NDO_XMIT_SG (1u << 6)

#ifdef __bpf__
#include <bpf/bpf_helpers.h>
#define OXDP_INLINE static __always_inline
#define oxdp_memcpy __builtin_memcpy
#define oxdp_memset __builtin_memset

/* Returns 'i', which the caller knows to be less than SIZE, in a way that the
 * verifier and the compiler cannot but know it as well.  SIZE is a power of
 * two. */
#define OXDP_BOUND(I, SIZE)                                     \
    ({                                                          \
        __u64 i_ = (I);                                         \
                                                                \
        asm volatile("%0 &= %1" : "+r" (i_) : "i" ((SIZE) - 1)); \
        i_;                                                     \
    })
#else
#include <string.h>
#define OXDP_INLINE static inline __attribute__((always_inline, unused))
#define oxdp_memcpy memcpy
#define oxdp_memset memset
#define OXDP_BOUND(I, SIZE) ((I) & ((SIZE) - 1))
#endif

/* Words and half words of structures and packets. */
typedef __u64 __attribute__((may_alias)) oxdp_word;
typedef __u32 __attribute__((may_alias)) oxdp_u32;
typedef __u16 __attribute__((may_alias)) oxdp_half;

#endif /* oxdp-compat.h */
