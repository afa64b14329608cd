/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-port: ports, the hooks they use, and what happens to their devices.
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
#include "oxdp-compat.h"
#include "oxdp-netdev.h"
#include "rtnetlink.h"
#include "smap.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_port);

static void port_choose_mode(struct xdp_dp *, struct xdp_port *)
    OVS_REQUIRES(dp->port_mutex);

const char *
xdp_mode_name(enum xdp_mode mode)
{
    static const char *names[] = {
#define XDP_MODE(ENUM, NAME) [XDP_MODE_##ENUM] = NAME,
        XDP_MODES
#undef XDP_MODE
    };

    return names[mode];
}

static bool
mode_from_string(const char *s, enum xdp_mode *mode)
{
#define XDP_MODE(ENUM, NAME)                    \
    if (!strcmp(s, NAME)) {                     \
        *mode = XDP_MODE_##ENUM;                \
        return true;                            \
    }
    XDP_MODES
#undef XDP_MODE
    return false;
}

static struct xdp_port *
port_by_number(const struct xdp_dp *dp, odp_port_t port_no)
    OVS_REQUIRES(dp->port_mutex)
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

static struct xdp_port *
port_by_ifindex(const struct xdp_dp *dp, int ifindex)
    OVS_REQUIRES(dp->port_mutex)
{
    struct xdp_port *port;

    HMAP_FOR_EACH (port, node, &dp->ports) {
        if (port->ifindex == ifindex) {
            return port;
        }
    }
    return NULL;
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
            *errorp = nullable_xstrdup(port->error);
        }
        ovs_mutex_unlock(&dp->port_mutex);
        xdp_dp_unref(dp);
    }
    return port != NULL;
}

static void
add_stats(struct oxdp_port_stats *sum, const struct oxdp_port_stats *stats)
{
    const volatile uint64_t *from = (const volatile uint64_t *) stats;
    uint64_t *to = (uint64_t *) sum;

    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) {
        to[i] += from[i];
    }
}

void
xdp_port_get_stats(const struct xdp_dp *dp, uint32_t port_no,
                   struct oxdp_port_stats *sum)
{
    memset(sum, 0, sizeof *sum);
    for (uint32_t cpu = 0; cpu < dp->bpf->n_cpus; cpu++) {
        add_stats(sum, &oxdp_bpf_cpu_block(dp->bpf, cpu)->ports[port_no]);
    }
}

void
xdp_ports_get_stats(struct xdp_dp *dp, struct oxdp_port_stats *sum)
{
    struct oxdp_port_stats stats;
    struct xdp_port *port;

    ovs_mutex_lock(&dp->port_mutex);
    *sum = dp->gone_stats;
    xdp_port_get_stats(dp, 0, &stats);
    add_stats(sum, &stats);
    HMAP_FOR_EACH (port, node, &dp->ports) {
        xdp_port_get_stats(dp, odp_to_u32(port->port_no), &stats);
        add_stats(sum, &stats);
    }
    ovs_mutex_unlock(&dp->port_mutex);
}

/* The tables that BPF reads. */

/* Returns the 'i'th place for 'ifindex'. */
static union oxdp_ifport *
ifport_slot(const struct xdp_dp *dp, int ifindex, int i)
{
    return &dp->bpf->shared->ifports[(ifindex + i) & (OXDP_IFPORT_SLOTS - 1)];
}

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

/* Stores in BPF's table what 'info' says of the port's device. */
static void
port_update(struct xdp_dp *dp, struct xdp_port *port,
            const struct oxdp_link_info *info)
    OVS_REQUIRES(dp->port_mutex)
{
    struct oxdp_port *p = &dp->bpf->shared->ports[odp_to_u32(port->port_no)];
    uint32_t flags = OXDP_PORT_F_PRESENT;
    int mtu;

    /* The features do not say that the peer is down. */
    if (info->flags & OXDP_IFF_LOWER_UP) {
        if (port->features & OXDP_NETDEV_XDP_ACT_NDO_XMIT) {
            flags |= OXDP_PORT_F_XMIT;
        }
        if (port->features & OXDP_NETDEV_XDP_ACT_NDO_XMIT_SG) {
            flags |= OXDP_PORT_F_XMIT_SG;
        }
    }
    if (oxdp_attach_is_attached(&port->xdp)) {
        flags |= OXDP_PORT_F_XDP;
    }
    p->punt_rate = dp->upcall_rate;
    p->punt_burst = dp->upcall_burst;
    p->flags = flags;
    if (!port->internal || netdev_get_mtu(port->netdev, &mtu)) {
        mtu = info->mtu;
    }
    xdp_cpu_require_mtu(dp, mtu + ETH_HEADER_LEN + 2 * VLAN_HEADER_LEN);
}

/* Asks the kernel for the state of the port's device.  Returns ENODEV if it is
 * no longer the port's. */
static int
port_refresh(struct xdp_dp *dp, struct xdp_port *port)
    OVS_REQUIRES(dp->port_mutex)
{
    struct oxdp_link_info info;
    int error = oxdp_link_get(port->ifindex, &info);

    if (error) {
        return error;
    }
    if (!port->internal && strcmp(info.name, port->name)) {
        return ENODEV;
    }
    if (oxdp_xdp_features(port->ifindex, &port->features)) {
        /* Linux before 6.3 does not tell.  A NIC transmits frames once it has
         * a program itself; a veth does if its peer is set up for it, which
         * cannot be seen from here, and loses them otherwise. */
        port->features = (!port->kind[0] && oxdp_attach_is_attached(&port->xdp)
                          ? OXDP_NETDEV_XDP_ACT_BASIC
                            | OXDP_NETDEV_XDP_ACT_NDO_XMIT : 0);
    }
    port_update(dp, port, &info);
    return 0;
}

/* Hooks. */

static void
port_set_error(struct xdp_port *port, char *error)
{
    if (!nullable_string_is_equal(port->error, error)) {
        if (error) {
            VLOG_WARN("port %s: %s", port->name, error);
        }
        free(port->error);
        port->error = error;
        /* Makes the bridge refresh the Interface's columns. */
        netdev_change_seq_changed(port->netdev);
    } else {
        free(error);
    }
}

static void
port_set_why(struct xdp_port *port, char *why)
{
    free(port->why);
    port->why = why;
}

/* Makes a NIC leave VLAN tags in frames: XDP does not see those in descriptors,
 * except with a program that is bound to the device, and with such a one Linux
 * 6.18 oopses when the device goes away (Documentation/design.rst). */
static void
port_keep_tags(struct xdp_port *port)
{
    bool was_on;
    int error;

    if (!port->kind[0]) {
        error = oxdp_ethtool_rxvlan(port->name, false, &was_on);
        port->restore_rxvlan = !error && was_on;
        if (error && was_on) {
            VLOG_WARN("port %s: cannot switch rxvlan off (%s): XDP takes "
                      "tagged frames for untagged ones; use "
                      "other_config:xdp-mode=tc if there are any", port->name,
                      ovs_strerror(error));
        }
    }
}

static void
port_detach_xdp(struct xdp_port *port)
{
    oxdp_detach(&port->xdp);
    if (port->restore_rxvlan) {
        bool was_on;

        oxdp_ethtool_rxvlan(port->name, true, &was_on);
        port->restore_rxvlan = false;
    }
    port->mode = XDP_MODE_TC;
}

/* Returns the mode that 'auto' means for 'port'. */
static enum xdp_mode
auto_mode(struct xdp_port *port)
{
    if (port->kind[0]) {
        /* What a virtual device receives was sent by a network stack, with
         * segmentation and checksums left to do, which frames cannot carry. */
        port_set_why(port, xasprintf("%s, sender is a network stack",
                                     port->kind));
        return XDP_MODE_TC;
    }
    if (port->features && !(port->features & OXDP_NETDEV_XDP_ACT_BASIC)) {
        port_set_why(port, xstrdup("driver has no XDP"));
        return XDP_MODE_TC;
    }
    port_set_why(port, xstrdup("driver has XDP"));
    return XDP_MODE_NATIVE;
}

/* Attaches XDP to 'port' in 'mode'.  Returns 0 or a positive errno value, with
 * the reason in '*why'. */
static int
port_attach_xdp(struct xdp_dp *dp, struct xdp_port *port, enum xdp_mode mode,
                char **why)
    OVS_REQUIRES(dp->port_mutex)
{
    struct oxdp_link_info info;

    if (!oxdp_link_get(port->ifindex, &info) && info.xdp_prog_id) {
        *why = xasprintf("XDP program %"PRIu32" is attached to it already, "
                         "by something else: detach that (\"ip link set dev "
                         "%s xdp off\", or see \"bpftool net\"), or set "
                         "other_config:xdp-mode=tc", info.xdp_prog_id,
                         info.name);
        return EBUSY;
    }
    return oxdp_attach_xdp(&port->xdp, port->ifindex, dp->bpf->xdp_port_fd,
                           mode == XDP_MODE_GENERIC, why);
}

/* Makes 'port' use the hook that it is asked to use, or else TC. */
static void
port_choose_mode(struct xdp_dp *dp, struct xdp_port *port)
{
    const char *wanted = port->wanted_mode ? port->wanted_mode
                         : dp->default_mode ? dp->default_mode : "auto";
    char *error = NULL, *why = NULL;
    enum xdp_mode mode;
    bool is_auto;

    if (!mode_from_string(wanted, &mode)) {
        error = xasprintf("other_config:xdp-mode=\"%s\" is not a mode: use "
                          "auto, native, generic or tc; using auto", wanted);
        mode = XDP_MODE_AUTO;
    }
    is_auto = mode == XDP_MODE_AUTO;
    if (port->internal) {
        port_set_why(port, xstrdup("internal, sender is a network stack"));
        mode = XDP_MODE_TC;
    } else if (is_auto) {
        mode = auto_mode(port);
    } else {
        port_set_why(port, xstrdup("other_config:xdp-mode"));
    }

    if (mode != port->mode) {
        port_detach_xdp(port);
    }
    if (mode != XDP_MODE_TC && !oxdp_attach_is_attached(&port->xdp)) {
        int retval = port_attach_xdp(dp, port, mode, &why);

        if (!retval) {
            port->mode = mode;
            port_keep_tags(port);
        } else {
            if (!why) {
                why = xstrdup(ovs_strerror(retval));
            }
            /* That a NIC lacks XDP is no error if nobody asked for it. */
            if (!is_auto || retval != EOPNOTSUPP) {
                free(error);
                error = xasprintf("XDP mode %s is not possible, using tc: %s",
                                  xdp_mode_name(mode), why);
            }
            port_set_why(port, why);
        }
    }
    port_set_error(port, error);
    if (!port_refresh(dp, port)) {
        VLOG_DBG("port %s: mode %s (%s)", port->name,
                 xdp_mode_name(port->mode), port->why);
    }
}

/* Attaches the TC program to 'port' if it is not attached.  Without tcx (before
 * Linux 6.6) OVS removes it when it sets up ingress policing. */
static int
port_attach_tc(struct xdp_dp *dp, struct xdp_port *port, char **why)
    OVS_REQUIRES(dp->port_mutex)
{
    if (oxdp_attach_is_attached(&port->tc) && oxdp_attach_is_live(&port->tc)) {
        return 0;
    }
    oxdp_detach(&port->tc);
    return oxdp_attach_tc_ingress(&port->tc, port->ifindex,
                                  dp->bpf->tc_port_fd, why);
}

/* Adding and removing. */

static odp_port_t
choose_port(struct xdp_dp *dp)
    OVS_REQUIRES(dp->port_mutex)
{
    for (uint32_t i = 1; i < OXDP_MAX_PORTS; i++) {
        if (!port_by_number(dp, u32_to_odp(i))) {
            return u32_to_odp(i);
        }
    }
    return ODPP_NONE;
}

static void
port_free(struct xdp_port *port)
{
    netdev_restore_flags(port->saved_flags);
    netdev_close(port->netdev);
    free(port->name);
    free(port->type);
    free(port->wanted_mode);
    free(port->why);
    free(port->error);
    free(port);
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
    port_detach_xdp(port);
    oxdp_detach(&port->tc);
    dp->bpf->shared->ports[port_no].flags = 0;
    dp->bpf->shared->ports[port_no].ifindex = 0;
    ifport_remove(dp, port->ifindex);
    bpf_map_delete_elem(dp->bpf->devs_fd, &port_no);
}

static int
port_connect(struct xdp_dp *dp, struct xdp_port *port, char **why)
    OVS_REQUIRES(dp->port_mutex)
{
    uint32_t port_no = odp_to_u32(port->port_no);
    struct oxdp_port *p = &dp->bpf->shared->ports[port_no];
    struct bpf_devmap_val val = { .ifindex = port->ifindex };
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
    p->tokens = dp->upcall_burst;

    error = ifport_insert(dp, port->ifindex, port->port_no);
    if (!error) {
        error = -bpf_map_update_elem(dp->bpf->devs_fd, &port_no, &val,
                                     BPF_ANY);
    }
    if (!error) {
        error = port_attach_tc(dp, port, why);
    }
    return error ? error : port_refresh(dp, port);
}

/* Opens a device for 'port' and finds out what it is. */
static int
port_open(struct xdp_port *port, struct netdev *netdev)
{
    struct oxdp_link_info info;
    enum netdev_flags flags;
    int ifindex, error;

    if (port->tunnel) {
        port->configured = true;
        port_set_why(port, xstrdup("tunnel, by ovs-vswitchd"));
        return netdev_open(port->name, port->type, &port->netdev);
    }
    error = netdev_get_flags(netdev, &flags);
    if (!error && flags & NETDEV_LOOPBACK) {
        VLOG_ERR("port %s: cannot add a loopback device", port->name);
        return EINVAL;
    }

    ifindex = (port->internal ? netdev_xdp_dp_ifindex(netdev)
               : netdev_get_ifindex(netdev));
    if (ifindex < 0) {
        return -ifindex;
    }
    port->ifindex = ifindex;
    error = oxdp_link_get(ifindex, &info);
    if (!error) {
        ovs_strlcpy(port->kind, info.kind, sizeof port->kind);
        error = netdev_open(port->name, port->type, &port->netdev);
    }
    return error;
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
    if (*port_no == ODPP_NONE) {
        *port_no = choose_port(dp);
        if (*port_no == ODPP_NONE) {
            return EFBIG;
        }
    } else if (port_by_number(dp, *port_no)
               || odp_to_u32(*port_no) >= OXDP_MAX_PORTS) {
        return EBUSY;
    }

    port = xzalloc(sizeof *port);
    port->port_no = *port_no;
    port->name = xstrdup(name);
    port->type = xstrdup(netdev_get_type(netdev));
    port->internal = !strcmp(port->type, NETDEV_XDP_TYPE);
    port->tunnel = netdev_vport_is_vport_class(netdev_get_class(netdev));
    port->mode = XDP_MODE_TC;
    port->why = xstrdup("not configured yet");
    port->xdp = port->tc = (struct oxdp_attach) OXDP_ATTACH_INIT;

    error = port_open(port, netdev);
    if (!error && !port->tunnel && port_by_ifindex(dp, port->ifindex)) {
        error = EBUSY;
    }
    if (!error) {
        error = port_connect(dp, port, &why);
        if (error) {
            VLOG_WARN("port %s: %s", port->name,
                      why ? why : ovs_strerror(error));
            port_disconnect(dp, port);
        }
    }
    free(why);
    if (error) {
        port_free(port);
        return error;
    }

    if (!port->internal && !port->tunnel) {
        netdev_turn_flags_on(port->netdev, NETDEV_PROMISC,
                             &port->saved_flags);
    }
    hmap_insert(&dp->ports, &port->node, hash_odp_port(port->port_no));
    seq_change(dp->port_seq);
    return 0;
}

/* Makes the internal ports that an earlier daemon left ports of the datapath:
 * OVS deletes those that are no longer configured. */
static void
adopt_internal_ports(struct xdp_dp *dp)
    OVS_REQUIRES(dp->port_mutex)
{
    struct if_nameindex *names = if_nameindex();

    for (struct if_nameindex *i = names; i && i->if_name; i++) {
        odp_port_t port_no = ODPP_NONE;
        struct oxdp_link_info info;
        struct netdev *netdev;

        if (!oxdp_link_get(i->if_index, &info)
            && !strcmp(info.alias, NETDEV_XDP_ALIAS)
            && !netdev_open(info.name, NETDEV_XDP_TYPE, &netdev)) {
            port_add(dp, netdev, &port_no);
            netdev_close(netdev);
        }
    }
    if_freenameindex(names);
}

static void
port_remove(struct xdp_dp *dp, struct xdp_port *port)
    OVS_REQUIRES(dp->port_mutex)
{
    struct oxdp_port_stats stats;

    hmap_remove(&dp->ports, &port->node);
    seq_change(dp->port_seq);
    port_disconnect(dp, port);
    xdp_port_get_stats(dp, odp_to_u32(port->port_no), &stats);
    add_stats(&dp->gone_stats, &stats);
    port_free(port);
}

/* What happens to devices. */

/* Looks whether 'port' still is what it was. */
static void
port_check(struct xdp_dp *dp, struct xdp_port *port)
    OVS_REQUIRES(dp->port_mutex)
{
    int error = port_refresh(dp, port);

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
 * netdev's lock taken, too. */
static int
parse_link(struct ofpbuf *buf, void *ifindex_)
{
    const struct nlmsghdr *nlmsg = buf->data;
    const struct ifinfomsg *ifi
        = ofpbuf_at(buf, NLMSG_HDRLEN, sizeof *ifi);
    int *ifindex = ifindex_;

    if (!ifi || !rtnetlink_type_is_rtnlgrp_link(nlmsg->nlmsg_type)) {
        return 0;
    }
    *ifindex = ifi->ifi_index;
    return RTNLGRP_LINK;
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

    dp->links = nln_create(NETLINK_ROUTE, parse_link, &dp->changed_ifindex);
    dp->link_notifier = nln_notifier_create(dp->links, RTNLGRP_LINK,
                                            link_changed, dp);
    error = oxdp_features_sock_create(&dp->features_sock);
    if (error) {
        VLOG_INFO("the kernel does not tell which devices can transmit "
                  "redirected frames (%s): transmitting through TC",
                  ovs_strerror(error));
        dp->features_sock = NULL;
    }
    ovs_mutex_lock(&dp->port_mutex);
    adopt_internal_ports(dp);
    ovs_mutex_unlock(&dp->port_mutex);
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
    cmap_destroy(&dp->tunnels);
    ovs_mutex_unlock(&dp->port_mutex);

    nln_notifier_destroy(dp->link_notifier);
    nln_destroy(dp->links);
    nl_sock_destroy(dp->features_sock);
    seq_destroy(dp->port_seq);
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
        /* Ports that were added by hand, not through the bridge. */
        if (!port->configured) {
            port->configured = true;
            port_choose_mode(dp, port);
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
                port_choose_mode(dp, port);
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
    port = port_by_number(dp, port_no);
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
    char *why = NULL;

    ovs_mutex_lock(&dp->port_mutex);
    port = port_by_number(dp, port_no);
    if (port && port->tunnel) {
        /* Nothing to configure. */
    } else if (port && port_attach_tc(dp, port, &why)) {
        port_set_error(port, why);
    } else if (port && (!port->configured || port->error
                 || !nullable_string_is_equal(port->wanted_mode, mode))) {
        free(port->wanted_mode);
        port->wanted_mode = nullable_xstrdup(mode);
        port->configured = true;
        port_choose_mode(dp, port);
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
    port = port_by_number(dp, port_no);
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
