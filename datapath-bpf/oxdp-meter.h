/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-meter.h: OpenFlow meters, in BPF and in ovs-vswitchd alike.
 *
 * A band is a token bucket, kept as the time at which it will be full again.
 * That is one number, so that all CPUs can share it without a lock.
 */

#ifndef OXDP_METER_H
#define OXDP_METER_H 1

#include "oxdp-compat.h"
#include "oxdp-abi.h"

/* Times are in this part of a nanosecond, and wrap around.  No burst is longer
 * than OXDP_METER_MAX_BURST, which takes months. */
#define OXDP_METER_TIME_SHIFT 8
#define OXDP_METER_MAX_BURST (1ull << 61)

/* How often a CPU tries again when another one was faster. */
#define OXDP_METER_TRIES 4

/* Takes 'cost', a time, out of 'band' at 'now'.  Returns nonzero if there was
 * that much in it, or, with 'overdraw', if it was full: it then takes longer
 * until it is full again. */
OXDP_INLINE int
oxdp_band_take(struct oxdp_band *band, __u64 now, __u64 cost, int overdraw)
{
    __u64 burst = band->burst;
    __u64 full, missing;
    int i;

    for (i = 0; i < OXDP_METER_TRIES; i++) {
        full = *(volatile __u64 *) &band->full;
        missing = full - now;
        if (missing > 2 * OXDP_METER_MAX_BURST) {
            /* Less than nothing: it has been full for a while.  A little more
             * than the burst it can be, too, as CPUs read the clock before they
             * get here. */
            missing = 0;
        }
        if (missing + cost > burst && (missing || !overdraw)) {
            return 0;
        }
        if (__sync_val_compare_and_swap(&band->full, full,
                                        now + missing + cost) == full) {
            return 1;
        }
    }
    __sync_fetch_and_add(&band->full, cost);
    return 1;
}

/* Runs 'packets' packets of together 'bytes' bytes through 'meter' at 'now_ns',
 * of CLOCK_MONOTONIC.  Returns nonzero if they may pass.  Of the bands that
 * they exceed, the one with the highest rate drops them.  Several packets, all
 * of which one SKB is, pass together or not, but it is not their number that
 * keeps them from passing ever. */
OXDP_INLINE int
oxdp_meter_take(struct oxdp_meter *meter, __u64 now_ns, __u32 packets,
                __u32 bytes)
{
    __u64 now = now_ns << OXDP_METER_TIME_SHIFT;
    __u32 n = meter->n_bands;
    __u32 exceeded = OXDP_MAX_BANDS;
    __u32 rate = 0;
    __u32 i;

    __sync_fetch_and_add(&meter->packets, packets);
    __sync_fetch_and_add(&meter->bytes, bytes);
    for (i = 0; i < OXDP_MAX_BANDS; i++) {
        struct oxdp_band *band = &meter->bands[i];
        __u64 cost = band->cost;

        if (i >= n) {
            break;
        }
        cost = meter->by_packets ? packets * cost : (__u64) bytes * cost / 125;
        if (!oxdp_band_take(band, now, cost, packets > 1)
            && (exceeded == OXDP_MAX_BANDS || band->rate > rate)) {
            rate = band->rate;
            exceeded = i;
        }
    }
    if (exceeded < OXDP_MAX_BANDS) {
        __sync_fetch_and_add(&meter->bands[exceeded].packets, packets);
        __sync_fetch_and_add(&meter->bands[exceeded].bytes, bytes);
        return 0;
    }
    return 1;
}

#endif /* oxdp-meter.h */
