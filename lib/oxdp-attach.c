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
#include "oxdp-pin.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(oxdp_attach);

/* Sends 'request', which is consumed, and waits for the answer.  Returns its
 * errno value and stores the kernel's message, if there is one, in '*textp',
 * for the caller to free. */
static int
transact_extack(struct ofpbuf *request, char **textp)
{
    struct nl_sock *sock;
    int error;

    error = nl_sock_create(NETLINK_ROUTE, &sock);
    if (error) {
        *textp = NULL;
        ofpbuf_uninit(request);
        return error;
    }
    error = oxdp_nl_transact(sock, request, NULL, textp);
    nl_sock_destroy(sock);
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
        ds_put_format(&s, ") is attached to %s; remove it (\"ip link set dev "
                      "%s xdp off\", or see \"bpftool net\"; \"ovs-xdp-ctl "
                      "show\", if it is of another ovs-vswitchd), or set "
                      "other_config:xdp-mode=tc to leave it alone", link.name,
                      link.name);
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

static int
tcx_type(enum oxdp_point point)
{
    return point == OXDP_POINT_EGRESS ? OXDP_BPF_TCX_EGRESS
                                      : OXDP_BPF_TCX_INGRESS;
}

static void
clsact_hook(struct bpf_tc_hook *hook, int ifindex, enum oxdp_point point)
{
    memset(hook, 0, sizeof *hook);
    hook->sz = sizeof *hook;
    hook->ifindex = ifindex;
    hook->attach_point = (point == OXDP_POINT_EGRESS ? BPF_TC_EGRESS
                          : BPF_TC_INGRESS);
}

/* Returns whether the filter is there and has program 'prog_id'. */
static bool
clsact_is_live(int ifindex, enum oxdp_point point, uint32_t handle,
               uint32_t priority, uint32_t id)
{
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle, .priority = priority);
    struct bpf_tc_hook hook;

    clsact_hook(&hook, ifindex, point);
    return !bpf_tc_query(&hook, &opts) && opts.prog_id == id;
}

static void
clsact_detach(int ifindex, enum oxdp_point point, uint32_t handle,
              uint32_t priority, uint32_t id)
{
    LIBBPF_OPTS(bpf_tc_opts, opts, .handle = handle, .priority = priority);
    struct bpf_tc_hook hook;

    if (clsact_is_live(ifindex, point, handle, priority, id)) {
        clsact_hook(&hook, ifindex, point);
        bpf_tc_detach(&hook, &opts);
    }
}

/* Pinning. */

/* Remembers for the next daemon what was attached, or that nothing is. */
static void
save_filter(const struct oxdp_attach *attach)
{
    struct oxdp_pin_state state;
    int i = attach->point == OXDP_POINT_EGRESS;

    oxdp_pins_get_state(attach->pins, attach->ifindex, &state);
    state.filters[i].handle = attach->tc_handle;
    state.filters[i].priority = attach->tc_priority;
    state.filters[i].prog_id = attach->tc_handle ? attach->prog_id : 0;
    oxdp_pins_put_state(attach->pins, attach->ifindex, &state);
}

/* Fills in '*attach' and pins it. */
static void
set_attached(struct oxdp_attach *attach, struct oxdp_pins *pins, int ifindex,
             enum oxdp_point point, int link_fd, int prog_fd)
{
    attach->link_fd = link_fd;
    attach->ifindex = ifindex;
    attach->point = point;
    attach->prog_id = prog_id(prog_fd);
    attach->pins = pins;
    if (pins && link_fd >= 0) {
        oxdp_pins_add_link(pins, point, ifindex, link_fd);
    } else if (pins) {
        save_filter(attach);
    }
}

/* Adopting. */

bool
oxdp_found_is_here(const struct oxdp_found *found)
{
    uint32_t ids[64], n = ARRAY_SIZE(ids);
    struct bpf_link_info info;
    uint32_t len = sizeof info;
    struct oxdp_link_info link;

    if (found->link_fd < 0) {
        return clsact_is_live(found->ifindex, found->point, found->tc_handle,
                              found->tc_priority, found->prog_id);
    }
    memset(&info, 0, sizeof info);
    if (bpf_obj_get_info_by_fd(found->link_fd, &info, &len)
        || info.xdp.ifindex != found->ifindex) {
        return false;
    }
    if (found->point == OXDP_POINT_XDP) {
        return (!oxdp_link_get(found->ifindex, &link)
                && link.xdp_prog_id == info.prog_id
                && link.xdp_generic == found->generic);
    }
    if (bpf_prog_query(found->ifindex, tcx_type(found->point), 0, NULL, ids,
                       &n)) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (ids[i] == info.prog_id) {
            return true;
        }
    }
    return false;
}

void
oxdp_detach_found(struct oxdp_pins *pins, struct oxdp_found *found)
{
    struct oxdp_attach attach = {
        .link_fd = found->link_fd,
        .ifindex = found->ifindex,
        .point = found->point,
        .tc_handle = found->tc_handle,
        .tc_priority = found->tc_priority,
        .prog_id = found->prog_id,
        .pins = pins,
    };

    oxdp_found_free(found);
    oxdp_detach(&attach);
}

/* If an earlier daemon has attached a program there, makes that '*attach',
 * with 'prog_fd' to take its place, and returns true.  'generic' is about
 * XDP. */
static bool
adopt(struct oxdp_attach *attach, struct oxdp_pins *pins, int ifindex,
      enum oxdp_point point, int prog_fd, bool generic)
{
    struct oxdp_found *found;

    found = pins ? oxdp_pins_find(pins, point, ifindex) : NULL;
    if (!found || found->attach) {
        return false;
    }
    found->generic = generic;
    if (!oxdp_found_is_here(found)) {
        oxdp_detach_found(pins, found);
        return false;
    }
    found->attach = attach;
    found->new_prog_fd = prog_fd;
    *attach = (struct oxdp_attach) {
        .link_fd = found->link_fd,
        .ifindex = ifindex,
        .point = point,
        .tc_handle = found->tc_handle,
        .tc_priority = found->tc_priority,
        .prog_id = found->prog_id,
        .pins = pins,
    };
    return true;
}

/* XDP. */

static int
create_xdp(struct oxdp_attach *attach, struct oxdp_pins *pins, int ifindex,
           int prog_fd, bool generic, char **errp)
{
    LIBBPF_OPTS(bpf_link_create_opts, opts,
                .flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
    int fd;

    fd = bpf_link_create(prog_fd, ifindex, BPF_XDP, &opts);
    if (fd < 0) {
        *errp = explain_xdp(ifindex, prog_fd, generic, -fd);

        /* A program in the other mode. */
        return fd == -EEXIST ? EBUSY : -fd;
    }
    set_attached(attach, pins, ifindex, OXDP_POINT_XDP, fd, prog_fd);
    return 0;
}

int
oxdp_attach_xdp(struct oxdp_attach *attach, struct oxdp_pins *pins,
                int ifindex, int prog_fd, bool generic, char **errp)
{
    *errp = NULL;
    *attach = (struct oxdp_attach) OXDP_ATTACH_INIT;
    return (adopt(attach, pins, ifindex, OXDP_POINT_XDP, prog_fd, generic)
            ? 0 : create_xdp(attach, pins, ifindex, prog_fd, generic, errp));
}

/* TC. */

/* Says in a sentence why a TC program could not be attached. */
static char *
explain_tc(int ifindex, enum oxdp_point point, int error)
{
    struct oxdp_link_info link;

    if (oxdp_link_get(ifindex, &link)) {
        return xasprintf("no device with ifindex %d", ifindex);
    }
    return xasprintf("%s refuses a TC %s program: %s%s", link.name,
                     point == OXDP_POINT_EGRESS ? "egress" : "ingress",
                     ovs_strerror(error),
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
create_clsact(struct oxdp_attach *attach, struct oxdp_pins *pins, int ifindex,
              enum oxdp_point point, int prog_fd, char **errp)
{
    LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd);
    struct bpf_tc_hook hook;
    int error;

    clsact_hook(&hook, ifindex, point);
    error = -bpf_tc_hook_create(&hook);
    if (!error || error == EEXIST) {
        /* Priority 0: the kernel puts the filter in front of all others. */
        error = -bpf_tc_attach(&hook, &opts);
    }
    if (error) {
        *errp = explain_tc(ifindex, point, error);
        return error;
    }
    attach->tc_handle = opts.handle;
    attach->tc_priority = opts.priority;
    set_attached(attach, pins, ifindex, point, -1, prog_fd);
    return 0;
}

static int
create_tc(struct oxdp_attach *attach, struct oxdp_pins *pins, int ifindex,
          enum oxdp_point point, int prog_fd, char **errp)
{
    int fd = bpf_link_create(prog_fd, ifindex, tcx_type(point), NULL);

    if (fd == -EINVAL || fd == -EOPNOTSUPP) {
        return create_clsact(attach, pins, ifindex, point, prog_fd, errp);
    }
    if (fd < 0) {
        *errp = explain_tc(ifindex, point, -fd);
        return -fd;
    }
    set_attached(attach, pins, ifindex, point, fd, prog_fd);
    return 0;
}

static int
attach_tc(struct oxdp_attach *attach, struct oxdp_pins *pins, int ifindex,
          enum oxdp_point point, int prog_fd, char **errp)
{
    *errp = NULL;
    *attach = (struct oxdp_attach) OXDP_ATTACH_INIT;
    return (adopt(attach, pins, ifindex, point, prog_fd, false)
            ? 0 : create_tc(attach, pins, ifindex, point, prog_fd, errp));
}

int
oxdp_attach_tc_ingress(struct oxdp_attach *attach, struct oxdp_pins *pins,
                       int ifindex, int prog_fd, char **errp)
{
    return attach_tc(attach, pins, ifindex, OXDP_POINT_INGRESS, prog_fd,
                     errp);
}

int
oxdp_attach_tc_egress(struct oxdp_attach *attach, struct oxdp_pins *pins,
                      int ifindex, int prog_fd, char **errp)
{
    return attach_tc(attach, pins, ifindex, OXDP_POINT_EGRESS, prog_fd, errp);
}

int
oxdp_attach_tc_clsact(struct oxdp_attach *attach, struct oxdp_pins *pins,
                      int ifindex, int prog_fd, char **errp)
{
    *errp = NULL;
    *attach = (struct oxdp_attach) OXDP_ATTACH_INIT;
    return (adopt(attach, pins, ifindex, OXDP_POINT_INGRESS, prog_fd, false)
            ? 0 : create_clsact(attach, pins, ifindex, OXDP_POINT_INGRESS,
                                prog_fd, errp));
}

/* Returns true if the clsact qdisc of the device has filters on egress, of
 * another priority than 'priority' if that is not 0. */
static bool
has_clsact_egress(int ifindex, uint32_t priority)
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
        const struct tcmsg *filter
            = ofpbuf_at(&reply, NLMSG_HDRLEN, sizeof *filter);

        any |= (!filter || !priority
                || TC_H_MAJ(filter->tcm_info) >> 16 != priority);
    }
    ofpbuf_uninit(&buffer);
    nl_dump_done(&dump);
    return any;
}

bool
oxdp_tc_egress_is_used(int ifindex, const struct oxdp_attach *ours)
{
    uint32_t n = 0;

    /* Without tcx the kernel refuses to count. */
    bpf_prog_query(ifindex, OXDP_BPF_TCX_EGRESS, 0, NULL, NULL, &n);
    return (n > (ours->link_fd >= 0)
            || has_clsact_egress(ifindex, ours->tc_priority));
}

bool
oxdp_attach_is_attached(const struct oxdp_attach *attach)
{
    return attach->link_fd >= 0 || attach->tc_handle;
}

bool
oxdp_attach_is_live(const struct oxdp_attach *attach)
{
    struct bpf_link_info info;
    uint32_t len = sizeof info;

    if (attach->link_fd < 0) {
        return (attach->tc_handle
                && clsact_is_live(attach->ifindex, attach->point,
                                  attach->tc_handle, attach->tc_priority,
                                  attach->prog_id));
    }

    /* The device is the first member of the union for XDP and for tcx. */
    memset(&info, 0, sizeof info);
    return (!bpf_obj_get_info_by_fd(attach->link_fd, &info, &len)
            && info.xdp.ifindex == attach->ifindex);
}

/* Returns the entry of what was found that 'attach' has adopted, or NULL. */
static struct oxdp_found *
adopted(const struct oxdp_attach *attach)
{
    struct oxdp_found *found;

    found = (attach->pins
             ? oxdp_pins_find(attach->pins, attach->point, attach->ifindex)
             : NULL);
    return found && found->attach == attach ? found : NULL;
}

bool
oxdp_attach_is_adopted(const struct oxdp_attach *attach)
{
    return adopted(attach) != NULL;
}

void
oxdp_detach(struct oxdp_attach *attach)
{
    struct oxdp_found *found = adopted(attach);

    if (found) {
        oxdp_found_free(found);
    }
    if (attach->link_fd >= 0) {
        /* Now, even if a child process has inherited the descriptor. */
        bpf_link_detach(attach->link_fd);
        close(attach->link_fd);
        if (attach->pins) {
            oxdp_pins_delete_link(attach->pins, attach->point,
                                  attach->ifindex);
        }
    } else if (attach->tc_handle) {
        clsact_detach(attach->ifindex, attach->point, attach->tc_handle,
                      attach->tc_priority, attach->prog_id);
        attach->tc_handle = attach->tc_priority = 0;
        if (attach->pins) {
            save_filter(attach);
        }
    }
    *attach = (struct oxdp_attach) OXDP_ATTACH_INIT;
}

/* Taking over. */

/* Puts the new program in the place of the old one's.  Returns 0 or a positive
 * errno value. */
static int
update_found(struct oxdp_found *found)
{
    struct oxdp_attach *attach = found->attach;
    int error;

    if (found->link_fd >= 0) {
        error = -bpf_link_update(found->link_fd, found->new_prog_fd, NULL);
    } else {
        LIBBPF_OPTS(bpf_tc_opts, opts, .handle = found->tc_handle,
                    .priority = found->tc_priority,
                    .prog_fd = found->new_prog_fd, .flags = BPF_TC_F_REPLACE);
        struct bpf_tc_hook hook;

        clsact_hook(&hook, found->ifindex, found->point);
        error = -bpf_tc_attach(&hook, &opts);
    }
    if (!error) {
        attach->prog_id = prog_id(found->new_prog_fd);
        if (found->link_fd < 0) {
            save_filter(attach);
        }
    }
    return error;
}

/* Makes what 'found', which is freed, was adopted for true. */
static void
take_over(struct oxdp_pins *pins, struct oxdp_found *found)
{
    struct oxdp_attach *attach = found->attach;
    int ifindex = found->ifindex, prog_fd = found->new_prog_fd;
    enum oxdp_point point = found->point;
    bool generic = found->generic;
    char *why = NULL;
    int error;

    error = update_found(found);
    oxdp_found_free(found);
    if (error) {
        VLOG_WARN("cannot replace the program on %s of ifindex %d (%s): "
                  "attaching it anew, which loses packets",
                  oxdp_point_name(point), ifindex, ovs_strerror(error));
        oxdp_detach(attach);
        error = (point == OXDP_POINT_XDP
                 ? create_xdp(attach, pins, ifindex, prog_fd, generic, &why)
                 : create_tc(attach, pins, ifindex, point, prog_fd, &why));
        if (error) {
            VLOG_ERR("%s", why);
            free(why);
        }
    }
}

static struct oxdp_found *
first_adopted(struct oxdp_pins *pins)
{
    struct oxdp_found *found;

    LIST_FOR_EACH (found, node, oxdp_pins_found(pins)) {
        if (found->attach) {
            return found;
        }
    }
    return NULL;
}

size_t
oxdp_attach_take_over(struct oxdp_pins *pins)
{
    /* Device by device, and what gets packets from XDP first: what XDP tells
     * TC, a new TC program of another version than the XDP program can refuse,
     * an old one cannot. */
    static const enum oxdp_point order[] = {
        OXDP_POINT_EGRESS, OXDP_POINT_INGRESS, OXDP_POINT_XDP,
    };
    struct oxdp_found *found;
    size_t n = 0;

    while ((found = first_adopted(pins))) {
        int ifindex = found->ifindex;

        for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
            found = oxdp_pins_find(pins, order[i], ifindex);
            if (found && found->attach) {
                take_over(pins, found);
                n++;
            }
        }
    }
    return n;
}
