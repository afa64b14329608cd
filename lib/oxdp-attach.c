/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <unistd.h>

#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "oxdp-compat.h"
#include "oxdp-netdev.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(oxdp_attach);

/* Sends 'request', which is consumed, and waits for the answer.  Returns its
 * errno value and stores the kernel's message, if there is one, in '*textp',
 * for the caller to free. */
static int
transact_extack(struct ofpbuf *request, char **textp)
{
    struct ofpbuf reply;
    struct nl_sock *sock;
    int error;

    *textp = NULL;
    error = nl_sock_create(NETLINK_ROUTE, &sock);
    if (error) {
        ofpbuf_uninit(request);
        return error;
    }

    ofpbuf_init(&reply, 1024);
    error = nl_sock_send(sock, request, true);
    if (!error) {
        error = nl_sock_recv(sock, &reply, NULL, true);
    }
    if (!error) {
        const char *text = NULL;

        if (!nl_msg_nlmsgerr(&reply, &error, &text)) {
            error = EPROTO;
        } else if (text) {
            *textp = xstrdup(text);
        }
    }
    ofpbuf_uninit(&reply);
    nl_sock_destroy(sock);
    ofpbuf_uninit(request);
    return error;
}

/* Sets the XDP program of 'ifindex' by netlink, that is, without a link. */
static int
netlink_set_xdp(int ifindex, int fd, int expected_fd, uint32_t flags,
                char **textp)
{
    struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = ifindex };
    struct ofpbuf request;
    size_t xdp;

    ofpbuf_init(&request, 128);
    nl_msg_put_nlmsghdr(&request, sizeof ifi, RTM_SETLINK,
                        NLM_F_REQUEST | NLM_F_ACK);
    nl_msg_put(&request, &ifi, sizeof ifi);
    xdp = nl_msg_start_nested(&request, IFLA_XDP | NLA_F_NESTED);
    nl_msg_put_u32(&request, IFLA_XDP_FD, fd);
    nl_msg_put_u32(&request, IFLA_XDP_FLAGS, flags);
    if (flags & XDP_FLAGS_REPLACE) {
        nl_msg_put_u32(&request, IFLA_XDP_EXPECTED_FD, expected_fd);
    }
    nl_msg_end_nested(&request, xdp);
    return transact_extack(&request, textp);
}

/* Creating a link tells no more than an error number, attaching by netlink
 * has the kernel's words.  So this asks by netlink for what has just been
 * refused.  Returns the words, for the caller to free, or NULL. */
static char *
kernel_xdp_reason(int ifindex, int prog_fd, uint32_t mode)
{
    char *text;

    if (!netlink_set_xdp(ifindex, prog_fd, -1,
                         mode | XDP_FLAGS_UPDATE_IF_NOEXIST, &text)) {
        char *ignored;

        /* It does work, now.  Undo it. */
        netlink_set_xdp(ifindex, -1, prog_fd, mode | XDP_FLAGS_REPLACE,
                        &ignored);
        free(ignored);
    }
    return text;
}

/* Appends the id and the name of XDP program 'id' to 's'. */
static void
format_program(struct ds *s, uint32_t id)
{
    struct bpf_prog_info info;
    uint32_t len = sizeof info;
    int fd = bpf_prog_get_fd_by_id(id);

    ds_put_format(s, "id %"PRIu32, id);
    if (fd >= 0) {
        memset(&info, 0, sizeof info);
        if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.name[0]) {
            ds_put_format(s, ", \"%.*s\"", BPF_OBJ_NAME_LEN, info.name);
        }
        close(fd);
    }
}

/* Says in a sentence why XDP program 'prog_fd' could not be attached. */
static char *
explain_xdp(int ifindex, int prog_fd, bool generic, int error)
{
    uint32_t mode = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
    const char *hook = generic ? "generic XDP" : "native XDP";
    struct ds s = DS_EMPTY_INITIALIZER;
    struct oxdp_link_info link;
    char *words;

    if (oxdp_link_get(ifindex, &link)) {
        return xasprintf("no device with ifindex %d", ifindex);
    }
    if (error == EBUSY || error == EEXIST) {
        ds_put_format(&s, "another XDP program (");
        format_program(&s, link.xdp_prog_id);
        ds_put_format(&s, ") is attached to %s; remove it, or set "
                      "other_config:xdp-mode=tc to leave it alone", link.name);
        return ds_steal_cstr(&s);
    }
    if (error == EPERM) {
        return xasprintf("attaching XDP to %s is not permitted; ovs-vswitchd "
                         "needs CAP_NET_ADMIN and CAP_BPF", link.name);
    }

    words = kernel_xdp_reason(ifindex, prog_fd, mode);
    ds_put_format(&s, "%s refuses %s: %s", link.name, hook,
                  words ? words : ovs_strerror(error));
    if (error == ERANGE || (words && strstr(words, "MTU"))) {
        ds_put_format(&s, "; lower the MTU (now %d) of %s%s or set "
                      "other_config:xdp-mode=tc", link.mtu, link.name,
                      strcmp(link.kind, "veth") ? "" : " and its peer");
    } else if (error == ENOSPC || (words && strstr(words, "queue"))) {
        ds_put_format(&s, "; give %s as many queues as its peer or set "
                      "other_config:xdp-mode=tc", link.name);
    } else {
        ds_put_format(&s, "; set other_config:xdp-mode=%stc",
                      generic ? "" : "generic or ");
    }
    free(words);
    return ds_steal_cstr(&s);
}

static uint32_t
prog_id(int prog_fd)
{
    struct bpf_prog_info info;
    uint32_t len = sizeof info;

    memset(&info, 0, sizeof info);
    return bpf_obj_get_info_by_fd(prog_fd, &info, &len) ? 0 : info.id;
}

int
oxdp_attach_xdp(struct oxdp_attach *attach, int ifindex, int prog_fd,
                bool generic, char **errp)
{
    LIBBPF_OPTS(bpf_link_create_opts, opts,
                .flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
    int error;
    int fd;

    *errp = NULL;
    *attach = (struct oxdp_attach) OXDP_ATTACH_INIT;
    fd = bpf_link_create(prog_fd, ifindex, BPF_XDP, &opts);
    if (fd < 0) {
        error = -fd;
        *errp = explain_xdp(ifindex, prog_fd, generic, error);

        /* A program in the other mode. */
        return error == EEXIST ? EBUSY : error;
    }
    attach->link_fd = fd;
    attach->ifindex = ifindex;
    attach->prog_id = prog_id(prog_fd);
    return 0;
}

static void
clsact_hook(struct bpf_tc_hook *hook, int ifindex, bool egress)
{
    memset(hook, 0, sizeof *hook);
    hook->sz = sizeof *hook;
    hook->ifindex = ifindex;
    hook->attach_point = egress ? BPF_TC_EGRESS : BPF_TC_INGRESS;
}

/* Says in a sentence why TC program could not be attached. */
static char *
explain_tc(int ifindex, bool egress, int error)
{
    struct oxdp_link_info link;

    if (oxdp_link_get(ifindex, &link)) {
        return xasprintf("no device with ifindex %d", ifindex);
    }
    return xasprintf("%s refuses a TC %s program: %s%s", link.name,
                     egress ? "egress" : "ingress", ovs_strerror(error),
                     error == EPERM
                     ? "; ovs-vswitchd needs CAP_NET_ADMIN and CAP_BPF"
                     : error == EBUSY || error == EEXIST
                     ? "; remove the ingress qdisc with \"tc qdisc del ... "
                     "ingress\""
                     : error == ENOENT || error == EOPNOTSUPP
                     ? "; the kernel needs NET_SCH_INGRESS and NET_CLS_BPF"
                     : "");
}

static int
attach_clsact(struct oxdp_attach *attach, int ifindex, int prog_fd,
              bool egress, char **errp)
{
    LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd);
    struct bpf_tc_hook hook;
    int error;

    *errp = NULL;
    *attach = (struct oxdp_attach) OXDP_ATTACH_INIT;
    clsact_hook(&hook, ifindex, egress);
    error = -bpf_tc_hook_create(&hook);
    if (!error || error == EEXIST) {
        /* Priority 0: the kernel puts the filter in front of all others. */
        error = -bpf_tc_attach(&hook, &opts);
    }
    if (error) {
        *errp = explain_tc(ifindex, egress, error);
        return error;
    }
    attach->ifindex = ifindex;
    attach->egress = egress;
    attach->tc_handle = opts.handle;
    attach->tc_priority = opts.priority;
    attach->prog_id = prog_id(prog_fd);
    return 0;
}

static int
attach_tc(struct oxdp_attach *attach, int ifindex, int prog_fd, bool egress,
          char **errp)
{
    int fd;

    fd = bpf_link_create(prog_fd, ifindex, egress ? OXDP_BPF_TCX_EGRESS
                                           : OXDP_BPF_TCX_INGRESS, NULL);
    if (fd == -EINVAL || fd == -EOPNOTSUPP) {
        return attach_clsact(attach, ifindex, prog_fd, egress, errp);
    }

    *errp = NULL;
    *attach = (struct oxdp_attach) OXDP_ATTACH_INIT;
    if (fd < 0) {
        *errp = explain_tc(ifindex, egress, -fd);
        return -fd;
    }
    attach->link_fd = fd;
    attach->ifindex = ifindex;
    attach->egress = egress;
    attach->prog_id = prog_id(prog_fd);
    return 0;
}

int
oxdp_attach_tc_ingress(struct oxdp_attach *attach, int ifindex, int prog_fd,
                       char **errp)
{
    return attach_tc(attach, ifindex, prog_fd, false, errp);
}

int
oxdp_attach_tc_egress(struct oxdp_attach *attach, int ifindex, int prog_fd,
                      char **errp)
{
    return attach_tc(attach, ifindex, prog_fd, true, errp);
}

int
oxdp_attach_tc_clsact(struct oxdp_attach *attach, int ifindex, int prog_fd,
                      char **errp)
{
    return attach_clsact(attach, ifindex, prog_fd, false, errp);
}

/* Filters of a clsact qdisc. */
static bool
has_clsact_egress(int ifindex)
{
    struct tcmsg tcm = {
        .tcm_family = AF_UNSPEC,
        .tcm_ifindex = ifindex,
        .tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
    };
    struct ofpbuf request, reply, buffer;
    struct nl_dump dump;
    bool any = false;

    ofpbuf_init(&request, 64);
    nl_msg_put_nlmsghdr(&request, sizeof tcm, RTM_GETTFILTER, NLM_F_REQUEST);
    nl_msg_put(&request, &tcm, sizeof tcm);
    nl_dump_start(&dump, NETLINK_ROUTE, &request);
    ofpbuf_uninit(&request);
    ofpbuf_init(&buffer, NL_DUMP_BUFSIZE);
    while (nl_dump_next(&dump, &reply, &buffer)) {
        any = true;
    }
    ofpbuf_uninit(&buffer);
    nl_dump_done(&dump);
    return any;
}

bool
oxdp_tc_egress_is_used(int ifindex)
{
    uint32_t n = 0;

    /* Without tcx the kernel refuses to count. */
    bpf_prog_query(ifindex, OXDP_BPF_TCX_EGRESS, 0, NULL, NULL, &n);
    return n || has_clsact_egress(ifindex);
}

bool
oxdp_attach_is_attached(const struct oxdp_attach *attach)
{
    return attach->link_fd >= 0 || attach->tc_handle;
}

/* The filter that we installed is there and still has our program. */
static bool
clsact_is_live(const struct oxdp_attach *attach)
{
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = attach->tc_handle,
                .priority = attach->tc_priority);
    struct bpf_tc_hook hook;

    clsact_hook(&hook, attach->ifindex, attach->egress);
    return !bpf_tc_query(&hook, &opts) && opts.prog_id == attach->prog_id;
}

bool
oxdp_attach_is_live(const struct oxdp_attach *attach)
{
    struct bpf_link_info info;
    uint32_t len = sizeof info;

    if (attach->link_fd < 0) {
        return attach->tc_handle && clsact_is_live(attach);
    }

    /* The device is the first member of the union for XDP and for tcx. */
    memset(&info, 0, sizeof info);
    return (!bpf_obj_get_info_by_fd(attach->link_fd, &info, &len)
            && info.xdp.ifindex == attach->ifindex);
}

void
oxdp_detach(struct oxdp_attach *attach)
{
    if (attach->link_fd >= 0) {
        /* Now, even if a child process has inherited the descriptor. */
        bpf_link_detach(attach->link_fd);
        close(attach->link_fd);
    } else if (attach->tc_handle && clsact_is_live(attach)) {
        LIBBPF_OPTS(bpf_tc_opts, opts, .handle = attach->tc_handle,
                    .priority = attach->tc_priority);
        struct bpf_tc_hook hook;

        clsact_hook(&hook, attach->ifindex, attach->egress);
        bpf_tc_detach(&hook, &opts);
    }
    *attach = (struct oxdp_attach) OXDP_ATTACH_INIT;
}
