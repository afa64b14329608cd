/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-hook: the hooks that a port's packets come in through, and what its
 * device can transmit.
 */

#include <config.h>

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/pkt_sched.h>
#include <stdlib.h>

#include "dpif-xdp.h"
#include "netdev-provider.h"
#include "openvswitch/vlog.h"
#include "oxdp-compat.h"
#include "oxdp-flood.h"
#include "oxdp-netdev.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_hook);

/* What is wrong with a port is tried again after so long, in ms.  Not all that
 * may have been the cause is announced when it is over, as a program that is
 * gone. */
#define RETRY_MS 3000

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

/* What goes out. */

/* Returns true if the kernel gives devices such a qdisc on its own account.
 * Any other one was put there by somebody who wants packets to go through
 * it. */
static bool
qdisc_is_default(const char *kind)
{
    static const char *const kinds[] = {
        "", "noqueue", "noop", "mq", "pfifo_fast", "fq_codel", "fq", "pfifo",
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!strcmp(kind, kinds[i])) {
            return true;
        }
    }
    return false;
}

/* The class that netdev-linux makes of a queue. */
int
dpif_xdp_queue_to_priority(const struct dpif *dpif OVS_UNUSED,
                           uint32_t queue_id, uint32_t *priority)
{
    if (queue_id >= 0xf000) {
        return EINVAL;
    }
    *priority = TC_H_MAKE(1u << 16, queue_id + 1);
    return 0;
}

/* Returns why XDP cannot redirect frames to the port, or NULL if it can. */
static char *
why_no_frames(const struct xdp_dp *dp, const struct xdp_port *port,
              const struct oxdp_link_info *info)
{
    /* The features do not say that the peer is down. */
    if (!(info->flags & OXDP_IFF_LOWER_UP)) {
        return xstrdup("no carrier");
    }
    if (!(port->features & OXDP_NETDEV_XDP_ACT_NDO_XMIT)) {
        return xstrdup(!dp->features_sock ? "the kernel does not tell"
                       : !strcmp(port->kind, "veth")
                         && port->features & OXDP_NETDEV_XDP_ACT_BASIC
                       ? "peer has neither XDP nor GRO"
                       : "device cannot");
    }
    if (!qdisc_is_default(info->qdisc)) {
        return xasprintf("qdisc %s", info->qdisc);
    }
    return NULL;
}

/* Returns why TC cannot redirect to the device at the other end of 'port', or
 * NULL, with that device in '*peer', if it can.  A packet that goes there has
 * not been in our end: nobody there would see it or do anything to it. */
static char *
why_no_peer(const struct xdp_port *port, const struct oxdp_link_info *info,
            struct oxdp_link_info *peer)
{
    bool in_bridge = (port->bridge_ifindex
                      && info->master_ifindex == port->bridge_ifindex);
    bool offload;

    if (port->internal) {
        return xstrdup("internal port");
    }
    if (strcmp(port->kind, "veth")) {
        return xstrdup("not a veth");
    }
    if (!info->peer_other_netns) {
        return xstrdup("peer is in the same network namespace");
    }
    if (!(info->flags & OXDP_IFF_LOWER_UP)) {
        return xstrdup("no carrier");
    }
    /* XDP of the peer would not see the packet either.  A peer with more
     * queues than we have makes the kernel say nothing about XDP. */
    if (!(port->features & OXDP_NETDEV_XDP_ACT_BASIC)) {
        return xstrdup("the kernel does not tell whether the peer has XDP");
    }
    if (port->features & OXDP_NETDEV_XDP_ACT_NDO_XMIT) {
        return xstrdup("peer has XDP or GRO");
    }
    if (strcmp(info->qdisc, "noqueue")) {
        return xasprintf("qdisc %s", info->qdisc);
    }
    /* As tcpdump does; and so does a kernel bridge with its members. */
    if (info->promiscuity > in_bridge) {
        return xstrdup("promiscuous");
    }
    if (oxdp_tc_egress_is_used(port->ifindex, &port->gate)) {
        return xstrdup("TC egress is in use");
    }
    /* Off if checksums are off, too. */
    if (oxdp_ethtool_get(info->name, ETHTOOL_GTSO, &offload) || !offload) {
        return xstrdup("tso is off");
    }
    return (oxdp_link_get_peer(info, peer)
            ? xstrdup("cannot look at the peer") : NULL);
}

/* Whether what is redirected to the keeper of 'port', which is LOCAL, gets to
 * LOCAL.  Linux before 6.3 does not tell. */
static bool
keeper_takes_frames(const struct xdp_port *port)
{
    uint64_t features;

    return (oxdp_xdp_features(port->in_ifindex, &features)
            || features & OXDP_NETDEV_XDP_ACT_NDO_XMIT);
}

/* Stores in BPF's table what 'info' says of the port's device. */
static void
port_update(struct xdp_dp *dp, struct xdp_port *port,
            const struct oxdp_link_info *info)
    OVS_REQUIRES(dp->port_mutex)
{
    struct oxdp_port *p = &dp->bpf->shared->ports[odp_to_u32(port->port_no)];
    uint32_t flags = OXDP_PORT_F_PRESENT;
    struct oxdp_link_info peer;
    int mtu;

    free(port->no_frames);
    port->no_frames = why_no_frames(dp, port, info);
    if (!port->no_frames) {
        flags |= OXDP_PORT_F_XMIT;
        if (port->features & OXDP_NETDEV_XDP_ACT_NDO_XMIT_SG) {
            flags |= OXDP_PORT_F_XMIT_SG;
        }
    }
    if (!(info->flags & OXDP_IFF_LOWER_UP)) {
        flags |= OXDP_PORT_F_DOWN;
    }
    free(port->no_peer);
    port->no_peer = why_no_peer(port, info, &peer);
    if (!port->no_peer) {
        flags |= OXDP_PORT_F_PEER;
        memcpy(p->peer_mac, peer.mac, sizeof p->peer_mac);
        p->peer_len = peer.mtu + ETH_HEADER_LEN + VLAN_HEADER_LEN;
    }
    if (port->local) {
        flags |= OXDP_PORT_F_LOCAL;
        if (keeper_takes_frames(port)) {
            flags |= OXDP_PORT_F_KEEPER;
        }
    }
    if (port->fallback) {
        flags |= OXDP_PORT_F_FALLBACK;
    }
    if (port->macvlan) {
        flags |= OXDP_PORT_F_MACVLAN;
    }
    if (xdp_port_is_traced(port)) {
        flags |= OXDP_PORT_F_TRACED;
    }
    if (oxdp_attach_is_attached(&port->xdp)) {
        flags |= OXDP_PORT_F_XDP;
        if (port->mode == XDP_MODE_GENERIC) {
            /* Behind a program that takes frames of several buffers, Linux
             * (6.18) has lost where the Ethernet header of an SKB is. */
            flags |= OXDP_PORT_F_NO_PASS;
        }
    }
    if (!port->internal || netdev_get_mtu(port->netdev, &mtu)) {
        mtu = info->mtu;
    }
    /* What veth itself compares with. */
    p->max_len = mtu + ETH_HEADER_LEN + VLAN_HEADER_LEN;
    p->punt_rate = dp->upcall_rate;
    p->punt_burst = dp->upcall_burst;
    xdp_standby_put_flags(dp, odp_to_u32(port->port_no), flags);
    oxdp_floods_port_changed(oxdp_table_floods(dp->table),
                             odp_to_u32(port->port_no));
    xdp_cpu_require_mtu(dp, mtu + ETH_HEADER_LEN + 2 * VLAN_HEADER_LEN);
}

int
xdp_port_refresh(struct xdp_dp *dp, struct xdp_port *port)
{
    struct oxdp_link_info info;
    int error = oxdp_link_get(port->ifindex, &info);
    bool carrier;

    if (error) {
        return error;
    }
    if ((!port->internal || port->local) && strcmp(info.name, port->name)) {
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
    carrier = (info.flags & OXDP_IFF_LOWER_UP) != 0;
    if (port->master_ifindex != info.master_ifindex
        || port->carrier != carrier
        || memcmp(&port->mac, info.mac, sizeof port->mac)
        || port->bridge_state != info.bridge_state) {
        port->master_ifindex = info.master_ifindex;
        port->carrier = carrier;
        memcpy(&port->mac, info.mac, sizeof port->mac);
        port->bridge_state = info.bridge_state;
        dp->bridges_changed = true;
    }
    port_update(dp, port, &info);
    return 0;
}

/* Replaces '*errorp', an error of 'port', by 'error', which it takes. */
static void
set_error(struct xdp_port *port, char **errorp, char *error)
{
    if (!nullable_string_is_equal(*errorp, error)) {
        if (error) {
            VLOG_WARN("port %s: %s", port->name, error);
        }
        free(*errorp);
        *errorp = error;
        /* Makes the bridge refresh the Interface's columns. */
        netdev_change_seq_changed(port->netdev);
    } else {
        free(error);
    }
}

void
xdp_port_set_error(struct xdp_port *port, char *error)
{
    set_error(port, &port->error, error);
}

void
xdp_port_set_l2_error(struct xdp_port *port, char *error)
{
    set_error(port, &port->l2_error, error);
}

void
xdp_port_set_why(struct xdp_port *port, char *why)
{
    free(port->why);
    port->why = why;
}

/* Makes a NIC leave VLAN tags in frames: XDP does not see those in descriptors,
 * except with a program that is bound to the device, and with such a one Linux
 * 6.18 oopses when the device goes away (Documentation/design.rst). */
static void
port_keep_tags(struct xdp_dp *dp, struct xdp_port *port)
    OVS_REQUIRES(dp->port_mutex)
{
    bool was_on;
    int error;

    if (!port->kind[0]) {
        error = oxdp_ethtool_rxvlan(port->name, false, &was_on);
        if (!error && was_on) {
            port->changed |= OXDP_CHANGED_RXVLAN;
            xdp_port_save(dp, port);
        }
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
    port->mode = XDP_MODE_TC;
}

/* Undoes port_keep_tags(). */
static void
port_restore_tags(struct xdp_dp *dp, struct xdp_port *port)
    OVS_REQUIRES(dp->port_mutex)
{
    if (port->changed & OXDP_CHANGED_RXVLAN) {
        oxdp_link_restore(port->ifindex, OXDP_CHANGED_RXVLAN);
        port->changed &= ~OXDP_CHANGED_RXVLAN;
        xdp_port_save(dp, port);
    }
}

/* Returns the mode that 'auto' means for 'port'. */
static enum xdp_mode
auto_mode(struct xdp_port *port)
{
    char *why = oxdp_why_no_native(port->kind, port->features);

    xdp_port_set_why(port, why ? why : xstrdup("driver has XDP"));
    return why ? XDP_MODE_TC : XDP_MODE_NATIVE;
}

void
xdp_port_choose_mode(struct xdp_dp *dp, struct xdp_port *port)
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
        xdp_port_set_why(port, xstrdup("internal, sender is a network stack"));
        mode = XDP_MODE_TC;
    } else if (is_auto) {
        mode = auto_mode(port);
    } else if (mode == XDP_MODE_NATIVE
               && (!strcmp(port->kind, "bond")
                   || !strcmp(port->kind, "team"))) {
        /* There it would drop all as coming from no port. */
        error = xasprintf("XDP mode native is not possible, using tc: the "
                          "kernel runs the program on the members of a %s, "
                          "which are no ports; add these to a bond of Open "
                          "vSwitch instead", port->kind);
        xdp_port_set_why(port, xstrdup("its members are no ports"));
        mode = XDP_MODE_TC;
    } else {
        xdp_port_set_why(port, xstrdup("other_config:xdp-mode"));
    }

    if (mode == XDP_MODE_GENERIC && port->macvlan) {
        /* There XDP may leave every frame to TC, which OXDP_PORT_F_NO_PASS
         * excludes. */
        error = xstrdup("xdp-mode=generic is not possible in a bridge with "
                        "other_config:xdp-l2=macvlan, using tc");
        mode = XDP_MODE_TC;
    }
    if (mode != port->mode) {
        port_detach_xdp(port);
    }
    if (mode != XDP_MODE_TC && !oxdp_attach_is_attached(&port->xdp)) {
        int retval = oxdp_attach_xdp(&port->xdp, dp->pins, port->ifindex,
                                     dp->bpf->xdp_port_fd,
                                     mode == XDP_MODE_GENERIC, &why);

        if (!retval) {
            port->mode = mode;
            port_keep_tags(dp, port);
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
            xdp_port_set_why(port, why);
        }
    }
    if (!oxdp_attach_is_attached(&port->xdp)) {
        port_restore_tags(dp, port);
    }
    xdp_port_set_error(port, error);
    if (!xdp_port_refresh(dp, port)) {
        VLOG_DBG("port %s: mode %s (%s)", port->name,
                 xdp_mode_name(port->mode), port->why);
    }
}

/* Attaches TC program 'fd' to 'ifindex' unless it is attached. */
static int
attach_tc(struct xdp_dp *dp, struct oxdp_attach *attach, int ifindex, int fd,
          bool egress, char **why)
{
    if (oxdp_attach_is_attached(attach) && oxdp_attach_is_live(attach)) {
        return 0;
    }
    oxdp_detach(attach);
    return (egress
            ? oxdp_attach_tc_egress(attach, dp->pins, ifindex, fd, why)
            : oxdp_attach_tc_ingress(attach, dp->pins, ifindex, fd, why));
}

int
xdp_port_attach_tc(struct xdp_dp *dp, struct xdp_port *port, char **why)
{
    int error;

    error = attach_tc(dp, &port->tc, port->ifindex,
                      port->local ? dp->bpf->tc_local_fd : dp->bpf->tc_port_fd,
                      port->local, why);
    if (!error && port->local) {
        error = attach_tc(dp, &port->keeper_tc, port->keep_ifindex,
                          dp->bpf->tc_keeper_fd, false, why);
    }
    if (!error) {
        error = attach_tc(dp, &port->gate, port->ifindex,
                          port->local ? dp->bpf->tc_host_fd
                          : dp->bpf->tc_gate_fd, !port->local, why);
    }
    return error;
}

void
xdp_port_configure(struct xdp_dp *dp, struct xdp_port *port)
{
    char *why = NULL;
    int error = xdp_port_attach_tc(dp, port, &why);

    if (error) {
        xdp_port_set_error(port, why ? why : xstrdup(ovs_strerror(error)));
    } else if (!port->configured || port->error) {
        xdp_port_choose_mode(dp, port);
    }
    port->configured = true;
    port->retry_at = time_msec() + RETRY_MS;
}

void
xdp_port_detach(struct xdp_port *port)
{
    port_detach_xdp(port);
    oxdp_detach(&port->tc);
    oxdp_detach(&port->keeper_tc);
    oxdp_detach(&port->gate);
}
