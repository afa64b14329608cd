/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-meter: OpenFlow meters, for packets that userspace executes.
 *
 * A flow with a meter has verdict "user".  Each band is a token bucket; of the
 * bands that a packet exceeds, the one with the highest rate drops it.
 */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "coverage.h"
#include "dp-packet.h"
#include "dpif-xdp.h"
#include "hash.h"
#include "openflow/openflow.h"
#include "openvswitch/ofp-meter.h"
#include "ovs-rcu.h"
#include "timeval.h"
#include "util.h"

COVERAGE_DEFINE(xdp_meter_drop);

#define MAX_METERS 65536
#define MAX_BANDS 8
#define METER_FLAGS (OFPMF13_KBPS | OFPMF13_PKTPS | OFPMF13_BURST \
                     | OFPMF13_STATS)

/* Rates are packets or kilobits per second, bursts are packets or kilobits.
 * Buckets have one scale for both: a millionth of a packet, or of a kilobit;
 * a microsecond puts 'rate' of these into the bucket. */
#define BUCKET_SCALE 1000000

struct band {
    uint32_t rate, burst;
    uint64_t bucket;
    struct ofputil_meter_band_stats stats;      /* Of dropped packets. */
};

/* Under RCU; figures under 'mutex'. */
struct xdp_meter {
    struct cmap_node node;      /* In struct xdp_dp's 'meters', by id. */
    uint32_t id;
    struct ovs_mutex mutex;
    uint16_t flags;             /* OFPMF13_*. */
    long long int used;         /* time_usec() of the last packet. */
    uint64_t n_packets, n_bytes;
    uint16_t n_bands;
    struct band bands[];
};

static struct xdp_meter *
meter_find(const struct xdp_dp *dp, uint32_t id)
{
    struct xdp_meter *meter;

    CMAP_FOR_EACH_WITH_HASH (meter, node, hash_int(id, 0), &dp->meters) {
        if (meter->id == id) {
            return meter;
        }
    }
    return NULL;
}

static void
meter_free(struct xdp_meter *meter)
{
    ovs_mutex_destroy(&meter->mutex);
    free(meter);
}

static void
meter_remove(struct xdp_dp *dp, struct xdp_meter *meter)
{
    cmap_remove(&dp->meters, &meter->node, hash_int(meter->id, 0));
    ovsrcu_postpone(meter_free, meter);
}

/* Fills the bucket for 'usec' and takes 'cost' out.  Returns false if there was
 * not that much in it. */
static bool
band_take(struct band *band, uint64_t usec, uint64_t cost)
{
    uint64_t max = (uint64_t) band->burst * BUCKET_SCALE;

    band->bucket = (usec >= max / MAX(band->rate, 1) ? max
                    : MIN(max, band->bucket + usec * band->rate));
    if (band->bucket < cost) {
        return false;
    }
    band->bucket -= cost;
    return true;
}

/* Returns true if 'packet' may pass 'meter'. */
static bool
meter_packet(struct xdp_meter *meter, const struct dp_packet *packet,
             uint64_t usec)
    OVS_REQUIRES(meter->mutex)
{
    uint64_t size = dp_packet_size(packet);
    uint64_t cost = (meter->flags & OFPMF13_PKTPS ? BUCKET_SCALE
                     : size * 8 * (BUCKET_SCALE / 1000));
    struct band *exceeded = NULL;

    meter->n_packets++;
    meter->n_bytes += size;
    for (int i = 0; i < meter->n_bands; i++) {
        struct band *band = &meter->bands[i];

        if (!band_take(band, usec, cost)
            && (!exceeded || band->rate > exceeded->rate)) {
            exceeded = band;
        }
    }
    if (!exceeded) {
        return true;
    }
    exceeded->stats.packet_count++;
    exceeded->stats.byte_count += size;
    COVERAGE_INC(xdp_meter_drop);
    return false;
}

void
xdp_meter_run(struct xdp_dp *dp, struct dp_packet_batch *batch, uint32_t id)
{
    struct xdp_meter *meter = meter_find(dp, id);
    size_t n = dp_packet_batch_size(batch);
    long long int now = time_usec();
    struct dp_packet *packet;
    size_t i;

    if (!meter) {
        return;
    }
    ovs_mutex_lock(&meter->mutex);
    DP_PACKET_BATCH_REFILL_FOR_EACH (i, n, packet, batch) {
        /* Threads may come here in another order than they read the time. */
        uint64_t usec = MAX(0, now - meter->used);

        meter->used = MAX(meter->used, now);
        if (meter_packet(meter, packet, usec)) {
            dp_packet_batch_refill(batch, packet, i);
        } else {
            dp_packet_delete(packet);
        }
    }
    ovs_mutex_unlock(&meter->mutex);
}

void
xdp_meters_destroy(struct xdp_dp *dp)
{
    struct xdp_meter *meter;

    CMAP_FOR_EACH (meter, node, &dp->meters) {
        meter_remove(dp, meter);
    }
    cmap_destroy(&dp->meters);
}

/* The provider's callbacks.  OVS calls them in the main thread. */

void
dpif_xdp_meter_get_features(const struct dpif *dpif OVS_UNUSED,
                            struct ofputil_meter_features *features)
{
    features->max_meters = MAX_METERS;
    features->band_types = 1 << OFPMBT13_DROP;
    features->capabilities = METER_FLAGS;
    features->max_bands = MAX_BANDS;
    features->max_color = 0;
}

int
dpif_xdp_meter_set(struct dpif *dpif, ofproto_meter_id id,
                   struct ofputil_meter_config *config)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    struct xdp_meter *meter, *old;

    if (id.uint32 >= MAX_METERS) {
        return EFBIG;
    }
    if (config->flags & ~METER_FLAGS) {
        return EBADF;
    }
    if (config->n_bands > MAX_BANDS) {
        return EINVAL;
    }
    for (int i = 0; i < config->n_bands; i++) {
        if (config->bands[i].type != OFPMBT13_DROP) {
            return ENODEV;
        }
    }

    meter = xzalloc(sizeof *meter + config->n_bands * sizeof *meter->bands);
    meter->id = id.uint32;
    ovs_mutex_init(&meter->mutex);
    meter->flags = config->flags;
    meter->used = time_usec();
    meter->n_bands = config->n_bands;
    for (int i = 0; i < config->n_bands; i++) {
        struct ofputil_meter_band *band = &config->bands[i];

        if (!band->burst_size) {
            /* A second's worth, which OVS shows as the burst, too. */
            band->burst_size = band->rate;
        }
        meter->bands[i].rate = band->rate;
        meter->bands[i].burst = band->burst_size;
        meter->bands[i].bucket = (uint64_t) band->burst_size * BUCKET_SCALE;
    }

    old = meter_find(dp, id.uint32);
    if (old) {
        meter_remove(dp, old);
    }
    cmap_insert(&dp->meters, &meter->node, hash_int(meter->id, 0));
    return 0;
}

int
dpif_xdp_meter_get(const struct dpif *dpif, ofproto_meter_id id,
                   struct ofputil_meter_stats *stats, uint16_t n_bands)
{
    struct xdp_meter *meter = meter_find(get_xdp_dp(dpif), id.uint32);

    if (!meter) {
        return id.uint32 < MAX_METERS ? ENOENT : EFBIG;
    }
    if (stats) {
        ovs_mutex_lock(&meter->mutex);
        stats->packet_in_count = meter->n_packets;
        stats->byte_in_count = meter->n_bytes;
        stats->n_bands = MIN(n_bands, meter->n_bands);
        for (int i = 0; i < stats->n_bands; i++) {
            stats->bands[i] = meter->bands[i].stats;
        }
        ovs_mutex_unlock(&meter->mutex);
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
        meter_remove(dp, meter_find(dp, id.uint32));
    }
    return error;
}
