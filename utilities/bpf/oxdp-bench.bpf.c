// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * oxdp-bench.bpf.c: both ends of ovs-xdp-bench, and what it compares with.
 *
 *   a0 (gen) -> a1 [switch, or oxdp_bench_bare] b0 -> b1 (oxdp_bench_sink or
 *                                                         _skb_sink)
 *
 * utilities/oxdp-bench-gen.c loads and runs these.  Nothing of the datapath
 * is in here.
 */

#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "oxdp-bench-frame.h"

/* a0, and where the second stream goes.  Written by oxdp-bench-gen before the
 * first run. */
struct {
    __uint(type, BPF_MAP_TYPE_DEVMAP);
    __uint(max_entries, BENCH_N_STREAMS);
    __type(key, __u32);
    __type(value, __u32);
} bench_gen_dev SEC(".maps");

/* b0, likewise. */
struct {
    __uint(type, BPF_MAP_TYPE_DEVMAP);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} bench_out_dev SEC(".maps");

/* Frames that arrived. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} bench_arrived SEC(".maps");

/* What frames are like.  The headers and fields are oxdp-bench-gen's, the
 * program counts. */
struct bench_stream bench_streams[BENCH_N_STREAMS];

/* BENCH_F_*, set by oxdp-bench-gen, as the next. */
__u32 bench_flags = 0;

/* With BENCH_F_MIX, one of so many frames is of the second stream. */
__u32 bench_mix = 1;
__u32 bench_until_mix;

/* A frame with the time in it, which is not aligned. */
struct stamped {
    struct bench_headers headers;
    __u64 ns;
} __attribute__((packed));

/* What the last stamped frame took from the generator to a sink. */
__u64 bench_age_ns;

/* If nonzero, frames that may be on the way.  Set by oxdp-bench-gen. */
__u32 bench_window = 0;

/* Frames made.  One CPU at a time runs the generator. */
__u64 bench_sent;

/* Of these, with a window: those that a sink has counted, and those that will
 * not arrive any more.  One sink at a time counts with a window. */
__u64 bench_seen;
__u64 bench_lost;

/* Nanoseconds spent waiting for the window to open. */
__u64 bench_waited_ns;

/* When a frame that was waited for last arrived, and 'bench_seen' of then. */
__u64 bench_last_ns;
__u64 bench_last_seen;

/* Frames that do not arrive for so long never will. */
#define LOST_NS 50000000

/* A look at the counter of a sink on another CPU takes some 20 to 50 ns. */
#define N_LOOKS 64

static __always_inline bool
has_room(void)
{
    return (bench_sent - *(volatile __u64 *) &bench_seen - bench_lost
            < bench_window);
}

/* Waits a moment for the window to open, but not so long that frames made
 * before, which leave in batches, have to wait.  Returns false if it is
 * closed. */
static __always_inline bool
wait_for_window(void)
{
    __u64 start, now, seen;

    if (!bench_window || has_room()) {
        return true;
    }
    start = now = bpf_ktime_get_ns();
    for (int i = 0; i < N_LOOKS; i++) {
        if (has_room()) {
            break;
        }
        now = bpf_ktime_get_ns();
    }
    bench_waited_ns += now - start;

    seen = bench_seen;
    if (seen != bench_last_seen) {
        bench_last_seen = seen;
        bench_last_ns = now;
    } else if (now - bench_last_ns > LOST_NS) {
        bench_lost = bench_sent - seen;
    }
    return has_room();
}

/* The value of 'f' for the next frame.  '*turn' says whether the digits before
 * it have all been through. */
static __always_inline __u32
next_value(struct bench_field *f, bool *turn)
{
    __u32 i = f->i;

    if (f->how == BENCH_FIXED) {
        return f->base;
    } else if (f->how == BENCH_FRESH || f->how == BENCH_SPREAD) {
        f->i = i + 1;
        i *= 0x9e3779b1;
        return f->how == BENCH_FRESH ? i : f->base + ((__u64) i * f->n >> 32);
    } else if (*turn) {
        f->i = i + 1 < f->n ? i + 1 : 0;
        *turn = !f->i;
    }
    return f->how == BENCH_COUNT ? f->base + i
           : f->base ^ 1u << ((f->n - 1 - i) & 31);
}

static __always_inline void
vary(struct bench_headers *h, struct bench_stream *s)
{
    __u32 sum = s->sum;
    __u32 value[BENCH_N_FIELDS];
    bool turn = true;

#pragma unroll
    for (int i = 0; i < BENCH_N_FIELDS; i++) {
        value[i] = next_value(&s->fields[i], &turn);
    }
    h->ip.saddr = bpf_htonl(value[BENCH_SADDR]);
    h->ip.daddr = bpf_htonl(value[BENCH_DADDR]);
    h->udp.source = bpf_htons(value[BENCH_SPORT]);
    h->udp.dest = bpf_htons(value[BENCH_DPORT]);

    sum += (h->ip.saddr >> 16) + (h->ip.saddr & 0xffff)
           + (h->ip.daddr >> 16) + (h->ip.daddr & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    h->ip.check = ~(sum + (sum >> 16));
}

/* Run by BPF_PROG_TEST_RUN with live frames, which are UDP without checksum
 * and may still carry the headers of their last time. */
SEC("xdp.frags")
int
oxdp_bench_gen(struct xdp_md *ctx)
{
    struct bench_headers *h = (void *) (long) ctx->data;
    struct bench_stream *s = &bench_streams[0];
    __u32 dev = 0;

    if (!wait_for_window()) {
        return XDP_DROP;
    }
    bench_sent++;
    if (!bench_flags) {
        return bpf_redirect_map(&bench_gen_dev, dev, XDP_ABORTED);
    }
    if ((void *) (h + 1) > (void *) (long) ctx->data_end) {
        return XDP_ABORTED;
    }
    if (bench_flags & BENCH_F_MIX && !bench_until_mix--) {
        bench_until_mix = bench_mix - 1;
        s = &bench_streams[1];
        dev = 1;
    }
    if (bench_flags & BENCH_F_RENEW) {
        __builtin_memcpy(h, &s->headers, sizeof *h);
    }
    if (bench_flags & BENCH_F_MACS) {
        __u32 random = bpf_get_prandom_u32();

        h->eth.h_source[0] = 2;
        h->eth.h_source[1] = 0xee;
        __builtin_memcpy(&h->eth.h_source[2], &random, sizeof random);
    }
    if (bench_flags & BENCH_F_VARY) {
        vary(h, s);
    }
    if (bench_flags & BENCH_F_STAMP) {
        struct stamped *frame = (void *) (long) ctx->data;

        if ((void *) (frame + 1) > (void *) (long) ctx->data_end) {
            return XDP_ABORTED;
        }
        frame->ns = bpf_ktime_get_ns();
    }
    return bpf_redirect_map(&bench_gen_dev, dev, XDP_ABORTED);
}

/* The least that a switch can do. */
SEC("xdp.frags")
int
oxdp_bench_bare(struct xdp_md *ctx)
{
    return bpf_redirect_map(&bench_out_dev, 0, XDP_DROP);
}

/* Of one socket, by queue. */
struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} bench_xsks SEC(".maps");

/* To userspace. */
SEC("xdp.frags")
int
oxdp_bench_to_user(struct xdp_md *ctx)
{
    return bpf_redirect_map(&bench_xsks, ctx->rx_queue_index, XDP_DROP);
}

/* Notes how old a frame is that the generator has stamped. */
static __always_inline void
note_age(struct xdp_md *ctx)
{
    struct stamped *frame = (void *) (long) ctx->data;

    if (bench_flags & BENCH_F_STAMP
        && (void *) (frame + 1) <= (void *) (long) ctx->data_end) {
        bench_age_ns = bpf_ktime_get_ns() - frame->ns;
    }
}

static __always_inline void
count_arrived(void)
{
    __u32 key = 0;
    __u64 *arrived = bpf_map_lookup_elem(&bench_arrived, &key);

    if (arrived) {
        ++*arrived;
    }
    if (bench_window) {
        bench_seen++;
    }
}

SEC("xdp.frags")
int
oxdp_bench_sink(struct xdp_md *ctx)
{
    note_age(ctx);
    count_arrived();
    return XDP_DROP;
}

/* The same of a host without XDP. */
SEC("tc")
int
oxdp_bench_skb_sink(struct __sk_buff *ctx)
{
    count_arrived();
    return TC_ACT_SHOT;
}

char _license[] SEC("license") = "Dual BSD/GPL";
