/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-bridge.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "hash.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "oxdp-netdev.h"
#include "packets.h"
#include "util.h"

/* MTU of new bridges, which OVS changes as ports come and go, and what the
 * kernel makes of it by itself until a first change. */
#define BRIDGE_MTU 1500
#define FIRST_MTU 1400

/* The most that a veth takes: frames for LOCAL are looked at before. */
#define KEEPER_MTU 65535

/* Names that are tried for a keeper. */
#define MAX_KEEPER_NAMES 4

/* What both ends of a keeper are called. */
struct keeper_names {
    char keep[IFNAMSIZ];
    char in[IFNAMSIZ];
    char alias[sizeof((struct oxdp_link_info *) NULL)->alias];
};

/* Stores in '*names' what the keeper of bridge 'name' can be called, the best
 * choice for 'i' 0. */
static void
keeper_names_choice(const char *name, int i, struct keeper_names *names)
{
    if (i || (snprintf(names->keep, IFNAMSIZ, "%s-keep", name) >= IFNAMSIZ)) {
        uint32_t hash = hash_string(name, i);

        snprintf(names->keep, IFNAMSIZ, "%08"PRIx32"-keep", hash);
        snprintf(names->in, IFNAMSIZ, "%08"PRIx32"-in", hash);
    } else {
        snprintf(names->in, IFNAMSIZ, "%s-in", name);
    }
    snprintf(names->alias, sizeof names->alias, OXDP_BRIDGE_KEEPER_ALIAS "%s",
             name);
}

/* Gets the member end of the keeper of bridge 'name'. */
static int
find_keeper(const char *name, struct oxdp_link_info *keep)
{
    struct keeper_names names;

    for (int i = 0; i < MAX_KEEPER_NAMES; i++) {
        keeper_names_choice(name, i, &names);
        if (!oxdp_link_get_by_name(names.keep, keep)
            && !strcmp(keep->alias, names.alias)) {
            return 0;
        }
    }
    return ENODEV;
}

static int
create_keeper(const char *name, struct oxdp_link_info *keep)
{
    struct keeper_names names;
    int error = EEXIST;

    for (int i = 0; i < MAX_KEEPER_NAMES && error == EEXIST; i++) {
        keeper_names_choice(name, i, &names);
        error = oxdp_veth_create(names.keep, names.in, 1, KEEPER_MTU,
                                 names.alias);
    }
    error = error ? error : oxdp_link_get_by_name(names.keep, keep);
    error = error ? error : oxdp_link_no_ipv6(keep->ifindex);
    return error ? error : oxdp_link_no_ipv6(keep->peer_ifindex);
}

bool
oxdp_bridge_is_ours(const struct oxdp_link_info *info)
{
    return (!strcmp(info->kind, "bridge")
            && info->group == OXDP_BRIDGE_GROUP);
}

/* Creates the device 'name', ours, without anything to its name. */
static int
create_bridge(const char *name)
{
    struct ofpbuf request;
    size_t linkinfo, data;
    struct eth_addr mac;

    eth_addr_random(&mac);
    oxdp_link_request(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
    nl_msg_put_string(&request, IFLA_IFNAME, name);
    /* Otherwise it would be that of some member. */
    nl_msg_put_unspec(&request, IFLA_ADDRESS, &mac, sizeof mac);
    nl_msg_put_u32(&request, IFLA_MTU, FIRST_MTU);
    nl_msg_put_u32(&request, IFLA_GROUP, OXDP_BRIDGE_GROUP);
    linkinfo = nl_msg_start_nested(&request, IFLA_LINKINFO);
    nl_msg_put_string(&request, IFLA_INFO_KIND, "bridge");
    data = nl_msg_start_nested(&request, IFLA_INFO_DATA);
    /* VLAN filtering is off, too, and refused by kernels that lack it. */
    nl_msg_put_u32(&request, IFLA_BR_STP_STATE, 0);
    nl_msg_put_u8(&request, IFLA_BR_MCAST_SNOOPING, 0);
    nl_msg_end_nested(&request, data);
    nl_msg_end_nested(&request, linkinfo);
    return oxdp_link_transact(&request);
}

/* An attribute IFLA_BRPORT_*. */
struct member_option {
    uint16_t type;
    uint8_t value;
};

/* Sets 'n' options of member 'ifindex'. */
static int
set_member(int ifindex, const struct member_option *options, size_t n)
{
    struct ofpbuf request;
    size_t linkinfo, data;

    oxdp_link_request(&request, RTM_NEWLINK, 0, ifindex);
    linkinfo = nl_msg_start_nested(&request, IFLA_LINKINFO);
    nl_msg_put_string(&request, IFLA_INFO_SLAVE_KIND, "bridge");
    data = nl_msg_start_nested(&request, IFLA_INFO_SLAVE_DATA);
    for (size_t i = 0; i < n; i++) {
        nl_msg_put_u8(&request, options[i].type, options[i].value);
    }
    nl_msg_end_nested(&request, data);
    nl_msg_end_nested(&request, linkinfo);
    return oxdp_link_transact(&request);
}

/* Keeps the member 'ifindex' out of forwarding and learning. */
static int
isolate(int ifindex)
{
    static const struct member_option options[] = {
        { IFLA_BRPORT_ISOLATED, 1 },
        { IFLA_BRPORT_LEARNING, 0 },
        { IFLA_BRPORT_UNICAST_FLOOD, 0 },
        { IFLA_BRPORT_MCAST_FLOOD, 0 },
        { IFLA_BRPORT_BCAST_FLOOD, 0 },
    };

    return set_member(ifindex, options, ARRAY_SIZE(options));
}

int
oxdp_bridge_set_forwarding(int ifindex)
{
    static const struct member_option options[] = {
        { IFLA_BRPORT_STATE, OXDP_BR_STATE_FORWARDING },
    };

    return set_member(ifindex, options, ARRAY_SIZE(options));
}

static void
delete_keeper(const char *name)
{
    struct oxdp_link_info keep;

    if (!find_keeper(name, &keep)) {
        oxdp_link_delete(keep.ifindex);
    }
}

int
oxdp_bridge_get_keeper(const char *name, int *keep_ifindex, int *in_ifindex)
{
    struct oxdp_link_info keep;
    int error = find_keeper(name, &keep);

    if (!error) {
        *keep_ifindex = keep.ifindex;
        *in_ifindex = keep.peer_ifindex;
    }
    return error;
}

/* Gives the bridge 'name' the keeper that it is to have, an existing one or
 * else a new one. */
static int
set_up_keeper(const char *name, int bridge_ifindex)
{
    struct oxdp_link_info keep;
    int error = find_keeper(name, &keep);

    if (error) {
        error = create_keeper(name, &keep);
    }
    if (!error && keep.master_ifindex != bridge_ifindex) {
        error = oxdp_link_set_master(keep.ifindex, bridge_ifindex);
    }
    error = error ? error : isolate(keep.ifindex);
    error = error ? error : oxdp_link_set_up(keep.ifindex, true);
    error = error ? error : oxdp_link_set_up(keep.peer_ifindex, true);
    if (!error) {
        /* Makes the other end take frames.  Not before both are up, or Linux
         * 6.18 does not notice. */
        oxdp_ethtool_set(keep.name, ETHTOOL_SGRO, true);
    }
    return error;
}

int
oxdp_bridge_repair(const char *name)
{
    struct oxdp_link_info info;
    int error = oxdp_link_get_by_name(name, &info);

    return error ? error : set_up_keeper(name, info.ifindex);
}

int
oxdp_bridge_create(const char *name)
{
    struct oxdp_link_info info;
    int error;

    if (!name[0] || strlen(name) >= IFNAMSIZ) {
        return ENAMETOOLONG;
    }
    error = create_bridge(name);
    if (error) {
        return error;
    }
    error = oxdp_link_get_by_name(name, &info);
    if (!error) {
        /* From here on the kernel leaves it alone when members come. */
        error = oxdp_link_set_mtu(info.ifindex, BRIDGE_MTU);
    }
    if (!error) {
        /* Left by a bridge that somebody else has deleted. */
        delete_keeper(name);
        error = set_up_keeper(name, info.ifindex);
    }
    if (error) {
        oxdp_bridge_delete(name);
    }
    return error;
}

int
oxdp_bridge_delete(const char *name)
{
    struct oxdp_link_info info;
    int error = oxdp_link_get_by_name(name, &info);

    if (!error) {
        error = (oxdp_bridge_is_ours(&info) ? oxdp_link_delete(info.ifindex)
                 : ENODEV);
    }
    delete_keeper(name);
    return error;
}

void
oxdp_bridge_release(int ifindex)
{
    struct oxdp_link_info info, master;

    if (!oxdp_link_get(ifindex, &info)
        && !oxdp_link_get(info.master_ifindex, &master)
        && oxdp_bridge_is_ours(&master)) {
        oxdp_link_set_master(ifindex, 0);
    }
}

bool
oxdp_bridge_is_lost_keeper(const struct oxdp_link_info *info)
{
    size_t n = strlen(OXDP_BRIDGE_KEEPER_ALIAS);
    struct oxdp_link_info bridge;

    return (!strncmp(info->alias, OXDP_BRIDGE_KEEPER_ALIAS, n)
            && (oxdp_link_get_by_name(info->alias + n, &bridge)
                || !oxdp_bridge_is_ours(&bridge)));
}
