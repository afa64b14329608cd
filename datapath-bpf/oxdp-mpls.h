/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-mpls.h: changing the MPLS label stack of a frame, as OVS's push_mpls(),
 * pop_mpls() and set_mpls_lse() do.  The kernel offers nothing of the kind for
 * SKBs.
 */

#ifndef OXDP_MPLS_H
#define OXDP_MPLS_H 1

#include "oxdp-ctx-xdp.h"

/* Bytes in front of a label stack that oxdp_mpls_offset() finds, and of a
 * frame with that.  oxdp_locate() sees to it that there are many more. */
#define OXDP_MPLS_MAX_OFFSET 30
#define OXDP_MPLS_MIN_FRAME 34

/* Returns where a label stack is or would be: behind all tags, and there is no
 * more than one that was not there when oxdp_locate() saw the frame.  Returns 0
 * if the frame is too short. */
OXDP_INLINE int
oxdp_mpls_offset(oxdp_ctx *ctx)
{
    unsigned char *data = (void *) (long) ctx->data;
    int offset = 14;
    int i;

    if (data + OXDP_MPLS_MIN_FRAME > (unsigned char *) (long) ctx->data_end) {
        return 0;
    }
#pragma GCC unroll 4
    for (i = 0; i < 4; i++) {
        if (offset == 14 + 4 * i
            && oxdp_is_vlan(oxdp_get_be16(data + 12 + 4 * i))) {
            offset += 4;
        }
    }
    return offset;
}

OXDP_INLINE int
oxdp_mpls_push(oxdp_ctx *ctx, __be16 eth_type, __be32 lse)
{
    int offset = oxdp_mpls_offset(ctx);
    unsigned char *data;
    int i;

    if (!offset || bpf_xdp_adjust_head(ctx, -4)) {
        return -1;
    }
    data = (void *) (long) ctx->data;
    if (data + OXDP_MPLS_MIN_FRAME + 4
        > (unsigned char *) (long) ctx->data_end) {
        return -1;
    }
#pragma GCC unroll 16
    for (i = 0; i < OXDP_MPLS_MAX_OFFSET; i += 2) {
        if (i < offset) {
            *(oxdp_half *) (data + i) = oxdp_get_be16(data + 4 + i);
        }
        if (i + 2 == offset) {
            *(oxdp_half *) (data + i) = eth_type;
            *(oxdp_u32 *) (data + i + 2) = lse;
        }
    }
    return 0;
}

/* Does nothing if the frame has no label, as OVS's pop_mpls(). */
OXDP_INLINE int
oxdp_mpls_pop(oxdp_ctx *ctx, __be16 eth_type)
{
    int offset = oxdp_mpls_offset(ctx);
    unsigned char *data = (void *) (long) ctx->data;
    int i;

    if (!offset || data + OXDP_MPLS_MIN_FRAME
                   > (unsigned char *) (long) ctx->data_end) {
        return -1;
    }
#pragma GCC unroll 16
    for (i = OXDP_MPLS_MAX_OFFSET - 2; i >= 0; i -= 2) {
        if (i + 2 == offset) {
            if (!oxdp_is_mpls(oxdp_get_be16(data + i))) {
                return 0;
            }
            *(oxdp_half *) (data + i) = eth_type;
        }
        if (i < offset) {
            *(oxdp_half *) (data + i + 4) = oxdp_get_be16(data + i);
        }
    }
    return bpf_xdp_adjust_head(ctx, 4) ? -1 : 0;
}

OXDP_INLINE int
oxdp_mpls_set(oxdp_ctx *ctx, __be32 value, __be32 mask)
{
    int offset = oxdp_mpls_offset(ctx);
    unsigned char *data = (void *) (long) ctx->data;
    int i;

    if (!offset || data + OXDP_MPLS_MIN_FRAME
                   > (unsigned char *) (long) ctx->data_end) {
        return -1;
    }
#pragma GCC unroll 8
    for (i = 14; i <= OXDP_MPLS_MAX_OFFSET; i += 4) {
        if (i == offset && oxdp_is_mpls(oxdp_get_be16(data + i - 2))) {
            oxdp_u32 *lse = (oxdp_u32 *) (data + i);

            *lse = (*lse & ~mask) | value;
        }
    }
    return 0;
}

#endif /* oxdp-mpls.h */
