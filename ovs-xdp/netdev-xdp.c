/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "netdev-xdp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "netdev-provider.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "oxdp-bridge.h"
#include "oxdp-netdev.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(netdev_xdp);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

/* Queues of an internal port.  The host transmits on one per CPU. */
#define MAX_QUEUES 8

/* The most that a veth takes. */
#define DP_END_MTU 65535

/* Names that are tried for the datapath's end. */
#define MAX_DP_NAMES 8

/* The class, a copy of OVS's netdev_linux class. */
static struct netdev_class netdev_xdp_class;

/* Datapath ends that were seen, by the name of the port: how to find the end
 * that is here when the other one has another name or is in another network
 * namespace.  An element may be out of date, the alias of the device tells. */
static struct ovs_mutex dp_mutex = OVS_MUTEX_INITIALIZER;
static struct shash dp_ifindexes OVS_GUARDED_BY(dp_mutex)
    = SHASH_INITIALIZER(&dp_ifindexes);

static void
remember_dp(const char *name, int ifindex)
{
    ovs_mutex_lock(&dp_mutex);
    shash_replace(&dp_ifindexes, name, (void *) (intptr_t) ifindex);
    ovs_mutex_unlock(&dp_mutex);
}

static void
forget_dp(const char *name)
{
    ovs_mutex_lock(&dp_mutex);
    shash_find_and_delete(&dp_ifindexes, name);
    ovs_mutex_unlock(&dp_mutex);
}

static int
recall_dp(const char *name)
{
    int ifindex;

    ovs_mutex_lock(&dp_mutex);
    ifindex = (intptr_t) shash_find_data(&dp_ifindexes, name);
    ovs_mutex_unlock(&dp_mutex);
    return ifindex;
}

/* Stores in 'dp_name' what the datapath's end of port 'name' can be called,
 * the best choice for 'i' 0.  Returns false if 'i' is no choice. */
static bool
dp_name_choice(const char *name, int i, char dp_name[IFNAMSIZ])
{
    if (i) {
        snprintf(dp_name, IFNAMSIZ, "oxdp%08"PRIx32, hash_string(name, i));
        return true;
    }
    return snprintf(dp_name, IFNAMSIZ, "%s-dp", name) < IFNAMSIZ;
}

static bool
is_dp_end(const struct oxdp_link_info *link)
{
    return !strncmp(link->alias, NETDEV_XDP_DP_ALIAS,
                    strlen(NETDEV_XDP_DP_ALIAS));
}

static bool
is_dp_end_of(const struct oxdp_link_info *link, const char *name)
{
    return (is_dp_end(link)
            && !strcmp(link->alias + strlen(NETDEV_XDP_DP_ALIAS), name));
}

static bool
is_host_end(const struct oxdp_link_info *link)
{
    return !strcmp(link->alias, NETDEV_XDP_ALIAS);
}

/* Finds the datapath's end of port 'name', wherever the host's end is now. */
static int
find_dp_end(const char *name, struct oxdp_link_info *dp)
{
    struct oxdp_link_info host;
    char dp_name[IFNAMSIZ];

    if (!oxdp_link_get(recall_dp(name), dp) && is_dp_end_of(dp, name)) {
        return 0;
    }
    if (!oxdp_link_get_by_name(name, &host) && is_host_end(&host)
        && !host.peer_other_netns
        && !oxdp_link_get(host.peer_ifindex, dp) && is_dp_end(dp)) {
        return 0;
    }
    for (int i = 0; i < MAX_DP_NAMES; i++) {
        if (dp_name_choice(name, i, dp_name)
            && !oxdp_link_get_by_name(dp_name, dp)
            && is_dp_end_of(dp, name)) {
            return 0;
        }
    }
    return ENODEV;
}

/* Makes the datapath's end ready for programs and packets. */
static int
set_up_dp_end(const char *name, int dp_ifindex)
{
    int error = oxdp_link_no_ipv6(dp_ifindex);

    if (error) {
        VLOG_WARN_RL(&rl, "%s: cannot keep IPv6 off the datapath's end (%s)",
                     name, ovs_strerror(error));
    }
    /* The port's MTU is the host end's: a veth drops what is larger than the
     * receiving end's. */
    error = oxdp_link_set_mtu(dp_ifindex, DP_END_MTU);
    if (!error) {
        error = oxdp_link_set_up(dp_ifindex, true);
    }
    if (!error) {
        remember_dp(name, dp_ifindex);
    }
    return error;
}

static int
create_pair(const char *name)
{
    int n_queues = MAX(1, MIN(count_cpu_cores(), MAX_QUEUES));
    char alias[sizeof((struct oxdp_link_info *) NULL)->alias];
    struct oxdp_link_info host;
    char dp_name[IFNAMSIZ];
    int error = EEXIST;

    for (int i = 0; i < MAX_DP_NAMES && error == EEXIST; i++) {
        if (dp_name_choice(name, i, dp_name)) {
            error = oxdp_veth_create(name, dp_name, n_queues, 0,
                                     NETDEV_XDP_ALIAS);
        }
    }
    if (!error) {
        error = oxdp_link_get_by_name(name, &host);
    }
    if (!error) {
        snprintf(alias, sizeof alias, NETDEV_XDP_DP_ALIAS "%s", name);
        error = oxdp_link_set_alias(host.peer_ifindex, alias);
        if (!error) {
            error = set_up_dp_end(name, host.peer_ifindex);
        }
        if (error) {
            oxdp_link_delete(host.ifindex);
        }
    }
    if (error) {
        VLOG_WARN_RL(&rl, "%s: creating the veth pair of the internal port "
                     "failed (%s)", name, ovs_strerror(error));
    }
    return error;
}

/* Makes the existing device 'host', ours, internal port 'name'. */
static int
reuse_pair(const char *name, const struct oxdp_link_info *host)
{
    struct oxdp_link_info dp;

    if (host->peer_other_netns || oxdp_link_get(host->peer_ifindex, &dp)
        || !is_dp_end(&dp)) {
        VLOG_WARN_RL(&rl, "%s: the datapath's end of the existing internal "
                     "port is not in this network namespace; delete the port "
                     "with \"ip link del %s\" to have it created anew",
                     name, name);
        return EEXIST;
    }
    return set_up_dp_end(name, dp.ifindex);
}

/* Makes internal port 'name', whose datapath end 'dp' is here but whose host
 * end is not, a port again.  '*moved' is set to true if the host's end is in
 * another network namespace. */
static int
reuse_dp_end(const char *name, const struct oxdp_link_info *dp, bool *moved)
{
    struct oxdp_link_info host;

    if (dp->peer_other_netns) {
        *moved = true;
        return set_up_dp_end(name, dp->ifindex);
    }
    VLOG_WARN_RL(&rl, "%s: the internal port exists but was renamed to %s; "
                 "rename it back or delete it", name,
                 oxdp_link_get(dp->peer_ifindex, &host) ? "?" : host.name);
    return EEXIST;
}

/* Makes the device of internal port 'name', which is no bridge, or finds it.
 * Stores whether it was made, and whether the host's end is in another network
 * namespace. */
static int
construct_pair(const char *name, bool *created, bool *moved)
{
    struct oxdp_link_info link;
    int error;

    if (!oxdp_link_get_by_name(name, &link)) {
        return reuse_pair(name, &link);
    } else if (!find_dp_end(name, &link)) {
        return reuse_dp_end(name, &link, moved);
    }
    error = create_pair(name);
    *created = !error;
    return error;
}

/* The same of a bridge's LOCAL port. */
static int
construct_bridge(const char *name, bool *created)
{
    struct oxdp_link_info link;
    int error;

    if (!oxdp_link_get_by_name(name, &link)) {
        error = oxdp_bridge_repair(name);
    } else {
        error = oxdp_bridge_create(name);
        *created = !error;
    }
    if (error) {
        VLOG_WARN_RL(&rl, "%s: setting the kernel bridge up failed (%s)%s",
                     name, ovs_strerror(error), error == EOPNOTSUPP
                     ? ": load the kernel modules bridge and veth" : "");
    }
    return error;
}

/* Looks whether a device 'name' is in the way of an internal port of that
 * name.  One that is ours, but not of the right kind for a bridge, or for
 * none, is deleted: the name has changed its meaning, or it was an older
 * version's.  Returns 0, or EEXIST. */
static int
check_name(const char *name, bool bridge)
{
    struct oxdp_link_info link;
    bool bridge_now;

    if (oxdp_link_get_by_name(name, &link)) {
        return 0;
    }
    bridge_now = oxdp_bridge_is_ours(&link);
    if (!bridge_now && !is_host_end(&link)) {
        VLOG_WARN_RL(&rl, "%s: a device of this name exists that is not %s of "
                     "this datapath; delete or rename it%s", name,
                     bridge ? "a bridge" : "an internal port",
                     bridge ? ", or give the bridge another name"
                     : ", or add it without type=internal");
        return EEXIST;
    }
    if (bridge_now != bridge) {
        netdev_xdp_delete(name);
    }
    return 0;
}

static int
netdev_xdp_construct(struct netdev *netdev)
{
    const char *name = netdev_get_name(netdev);
    bool bridge = xdp_bridge_is_name(name);
    bool created = false;
    bool moved = false;
    int error;

    /* Names that netdev_linux does not take. */
    if (!strcmp(name, "default") || !strcmp(name, "all")) {
        return EINVAL;
    }
    error = check_name(name, bridge);
    if (!error) {
        error = (bridge ? construct_bridge(name, &created)
                 : construct_pair(name, &created, &moved));
    }
    if (error) {
        return error;
    }

    /* netdev_linux refuses a device that is not in this network namespace,
     * except if it is of class "internal". */
    if (moved) {
        netdev->netdev_class = &netdev_internal_class;
    }
    error = netdev_linux_class.construct(netdev);
    netdev->netdev_class = &netdev_xdp_class;
    if (error && created) {
        netdev_xdp_delete(name);
    }
    return error;
}

void
netdev_xdp_register(void)
{
    netdev_xdp_class = netdev_linux_class;
    netdev_xdp_class.type = NETDEV_XDP_TYPE;
    netdev_xdp_class.construct = netdev_xdp_construct;

    /* The statistics of a port are the switch's: what the host transmits into
     * its end, the switch receives.  OVS's tap class, too, is used by the host
     * and by a switch in userspace from two sides, and turns the counters of
     * the device round. */
    netdev_xdp_class.get_stats = netdev_tap_class.get_stats;

    /* The hardware offload of OVS must not take an internal port's block. */
    netdev_xdp_class.get_block_id = NULL;

    netdev_register_provider(&netdev_xdp_class);
}

int
netdev_xdp_dp_ifindex(const struct netdev *netdev, bool *bridge)
{
    const char *name = netdev_get_name(netdev);
    struct oxdp_link_info dp;
    int error;

    *bridge = !oxdp_link_get_by_name(name, &dp) && oxdp_bridge_is_ours(&dp);
    error = *bridge ? 0 : find_dp_end(name, &dp);
    return error ? -error : dp.ifindex;
}

void
netdev_xdp_delete(const char *name)
{
    struct oxdp_link_info link;
    int error = 0;

    if (!oxdp_link_get_by_name(name, &link) && oxdp_bridge_is_ours(&link)) {
        error = oxdp_bridge_delete(name);
    } else if (!find_dp_end(name, &link)
               || (!oxdp_link_get_by_name(name, &link)
                   && is_host_end(&link))) {
        error = oxdp_link_delete(link.ifindex);
    }
    forget_dp(name);
    if (error && error != ENODEV) {
        VLOG_WARN_RL(&rl, "%s: deleting the internal port's device failed "
                     "(%s)", name, ovs_strerror(error));
    }
}

void
netdev_xdp_adopt(void (*adopt)(struct netdev *, void *aux), void *aux)
{
    struct if_nameindex *names = if_nameindex();

    for (struct if_nameindex *i = names; i && i->if_name; i++) {
        struct oxdp_link_info link;
        struct netdev *netdev;

        if (oxdp_link_get(i->if_index, &link)) {
            continue;
        }
        if (oxdp_bridge_is_lost_keeper(&link)) {
            oxdp_link_delete(link.ifindex);
        } else if ((is_host_end(&link) || oxdp_bridge_is_ours(&link))
                   && !netdev_open(link.name, NETDEV_XDP_TYPE, &netdev)) {
            adopt(netdev, aux);
            netdev_close(netdev);
        }
    }
    if_freenameindex(names);
}
