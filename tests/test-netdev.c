/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test-netdev: devices, attachments and internal ports, on veth devices in a
 * network namespace of its own.
 */

#include <config.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dp-packet.h"
#include "netdev-provider.h"
#include "netdev-xdp.h"
#include "netdev.h"
#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "oxdp-attach.h"
#include "oxdp-bridge.h"
#include "oxdp-compat.h"
#include "oxdp-netdev.h"
#include "util.h"

#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif

static int n_failed;
static int other_netns;           /* Of this test, too. */

#define CHECK(COND, ...) check(COND, __LINE__, #COND, __VA_ARGS__)

static bool OVS_PRINTF_FORMAT(4, 5)
check(bool ok, int line, const char *cond, const char *format, ...)
{
    if (!ok) {
        va_list args;

        n_failed++;
        printf("not ok - line %d: %s: ", line, cond);
        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        putchar('\n');
    }
    return ok;
}

#define CHECK_ERROR(EXPR, WANT)                                             \
    do {                                                                    \
        int error__ = (EXPR);                                               \
        check(error__ == (WANT), __LINE__, #EXPR, "%d (%s), not %d",        \
              error__, error__ ? ovs_strerror(error__) : "success", WANT);  \
    } while (0)

static void
passed(const char *what, int failed_before)
{
    printf("%s - %s\n", n_failed == failed_before ? "ok" : "not ok", what);
}

/* Helpers. */

static struct oxdp_link_info
link_get(const char *name)
{
    struct oxdp_link_info info;

    if (oxdp_link_get_by_name(name, &info)) {
        memset(&info, 0, sizeof info);
    }
    return info;
}

static int
ifindex_of(const char *name)
{
    return link_get(name).ifindex;
}

static int
load_program(enum bpf_prog_type type, const char *name, int verdict,
             uint32_t flags)
{
    LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = flags);
    struct bpf_insn insns[] = {
        { .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = verdict },
        { .code = BPF_JMP | BPF_EXIT },
    };
    int fd = bpf_prog_load(type, name, "GPL", insns, ARRAY_SIZE(insns), &opts);

    if (fd < 0) {
        ovs_fatal(-fd, "loading program \"%s\"", name);
    }
    return fd;
}

static void
make_pair(const char *a, const char *b, int n_queues, int mtu)
{
    int error = oxdp_veth_create(a, b, n_queues, mtu, "test-netdev");

    if (error) {
        ovs_fatal(error, "veth pair %s %s", a, b);
    }
    oxdp_link_set_up(ifindex_of(a), true);
    oxdp_link_set_up(ifindex_of(b), true);
}

static int
count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir)) {
        n++;
    }
    closedir(dir);
    return n;
}

/* Number of BPF links in the system that have program 'prog_fd'. */
static int
count_links(int prog_fd)
{
    struct bpf_prog_info prog;
    uint32_t len = sizeof prog;
    uint32_t id = 0;
    int n = 0;

    memset(&prog, 0, sizeof prog);
    bpf_obj_get_info_by_fd(prog_fd, &prog, &len);
    while (!bpf_link_get_next_id(id, &id)) {
        int fd = bpf_link_get_fd_by_id(id);
        struct bpf_link_info info;

        len = sizeof info;
        memset(&info, 0, sizeof info);
        if (fd >= 0) {
            n += (!bpf_obj_get_info_by_fd(fd, &info, &len)
                  && info.prog_id == prog.id);
            close(fd);
        }
    }
    return n;
}

/* Number of ingress and clsact qdiscs on 'ifindex'. */
static int
count_ingress_qdiscs(int ifindex)
{
    struct ofpbuf request, reply, buf;
    struct tcmsg tcm = { .tcm_ifindex = ifindex };
    struct nl_dump dump;
    int n = 0;

    ofpbuf_init(&request, 64);
    nl_msg_put_nlmsghdr(&request, sizeof tcm, RTM_GETQDISC, NLM_F_REQUEST);
    nl_msg_put(&request, &tcm, sizeof tcm);
    ofpbuf_init(&buf, NL_DUMP_BUFSIZE);
    nl_dump_start(&dump, NETLINK_ROUTE, &request);
    while (nl_dump_next(&dump, &reply, &buf)) {
        const struct tcmsg *got = ofpbuf_at_assert(&reply, NLMSG_HDRLEN,
                                                   sizeof *got);

        n += got->tcm_ifindex == ifindex && got->tcm_parent == TC_H_INGRESS;
    }
    nl_dump_done(&dump);
    ofpbuf_uninit(&buf);
    ofpbuf_uninit(&request);
    return n;
}

/* What set_policing() of netdev-linux does first. */
static void
delete_ingress_qdisc(int ifindex)
{
    struct tcmsg tcm = { .tcm_ifindex = ifindex, .tcm_parent = TC_H_INGRESS,
                         .tcm_handle = 0xffff0000 };
    struct ofpbuf request;

    ofpbuf_init(&request, 64);
    nl_msg_put_nlmsghdr(&request, sizeof tcm, RTM_DELQDISC,
                        NLM_F_REQUEST | NLM_F_ACK);
    nl_msg_put(&request, &tcm, sizeof tcm);
    CHECK_ERROR(nl_transact(NETLINK_ROUTE, &request, NULL), 0);
    ofpbuf_uninit(&request);
}

static void
move_link(int ifindex, int netns_fd)
{
    struct ifinfomsg ifi = { .ifi_index = ifindex };
    struct ofpbuf request;

    ofpbuf_init(&request, 64);
    nl_msg_put_nlmsghdr(&request, sizeof ifi, RTM_NEWLINK,
                        NLM_F_REQUEST | NLM_F_ACK);
    nl_msg_put(&request, &ifi, sizeof ifi);
    nl_msg_put_u32(&request, IFLA_NET_NS_FD, netns_fd);
    CHECK_ERROR(nl_transact(NETLINK_ROUTE, &request, NULL), 0);
    ofpbuf_uninit(&request);
}

static void
rename_link(int ifindex, const char *name)
{
    struct ifinfomsg ifi = { .ifi_index = ifindex };
    struct ofpbuf request;

    ofpbuf_init(&request, 64);
    nl_msg_put_nlmsghdr(&request, sizeof ifi, RTM_NEWLINK,
                        NLM_F_REQUEST | NLM_F_ACK);
    nl_msg_put(&request, &ifi, sizeof ifi);
    nl_msg_put_string(&request, IFLA_IFNAME, name);
    CHECK_ERROR(nl_transact(NETLINK_ROUTE, &request, NULL), 0);
    ofpbuf_uninit(&request);
}

/* Links. */

static void
test_veth(void)
{
    int failed_before = n_failed;
    struct oxdp_link_info a, b;
    char driver[32];

    CHECK_ERROR(oxdp_veth_create("a0", "b0", 3, 9100, "some alias"), 0);
    a = link_get("a0");
    b = link_get("b0");
    CHECK(!strcmp(a.name, "a0") && !strcmp(b.name, "b0"), "%s %s", a.name,
          b.name);
    CHECK(!strcmp(a.kind, "veth") && !strcmp(b.kind, "veth"), "%s", a.kind);
    CHECK(!strcmp(a.alias, "some alias") && !strcmp(b.alias, "some alias"),
          "\"%s\", \"%s\"", a.alias, b.alias);
    CHECK(a.peer_ifindex == b.ifindex && b.peer_ifindex == a.ifindex
          && !a.peer_other_netns && !b.peer_other_netns, "peers");
    CHECK(a.n_rxq == 3 && a.n_txq == 3 && b.n_rxq == 3 && b.n_txq == 3,
          "%d+%d, %d+%d queues", a.n_rxq, a.n_txq, b.n_rxq, b.n_txq);
    CHECK(a.mtu == 9100 && b.mtu == 9100, "MTUs %d, %d", a.mtu, b.mtu);
    CHECK(!(a.flags & IFF_UP) && !(b.flags & IFF_UP), "not down");
    CHECK(!a.xdp_prog_id, "program %u", a.xdp_prog_id);

    CHECK_ERROR(oxdp_veth_create("a0", "c0", 1, 0, "x"), EEXIST);
    CHECK_ERROR(oxdp_veth_create("c0", "b0", 1, 0, "x"), EEXIST);
    CHECK(!ifindex_of("c0"), "half a pair was left");
    CHECK_ERROR(oxdp_veth_create("1234567890123456", "c0", 1, 0, "x"),
                ENAMETOOLONG);

    CHECK_ERROR(oxdp_link_set_up(a.ifindex, true), 0);
    CHECK_ERROR(oxdp_link_set_up(b.ifindex, true), 0);
    CHECK_ERROR(oxdp_link_set_mtu(a.ifindex, 1400), 0);
    CHECK_ERROR(oxdp_link_set_alias(a.ifindex, "other"), 0);
    a = link_get("a0");
    CHECK(a.flags & IFF_UP && a.flags & IFF_RUNNING && a.mtu == 1400
          && !strcmp(a.alias, "other"), "%x %d %s", a.flags, a.mtu, a.alias);
    CHECK_ERROR(oxdp_link_set_up(a.ifindex, false), 0);
    CHECK(!(link_get("a0").flags & IFF_UP), "up");

    CHECK_ERROR(oxdp_ethtool_driver("a0", driver), 0);
    CHECK(!strcmp(driver, "veth"), "%s", driver);
    CHECK_ERROR(oxdp_ethtool_set("a0", ETHTOOL_STXCSUM, false), 0);
    CHECK_ERROR(oxdp_ethtool_set("a0", ETHTOOL_SGRO, true), 0);
    CHECK_ERROR(oxdp_ethtool_set("gone", ETHTOOL_SGRO, true), ENODEV);

    CHECK_ERROR(oxdp_link_delete(b.ifindex), 0);
    CHECK(!ifindex_of("a0") && !ifindex_of("b0"), "still there");
    CHECK_ERROR(oxdp_link_delete(b.ifindex), ENODEV);
    CHECK_ERROR(oxdp_link_get(b.ifindex, &b), ENODEV);
    CHECK_ERROR(oxdp_link_get(0, &b), ENODEV);
    CHECK_ERROR(oxdp_link_get_by_name("1234567890123456", &b), ENODEV);
    passed("creates, shows, changes and deletes veth pairs", failed_before);
}

static bool
has_ipv6_address(const char *name)
{
    FILE *file = fopen("/proc/self/net/if_inet6", "r");
    char line[256];
    bool found = false;

    while (file && fgets(line, sizeof line, file)) {
        found |= strstr(line, name) != NULL;
    }
    if (file) {
        fclose(file);
    }
    return found;
}

static void
test_no_ipv6(void)
{
    int failed_before = n_failed;

    CHECK_ERROR(oxdp_veth_create("with6", "without6", 1, 0, NULL), 0);
    CHECK_ERROR(oxdp_link_no_ipv6(ifindex_of("without6")), 0);
    CHECK_ERROR(oxdp_link_set_up(ifindex_of("with6"), true), 0);
    CHECK_ERROR(oxdp_link_set_up(ifindex_of("without6"), true), 0);
    usleep(200 * 1000);
    if (access("/proc/self/net/if_inet6", F_OK)) {
        printf("# no IPv6 here\n");
    } else {
        CHECK(has_ipv6_address("with6"), "no address, so nothing is tested");
        CHECK(!has_ipv6_address("without6"), "has an address");
    }
    oxdp_link_delete(ifindex_of("with6"));
    passed("keeps IPv6 off a device", failed_before);
}

/* XDP features. */

/* Waits for a notification about 'ifindex'.  Stores the features. */
static bool
wait_features(struct nl_sock *sock, int ifindex, uint64_t *features)
{
    struct pollfd pfd = { .fd = nl_sock_fd(sock), .events = POLLIN };
    bool found = false;
    int i;

    do {
        uint64_t f;

        while (!oxdp_features_recv(sock, &i, &f)) {
            if (i == ifindex) {
                *features = f;
                found = true;
            }
        }
    } while (!found && poll(&pfd, 1, 1000) > 0);
    return found;
}

static void
test_features(int pass_fd)
{
    struct oxdp_attach attach = OXDP_ATTACH_INIT;
    int failed_before = n_failed;
    uint64_t features, told;
    struct nl_sock *sock;
    char *text;
    int error;
    int a;

    make_pair("a0", "b0", 2, 0);
    a = ifindex_of("a0");
    error = oxdp_xdp_features(a, &features);
    if (error == EOPNOTSUPP) {
        CHECK_ERROR(oxdp_features_sock_create(&sock), EOPNOTSUPP);
        printf("# the kernel cannot tell XDP features\n");
        goto out;
    }
    CHECK_ERROR(error, 0);
    CHECK(features & OXDP_NETDEV_XDP_ACT_BASIC
          && !(features & OXDP_NETDEV_XDP_ACT_NDO_XMIT), "%"PRIx64, features);
    CHECK_ERROR(oxdp_xdp_features(999999, &features), ENODEV);

    /* A program on the peer makes a veth device take frames. */
    CHECK_ERROR(oxdp_features_sock_create(&sock), 0);
    CHECK_ERROR(oxdp_features_recv(sock, &a, &told), EAGAIN);
    a = ifindex_of("a0");
    CHECK_ERROR(oxdp_attach_xdp(&attach, NULL, ifindex_of("b0"), pass_fd, false,
                                &text), 0);
    CHECK(wait_features(sock, a, &told), "no notification");
    CHECK(told & OXDP_NETDEV_XDP_ACT_NDO_XMIT, "%"PRIx64, told);
    CHECK_ERROR(oxdp_xdp_features(a, &features), 0);
    CHECK(features == told, "%"PRIx64" %"PRIx64, features, told);
    oxdp_detach(&attach);
    CHECK(wait_features(sock, a, &told), "no notification");
    CHECK(!(told & OXDP_NETDEV_XDP_ACT_NDO_XMIT), "%"PRIx64, told);
    nl_sock_destroy(sock);
out:
    oxdp_link_delete(ifindex_of("a0"));
    passed("tells XDP features and their changes", failed_before);
}

/* XDP. */

static void
test_xdp(int pass_fd)
{
    struct oxdp_attach attach = OXDP_ATTACH_INIT;
    int failed_before = n_failed;
    char *text;

    make_pair("a0", "b0", 2, 0);
    for (int generic = 0; generic < 2; generic++) {
        CHECK(!oxdp_attach_is_attached(&attach), "attached");
        CHECK_ERROR(oxdp_attach_xdp(&attach, NULL, ifindex_of("a0"), pass_fd,
                                    generic, &text), 0);
        CHECK(!text, "%s", text);
        CHECK(oxdp_attach_is_attached(&attach)
              && oxdp_attach_is_live(&attach), "not attached");
        CHECK(fcntl(attach.link_fd, F_GETFD) & FD_CLOEXEC, "not CLOEXEC");
        CHECK(link_get("a0").xdp_prog_id, "no program");
        CHECK(count_links(pass_fd) == 1, "%d links", count_links(pass_fd));
        oxdp_detach(&attach);
        CHECK(!link_get("a0").xdp_prog_id, "still attached");
        CHECK(!count_links(pass_fd), "%d links", count_links(pass_fd));
    }

    /* The device goes first. */
    CHECK_ERROR(oxdp_attach_xdp(&attach, NULL, ifindex_of("a0"), pass_fd, false,
                                &text), 0);
    oxdp_link_delete(ifindex_of("a0"));
    CHECK(!oxdp_attach_is_live(&attach), "live without device");
    oxdp_detach(&attach);
    CHECK(!count_links(pass_fd), "%d links", count_links(pass_fd));
    oxdp_detach(&attach);
    passed("attaches XDP natively and generically", failed_before);
}

/* Checks that attaching fails with 'want' and that the text has 'words'. */
static void
check_refused(int line, const char *name, int prog_fd, bool generic, int want,
              const char *words[])
{
    struct oxdp_attach attach = OXDP_ATTACH_INIT;
    uint32_t before = link_get(name).xdp_prog_id;
    char *text = NULL;
    int error = oxdp_attach_xdp(&attach, NULL, ifindex_of(name), prog_fd, generic,
                                &text);

    check(error == want, line, "error", "%s, not %s", ovs_strerror(error),
          ovs_strerror(want));
    if (check(text != NULL, line, "text", "none")) {
        printf("# %s\n", text);
        for (int i = 0; words[i]; i++) {
            check(strstr(text, words[i]), line, words[i], "missing");
        }
    }
    free(text);
    check(!oxdp_attach_is_attached(&attach), line, "attach", "is attached");
    check(link_get(name).xdp_prog_id == before, line, "program", "changed");
}

static void
test_xdp_refused(int pass_fd)
{
    int failed_before = n_failed;
    int foreign_fd = load_program(BPF_PROG_TYPE_XDP, "foreigner", XDP_PASS,
                                  BPF_F_XDP_HAS_FRAGS);
    int small_fd = load_program(BPF_PROG_TYPE_XDP, "no_frags", XDP_PASS, 0);
    struct oxdp_attach foreign = OXDP_ATTACH_INIT;
    char *text;

    /* Attached by netlink, as "ip link set dev a0 xdp" does, in either mode,
     * and by link. */
    make_pair("a0", "b0", 2, 0);
    for (int generic = 0; generic < 2; generic++) {
        uint32_t mode = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;

        CHECK_ERROR(-bpf_xdp_attach(ifindex_of("a0"), foreign_fd, mode, NULL),
                    0);
        check_refused(__LINE__, "a0", pass_fd, false, EBUSY,
                      (const char *[]) { "another XDP program", "foreigner",
                                         "a0", "xdp-mode=tc", NULL });
        check_refused(__LINE__, "a0", pass_fd, true, EBUSY,
                      (const char *[]) { "another XDP program", "foreigner",
                                         NULL });
        bpf_xdp_detach(ifindex_of("a0"), mode, NULL);
    }
    CHECK_ERROR(oxdp_attach_xdp(&foreign, NULL, ifindex_of("a0"), foreign_fd, false,
                                &text), 0);
    check_refused(__LINE__, "a0", pass_fd, false, EBUSY,
                  (const char *[]) { "foreigner", NULL });
    oxdp_detach(&foreign);
    oxdp_link_delete(ifindex_of("a0"));

    /* The peer's MTU is more than a page. */
    make_pair("a0", "b0", 2, 9000);
    check_refused(__LINE__, "a0", small_fd, false, ERANGE,
                  (const char *[]) { "MTU", "9000", "lower", "a0", NULL });
    oxdp_link_delete(ifindex_of("a0"));

    /* A device whose driver has no XDP, and none at all. */
    check_refused(__LINE__, "lo", pass_fd, false, EOPNOTSUPP,
                  (const char *[]) { "lo", "native", "xdp-mode=generic",
                                     NULL });
    check_refused(__LINE__, "gone", pass_fd, false, EINVAL,
                  (const char *[]) { "no device", NULL });
    CHECK(!count_links(pass_fd), "%d links", count_links(pass_fd));
    close(foreign_fd);
    close(small_fd);
    passed("says why XDP is refused and leaves foreign programs alone",
           failed_before);
}

/* TC. */

static void
test_tc(int tc_fd)
{
    struct oxdp_attach attach = OXDP_ATTACH_INIT;
    struct oxdp_attach other = OXDP_ATTACH_INIT;
    int failed_before = n_failed;
    char *text;
    int a;

    make_pair("a0", "b0", 1, 0);
    a = ifindex_of("a0");
    CHECK_ERROR(oxdp_attach_tc_ingress(&attach, NULL, a, tc_fd, &text), 0);
    CHECK(oxdp_attach_is_attached(&attach) && oxdp_attach_is_live(&attach),
          "not attached");
    if (attach.link_fd >= 0) {
        CHECK(fcntl(attach.link_fd, F_GETFD) & FD_CLOEXEC, "not CLOEXEC");
        CHECK(count_links(tc_fd) == 1, "%d links", count_links(tc_fd));
        CHECK(!count_ingress_qdiscs(a), "a qdisc");
        oxdp_detach(&attach);
        CHECK(!count_links(tc_fd), "%d links", count_links(tc_fd));
        CHECK(!count_ingress_qdiscs(a), "a qdisc");
        CHECK_ERROR(oxdp_attach_tc_ingress(&attach, NULL, a, tc_fd, &text), 0);
        oxdp_link_delete(a);
        CHECK(!oxdp_attach_is_live(&attach), "live without device");
        make_pair("a0", "b0", 1, 0);
        a = ifindex_of("a0");
    } else {
        printf("# the kernel has no tcx\n");
    }
    oxdp_detach(&attach);
    CHECK_ERROR(oxdp_attach_tc_ingress(&attach, NULL, 999999, tc_fd, &text), ENODEV);
    CHECK(text && strstr(text, "no device"), "%s", text ? text : "-");
    free(text);
    passed("attaches to TC and leaves nothing", failed_before);

    /* Classic TC. */
    failed_before = n_failed;
    CHECK_ERROR(oxdp_attach_tc_clsact(&attach, NULL, a, tc_fd, &text), 0);
    CHECK_ERROR(oxdp_attach_tc_clsact(&other, NULL, a, tc_fd, &text), 0);
    CHECK(oxdp_attach_is_live(&attach) && oxdp_attach_is_live(&other),
          "not attached");
    oxdp_detach(&other);
    CHECK(oxdp_attach_is_live(&attach), "the other one was detached");
    delete_ingress_qdisc(a);
    CHECK(oxdp_attach_is_attached(&attach) && !oxdp_attach_is_live(&attach),
          "loss of the qdisc not seen");
    oxdp_detach(&attach);
    CHECK_ERROR(oxdp_attach_tc_clsact(&attach, NULL, a, tc_fd, &text), 0);
    CHECK(oxdp_attach_is_live(&attach), "not attached again");
    oxdp_link_delete(a);
    CHECK(!oxdp_attach_is_live(&attach), "live without device");
    oxdp_detach(&attach);
    CHECK_ERROR(oxdp_attach_tc_clsact(&attach, NULL, 999999, tc_fd, &text), ENODEV);
    CHECK(text && strstr(text, "no device"), "%s", text ? text : "-");
    free(text);
    passed("attaches to classic TC", failed_before);
}

/* Internal ports. */

/* Instead of the database. */
static bool bridges_are_ports;

bool
xdp_bridge_is_name(const char *name)
{
    return !strncmp(name, "sw", 2) && !bridges_are_ports;
}

static int
dp_ifindex(const struct netdev *netdev)
{
    bool bridge;

    return netdev_xdp_dp_ifindex(netdev, &bridge);
}

static struct netdev *
open_port(int line, const char *name, int want)
{
    struct netdev *netdev = NULL;
    int error = netdev_open(name, NETDEV_XDP_TYPE, &netdev);

    check(error == want, line, name, "%d (%s), not %d", error,
          ovs_strerror(error), want);
    return error ? NULL : netdev;
}

static void
check_dp_end(int line, const struct netdev *netdev)
{
    int ifindex = dp_ifindex(netdev);
    struct oxdp_link_info dp;

    if (check(!oxdp_link_get(ifindex, &dp), line, "datapath's end", "%d",
              ifindex)) {
        check(!strncmp(dp.alias, NETDEV_XDP_DP_ALIAS,
                       strlen(NETDEV_XDP_DP_ALIAS)), line, "alias", "%s",
              dp.alias);
        check(dp.flags & IFF_UP, line, "up", "down");
        check(!has_ipv6_address(dp.name), line, "IPv6", "has an address");
    }
}

static void
test_port(void)
{
    int failed_before = n_failed;
    struct netdev *netdev;

    /* Created, kept, used again, deleted. */
    netdev = open_port(__LINE__, "br0", 0);
    if (!netdev) {
        return;
    }
    CHECK(!strcmp(netdev_get_type(netdev), NETDEV_XDP_TYPE), "%s",
          netdev_get_type(netdev));
    CHECK(!strcmp(link_get("br0").alias, NETDEV_XDP_ALIAS), "alias");
    CHECK(dp_ifindex(netdev) == ifindex_of("br0-dp"), "br0-dp");
    check_dp_end(__LINE__, netdev);
    netdev_close(netdev);
    CHECK(ifindex_of("br0"), "closing deletes the device");
    oxdp_link_set_up(ifindex_of("br0-dp"), false);
    netdev = open_port(__LINE__, "br0", 0);
    check_dp_end(__LINE__, netdev);

    /* Names that are taken. */
    open_port(__LINE__, "br0-dp", EEXIST);
    open_port(__LINE__, "lo", EEXIST);
    open_port(__LINE__, "all", EINVAL);
    netdev_xdp_delete("lo");
    netdev_close(netdev);
    netdev_xdp_delete("br0");
    CHECK(!ifindex_of("br0") && !ifindex_of("br0-dp"), "still there");
    netdev_xdp_delete("br0");

    /* The obvious name of the datapath's end is too long, or taken. */
    netdev = open_port(__LINE__, "a23456789012345", 0);
    check_dp_end(__LINE__, netdev);
    netdev_close(netdev);
    netdev_xdp_delete("a23456789012345");
    CHECK(!ifindex_of("a23456789012345"), "still there");
    make_pair("x-dp", "y", 1, 0);
    netdev = open_port(__LINE__, "x", 0);
    check_dp_end(__LINE__, netdev);
    netdev_close(netdev);
    netdev_xdp_delete("x");
    netdev_xdp_delete("y");
    CHECK(!ifindex_of("x") && ifindex_of("y"), "deleted the wrong pair");
    oxdp_link_delete(ifindex_of("y"));
    passed("creates, keeps and deletes internal ports", failed_before);
}

static void
check_bridge(int line, const char *name)
{
    struct oxdp_link_info info = link_get(name);
    struct oxdp_link_info keep;
    int keep_ifindex, in_ifindex;

    check(!strcmp(info.kind, "bridge"), line, name, "%s", info.kind);
    check(oxdp_bridge_is_ours(&info), line, name, "not ours");
    CHECK_ERROR(oxdp_bridge_get_keeper(name, &keep_ifindex, &in_ifindex), 0);
    CHECK_ERROR(oxdp_link_get(keep_ifindex, &keep), 0);
    check(keep.master_ifindex == info.ifindex, line, name,
          "keeper is in %d", keep.master_ifindex);
    check(keep.flags & IFF_UP && keep.flags & OXDP_IFF_LOWER_UP, line, name,
          "keeper is down");
    check(keep.peer_ifindex == in_ifindex, line, name, "other end");
    check(!oxdp_bridge_is_lost_keeper(&keep), line, name, "lost keeper");
    check(!has_ipv6_address(keep.name), line, name, "keeper has an address");
}

static int n_adopted;

static void
count_adopted(struct netdev *netdev OVS_UNUSED, void *aux OVS_UNUSED)
{
    n_adopted++;
}

/* A bridge's LOCAL port. */
static void
test_bridge(void)
{
    struct oxdp_link_info first, info;
    int failed_before = n_failed;
    struct netdev *netdev;
    bool bridge;

    /* Created, kept, used again. */
    netdev = open_port(__LINE__, "sw0", 0);
    check_bridge(__LINE__, "sw0");
    first = link_get("sw0");
    CHECK(netdev_xdp_dp_ifindex(netdev, &bridge) == first.ifindex && bridge,
          "another device");
    CHECK(first.mtu == 1500, "MTU %d", first.mtu);
    CHECK_ERROR(oxdp_link_set_up(first.ifindex, true), 0);
    CHECK(link_get("sw0").flags & OXDP_IFF_LOWER_UP, "no carrier");
    netdev_close(netdev);
    netdev = open_port(__LINE__, "sw0", 0);
    CHECK(ifindex_of("sw0") == first.ifindex, "created anew");

    /* Its address changes, and members with other MTUs come and go. */
    CHECK_ERROR(netdev_set_etheraddr(netdev, (struct eth_addr)
                                     ETH_ADDR_C(02,00,00,00,00,99)), 0);
    make_pair("a0", "b0", 1, 9000);
    CHECK_ERROR(oxdp_link_set_master(ifindex_of("a0"), first.ifindex), 0);
    info = link_get("sw0");
    CHECK(info.mac[5] == 0x99 && info.mtu == 1500, "%x, MTU %d", info.mac[5],
          info.mtu);
    CHECK(link_get("a0").master_ifindex == first.ifindex, "no member");
    CHECK_ERROR(oxdp_link_set_master(ifindex_of("a0"), 0), 0);
    CHECK(!link_get("a0").master_ifindex, "still a member");
    CHECK(link_get("sw0").flags & OXDP_IFF_LOWER_UP, "no carrier");
    oxdp_link_delete(ifindex_of("a0"));
    netdev_close(netdev);

    /* The keeper is deleted, and made again. */
    oxdp_link_delete(ifindex_of("sw0-keep"));
    netdev = open_port(__LINE__, "sw0", 0);
    check_bridge(__LINE__, "sw0");
    netdev_close(netdev);

    /* The bridge is deleted, without its keeper. */
    oxdp_link_delete(first.ifindex);
    info = link_get("sw0-in");
    CHECK(oxdp_bridge_is_lost_keeper(&info), "not lost");
    netdev = open_port(__LINE__, "sw0", 0);
    check_bridge(__LINE__, "sw0");
    netdev_close(netdev);
    oxdp_link_delete(ifindex_of("sw0"));
    n_adopted = 0;
    netdev_xdp_adopt(count_adopted, NULL);
    CHECK(!n_adopted && !ifindex_of("sw0-in") && !ifindex_of("sw0-keep"),
          "%d ports, a keeper", n_adopted);

    /* Names that are too long for a keeper's, or taken. */
    make_pair("sw1-keep", "y", 1, 0);
    netdev = open_port(__LINE__, "sw1", 0);
    check_bridge(__LINE__, "sw1");
    netdev_close(netdev);
    netdev = open_port(__LINE__, "sw3456789012345", 0);
    check_bridge(__LINE__, "sw3456789012345");
    netdev_close(netdev);
    n_adopted = 0;
    netdev_xdp_adopt(count_adopted, NULL);
    CHECK(n_adopted == 2, "%d ports", n_adopted);
    netdev_xdp_delete("sw1");
    netdev_xdp_delete("sw3456789012345");
    CHECK(ifindex_of("y"), "deleted the wrong pair");
    oxdp_link_delete(ifindex_of("y"));
    passed("creates, keeps and deletes kernel bridges", failed_before);
}

/* Names that are taken by devices of another kind, ours or not. */
static void
test_bridge_names(void)
{
    int failed_before = n_failed;
    struct netdev *netdev;

    make_pair("sw0", "y", 1, 0);
    open_port(__LINE__, "sw0", EEXIST);
    netdev_xdp_delete("sw0");
    CHECK(ifindex_of("sw0"), "deleted another's device");
    oxdp_link_delete(ifindex_of("y"));

    bridges_are_ports = true;
    netdev = open_port(__LINE__, "sw0", 0);
    check_dp_end(__LINE__, netdev);
    netdev_close(netdev);
    bridges_are_ports = false;
    netdev = open_port(__LINE__, "sw0", 0);
    check_bridge(__LINE__, "sw0");
    CHECK(!ifindex_of("sw0-dp"), "still there");
    netdev_close(netdev);
    bridges_are_ports = true;
    netdev = open_port(__LINE__, "sw0", 0);
    check_dp_end(__LINE__, netdev);
    CHECK(!ifindex_of("sw0-keep"), "still there");
    netdev_close(netdev);
    bridges_are_ports = false;
    netdev_xdp_delete("sw0");
    CHECK(!ifindex_of("sw0"), "still there");
    passed("replaces its own devices alone", failed_before);
}

/* Opens a port anew whose host end is elsewhere. */
static void
test_port_moved(void)
{
    int failed_before = n_failed;
    struct netdev *netdev = open_port(__LINE__, "p0", 0);
    int dp = dp_ifindex(netdev);

    rename_link(ifindex_of("p0"), "p1");
    CHECK(dp_ifindex(netdev) == dp, "lost by renaming");
    netdev_close(netdev);
    open_port(__LINE__, "p0", EEXIST);
    rename_link(ifindex_of("p1"), "p0");

    netdev = open_port(__LINE__, "p0", 0);
    move_link(ifindex_of("p0"), other_netns);
    CHECK(!ifindex_of("p0"), "not moved");
    CHECK(dp_ifindex(netdev) == dp, "lost by moving");
    netdev_close(netdev);
    netdev = open_port(__LINE__, "p0", 0);
    CHECK(dp_ifindex(netdev) == dp, "created anew");
    check_dp_end(__LINE__, netdev);
    if (netdev) {
        CHECK(!strcmp(netdev_get_type(netdev), NETDEV_XDP_TYPE), "%s",
              netdev_get_type(netdev));
    }
    netdev_close(netdev);
    netdev_xdp_delete("p0");
    CHECK(!ifindex_of("p0-dp"), "still there");
    passed("finds internal ports that were renamed or moved", failed_before);
}

/* Sends 'n' frames into device 'name'. */
static void
send_frames(const char *name, int n)
{
    struct netdev *netdev;
    uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1,
                          0x88, 0xb5 };

    CHECK_ERROR(netdev_open(name, "system", &netdev), 0);
    for (int i = 0; i < n; i++) {
        struct dp_packet_batch batch;

        dp_packet_batch_init_packet(
            &batch, dp_packet_clone_data(frame, sizeof frame));
        CHECK_ERROR(netdev_send(netdev, 0, &batch, false), 0);
    }
    netdev_close(netdev);
}

static void
test_port_stats(void)
{
    struct netdev *netdev = open_port(__LINE__, "br0", 0);
    int failed_before = n_failed;
    struct netdev_stats stats;

    /* To the switch 7 packets come out of the host. */
    oxdp_link_no_ipv6(ifindex_of("br0"));
    oxdp_link_set_up(ifindex_of("br0"), true);
    send_frames("br0-dp", 3);
    netdev_close(netdev);
    send_frames("br0", 7);
    netdev = open_port(__LINE__, "br0", 0);
    usleep(100 * 1000);
    CHECK_ERROR(netdev_get_stats(netdev, &stats), 0);
    CHECK(stats.rx_packets == 7 && stats.tx_packets == 3,
          "rx %"PRIu64", tx %"PRIu64, stats.rx_packets, stats.tx_packets);
    CHECK(stats.rx_bytes == 7 * 60 && stats.tx_bytes == 3 * 60, "bytes");
    netdev_close(netdev);
    netdev_xdp_delete("br0");
    passed("counts internal ports' packets from the switch's side",
           failed_before);
}

int
main(void)
{
    int pass_fd, tc_fd, n_fds;

    setvbuf(stdout, NULL, _IOLBF, 0);

    /* Two network namespaces of our own. */
    if (geteuid() || unshare(CLONE_NEWNET)) {
        printf("skipped: needs root and network namespaces\n");
        return 77;
    }
    other_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (unshare(CLONE_NEWNET)) {
        ovs_fatal(errno, "unshare");
    }
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    libbpf_set_print(NULL);
    netdev_xdp_register();
    pass_fd = load_program(BPF_PROG_TYPE_XDP, "ours", XDP_PASS,
                           BPF_F_XDP_HAS_FRAGS);
    tc_fd = load_program(BPF_PROG_TYPE_SCHED_CLS, "ours_tc", -1, 0);
    oxdp_link_set_up(ifindex_of("lo"), true);

    for (int i = 0; i < 2; i++) {
        /* The first round opens sockets that OVS keeps. */
        n_fds = count_fds();
        test_veth();
        test_no_ipv6();
        test_features(pass_fd);
        test_xdp(pass_fd);
        test_xdp_refused(pass_fd);
        test_tc(tc_fd);
        test_port();
        test_bridge();
        test_bridge_names();
        test_port_moved();
        test_port_stats();
    }
    CHECK(count_fds() == n_fds, "%d descriptors leaked", count_fds() - n_fds);
    return n_failed ? 1 : 0;
}
