/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meter-native: meters let through what they should, to 2 %, however many CPUs
 * share one, and whatever the clock says.
 */

#include <config.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ovs-thread.h"
#include "oxdp-meter.h"
#include "util.h"

#define N_THREADS 3
#define RUN_NS UINT64_C(500000000)

static struct oxdp_meter meter;

static uint64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

/* Makes a meter of one band that is full at 'now'. */
static void
set_meter(uint32_t rate, uint32_t burst, bool by_packets, uint64_t now)
{
    struct oxdp_band *band = &meter.bands[0];

    memset(&meter, 0, sizeof meter);
    meter.live = 1;
    meter.n_bands = 1;
    meter.by_packets = by_packets;
    band->rate = rate;
    band->cost = (UINT64_C(1000000000) << OXDP_METER_TIME_SHIFT) / rate;
    band->burst = band->cost * burst;
    band->full = now << OXDP_METER_TIME_SHIFT;
}

static void OVS_NO_RETURN
fail(const char *what, uint64_t got, uint64_t wanted)
{
    printf("FAILED: %s: %"PRIu64" and not %"PRIu64"\n", what, got, wanted);
    exit(1);
}

static void
expect(const char *what, uint64_t got, uint64_t wanted)
{
    printf("%s: %"PRIu64", should be %"PRIu64"\n", what, got, wanted);
    if (got > wanted + wanted / 50 || got < wanted - wanted / 50) {
        fail(what, got, wanted);
    }
}

/* Returns how many of 'n' packets of 'bytes' bytes, 'step' ns apart, pass. */
static uint64_t
take(uint64_t now, uint64_t n, uint64_t step, uint32_t packets, uint32_t bytes)
{
    uint64_t passed = 0;

    for (uint64_t i = 0; i < n; i++) {
        passed += !!oxdp_meter_take(&meter, now + i * step, packets, bytes);
    }
    return passed;
}

static void *
take_main(void *passed_)
{
    uint64_t start = now_ns(), now, *passed = passed_;

    do {
        now = now_ns();
        *passed += !!oxdp_meter_take(&meter, now, 1, 64);
    } while (now - start < RUN_NS);
    return NULL;
}

/* Returns how many packets pass if threads try as fast as they can, and stores
 * how long they did. */
static uint64_t
take_in_threads(uint64_t *nsp)
{
    uint64_t start = now_ns(), sum = 0;
    uint64_t passed[N_THREADS] = { 0 };
    pthread_t threads[N_THREADS];

    for (int i = 0; i < N_THREADS; i++) {
        threads[i] = ovs_thread_create("meter", take_main, &passed[i]);
    }
    for (int i = 0; i < N_THREADS; i++) {
        xpthread_join(threads[i], NULL);
        sum += passed[i];
    }
    *nsp = now_ns() - start;
    return sum;
}

int
main(void)
{
    static const uint64_t clocks[] = {
        UINT64_C(1000000000),
        /* The meter's time wraps around in the middle of it. */
        (UINT64_C(1) << (64 - OXDP_METER_TIME_SHIFT)) - UINT64_C(5000000000),
    };
    uint64_t ns, n;

    for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
        uint64_t now = clocks[i];

        set_meter(1000, 100, true, now);
        expect("packets, 1000/s and 100, of 10000/s in 10 s",
               take(now, 100000, 100000, 1, 64), 10100);
        set_meter(8000, 800, false, now);
        expect("packets of 1000 bytes, 8000 kb/s and 800 kb, in 10 s",
               take(now, 100000, 100000, 1, 1000), 10100);
        set_meter(100000000, 100000000, false, now);
        expect("packets of 64 bytes, 100 Gb/s, of 10 Gb/s",
               take(now, 100000, 51, 1, 64), 100000);
        set_meter(1000, 10, true, now);
        expect("SKBs of 44 packets, 1000/s and 10, in 10 s",
               take(now, 100000, 100000, 44, 64000), 10000 / 44);
        set_meter(1000, 100, true, now);
        take(now, 200, 1, 1, 64);
        expect("packets after a minute",
               take(now + UINT64_C(60000000000), 200, 1, 1, 64), 100);
    }

    set_meter(1000, 1000, true, now_ns());
    n = take_in_threads(&ns);
    expect("packets of several CPUs, 1000/s and 1000", n, 1000 + ns / 1000000);
    set_meter(100000, 100000, true, now_ns());
    n = take_in_threads(&ns);
    expect("packets of several CPUs, 100000/s and 100000", n,
           100000 + ns / 10000);
    if (meter.packets != n + meter.bands[0].packets) {
        fail("packets that are counted", meter.packets,
             n + meter.bands[0].packets);
    }
    return 0;
}
