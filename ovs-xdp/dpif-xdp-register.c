/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-register: how unpatched Open vSwitch gets to know of the provider.
 *
 * This object is linked with OVS's own ovs-vswitchd.o.  A constructor
 * registers the classes; linker option --wrap routes a few calls between OVS's
 * objects through the functions below, where OVS asks for the datapath's type
 * instead of its abilities, or has no callback for what we have to say.
 */

#include <config.h>

#include <stdlib.h>

#include "dpif-xdp.h"
#include "dpif-xdp-show.h"
#include "netdev.h"
#include "netdev-xdp.h"
#include "smap.h"
#include "util.h"
#include "vswitch-idl.h"

static bool
is_ours(const struct dpif *dpif)
{
    return !strcmp(dpif_type(dpif), DPIF_XDP_TYPE);
}

static void __attribute__((constructor))
register_xdp(void)
{
    /* No threads and no file descriptors here: the daemon forks later. */
    netdev_xdp_register();
    dp_register_provider(&dpif_xdp_class);
}

/* Abilities that OVS grants to dpif-netdev by name. */

bool __real_dpif_supports_tnl_push_pop(const struct dpif *);
bool __wrap_dpif_supports_tnl_push_pop(const struct dpif *);
/* Newer versions (3.5) do not have it: they probe. */
bool __real_dpif_supports_explicit_drop_action(const struct dpif *)
    __attribute__((weak));
bool __wrap_dpif_supports_explicit_drop_action(const struct dpif *);
bool __real_dpif_supports_lb_output_action(const struct dpif *);
bool __wrap_dpif_supports_lb_output_action(const struct dpif *);

bool
__wrap_dpif_supports_tnl_push_pop(const struct dpif *dpif)
{
    return is_ours(dpif) || __real_dpif_supports_tnl_push_pop(dpif);
}

bool
__wrap_dpif_supports_explicit_drop_action(const struct dpif *dpif)
{
    return is_ours(dpif) || __real_dpif_supports_explicit_drop_action(dpif);
}

bool
__wrap_dpif_supports_lb_output_action(const struct dpif *dpif)
{
    return is_ours(dpif) || __real_dpif_supports_lb_output_action(dpif);
}

/* Execution.  OVS believes that a datapath cannot execute, in ovs-vswitchd,
 * what its flows cannot have, and "helps": it executes the actions itself and
 * calls the datapath for single ones.  That costs more, and gets trunc() in
 * front of tnl_push() wrong (3.1).  Ours executes whatever OVS knows. */

int __real_dpif_execute(struct dpif *, struct dpif_execute *);
int __wrap_dpif_execute(struct dpif *, struct dpif_execute *);
void __real_dpif_operate(struct dpif *, struct dpif_op **, size_t n_ops,
                         enum dpif_offload_type);
void __wrap_dpif_operate(struct dpif *, struct dpif_op **, size_t n_ops,
                         enum dpif_offload_type);

int
__wrap_dpif_execute(struct dpif *dpif, struct dpif_execute *execute)
{
    if (is_ours(dpif)) {
        execute->needs_help = false;
    }
    return __real_dpif_execute(dpif, execute);
}

void
__wrap_dpif_operate(struct dpif *dpif, struct dpif_op **ops, size_t n_ops,
                    enum dpif_offload_type offload)
{
    if (is_ours(dpif)) {
        for (size_t i = 0; i < n_ops; i++) {
            if (ops[i]->type == DPIF_OP_EXECUTE) {
                ops[i]->execute.needs_help = false;
            }
        }
    }
    __real_dpif_operate(dpif, ops, n_ops, offload);
}

/* Counters of a device.  It does not count what TC sends past it. */

int __real_netdev_get_stats(const struct netdev *, struct netdev_stats *);
int __wrap_netdev_get_stats(const struct netdev *, struct netdev_stats *);

int
__wrap_netdev_get_stats(const struct netdev *netdev,
                        struct netdev_stats *stats)
{
    int error = __real_netdev_get_stats(netdev, stats);
    struct oxdp_port_stats ours;

    if (!error
        && xdp_port_get_stats_by_name(netdev_get_name(netdev), &ours)) {
        stats->tx_packets += ours.tx_packets;
        stats->tx_bytes += ours.tx_bytes;
        stats->rx_packets += ours.rx_packets;
        stats->rx_bytes += ours.rx_bytes;
    }
    return error;
}

/* Counters of an Interface that OVS has no name for. */

int __real_netdev_get_custom_stats(const struct netdev *,
                                   struct netdev_custom_stats *);
int __wrap_netdev_get_custom_stats(const struct netdev *,
                                   struct netdev_custom_stats *);

int
__wrap_netdev_get_custom_stats(const struct netdev *netdev,
                               struct netdev_custom_stats *stats)
{
    int error = __real_netdev_get_custom_stats(netdev, stats);
    struct oxdp_port_stats ours;

    if (xdp_port_get_stats_by_name(netdev_get_name(netdev), &ours)) {
        xdp_custom_stats_put(&ours, stats);
        error = 0;
    }
    return error;
}

/* The error column of an Interface.  OVS sets it when it configures the
 * Interface, which is before the datapath can know of an error, and refreshes
 * the status when the netdev has changed. */

void __real_ovsrec_interface_set_error(const struct ovsrec_interface *,
                                       const char *error);
void __wrap_ovsrec_interface_set_error(const struct ovsrec_interface *,
                                       const char *error);
void __real_ovsrec_interface_set_status(const struct ovsrec_interface *,
                                        const struct smap *);
void __wrap_ovsrec_interface_set_status(const struct ovsrec_interface *,
                                        const struct smap *);

void
__wrap_ovsrec_interface_set_error(const struct ovsrec_interface *row,
                                  const char *error)
{
    char *ours = NULL;

    if (!error) {
        xdp_port_get_error(row->name, &ours);
    } else {
        char *why = xdp_port_take_refusal(row->name);

        ours = why ? xasprintf("%s: %s", error, why) : NULL;
        free(why);
    }
    __real_ovsrec_interface_set_error(row, ours ? ours : error);
    free(ours);
}

void
__wrap_ovsrec_interface_set_status(const struct ovsrec_interface *row,
                                   const struct smap *status)
{
    char *ours;

    __real_ovsrec_interface_set_status(row, status);
    if (status && xdp_port_get_error(row->name, &ours)) {
        if (ours || row->error) {
            __real_ovsrec_interface_set_error(row, ours);
        }
        free(ours);
    }
}
