/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-meter: OpenFlow meters.
 *
 * They live in memory that BPF shares, chunk by chunk as they are needed, so
 * that packets in BPF and in userspace are metered together; oxdp-meter.h does
 * that for both.
 */

#include <config.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "dp-packet.h"
#include "dpif-xdp.h"
#include "openflow/openflow.h"
#include "openvswitch/ofp-meter.h"
#include "oxdp-meter.h"
#include "util.h"


#define METER_FLAGS (OFPMF13_KBPS | OFPMF13_PKTPS | OFPMF13_BURST \
                     | OFPMF13_STATS)

/* A chunk stays until the datapath goes. */
struct xdp_meters {
    ATOMIC(struct oxdp_meter *) chunks[OXDP_METER_CHUNKS];
    int fds[OXDP_METER_CHUNKS];
};

#define CHUNK_SIZE (sizeof(struct oxdp_meter) * OXDP_METER_CHUNK)

static struct oxdp_meter *
meter_get(const struct xdp_dp *dp, uint32_t id)
{
    struct oxdp_meter *chunk = NULL;

    if (id < OXDP_MAX_METERS) {
        atomic_read(&dp->meters->chunks[id >> OXDP_METER_SHIFT], &chunk);
    }
    return chunk ? &chunk[id % OXDP_METER_CHUNK] : NULL;
}

/* Returns meter 'id' if there is one, or NULL. */
static struct oxdp_meter *
meter_find(const struct xdp_dp *dp, uint32_t id)
{
    struct oxdp_meter *meter = meter_get(dp, id);

    return meter && *(volatile uint32_t *) &meter->live ? meter : NULL;
}

static void
meter_set_live(struct oxdp_meter *meter, bool live)
{
    atomic_thread_fence(memory_order_seq_cst);
    *(volatile uint32_t *) &meter->live = live;
    atomic_thread_fence(memory_order_seq_cst);
}

/* Makes memory for meter 'id'.  Returns 0 or a positive errno value. */
static int
add_chunk(struct xdp_dp *dp, uint32_t id)
{
    uint32_t n = id >> OXDP_METER_SHIFT;
    struct oxdp_meter *chunk;
    int error, fd;

    chunk = oxdp_map_new("oxdp_meters_in", CHUNK_SIZE, 1, 0, &fd);
    if (!chunk) {
        return errno;
    }
    error = -bpf_map_update_elem(dp->bpf->meters_fd, &n, &fd, BPF_ANY);
    if (error) {
        oxdp_map_free(chunk, CHUNK_SIZE, 1, fd);
        return error;
    }
    dp->meters->fds[n] = fd;
    atomic_store(&dp->meters->chunks[n], chunk);
    return 0;
}

/* As bpf_ktime_get_ns(). */
static uint64_t
monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

void
xdp_meter_run(struct xdp_dp *dp, struct dp_packet_batch *batch, uint32_t id)
{
    struct oxdp_meter *meter = meter_find(dp, id);
    size_t n = dp_packet_batch_size(batch);
    uint64_t now = monotonic_ns();
    struct dp_packet *packet;
    size_t i;

    if (!meter) {
        return;
    }
    DP_PACKET_BATCH_REFILL_FOR_EACH (i, n, packet, batch) {
        if (oxdp_meter_take(meter, now, 1, dp_packet_size(packet))) {
            dp_packet_batch_refill(batch, packet, i);
        } else {
            xdp_lose(dp, XDP_LOSS_USER_METER, 1);
            dp_packet_delete(packet);
        }
    }
}

void
xdp_meters_create(struct xdp_dp *dp)
{
    dp->meters = xzalloc(sizeof *dp->meters);
}

void
xdp_meters_destroy(struct xdp_dp *dp)
{
    for (int i = 0; i < OXDP_METER_CHUNKS; i++) {
        struct oxdp_meter *chunk;

        atomic_read(&dp->meters->chunks[i], &chunk);
        if (chunk) {
            oxdp_map_free(chunk, CHUNK_SIZE, 1, dp->meters->fds[i]);
        }
    }
    free(dp->meters);
}

/* The provider's callbacks.  OVS calls them in the main thread. */

void
dpif_xdp_meter_get_features(const struct dpif *dpif OVS_UNUSED,
                            struct ofputil_meter_features *features)
{
    features->max_meters = OXDP_MAX_METERS;
    features->band_types = 1 << OFPMBT13_DROP;
    features->capabilities = METER_FLAGS;
    features->max_bands = OXDP_MAX_BANDS;
    features->max_color = 0;
}

int
dpif_xdp_meter_set(struct dpif *dpif, ofproto_meter_id id,
                   struct ofputil_meter_config *config)
{
    uint64_t now = monotonic_ns() << OXDP_METER_TIME_SHIFT;
    struct xdp_dp *dp = get_xdp_dp(dpif);
    struct oxdp_meter *meter;

    if (id.uint32 >= OXDP_MAX_METERS) {
        return EFBIG;
    }
    if (config->flags & ~METER_FLAGS) {
        return EBADF;
    }
    if (config->n_bands > OXDP_MAX_BANDS) {
        return EINVAL;
    }
    for (int i = 0; i < config->n_bands; i++) {
        if (config->bands[i].type != OFPMBT13_DROP) {
            return ENODEV;
        }
    }

    meter = meter_get(dp, id.uint32);
    if (!meter) {
        int error = add_chunk(dp, id.uint32);

        if (error) {
            return error;
        }
        meter = meter_get(dp, id.uint32);
    }

    /* Packets that come right now are not metered. */
    meter_set_live(meter, false);
    memset(meter, 0, sizeof *meter);
    meter->by_packets = !!(config->flags & OFPMF13_PKTPS);
    meter->n_bands = config->n_bands;
    for (int i = 0; i < config->n_bands; i++) {
        struct ofputil_meter_band *from = &config->bands[i];
        struct oxdp_band *band = &meter->bands[i];

        if (!from->burst_size) {
            /* A second's worth, which OVS shows as the burst, too. */
            from->burst_size = from->rate;
        }
        band->rate = from->rate;
        band->cost = (UINT64_C(1000000000) << OXDP_METER_TIME_SHIFT)
                     / MAX(band->rate, 1);
        band->burst = band->cost * MIN(from->burst_size,
                                       OXDP_METER_MAX_BURST / band->cost);
        band->full = now;
    }
    meter_set_live(meter, true);
    return 0;
}

int
dpif_xdp_meter_get(const struct dpif *dpif, ofproto_meter_id id,
                   struct ofputil_meter_stats *stats, uint16_t n_bands)
{
    const struct oxdp_meter *meter = meter_find(get_xdp_dp(dpif), id.uint32);

    if (!meter) {
        return id.uint32 < OXDP_MAX_METERS ? ENOENT : EFBIG;
    }
    if (stats) {
        stats->packet_in_count = meter->packets;
        stats->byte_in_count = meter->bytes;
        stats->n_bands = MIN(n_bands, meter->n_bands);
        for (int i = 0; i < stats->n_bands; i++) {
            stats->bands[i].packet_count = meter->bands[i].packets;
            stats->bands[i].byte_count = meter->bands[i].bytes;
        }
    }
    return 0;
}

int
dpif_xdp_meter_del(struct dpif *dpif, ofproto_meter_id id,
                   struct ofputil_meter_stats *stats, uint16_t n_bands)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    int error = dpif_xdp_meter_get(dpif, id, stats, n_bands);

    if (!error) {
        meter_set_live(meter_find(dp, id.uint32), false);
    }
    return error;
}
