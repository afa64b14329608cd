/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "cni-link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "oxdp-netdev.h"
#include "packets.h"
#include "random.h"
#include "util.h"

/* How many names to try for a veth interface. */
#define NAME_TRIES 16

/* IFLA_IFALIAS of the host's end of a pair: no other is deleted. */
#define HOST_ALIAS "ovs-xdp-cni"

/* Network namespaces. */

static int
open_own_netns(void)
{
    return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static bool
is_same_file(int a, int b)
{
    struct stat sa, sb;

    return (!fstat(a, &sa) && !fstat(b, &sb)
            && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino);
}

/* Calls 'cb' with 'aux' inside of the namespace 'fd', and returns its error or
 * one of its own.  Open vSwitch's netlink functions must not be called there:
 * they use sockets again. */
static int
call_in_netns(int fd, int (*cb)(void *aux), void *aux)
{
    int own = open_own_netns();
    int error;

    if (own < 0) {
        return errno;
    }
    error = setns(fd, CLONE_NEWNET) ? errno : cb(aux);
    if (setns(own, CLONE_NEWNET)) {
        ovs_abort(errno, "cannot return to the host's network namespace");
    }
    close(own);
    return error;
}

static int
create_sock(void *pod_)
{
    struct cni_pod *pod = pod_;

    return nl_sock_create(NETLINK_ROUTE, &pod->sock);
}

struct cni_error *
cni_pod_open(const char *netns, struct cni_pod *pod)
{
    struct cni_error *error = NULL;
    int own, errno_;

    pod->sock = NULL;
    pod->fd = open(netns, O_RDONLY | O_CLOEXEC);
    if (pod->fd < 0) {
        return cni_error(CNI_ENVIRONMENT, "CNI_NETNS is %s: cannot open it: "
                         "%s", netns, ovs_strerror(errno));
    }
    own = open_own_netns();
    if (is_same_file(own, pod->fd)) {
        error = cni_error(CNI_ENVIRONMENT, "CNI_NETNS is %s, which is the "
                          "network namespace of this plugin and no pod's",
                          netns);
    }
    if (own >= 0) {
        close(own);
    }
    if (!error) {
        errno_ = call_in_netns(pod->fd, create_sock, pod);
        if (errno_) {
            error = cni_error(CNI_ENVIRONMENT, "CNI_NETNS is %s, which cannot "
                              "be entered as a network namespace: %s", netns,
                              ovs_strerror(errno_));
        }
    }
    if (error) {
        cni_pod_close(pod);
    }
    return error;
}

void
cni_pod_close(struct cni_pod *pod)
{
    if (pod->fd >= 0) {
        nl_sock_destroy(pod->sock);
        close(pod->fd);
        pod->fd = -1;
    }
}

/* Veth pairs. */

static struct cni_error *
exists_in_pod(const char *ifname)
{
    return cni_error(CNI_DEVICE, "the pod has an interface \"%s\" already: a "
                     "name can be used again after DEL", ifname);
}

struct cni_error *
cni_veth_create(const struct cni_pod *pod, const struct cni_config *config,
                char host[IFNAMSIZ])
{
    struct oxdp_link_info info;
    int error;

    for (int i = 0; i < NAME_TRIES; i++) {
        uint32_t number;

        if (!oxdp_link_get_by_sock(pod->sock, config->ifname, &info)) {
            return exists_in_pod(config->ifname);
        }
        random_bytes(&number, sizeof number);
        snprintf(host, IFNAMSIZ, "veth%08"PRIx32, number);
        error = oxdp_veth_create_into(host, config->ifname, pod->fd,
                                      config->mtu, (config->has_mac
                                                    ? config->mac.ea : NULL));
        if (error != EEXIST) {
            break;
        }
    }
    if (error) {
        return cni_error(CNI_DEVICE, "cannot create a veth interface \"%s\", "
                         "MTU %d: %s", config->ifname, config->mtu,
                         ovs_strerror(error));
    }

    error = oxdp_link_get_by_name(host, &info);
    if (!error) {
        error = oxdp_link_set_alias(info.ifindex, HOST_ALIAS);
    }
    if (!error) {
        error = oxdp_link_no_ipv6(info.ifindex);
    }
    if (!error) {
        error = oxdp_link_set_up(info.ifindex, true);
    }
    if (error) {
        oxdp_link_delete(info.ifindex);
        return cni_error(CNI_DEVICE, "cannot set up %s: %s", host,
                         ovs_strerror(error));
    }
    return NULL;
}

static bool
is_host_end(const struct oxdp_link_info *info)
{
    return !strcmp(info->kind, "veth") && !strcmp(info->alias, HOST_ALIAS);
}

struct cni_error *
cni_veth_delete(const char *host)
{
    struct oxdp_link_info info;
    int error = oxdp_link_get_by_name(host, &info);

    if (!error && is_host_end(&info)) {
        error = oxdp_link_delete(info.ifindex);
    }
    return (!error || error == ENODEV ? NULL
            : cni_error(CNI_DEVICE, "cannot delete %s: %s", host,
                        ovs_strerror(error)));
}

/* Is interface 'link' of a pod the other end of one of ours?  Stores that in
 * '*host'.  The namespaces have numbers of their own for each other, so there
 * and back again tells. */
static bool
get_host_end(const struct oxdp_link_info *link, struct oxdp_link_info *host)
{
    struct oxdp_link_info back;

    return (!strcmp(link->kind, "veth") && link->peer_other_netns
            && !oxdp_link_get(link->peer_ifindex, host) && is_host_end(host)
            && !oxdp_link_get_peer(host, &back)
            && back.ifindex == link->ifindex
            && !memcmp(back.mac, link->mac, sizeof back.mac));
}

struct cni_error *
cni_pod_delete_veth(const struct cni_pod *pod, const char *ifname)
{
    struct oxdp_link_info info, host;

    return (!oxdp_link_get_by_sock(pod->sock, ifname, &info)
            && get_host_end(&info, &host)
            ? cni_veth_delete(host.name) : NULL);
}

struct cni_error *
cni_link_get(const struct cni_pod *pod, const char *ifname,
             struct cni_interface *interface)
{
    struct oxdp_link_info info;
    int error;

    error = (pod ? oxdp_link_get_by_sock(pod->sock, ifname, &info)
             : oxdp_link_get_by_name(ifname, &info));
    if (error) {
        return cni_error(CNI_DEVICE, "cannot find %s again: %s", ifname,
                         ovs_strerror(error));
    }
    memcpy(interface->mac.ea, info.mac, sizeof info.mac);
    interface->mtu = info.mtu;
    return NULL;
}

/* Addresses and routes. */

static size_t
addr_len(int family)
{
    return family == AF_INET ? 4 : 16;
}

/* Takes 'request' over. */
static struct cni_error *
pod_transact(const struct cni_pod *pod, struct ofpbuf *request,
             const char *what, const char *which)
{
    struct cni_error *error = NULL;
    char *text;
    int errno_;

    errno_ = oxdp_nl_transact(pod->sock, request, NULL, &text);
    if (errno_ && errno_ != EEXIST) {
        error = cni_error(CNI_DEVICE, "cannot %s %s in the pod: %s%s%s", what,
                          which, ovs_strerror(errno_), text ? ": " : "",
                          text ? text : "");
    }
    free(text);
    return error;
}

static struct cni_error *
add_address(const struct cni_pod *pod, int ifindex, const struct cni_ip *ip)
{
    struct ifaddrmsg ifa = {
        .ifa_family = ip->prefix.family,
        .ifa_prefixlen = ip->prefix.plen,
        .ifa_index = ifindex,
    };
    size_t len = addr_len(ip->prefix.family);
    struct ofpbuf request;

    ofpbuf_init(&request, 128);
    nl_msg_put_nlmsghdr(&request, sizeof ifa, RTM_NEWADDR,
                        NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
    nl_msg_put(&request, &ifa, sizeof ifa);
    nl_msg_put_unspec(&request, IFA_LOCAL, ip->prefix.addr, len);
    nl_msg_put_unspec(&request, IFA_ADDRESS, ip->prefix.addr, len);
    if (ip->prefix.family == AF_INET6) {
        /* The IPAM plugin knows that nobody else has it. */
        nl_msg_put_u32(&request, IFA_FLAGS, IFA_F_NODAD);
    } else if (ip->prefix.plen < 31) {
        uint32_t host = UINT32_MAX >> ip->prefix.plen;
        ovs_be32 broadcast;

        memcpy(&broadcast, ip->prefix.addr, sizeof broadcast);
        broadcast |= htonl(host);
        nl_msg_put_be32(&request, IFA_BROADCAST, broadcast);
    }
    return pod_transact(pod, &request, "add address", ip->address);
}

static void
put_metrics(struct ofpbuf *request, const struct cni_route *route)
{
    size_t metrics = nl_msg_start_nested(request, RTA_METRICS);

    if (route->mtu > 0) {
        nl_msg_put_u32(request, RTAX_MTU, route->mtu);
    }
    if (route->advmss > 0) {
        nl_msg_put_u32(request, RTAX_ADVMSS, route->advmss);
    }
    nl_msg_end_non_empty_nested(request, metrics);
}

static struct cni_error *
add_route(const struct cni_pod *pod, int ifindex,
          const struct cni_route *route, const char *gateway)
{
    struct rtmsg rtm = {
        .rtm_family = route->dst.family,
        .rtm_dst_len = route->dst.plen,
        .rtm_table = RT_TABLE_UNSPEC,
        .rtm_protocol = RTPROT_BOOT,
        .rtm_type = RTN_UNICAST,
        .rtm_scope = (route->scope >= 0 ? route->scope
                      : gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK),
    };
    struct ofpbuf request;

    ofpbuf_init(&request, 128);
    nl_msg_put_nlmsghdr(&request, sizeof rtm, RTM_NEWROUTE,
                        NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
    nl_msg_put(&request, &rtm, sizeof rtm);
    nl_msg_put_u32(&request, RTA_TABLE,
                   route->table > 0 ? route->table : RT_TABLE_MAIN);
    nl_msg_put_unspec(&request, RTA_DST, route->dst.addr,
                      addr_len(route->dst.family));
    nl_msg_put_u32(&request, RTA_OIF, ifindex);
    if (gateway) {
        uint8_t addr[16];

        inet_pton(route->dst.family, gateway, addr);
        nl_msg_put_unspec(&request, RTA_GATEWAY, addr,
                          addr_len(route->dst.family));
    }
    if (route->priority >= 0) {
        nl_msg_put_u32(&request, RTA_PRIORITY, route->priority);
    }
    put_metrics(&request, route);
    return pod_transact(pod, &request, "add route", route->dst_text);
}

static int
enable_ipv6(void *ifname)
{
    char *path = xasprintf("/proc/sys/net/ipv6/conf/%s/disable_ipv6",
                           (const char *) ifname);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int error;

    error = fd < 0 || write(fd, "0", 1) != 1 ? errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    free(path);
    return error;
}

static bool
has_ipv6(const struct cni_result *result)
{
    for (size_t i = 0; i < result->n_ips; i++) {
        if (result->ips[i].prefix.family == AF_INET6) {
            return true;
        }
    }
    return false;
}

static struct cni_error *
set_pod_up(const struct cni_pod *pod, const struct oxdp_link_info *info)
{
    struct ifinfomsg *ifi;
    struct ofpbuf request;

    oxdp_link_request(&request, RTM_NEWLINK, 0, info->ifindex);
    ifi = ofpbuf_at_assert(&request, NLMSG_HDRLEN, sizeof *ifi);
    ifi->ifi_change = ifi->ifi_flags = IFF_UP;
    return pod_transact(pod, &request, "set up", info->name);
}

struct cni_error *
cni_pod_configure(const struct cni_pod *pod, const char *ifname,
                  const struct cni_result *result)
{
    struct cni_error *error = NULL;
    struct oxdp_link_info info;
    int errno_;

    errno_ = oxdp_link_get_by_sock(pod->sock, ifname, &info);
    if (!errno_ && has_ipv6(result)) {
        errno_ = call_in_netns(pod->fd, enable_ipv6, info.name);
    }
    if (errno_) {
        return cni_error(CNI_DEVICE, "cannot set up %s in the pod: %s", ifname,
                         ovs_strerror(errno_));
    }
    for (size_t i = 0; i < result->n_ips && !error; i++) {
        error = add_address(pod, info.ifindex, &result->ips[i]);
    }
    if (!error) {
        error = set_pod_up(pod, &info);
    }
    for (size_t i = 0; i < result->n_routes && !error; i++) {
        const struct cni_route *route = &result->routes[i];

        error = add_route(pod, info.ifindex, route,
                          (route->gw ? route->gw
                           : cni_result_gateway(result, route->dst.family)));
    }
    return error;
}

/* Looking at them. */

/* What is looked for in messages of 'type': an address or a route. */
struct wanted {
    int ifindex;
    const struct cni_prefix *prefix;
    bool found;
};

static void
look_at_address(const struct ofpbuf *msg, struct wanted *wanted)
{
    const struct ifaddrmsg *ifa = ofpbuf_at(msg, NLMSG_HDRLEN, sizeof *ifa);
    size_t len = addr_len(wanted->prefix->family);
    const struct nlattr *addr;

    if (ifa && ifa->ifa_index == wanted->ifindex
        && ifa->ifa_prefixlen == wanted->prefix->plen) {
        addr = nl_attr_find(msg, NLMSG_HDRLEN + sizeof *ifa, IFA_ADDRESS);
        if (addr && nl_attr_get_size(addr) == len
            && !memcmp(nl_attr_get(addr), wanted->prefix->addr, len)) {
            wanted->found = true;
        }
    }
}

static void
look_at_route(const struct ofpbuf *msg, struct wanted *wanted)
{
    const struct rtmsg *rtm = ofpbuf_at(msg, NLMSG_HDRLEN, sizeof *rtm);
    size_t len = addr_len(wanted->prefix->family);
    const struct nlattr *dst, *oif;

    if (rtm && rtm->rtm_dst_len == wanted->prefix->plen) {
        oif = nl_attr_find(msg, NLMSG_HDRLEN + sizeof *rtm, RTA_OIF);
        dst = nl_attr_find(msg, NLMSG_HDRLEN + sizeof *rtm, RTA_DST);
        if (oif && nl_attr_get_u32(oif) == wanted->ifindex
            && (dst ? (nl_attr_get_size(dst) == len
                       && !memcmp(nl_attr_get(dst), wanted->prefix->addr, len))
                : !wanted->prefix->plen)) {
            wanted->found = true;
        }
    }
}

/* Asks for all addresses or routes, as 'type' says, RTM_GETADDR or
 * RTM_GETROUTE, of the family of 'wanted->prefix', and looks for it. */
static int
dump(const struct cni_pod *pod, uint16_t type, struct wanted *wanted)
{
    struct rtmsg header = { .rtm_family = wanted->prefix->family };
    struct ofpbuf buffer, request;
    bool done = false;
    int error;

    BUILD_ASSERT_DECL(sizeof(struct rtmsg) >= sizeof(struct ifaddrmsg));

    wanted->found = false;
    ofpbuf_init(&request, 64);
    nl_msg_put_nlmsghdr(&request, sizeof header, type,
                        NLM_F_REQUEST | NLM_F_DUMP);
    nl_msg_put(&request, &header, sizeof header);
    ofpbuf_init(&buffer, 65536);
    error = nl_sock_send(pod->sock, &request, true);
    while (!error && !done) {
        struct ofpbuf msg;

        error = nl_sock_recv(pod->sock, &buffer, NULL, true);
        while (!error && !done && nl_msg_next(&buffer, &msg)) {
            const struct nlmsghdr *hdr = nl_msg_nlmsghdr(&msg);

            if (hdr->nlmsg_seq != nl_msg_nlmsghdr(&request)->nlmsg_seq) {
                continue;
            }
            if (hdr->nlmsg_type == NLMSG_DONE) {
                done = true;
            } else if (hdr->nlmsg_type == RTM_NEWADDR) {
                look_at_address(&msg, wanted);
            } else if (hdr->nlmsg_type == RTM_NEWROUTE) {
                look_at_route(&msg, wanted);
            } else {
                nl_msg_nlmsgerr(&msg, &error, NULL);
            }
        }
    }
    ofpbuf_uninit(&buffer);
    ofpbuf_uninit(&request);
    return error;
}

/* Says that 'text' is missing unless it is found. */
static struct cni_error *
look_for(const struct cni_pod *pod, uint16_t type, int ifindex,
         const struct cni_prefix *prefix, const char *text)
{
    struct wanted wanted = { .ifindex = ifindex, .prefix = prefix };
    int error = dump(pod, type, &wanted);

    return (error ? cni_error(CNI_CHECK, "cannot look for %s in the pod: %s",
                              text, ovs_strerror(error))
            : !wanted.found ? cni_error(CNI_CHECK, "the pod's interface has "
                                        "no %s %s", (type == RTM_GETADDR
                                                     ? "address" : "route to"),
                                        text)
            : NULL);
}

struct cni_error *
cni_pod_check(const struct cni_pod *pod, const char *ifname,
              const struct cni_result *result, struct cni_interface *interface)
{
    struct oxdp_link_info info, host;
    struct cni_error *error = NULL;

    if (oxdp_link_get_by_sock(pod->sock, ifname, &info)) {
        return cni_error(CNI_CHECK, "the pod has no interface \"%s\"", ifname);
    }
    if (!get_host_end(&info, &host)) {
        return cni_error(CNI_CHECK, "the pod's \"%s\" is no veth interface "
                         "that ovs-xdp-cni has made", ifname);
    }
    if (!(info.flags & IFF_UP) || !(host.flags & IFF_UP)) {
        return cni_error(CNI_CHECK, "%s is down",
                         info.flags & IFF_UP ? host.name : ifname);
    }
    memcpy(interface->mac.ea, info.mac, sizeof info.mac);
    interface->mtu = info.mtu;
    for (size_t i = 0; i < result->n_ips && !error; i++) {
        error = look_for(pod, RTM_GETADDR, info.ifindex,
                         &result->ips[i].prefix, result->ips[i].address);
    }
    for (size_t i = 0; i < result->n_routes && !error; i++) {
        error = look_for(pod, RTM_GETROUTE, info.ifindex,
                         &result->routes[i].dst, result->routes[i].dst_text);
    }
    return error;
}
