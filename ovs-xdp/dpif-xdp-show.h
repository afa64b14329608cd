/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-show: what the datapath has counted, for dpif-xdp/...-show and
 * dpif-xdp/metrics.  Main thread.
 */

#ifndef DPIF_XDP_SHOW_H
#define DPIF_XDP_SHOW_H 1

#include <stddef.h>
#include <stdint.h>

#include "dpif-xdp.h"

struct netdev_custom_stats;

/* Where the packets of a flow are handled, as xdp_flow_layer() names it. */
#define XDP_LAYERS                                      \
    XDP_LAYER(XDP, "xdp")                               \
    XDP_LAYER(TC, "tc")                                 \
    XDP_LAYER(USER, "user")

enum xdp_layer {
#define XDP_LAYER(ENUM, NAME) XDP_LAYER_##ENUM,
    XDP_LAYERS
#undef XDP_LAYER
    XDP_N_LAYERS
};

/* The flows with one input port, by layer and enum oxdp_reason. */
struct xdp_reason_sum {
    uint64_t flows, packets;
};

struct xdp_port_reasons {
    struct xdp_reason_sum sums[XDP_N_LAYERS][OXDP_N_REASONS];
};

const char *xdp_layer_name(enum xdp_layer);

/* Returns an array of OXDP_MAX_PORTS elements, by input port, to be freed.
 * Flows with another one are in that of port 0. */
struct xdp_port_reasons *xdp_reasons_get(const struct xdp_dp *);

struct xdp_loss_info {
    const char *name, *text, *advice;
};

const struct xdp_loss_info *xdp_loss_info(enum xdp_loss);

/* Counts the packets lost so since the datapath was opened. */
void xdp_losses_get(const struct xdp_dp *, uint64_t losses[XDP_N_LOSSES]);

/* Appends to '*stats' those counters of '*s' that are not 0: "xdp_drop_REASON" and
 * "xdp_bridge_REASON", for column statistics of an Interface.  Any thread. */
void xdp_custom_stats_put(const struct oxdp_port_stats *s,
                          struct netdev_custom_stats *stats);

/* Replies that there is no port 'name', and which there are, maybe with the CPU
 * port. */
void xdp_reply_no_port(struct unixctl_conn *, const struct xdp_dp *,
                       const char *name, bool cpu_port)
    OVS_REQUIRES(dp->port_mutex);

/* Returns the ports by number, '*n' of them, in an array to be freed. */
struct xdp_port **xdp_ports_sorted(const struct xdp_dp *, size_t *n)
    OVS_REQUIRES(dp->port_mutex);

/* These register the commands, the second one that of dpif-xdp-metrics.c. */
void xdp_show_init(void);
void xdp_metrics_init(void);

#endif /* dpif-xdp-show.h */
