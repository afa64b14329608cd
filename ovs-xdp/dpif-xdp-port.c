/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-port: ports, and what happens to their devices.
 *
 * A port is identified by its device's name.  When the device is deleted,
 * renamed or moved to another network namespace, the port leaves the datapath
 * and OVS is told through port_poll(); OVS adds it again when a device of that
 * name is back.
 */

#include <config.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "dpif-xdp.h"
#include "netdev-provider.h"
#include "netdev-vport.h"
#include "netdev-xdp.h"
#include "netlink-notifier.h"
#include "netlink-socket.h"
#include "odp-util.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "oxdp-bridge.h"
#include "oxdp-compat.h"
#include "oxdp-flood.h"
#include "oxdp-instance.h"
#include "oxdp-netdev.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_port);

struct xdp_port *
xdp_port_by_number(const struct xdp_dp *dp, odp_port_t port_no)
{
    struct xdp_port *port;

    HMAP_FOR_EACH_IN_BUCKET (port, node, hash_odp_port(port_no),
                             &dp->ports) {
        if (port->port_no == port_no) {
            return port;
        }
    }
    return NULL;
}

struct xdp_port *
xdp_port_by_name(const struct xdp_dp *dp, const char *name)
{
    struct xdp_port *port;

    HMAP_FOR_EACH (port, node, &dp->ports) {
        if (!strcmp(port->name, name)) {
            return port;
        }
    }
    return NULL;
}

/* Returns the 'i'th place for 'ifindex' in BPF's table. */
static union oxdp_ifport *
ifport_slot(const struct xdp_dp *dp, int ifindex, int i)
{
    return &dp->bpf->shared->ifports[(ifindex + i) & (OXDP_IFPORT_SLOTS - 1)];
}

union oxdp_ifport *
xdp_port_ifport(const struct xdp_dp *dp, const struct xdp_port *port)
{
    for (int i = 0; i < OXDP_IFPORT_PROBES; i++) {
        union oxdp_ifport *p = ifport_slot(dp, port->ifindex, i);

        if (p->ifindex == port->ifindex) {
            return p;
        }
    }
    return NULL;
}

static bool
port_has_device(const struct xdp_port *port, int ifindex)
{
    return port->ifindex == ifindex || (port->local
                                        && port->keep_ifindex == ifindex);
}

static struct xdp_port *
port_by_ifindex(const struct xdp_dp *dp, int ifindex)
    OVS_REQUIRES(dp->port_mutex)
{
    for (int i = 0; i < OXDP_IFPORT_PROBES; i++) {
        const union oxdp_ifport *p = ifport_slot(dp, ifindex, i);
        struct xdp_port *port;

        if (p->ifindex != ifindex) {
            continue;
        }
        port = xdp_port_by_number(dp, u32_to_odp(p->port));
        if (port && port_has_device(port, ifindex)) {
            return port;
        }
        /* It receives for a dead member of a bond. */
        HMAP_FOR_EACH (port, node, &dp->ports) {
            if (port_has_device(port, ifindex)) {
                return port;
            }
        }
    }
    return NULL;
}

bool
xdp_port_is_present(struct xdp_dp *dp, uint32_t port_no)
{
    struct xdp_port *port;

    ovs_mutex_lock(&dp->port_mutex);
    port = xdp_port_by_number(dp, u32_to_odp(port_no));
    ovs_mutex_unlock(&dp->port_mutex);
    return port && !port->tunnel;
}

bool
xdp_port_get_error(const char *name, char **errorp)
{
    struct xdp_dp *dp = xdp_dp_get();
    struct xdp_port *port = NULL;

    *errorp = NULL;
    if (dp) {
        ovs_mutex_lock(&dp->port_mutex);
        port = xdp_port_by_name(dp, name);
        if (port) {
            *errorp = nullable_xstrdup(port->error ? port->error
                                       : port->l2_error);
        }
        ovs_mutex_unlock(&dp->port_mutex);
        xdp_dp_unref(dp);
    }
    return port != NULL;
}

void
xdp_port_get_stats(const struct xdp_dp *dp, uint32_t port_no,
                   struct oxdp_port_stats *sum)
{
    memset(sum, 0, sizeof *sum);
    for (uint32_t cpu = 0; cpu < dp->bpf->n_cpus; cpu++) {
        oxdp_port_stats_add(sum, &oxdp_bpf_cpu_block(dp->bpf, cpu)->ports[port_no]);
    }
}

bool
xdp_port_get_stats_by_name(const char *name, struct oxdp_port_stats *sum)
{
    struct xdp_dp *dp = xdp_dp_get();
    struct xdp_port *port = NULL;

    if (dp) {
        ovs_mutex_lock(&dp->port_mutex);
        port = xdp_port_by_name(dp, name);
        if (port) {
            xdp_port_get_stats(dp, odp_to_u32(port->port_no), sum);
        }
        ovs_mutex_unlock(&dp->port_mutex);
        xdp_dp_unref(dp);
    }
    return port != NULL;
}

void
xdp_ports_get_stats(struct xdp_dp *dp, struct oxdp_port_stats *sum)
{
    struct oxdp_port_stats stats;
    struct xdp_port *port;

    ovs_mutex_lock(&dp->port_mutex);
    *sum = dp->gone_stats;
    xdp_port_get_stats(dp, 0, &stats);
    oxdp_port_stats_add(sum, &stats);
    HMAP_FOR_EACH (port, node, &dp->ports) {
        xdp_port_get_stats(dp, odp_to_u32(port->port_no), &stats);
        oxdp_port_stats_add(sum, &stats);
    }
    ovs_mutex_unlock(&dp->port_mutex);
}

/* The tables that BPF reads. */

/* Tells BPF that 'ifindex' is port 'port_no'.  Returns 0, or ENOSPC if the
 * places for it are taken. */
static int
ifport_insert(struct xdp_dp *dp, int ifindex, odp_port_t port_no)
    OVS_REQUIRES(dp->port_mutex)
{
    for (int i = 0; i < OXDP_IFPORT_PROBES; i++) {
        union oxdp_ifport *p = ifport_slot(dp, ifindex, i);

        if (!p->ifindex || p->ifindex == OXDP_IFINDEX_DELETED) {
            union oxdp_ifport new = {
                { .ifindex = ifindex, .port = odp_to_u32(port_no) }
            };

            *(volatile uint64_t *) &p->both = new.both;
            return 0;
        }
    }
    return ENOSPC;
}

static void
ifport_remove(struct xdp_dp *dp, int ifindex)
    OVS_REQUIRES(dp->port_mutex)
{
    for (int i = 0; i < OXDP_IFPORT_PROBES; i++) {
        union oxdp_ifport *p = ifport_slot(dp, ifindex, i);

        if (p->ifindex == ifindex) {
            p->ifindex = OXDP_IFINDEX_DELETED;
            return;
        }
    }
}

/* Adding and removing. */

/* Returns a number for a port on device 'ifindex', 0 if it has none.  A device
 * keeps the number that an earlier daemon gave it: while one program of it has
 * been replaced and another one has not, one tells the other by number where to
 * send a packet. */
static odp_port_t
choose_port(struct xdp_dp *dp, int ifindex)
    OVS_REQUIRES(dp->port_mutex)
{
    struct oxdp_pin_state state;

    if (ifindex
        && (oxdp_pins_find(dp->pins, OXDP_POINT_INGRESS, ifindex)
            || oxdp_pins_find(dp->pins, OXDP_POINT_EGRESS, ifindex))
        && oxdp_pins_get_state(dp->pins, ifindex, &state)
        && state.port_no > 0 && state.port_no < OXDP_MAX_PORTS
        && !xdp_port_by_number(dp, u32_to_odp(state.port_no))) {
        return u32_to_odp(state.port_no);
    }
    for (uint32_t i = 1; i < OXDP_MAX_PORTS; i++) {
        if (!xdp_port_by_number(dp, u32_to_odp(i))
            && (dp->in_charge || !oxdp_pins_is_reserved(dp->pins, i))) {
            return u32_to_odp(i);
        }
    }
    return ODPP_NONE;
}

static void
port_free(struct xdp_port *port)
{
    netdev_close(port->netdev);
    free(port->name);
    free(port->type);
    free(port->wanted_mode);
    free(port->why);
    free(port->no_frames);
    free(port->no_peer);
    free(port->no_member);
    free(port->error);
    free(port->l2_error);
    free(port->cleared);
    free(port);
}

/* Leaves the device of 'port' as it was before that was one. */
static void
port_restore(struct xdp_dp *dp, struct xdp_port *port)
    OVS_REQUIRES(dp->port_mutex)
{
    struct oxdp_pin_state state;

    oxdp_link_restore(port->ifindex, port->changed);
    port->changed = 0;
    oxdp_pins_get_state(dp->pins, port->ifindex, &state);
    state.port_no = state.changed = 0;
    oxdp_pins_put_state(dp->pins, port->ifindex, &state);
}

/* Takes 'port' off the kernel and BPF's tables. */
static void
port_disconnect(struct xdp_dp *dp, struct xdp_port *port)
    OVS_REQUIRES(dp->port_mutex)
{
    uint32_t port_no = odp_to_u32(port->port_no);

    if (port->tunnel) {
        xdp_tunnel_remove(dp, port->port_no);
        return;
    }
    xdp_bonds_remove_port(dp, port);
    /* No longer a member while the programs still are there: nothing may get
     * past them to the kernel bridge. */
    dp->bpf->shared->ports[port_no].flags = 0;
    xdp_bridge_remove_port(dp, port);
    xdp_port_detach(port);
    port_restore(dp, port);
    dp->bpf->shared->ports[port_no].ifindex = 0;
    dp->bpf->shared->ports[port_no].frames_ifindex = 0;
    oxdp_floods_port_changed(oxdp_table_floods(dp->table), port_no);
    ifport_remove(dp, port->ifindex);
    if (port->local) {
        ifport_remove(dp, port->keep_ifindex);
    }
    bpf_map_delete_elem(dp->bpf->devs_fd, &port_no);
}

static int
port_connect(struct xdp_dp *dp, struct xdp_port *port, char **why)
    OVS_REQUIRES(dp->port_mutex)
{
    uint32_t port_no = odp_to_u32(port->port_no);
    struct oxdp_port *p = &dp->bpf->shared->ports[port_no];
    struct bpf_devmap_val val = {
        .ifindex = port->local ? port->in_ifindex : port->ifindex
    };
    int error;

    for (uint32_t cpu = 0; cpu < dp->bpf->n_cpus; cpu++) {
        memset(&oxdp_bpf_cpu_block(dp->bpf, cpu)->ports[port_no], 0,
               sizeof(struct oxdp_port_stats));
    }
    memset(p, 0, sizeof *p);
    if (port->tunnel) {
        xdp_tunnel_add(dp, port->port_no, port->netdev);
        return 0;
    }
    p->ifindex = port->ifindex;
    p->frames_ifindex = val.ifindex;
    p->tokens = dp->upcall_burst;
    p->flags = port->macvlan ? OXDP_PORT_F_MACVLAN : 0;

    error = ifport_insert(dp, port->ifindex, port->port_no);
    if (!error && port->local) {
        error = ifport_insert(dp, port->keep_ifindex, port->port_no);
    }
    if (!error) {
        error = -bpf_map_update_elem(dp->bpf->devs_fd, &port_no, &val,
                                     BPF_ANY);
    }
    if (!error) {
        error = xdp_port_attach_tc(dp, port, why);
    }
    return error ? error : xdp_port_refresh(dp, port);
}

/* Opens a device for 'port' and finds out what it is.  Returns 0 or a positive
 * errno value, with a sentence in '*why' where there is more to say. */
static int
port_open(struct xdp_port *port, struct netdev *netdev, char **why)
{
    struct oxdp_link_info info;
    enum netdev_flags flags;
    int ifindex, error;

    if (port->tunnel) {
        port->configured = true;
        xdp_port_set_why(port, xstrdup("tunnel, by ovs-vswitchd"));
        return netdev_open(port->name, port->type, &port->netdev);
    }
    error = netdev_get_flags(netdev, &flags);
    if (!error && flags & NETDEV_LOOPBACK) {
        VLOG_ERR("port %s: cannot add a loopback device", port->name);
        return EINVAL;
    }

    ifindex = (port->internal ? netdev_xdp_dp_ifindex(netdev, &port->local)
               : netdev_get_ifindex(netdev));
    if (ifindex < 0) {
        return -ifindex;
    }
    port->ifindex = ifindex;
    if (port->local) {
        error = oxdp_bridge_get_keeper(port->name, &port->keep_ifindex,
                                       &port->in_ifindex);
        if (error) {
            return error;
        }
    }
    error = oxdp_link_get(ifindex, &info);
    if (!error) {
        *why = xdp_port_why_foreign(port->name, info.master_ifindex);
        error = *why ? EBUSY : 0;
    }
    if (!error) {
        ovs_strlcpy(port->kind, info.kind, sizeof port->kind);
        error = netdev_open(port->name, port->type, &port->netdev);
    }
    return error;
}

void
xdp_port_save(struct xdp_dp *dp, const struct xdp_port *port)
{
    struct oxdp_pin_state state;

    oxdp_pins_get_state(dp->pins, port->ifindex, &state);
    state.port_no = odp_to_u32(port->port_no);
    state.changed = port->changed;
    oxdp_pins_put_state(dp->pins, port->ifindex, &state);
}

void
xdp_port_set_promisc(struct xdp_dp *dp, struct xdp_port *port, bool promisc)
{
    bool ours = port->changed & OXDP_CHANGED_PROMISC;
    enum netdev_flags flags;
    int error;

    if (port->internal || !strcmp(port->kind, "veth") || ours == promisc
        || netdev_get_flags(port->netdev, &flags)
        || (promisc && flags & NETDEV_PROMISC)) {
        return;
    }
    error = oxdp_link_set_promisc(port->ifindex, promisc);
    if (error) {
        VLOG_WARN("port %s: cannot make it %spromiscuous (%s)", port->name,
                  promisc ? "" : "no longer ", ovs_strerror(error));
    } else {
        port->changed ^= OXDP_CHANGED_PROMISC;
        xdp_port_save(dp, port);
    }
}

/* Makes a new port known to the kernel and to BPF. */
static int
port_connect_all(struct xdp_dp *dp, struct xdp_port *port, char **why)
    OVS_REQUIRES(dp->port_mutex)
{
    int error = port_connect(dp, port, why);
    struct oxdp_pin_state state;

    if (error || port->tunnel) {
        return error;
    }
    if (oxdp_attach_is_adopted(&port->tc)) {
        oxdp_pins_get_state(dp->pins, port->ifindex, &state);
        port->changed = state.changed;
    }
    xdp_port_save(dp, port);
    xdp_port_set_promisc(dp, port, true);
    return 0;
}

/* Takes 'why', why 'port' cannot be a port. */
static void
refuse(struct xdp_dp *dp, const struct xdp_port *port, char *why)
    OVS_REQUIRES(dp->port_mutex)
{
    VLOG_WARN("port %s: %s", port->name, why);
    free(shash_replace(&dp->port_refusals, port->name, why));
}

char *
xdp_port_take_refusal(const char *name)
{
    struct xdp_dp *dp = xdp_dp_get();
    char *why = NULL;

    if (dp) {
        ovs_mutex_lock(&dp->port_mutex);
        why = shash_find_and_delete(&dp->port_refusals, name);
        ovs_mutex_unlock(&dp->port_mutex);
        xdp_dp_unref(dp);
    }
    return why;
}

static int
port_add(struct xdp_dp *dp, struct netdev *netdev, odp_port_t *port_no)
    OVS_REQUIRES(dp->port_mutex)
{
    char namebuf[NETDEV_VPORT_NAME_BUFSIZE];
    const char *name = netdev_vport_get_dpif_port(netdev, namebuf,
                                                  sizeof namebuf);
    struct xdp_port *port;
    char *why = NULL;
    int error;

    if (xdp_port_by_name(dp, name)) {
        return EEXIST;
    }
    if (*port_no != ODPP_NONE
        && (xdp_port_by_number(dp, *port_no)
            || odp_to_u32(*port_no) >= OXDP_MAX_PORTS)) {
        return EBUSY;
    }

    port = xzalloc(sizeof *port);
    port->name = xstrdup(name);
    port->type = xstrdup(netdev_get_type(netdev));
    port->internal = !strcmp(port->type, NETDEV_XDP_TYPE);
    port->tunnel = netdev_vport_is_vport_class(netdev_get_class(netdev));
    port->macvlan = xdp_bridge_is_macvlan(port->name);
    port->mode = XDP_MODE_TC;
    port->why = xstrdup("not configured yet");
    port->xdp = port->tc = port->keeper_tc = port->gate
        = (struct oxdp_attach) OXDP_ATTACH_INIT;

    error = port_open(port, netdev, &why);
    if (!error && !port->tunnel && port_by_ifindex(dp, port->ifindex)) {
        error = EBUSY;
    }
    if (!error && *port_no == ODPP_NONE) {
        *port_no = choose_port(dp, port->ifindex);
        error = *port_no == ODPP_NONE ? EFBIG : 0;
    }
    if (!error) {
        port->port_no = *port_no;
        error = port_connect_all(dp, port, &why);
        if (error) {
            port_disconnect(dp, port);
        }
    }
    if (error) {
        refuse(dp, port, why ? why : xstrdup(ovs_strerror(error)));
        port_free(port);
        return error;
    }

    hmap_insert(&dp->ports, &port->node, hash_odp_port(port->port_no));
    dp->bridges_changed = true;
    free(shash_find_and_delete(&dp->port_refusals, port->name));
    seq_change(dp->port_seq);
    return 0;
}

/* Makes an internal port that an earlier daemon left a port of the datapath:
 * OVS deletes it if it is no longer configured. */
static void
adopt_internal_port(struct netdev *netdev, void *dp_)
{
    odp_port_t port_no = ODPP_NONE;
    struct xdp_dp *dp = dp_;

    ovs_mutex_lock(&dp->port_mutex);
    port_add(dp, netdev, &port_no);
    ovs_mutex_unlock(&dp->port_mutex);
}

static void
port_remove(struct xdp_dp *dp, struct xdp_port *port)
    OVS_REQUIRES(dp->port_mutex)
{
    struct oxdp_port_stats stats;

    hmap_remove(&dp->ports, &port->node);
    dp->bridges_changed = true;
    seq_change(dp->port_seq);
    port_disconnect(dp, port);
    xdp_port_get_stats(dp, odp_to_u32(port->port_no), &stats);
    oxdp_port_stats_add(&dp->gone_stats, &stats);
    port_free(port);
}

/* What happens to devices. */

/* Looks whether 'port' still is what it was. */
static void
port_check(struct xdp_dp *dp, struct xdp_port *port)
    OVS_REQUIRES(dp->port_mutex)
{
    int error = xdp_port_refresh(dp, port);

    if (error == ENODEV) {
        VLOG_INFO("port %s: its device is gone", port->name);
        port_remove(dp, port);
    } else if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

        VLOG_WARN_RL(&rl, "port %s: cannot ask for its state (%s)",
                     port->name, ovs_strerror(error));
    }
}

static void
ports_check_all(struct xdp_dp *dp)
    OVS_REQUIRES(dp->port_mutex)
{
    struct xdp_port *port;

    HMAP_FOR_EACH_SAFE (port, node, &dp->ports) {
        if (!port->tunnel) {
            port_check(dp, port);
        }
    }
}

/* Our own listener, not rtnetlink_notifier_create(): OVS calls those with a
 * netdev's lock taken, too.  A change of a qdisc makes no message about the
 * link. */
static int
parse_change(struct ofpbuf *buf, void *ifindex_)
{
    const struct nlmsghdr *nlmsg = buf->data;
    const struct ifinfomsg *ifi
        = ofpbuf_at(buf, NLMSG_HDRLEN, sizeof *ifi);
    const struct tcmsg *tcm = ofpbuf_at(buf, NLMSG_HDRLEN, sizeof *tcm);
    int *ifindex = ifindex_;

    *ifindex = 0;
    switch (nlmsg->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        *ifindex = ifi ? ifi->ifi_index : 0;
        return RTNLGRP_LINK;
    case RTM_NEWQDISC:
    case RTM_DELQDISC:
    case RTM_NEWTFILTER:
    case RTM_DELTFILTER:
        *ifindex = tcm ? tcm->tcm_ifindex : 0;
        return RTNLGRP_TC;
    default:
        /* Classes and actions. */
        return RTNLGRP_TC;
    }
}

/* Called by nln_run(), in the main thread. */
static void
link_changed(const void *ifindex, void *dp_)
{
    struct xdp_dp *dp = dp_;

    ovs_mutex_lock(&dp->port_mutex);
    if (ifindex) {
        struct xdp_port *port = port_by_ifindex(dp, *(const int *) ifindex);

        if (port) {
            port_check(dp, port);
        }
    } else {
        ports_check_all(dp);
    }
    ovs_mutex_unlock(&dp->port_mutex);
}

static void
receive_features(struct xdp_dp *dp)
    OVS_REQUIRES(dp->port_mutex)
{
    uint64_t features;
    int ifindex, error;

    while (!(error = oxdp_features_recv(dp->features_sock, &ifindex,
                                        &features))) {
        struct xdp_port *port = port_by_ifindex(dp, ifindex);

        if (port) {
            port_check(dp, port);
        }
    }
    if (error == ENOBUFS) {
        ports_check_all(dp);
    }
}

int
xdp_ports_init(struct xdp_dp *dp)
{
    int error;

    dp->links = nln_create(NETLINK_ROUTE, parse_change, &dp->changed_ifindex);
    dp->link_notifier = nln_notifier_create(dp->links, RTNLGRP_LINK,
                                            link_changed, dp);
    dp->tc_notifier = nln_notifier_create(dp->links, RTNLGRP_TC,
                                          link_changed, dp);
    error = oxdp_features_sock_create(&dp->features_sock);
    if (error) {
        VLOG_INFO("the kernel does not tell which devices can transmit "
                  "redirected frames (%s): transmitting through TC",
                  ovs_strerror(error));
        dp->features_sock = NULL;
    }
    netdev_xdp_adopt(adopt_internal_port, dp);
    return 0;
}

void
xdp_ports_destroy(struct xdp_dp *dp)
{
    struct xdp_port *port;

    ovs_mutex_lock(&dp->port_mutex);
    HMAP_FOR_EACH_SAFE (port, node, &dp->ports) {
        port_remove(dp, port);
    }
    hmap_destroy(&dp->ports);
    shash_destroy_free_data(&dp->port_refusals);
    cmap_destroy(&dp->tunnels);
    ovs_mutex_unlock(&dp->port_mutex);

    nln_notifier_destroy(dp->tc_notifier);
    nln_notifier_destroy(dp->link_notifier);
    nln_destroy(dp->links);
    nl_sock_destroy(dp->features_sock);
    seq_destroy(dp->port_seq);
}

/* Pins a program or a map. */
static void
pin_object(const char *kind, const char *name, int fd, void *pins)
{
    oxdp_pins_add_object(pins, kind, name, fd);
}

/* Any thread with the port mutex. */
static bool
is_port(int ifindex, void *dp)
{
    return port_by_ifindex(dp, ifindex) != NULL;
}

void
xdp_ports_forget_found(struct xdp_dp *dp)
{
    ovs_mutex_lock(&dp->port_mutex);
    oxdp_instance_release(dp->pins, is_port, dp);
    ovs_mutex_unlock(&dp->port_mutex);
}

void
xdp_ports_take_over(struct xdp_dp *dp)
{
    uint32_t version = oxdp_pins_abi_version(dp->pins);
    size_t n;

    ovs_mutex_lock(&dp->port_mutex);
    n = oxdp_attach_take_over(dp->pins);
    ovs_mutex_unlock(&dp->port_mutex);
    if (n) {
        VLOG_INFO("replaced %"PRIuSIZE" programs of an earlier ovs-vswitchd "
                  "(ABI version %"PRIu32") by new ones (%d)",
                  n, version, OXDP_ABI_VERSION);
    }
    xdp_ports_forget_found(dp);
    oxdp_pins_delete_objects(dp->pins);
    oxdp_bpf_for_each(dp->bpf, pin_object, dp->pins);
}

void
xdp_ports_run(struct xdp_dp *dp)
{
    struct xdp_port *port;

    nln_run(dp->links);

    ovs_mutex_lock(&dp->port_mutex);
    if (dp->features_sock) {
        receive_features(dp);
    }
    HMAP_FOR_EACH (port, node, &dp->ports) {
        /* Ports that were added by hand, not through the bridge; and what OVS
         * does not do again on its own. */
        if (!port->configured
            || (port->error && time_msec() >= port->retry_at)) {
            xdp_port_configure(dp, port);
        }
    }
    ovs_mutex_unlock(&dp->port_mutex);
}

void
xdp_ports_wait(struct xdp_dp *dp)
{
    nln_wait(dp->links);
    if (dp->features_sock) {
        nl_sock_wait(dp->features_sock, POLLIN);
    }
}

void
xdp_ports_set_defaults(struct xdp_dp *dp, const char *mode,
                       uint32_t upcall_rate, uint32_t upcall_burst)
{
    struct xdp_port *port;
    bool changed;

    ovs_mutex_lock(&dp->port_mutex);
    changed = (!nullable_string_is_equal(dp->default_mode, mode)
               || dp->upcall_rate != upcall_rate
               || dp->upcall_burst != upcall_burst);
    if (changed) {
        free(dp->default_mode);
        dp->default_mode = nullable_xstrdup(mode);
        dp->upcall_rate = upcall_rate;
        dp->upcall_burst = upcall_burst;
        HMAP_FOR_EACH (port, node, &dp->ports) {
            if (port->configured && !port->tunnel) {
                xdp_port_choose_mode(dp, port);
            }
        }
    }
    ovs_mutex_unlock(&dp->port_mutex);
}

/* The provider's callbacks. */

int
dpif_xdp_port_add(struct dpif *dpif, struct netdev *netdev,
                  odp_port_t *port_no)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    int error;

    ovs_mutex_lock(&dp->port_mutex);
    error = port_add(dp, netdev, port_no);
    ovs_mutex_unlock(&dp->port_mutex);
    return error;
}

int
dpif_xdp_port_del(struct dpif *dpif, odp_port_t port_no)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    struct xdp_port *port;
    char *internal = NULL;
    int error = 0;

    ovs_mutex_lock(&dp->port_mutex);
    port = xdp_port_by_number(dp, port_no);
    if (!port) {
        error = port_no == 0 ? EINVAL : ENODEV;
    } else {
        internal = port->internal ? xstrdup(port->name) : NULL;
        port_remove(dp, port);
    }
    ovs_mutex_unlock(&dp->port_mutex);

    if (internal) {
        netdev_xdp_delete(internal);
        free(internal);
    }
    return error;
}

int
dpif_xdp_port_set_config(struct dpif *dpif, odp_port_t port_no,
                         const struct smap *config)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    const char *mode = smap_get(config, "xdp-mode");
    struct xdp_port *port;

    ovs_mutex_lock(&dp->port_mutex);
    port = xdp_port_by_number(dp, port_no);
    if (port && !port->tunnel) {
        if (!nullable_string_is_equal(port->wanted_mode, mode)) {
            free(port->wanted_mode);
            port->wanted_mode = nullable_xstrdup(mode);
            port->configured = false;
        }
        xdp_port_configure(dp, port);
    }
    ovs_mutex_unlock(&dp->port_mutex);
    return port || port_no == 0 ? 0 : ENODEV;
}

static void
fill_port(const char *name, const char *type, odp_port_t port_no,
          struct dpif_port *out)
{
    if (out) {
        out->name = xstrdup(name);
        out->type = xstrdup(type);
        out->port_no = port_no;
    }
}

int
dpif_xdp_port_query_by_number(const struct dpif *dpif, odp_port_t port_no,
                              struct dpif_port *out)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    struct xdp_port *port;

    if (port_no == 0) {
        fill_port(DPIF_XDP_NAME, "system", port_no, out);
        return 0;
    }
    ovs_mutex_lock(&dp->port_mutex);
    port = xdp_port_by_number(dp, port_no);
    if (port) {
        fill_port(port->name, port->type, port->port_no, out);
    }
    ovs_mutex_unlock(&dp->port_mutex);
    return port ? 0 : ENODEV;
}

int
dpif_xdp_port_query_by_name(const struct dpif *dpif, const char *name,
                            struct dpif_port *out)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    struct xdp_port *port;

    if (!strcmp(name, DPIF_XDP_NAME)) {
        fill_port(DPIF_XDP_NAME, "system", 0, out);
        return 0;
    }
    ovs_mutex_lock(&dp->port_mutex);
    port = xdp_port_by_name(dp, name);
    if (port) {
        fill_port(port->name, port->type, port->port_no, out);
    }
    ovs_mutex_unlock(&dp->port_mutex);
    return port ? 0 : ENODEV;
}

/* A dump is a copy of the ports at its start. */
struct port_dump {
    struct dpif_port *ports;
    size_t n, i;
};

int
dpif_xdp_port_dump_start(const struct dpif *dpif, void **statep)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    struct port_dump *dump = xzalloc(sizeof *dump);
    struct xdp_port *port;

    ovs_mutex_lock(&dp->port_mutex);
    dump->ports = xcalloc(hmap_count(&dp->ports) + 1, sizeof *dump->ports);
    fill_port(DPIF_XDP_NAME, "system", 0, &dump->ports[dump->n++]);
    HMAP_FOR_EACH (port, node, &dp->ports) {
        fill_port(port->name, port->type, port->port_no,
                  &dump->ports[dump->n++]);
    }
    ovs_mutex_unlock(&dp->port_mutex);
    *statep = dump;
    return 0;
}

int
dpif_xdp_port_dump_next(const struct dpif *dpif OVS_UNUSED, void *state,
                        struct dpif_port *out)
{
    struct port_dump *dump = state;

    if (dump->i >= dump->n) {
        return EOF;
    }
    *out = dump->ports[dump->i++];
    return 0;
}

int
dpif_xdp_port_dump_done(const struct dpif *dpif OVS_UNUSED, void *state)
{
    struct port_dump *dump = state;

    for (size_t i = 0; i < dump->n; i++) {
        dpif_port_destroy(&dump->ports[i]);
    }
    free(dump->ports);
    free(dump);
    return 0;
}

int
dpif_xdp_port_poll(const struct dpif *dpif_, char **devnamep OVS_UNUSED)
{
    struct dpif_xdp *dpif = CONTAINER_OF(dpif_, struct dpif_xdp, dpif);
    uint64_t seq = seq_read(dpif->dp->port_seq);

    if (dpif->last_port_seq != seq) {
        dpif->last_port_seq = seq;
        return ENOBUFS;
    }
    return EAGAIN;
}

void
dpif_xdp_port_poll_wait(const struct dpif *dpif_)
{
    struct dpif_xdp *dpif = CONTAINER_OF(dpif_, struct dpif_xdp, dpif);

    seq_wait(dpif->dp->port_seq, dpif->last_port_seq);
}
