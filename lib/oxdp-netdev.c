/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-netdev.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "oxdp-compat.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(oxdp_netdev);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

/* rtnetlink. */

void
oxdp_link_request(struct ofpbuf *request, uint16_t type, uint16_t flags,
                  int ifindex)
{
    struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };

    ofpbuf_init(request, 512);
    nl_msg_put_nlmsghdr(request, sizeof ifi, type,
                        NLM_F_REQUEST | NLM_F_ACK | flags);
    nl_msg_put(request, &ifi, sizeof ifi);
}

int
oxdp_link_transact(struct ofpbuf *request)
{
    int error = nl_transact(NETLINK_ROUTE, request, NULL);

    ofpbuf_uninit(request);
    return error;
}

/* Receives messages by 'sock' into 'reply' until one is the answer to the
 * request 'seq'. */
static int
recv_answer(struct nl_sock *sock, uint32_t seq, struct ofpbuf *reply)
{
    int error;

    do {
        error = nl_sock_recv(sock, reply, NULL, true);
    } while (!error && nl_msg_nlmsghdr(reply)->nlmsg_seq != seq);
    return error;
}

int
oxdp_nl_transact(struct nl_sock *sock, struct ofpbuf *request,
                 struct ofpbuf **replyp, char **textp)
{
    struct ofpbuf *reply = ofpbuf_new(4096);
    const char *text = NULL;
    int error;

    error = nl_sock_send(sock, request, true);
    if (!error) {
        error = recv_answer(sock, nl_msg_nlmsghdr(request)->nlmsg_seq, reply);
    }
    if (!error && !nl_msg_nlmsgerr(reply, &error, &text) && !replyp) {
        error = EPROTO;
    }
    if (textp) {
        *textp = nullable_xstrdup(text);
    }
    if (replyp && !error) {
        *replyp = reply;
    } else {
        ofpbuf_delete(reply);
    }
    ofpbuf_uninit(request);
    return error;
}

static void
parse_linkinfo(const struct nlattr *linkinfo, struct oxdp_link_info *info)
{
    const struct nlattr *kind = nl_attr_find_nested(linkinfo, IFLA_INFO_KIND);

    const struct nlattr *slave
        = nl_attr_find_nested(linkinfo, IFLA_INFO_SLAVE_KIND);
    const struct nlattr *data
        = nl_attr_find_nested(linkinfo, IFLA_INFO_SLAVE_DATA);

    if (kind) {
        ovs_strlcpy(info->kind, nl_attr_get_string(kind), sizeof info->kind);
    }
    if (slave && data && !strcmp(nl_attr_get_string(slave), "bridge")) {
        const struct nlattr *state
            = nl_attr_find_nested(data, IFLA_BRPORT_STATE);

        info->bridge_state = state ? nl_attr_get_u8(state) : 0;
    }
}

static void
parse_xdp(const struct nlattr *xdp, struct oxdp_link_info *info)
{
    static const uint16_t types[] = {
        IFLA_XDP_PROG_ID, IFLA_XDP_DRV_PROG_ID, IFLA_XDP_SKB_PROG_ID,
        IFLA_XDP_HW_PROG_ID,
    };
    const struct nlattr *attached;

    for (size_t i = 0; i < ARRAY_SIZE(types) && !info->xdp_prog_id; i++) {
        const struct nlattr *id = nl_attr_find_nested(xdp, types[i]);

        if (id && nl_attr_get_size(id) == sizeof(uint32_t)) {
            info->xdp_prog_id = nl_attr_get_u32(id);
        }
    }
    attached = nl_attr_find_nested(xdp, IFLA_XDP_ATTACHED);
    info->xdp_generic = (attached && nl_attr_get_size(attached) == 1
                         && nl_attr_get_u8(attached) == XDP_ATTACHED_SKB);
}

static int
parse_link(const struct ofpbuf *reply, struct oxdp_link_info *info)
{
    static const struct nl_policy policy[] = {
        [IFLA_IFNAME] = { .type = NL_A_STRING },
        [IFLA_MTU] = { .type = NL_A_U32 },
        [IFLA_LINK] = { .type = NL_A_U32, .optional = true },
        [IFLA_MASTER] = { .type = NL_A_U32, .optional = true },
        [IFLA_GROUP] = { .type = NL_A_U32, .optional = true },
        [IFLA_LINKINFO] = { .type = NL_A_NESTED, .optional = true },
        [IFLA_IFALIAS] = { .type = NL_A_STRING, .optional = true },
        [IFLA_NUM_TX_QUEUES] = { .type = NL_A_U32, .optional = true },
        [IFLA_NUM_RX_QUEUES] = { .type = NL_A_U32, .optional = true },
        [IFLA_LINK_NETNSID] = { .type = NL_A_U32, .optional = true },
        [IFLA_XDP] = { .type = NL_A_NESTED, .optional = true },
        [IFLA_QDISC] = { .type = NL_A_STRING, .optional = true },
        [IFLA_PROMISCUITY] = { .type = NL_A_U32, .optional = true },
        [IFLA_ADDRESS] = { .type = NL_A_UNSPEC, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct ifinfomsg *ifi;

    ifi = ofpbuf_at(reply, NLMSG_HDRLEN, sizeof *ifi);
    if (!ifi
        || !nl_policy_parse(reply, NLMSG_HDRLEN + NLMSG_ALIGN(sizeof *ifi),
                            policy, attrs, ARRAY_SIZE(policy))) {
        return EPROTO;
    }

    memset(info, 0, sizeof *info);
    info->ifindex = ifi->ifi_index;
    info->flags = ifi->ifi_flags;
    info->mtu = nl_attr_get_u32(attrs[IFLA_MTU]);
    ovs_strlcpy(info->name, nl_attr_get_string(attrs[IFLA_IFNAME]),
                sizeof info->name);
    if (attrs[IFLA_LINK]) {
        info->peer_ifindex = nl_attr_get_u32(attrs[IFLA_LINK]);
    }
    if (attrs[IFLA_MASTER]) {
        info->master_ifindex = nl_attr_get_u32(attrs[IFLA_MASTER]);
    }
    if (attrs[IFLA_GROUP]) {
        info->group = nl_attr_get_u32(attrs[IFLA_GROUP]);
    }
    if (attrs[IFLA_LINK_NETNSID]) {
        info->peer_other_netns = true;
        info->peer_nsid = nl_attr_get_u32(attrs[IFLA_LINK_NETNSID]);
    }
    if (attrs[IFLA_IFALIAS]) {
        ovs_strlcpy(info->alias, nl_attr_get_string(attrs[IFLA_IFALIAS]),
                    sizeof info->alias);
    }
    if (attrs[IFLA_QDISC]) {
        ovs_strlcpy(info->qdisc, nl_attr_get_string(attrs[IFLA_QDISC]),
                    sizeof info->qdisc);
    }
    if (attrs[IFLA_PROMISCUITY]) {
        info->promiscuity = nl_attr_get_u32(attrs[IFLA_PROMISCUITY]);
    }
    if (attrs[IFLA_ADDRESS]
        && nl_attr_get_size(attrs[IFLA_ADDRESS]) == sizeof info->mac) {
        memcpy(info->mac, nl_attr_get(attrs[IFLA_ADDRESS]), sizeof info->mac);
    }
    if (attrs[IFLA_NUM_TX_QUEUES]) {
        info->n_txq = nl_attr_get_u32(attrs[IFLA_NUM_TX_QUEUES]);
    }
    if (attrs[IFLA_NUM_RX_QUEUES]) {
        info->n_rxq = nl_attr_get_u32(attrs[IFLA_NUM_RX_QUEUES]);
    }
    if (attrs[IFLA_LINKINFO]) {
        parse_linkinfo(attrs[IFLA_LINKINFO], info);
    }
    if (attrs[IFLA_XDP]) {
        parse_xdp(attrs[IFLA_XDP], info);
    }
    return 0;
}

/* Starts in 'request' a question about the device 'name' or, if that is null,
 * 'ifindex'. */
static void
link_get_request(struct ofpbuf *request, int ifindex, const char *name)
{
    oxdp_link_request(request, RTM_GETLINK, 0, ifindex);
    if (name) {
        nl_msg_put_string(request, IFLA_IFNAME, name);
    }
    /* Without counters, which take the kernel long to sum up. */
    nl_msg_put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

/* Gets the device 'name' or, if that is null, 'ifindex', in the namespace
 * '*nsid' unless that is null. */
static int
link_get(int ifindex, const char *name, const int *nsid,
         struct oxdp_link_info *info)
{
    struct ofpbuf request, *reply;
    int error;

    link_get_request(&request, ifindex, name);
    if (nsid) {
        nl_msg_put_u32(&request, IFLA_TARGET_NETNSID, *nsid);
    }
    error = nl_transact(NETLINK_ROUTE, &request, &reply);
    ofpbuf_uninit(&request);
    if (!error) {
        error = parse_link(reply, info);
        ofpbuf_delete(reply);
    }
    return error;
}

int
oxdp_link_get(int ifindex, struct oxdp_link_info *info)
{
    return ifindex > 0 ? link_get(ifindex, NULL, NULL, info) : ENODEV;
}

int
oxdp_link_get_by_name(const char *name, struct oxdp_link_info *info)
{
    return (name[0] && strlen(name) < IFNAMSIZ
            ? link_get(0, name, NULL, info)
            : ENODEV);
}

int
oxdp_link_get_by_sock(struct nl_sock *sock, const char *name,
                      struct oxdp_link_info *info)
{
    struct ofpbuf request, *reply;
    int error;

    if (!name[0] || strlen(name) >= IFNAMSIZ) {
        return ENODEV;
    }
    link_get_request(&request, 0, name);
    error = oxdp_nl_transact(sock, &request, &reply, NULL);
    if (!error) {
        error = parse_link(reply, info);
        ofpbuf_delete(reply);
    }
    return error;
}

int
oxdp_link_get_peer(const struct oxdp_link_info *info,
                   struct oxdp_link_info *peer)
{
    return (info->peer_ifindex > 0
            ? link_get(info->peer_ifindex, NULL,
                       info->peer_other_netns ? &info->peer_nsid : NULL, peer)
            : ENODEV);
}

/* One end of a veth pair to be created. */
struct veth_end {
    const char *name;
    int n_queues;               /* 0 for the kernel's default... */
    int mtu;                    /* ...and here. */
    int netns_fd;               /* Where it is to be, -1 for here. */
    const uint8_t *mac;         /* NULL for one of the kernel's choice. */
};

static void
put_veth_end(struct ofpbuf *request, const struct veth_end *end)
{
    nl_msg_put_string(request, IFLA_IFNAME, end->name);
    if (end->n_queues) {
        nl_msg_put_u32(request, IFLA_NUM_TX_QUEUES, end->n_queues);
        nl_msg_put_u32(request, IFLA_NUM_RX_QUEUES, end->n_queues);
    }
    if (end->mtu) {
        nl_msg_put_u32(request, IFLA_MTU, end->mtu);
    }
    if (end->netns_fd >= 0) {
        nl_msg_put_u32(request, IFLA_NET_NS_FD, end->netns_fd);
    }
    if (end->mac) {
        nl_msg_put_unspec(request, IFLA_ADDRESS, end->mac, 6);
    }
}

static int
veth_create(const struct veth_end *end, const struct veth_end *peer)
{
    struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
    size_t linkinfo, data, peer_info;
    struct ofpbuf request;

    if (!end->name[0] || strlen(end->name) >= IFNAMSIZ
        || !peer->name[0] || strlen(peer->name) >= IFNAMSIZ) {
        return ENAMETOOLONG;
    }

    oxdp_link_request(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
    put_veth_end(&request, end);
    linkinfo = nl_msg_start_nested(&request, IFLA_LINKINFO);
    nl_msg_put_string(&request, IFLA_INFO_KIND, "veth");
    data = nl_msg_start_nested(&request, IFLA_INFO_DATA);
    peer_info = nl_msg_start_nested(&request, VETH_INFO_PEER);
    nl_msg_put(&request, &ifi, sizeof ifi);
    put_veth_end(&request, peer);
    nl_msg_end_nested(&request, peer_info);
    nl_msg_end_nested(&request, data);
    nl_msg_end_nested(&request, linkinfo);
    return oxdp_link_transact(&request);
}

int
oxdp_veth_create(const char *name, const char *peer, int n_queues, int mtu,
                 const char *alias)
{
    const struct veth_end ends[] = {
        { .name = name, .n_queues = n_queues, .mtu = mtu, .netns_fd = -1 },
        { .name = peer, .n_queues = n_queues, .mtu = mtu, .netns_fd = -1 },
    };
    struct oxdp_link_info info;
    int error;

    error = veth_create(&ends[0], &ends[1]);
    if (error) {
        return error;
    }

    /* The kernel ignores IFLA_IFALIAS in the message that creates a device. */
    error = oxdp_link_get_by_name(name, &info);
    if (!error && alias && alias[0]) {
        error = oxdp_link_set_alias(info.ifindex, alias);
        if (!error) {
            error = oxdp_link_set_alias(info.peer_ifindex, alias);
        }
        if (error) {
            oxdp_link_delete(info.ifindex);
        }
    }
    return error;
}

int
oxdp_veth_create_into(const char *name, const char *peer, int netns_fd,
                      int mtu, const uint8_t *mac)
{
    const struct veth_end ends[] = {
        { .name = name, .mtu = mtu, .netns_fd = -1 },
        { .name = peer, .mtu = mtu, .netns_fd = netns_fd, .mac = mac },
    };

    return veth_create(&ends[0], &ends[1]);
}

int
oxdp_link_delete(int ifindex)
{
    struct ofpbuf request;

    if (ifindex <= 0) {
        return ENODEV;
    }
    oxdp_link_request(&request, RTM_DELLINK, 0, ifindex);
    return oxdp_link_transact(&request);
}

int
oxdp_link_set_alias(int ifindex, const char *alias)
{
    struct ofpbuf request;

    if (ifindex <= 0) {
        return ENODEV;
    }
    oxdp_link_request(&request, RTM_NEWLINK, 0, ifindex);
    nl_msg_put_unspec(&request, IFLA_IFALIAS, alias, strlen(alias));
    return oxdp_link_transact(&request);
}

/* Sets those of the device's IFF_* flags that are in 'mask'. */
static int
set_flags(int ifindex, unsigned int mask, unsigned int flags)
{
    struct ifinfomsg *ifi;
    struct ofpbuf request;

    if (ifindex <= 0) {
        return ENODEV;
    }
    oxdp_link_request(&request, RTM_NEWLINK, 0, ifindex);
    ifi = ofpbuf_at_assert(&request, NLMSG_HDRLEN, sizeof *ifi);
    ifi->ifi_change = mask;
    ifi->ifi_flags = flags;
    return oxdp_link_transact(&request);
}

int
oxdp_link_set_up(int ifindex, bool up)
{
    return set_flags(ifindex, IFF_UP, up ? IFF_UP : 0);
}

int
oxdp_link_set_promisc(int ifindex, bool promisc)
{
    return set_flags(ifindex, IFF_PROMISC, promisc ? IFF_PROMISC : 0);
}

int
oxdp_link_set_mtu(int ifindex, int mtu)
{
    struct ofpbuf request;

    if (ifindex <= 0) {
        return ENODEV;
    }
    oxdp_link_request(&request, RTM_NEWLINK, 0, ifindex);
    nl_msg_put_u32(&request, IFLA_MTU, mtu);
    return oxdp_link_transact(&request);
}

int
oxdp_link_set_master(int ifindex, int master_ifindex)
{
    struct ofpbuf request;

    if (ifindex <= 0) {
        return ENODEV;
    }
    oxdp_link_request(&request, RTM_NEWLINK, 0, ifindex);
    nl_msg_put_u32(&request, IFLA_MASTER, master_ifindex);
    return oxdp_link_transact(&request);
}

int
oxdp_link_no_ipv6(int ifindex)
{
    struct ofpbuf request;
    size_t af_spec, inet6;
    int error;

    if (ifindex <= 0) {
        return ENODEV;
    }
    oxdp_link_request(&request, RTM_NEWLINK, 0, ifindex);
    af_spec = nl_msg_start_nested(&request, IFLA_AF_SPEC);
    inet6 = nl_msg_start_nested(&request, AF_INET6);
    nl_msg_put_u8(&request, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    nl_msg_end_nested(&request, inet6);
    nl_msg_end_nested(&request, af_spec);
    error = oxdp_link_transact(&request);

    /* A kernel without IPv6, or with IPv6 disabled at boot. */
    return error == EAFNOSUPPORT ? 0 : error;
}

/* ethtool. */

static int
ethtool_ioctl(const char *name, void *data)
{
    struct ifreq ifr;
    int error;
    int fd;

    if (strlen(name) >= IFNAMSIZ) {
        return ENODEV;
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    memset(&ifr, 0, sizeof ifr);
    ovs_strlcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
    ifr.ifr_data = data;
    error = ioctl(fd, SIOCETHTOOL, &ifr) ? errno : 0;
    close(fd);
    return error;
}

int
oxdp_ethtool_set(const char *name, uint32_t cmd, bool on)
{
    struct ethtool_value value = { .cmd = cmd, .data = on };

    return ethtool_ioctl(name, &value);
}

int
oxdp_ethtool_get(const char *name, uint32_t cmd, bool *on)
{
    struct ethtool_value value = { .cmd = cmd };
    int error = ethtool_ioctl(name, &value);

    *on = !error && value.data;
    return error;
}

int
oxdp_ethtool_rxvlan(const char *name, bool on, bool *was_on)
{
    struct ethtool_value value = { .cmd = ETHTOOL_GFLAGS };
    int error = ethtool_ioctl(name, &value);

    *was_on = !error && value.data & ETH_FLAG_RXVLAN;
    if (!error && *was_on != on) {
        value.cmd = ETHTOOL_SFLAGS;
        value.data ^= ETH_FLAG_RXVLAN;
        error = ethtool_ioctl(name, &value);
    }
    return error;
}

void
oxdp_link_restore(int ifindex, uint32_t changed)
{
    struct oxdp_link_info info;
    bool was_on;

    if (changed & OXDP_CHANGED_PROMISC) {
        oxdp_link_set_promisc(ifindex, false);
    }
    if (changed & OXDP_CHANGED_RXVLAN && !oxdp_link_get(ifindex, &info)) {
        oxdp_ethtool_rxvlan(info.name, true, &was_on);
    }
}

int
oxdp_ethtool_driver(const char *name, char driver[32])
{
    struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
    int error = ethtool_ioctl(name, &info);

    ovs_strlcpy(driver, error ? "" : info.driver, 32);
    return error;
}

/* Generic netlink family "netdev". */

/* Stores the number of the family in '*family'.  A number, once found, is
 * good for as long as the kernel runs; a failure is not remembered. */
static int
netdev_family(int *family)
{
    static atomic_int cache = 0;
    int error;

    atomic_read_relaxed(&cache, family);
    if (*family > 0) {
        return 0;
    }
    *family = 0;
    error = nl_lookup_genl_family(OXDP_NETDEV_FAMILY, family);
    if (!error) {
        atomic_store_relaxed(&cache, *family);
    }
    return error == ENOENT ? EOPNOTSUPP : error;
}

/* Gets the device and its features out of reply or notification 'msg'. */
static int
parse_features(const struct ofpbuf *msg, int *ifindex, uint64_t *features)
{
    static const struct nl_policy policy[] = {
        [OXDP_NETDEV_A_DEV_IFINDEX] = { .type = NL_A_U32 },
        [OXDP_NETDEV_A_DEV_XDP_FEATURES] = { .type = NL_A_U64 },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];

    if (!nl_policy_parse(msg, NLMSG_HDRLEN + GENL_HDRLEN, policy, attrs,
                         ARRAY_SIZE(policy))) {
        return EPROTO;
    }
    *ifindex = nl_attr_get_u32(attrs[OXDP_NETDEV_A_DEV_IFINDEX]);
    *features = nl_attr_get_u64(attrs[OXDP_NETDEV_A_DEV_XDP_FEATURES]);
    return 0;
}

int
oxdp_xdp_features(int ifindex, uint64_t *features)
{
    struct ofpbuf request, *reply;
    int family, error;

    *features = 0;
    error = netdev_family(&family);
    if (error) {
        return error;
    }

    ofpbuf_init(&request, 64);
    nl_msg_put_genlmsghdr(&request, 0, family, NLM_F_REQUEST | NLM_F_ACK,
                          OXDP_NETDEV_CMD_DEV_GET, 1);
    nl_msg_put_u32(&request, OXDP_NETDEV_A_DEV_IFINDEX, ifindex);
    error = nl_transact(NETLINK_GENERIC, &request, &reply);
    ofpbuf_uninit(&request);
    if (!error) {
        error = parse_features(reply, &ifindex, features);
        ofpbuf_delete(reply);
    }
    return error;
}

char *
oxdp_why_no_native(const char *kind, uint64_t features)
{
    if (kind[0]) {
        /* What a virtual device receives was sent by a network stack, with
         * segmentation and checksums left to do, which frames cannot carry. */
        return xasprintf("%s, sender is a network stack", kind);
    }
    return (features && !(features & OXDP_NETDEV_XDP_ACT_BASIC)
            ? xstrdup("driver has no XDP") : NULL);
}

int
oxdp_features_sock_create(struct nl_sock **sockp)
{
    unsigned int group;
    int family, error;

    *sockp = NULL;
    error = netdev_family(&family);
    if (error) {
        return error;
    }
    error = nl_lookup_genl_mcgroup(OXDP_NETDEV_FAMILY, OXDP_NETDEV_MCGRP,
                                   &group);
    if (error) {
        return error == EPROTO ? EOPNOTSUPP : error;
    }
    error = nl_sock_create(NETLINK_GENERIC, sockp);
    if (error) {
        return error;
    }
    error = nl_sock_join_mcgroup(*sockp, group);
    if (error) {
        nl_sock_destroy(*sockp);
        *sockp = NULL;
    }
    return error;
}

int
oxdp_features_recv(struct nl_sock *sock, int *ifindex, uint64_t *features)
{
    int family, error;

    error = netdev_family(&family);
    if (error) {
        return error;
    }

    for (;;) {
        uint64_t stub[512 / 8];
        struct ofpbuf msg;
        bool wanted = false;

        ofpbuf_use_stub(&msg, stub, sizeof stub);
        error = nl_sock_recv(sock, &msg, NULL, false);
        if (!error && nl_msg_nlmsghdr(&msg)->nlmsg_type == family
            && msg.size >= NLMSG_HDRLEN + GENL_HDRLEN) {
            uint8_t cmd = nl_msg_genlmsghdr(&msg)->cmd;

            wanted = ((cmd == OXDP_NETDEV_CMD_DEV_ADD_NTF
                       || cmd == OXDP_NETDEV_CMD_DEV_CHANGE_NTF)
                      && !parse_features(&msg, ifindex, features));
        }
        ofpbuf_uninit(&msg);
        if (wanted || (error && error != EPROTO && error != E2BIG)) {
            return error;
        }
        if (error) {
            VLOG_WARN_RL(&rl, "ignoring a malformed notification of the "
                         "\"%s\" family", OXDP_NETDEV_FAMILY);
        }
    }
}
