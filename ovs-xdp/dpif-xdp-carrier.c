/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-carrier: another port in the place of a bond's dead member.
 *
 * dpif-xdp-bond.c decides which one, and has it done from the main thread when
 * it hears that a member is dead.  That thread may be busy, or wait for
 * whoever holds the kernel's RTNL lock.  So what is to be done if a carrier is
 * lost is prepared, and the thread in this file, which does nothing but listen,
 * does it.  It may be wrong, as its news may be old, and it may miss some: the
 * main thread hears the same and has the last word.
 *
 * All writers of what this is about in BPF's tables are here, under one lock.
 */

#include <config.h>

#include <errno.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "dpif-xdp.h"
#include "latch.h"
#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "oxdp-netdev.h"
#include "seq.h"
#include "util.h"

/* What a port that another one stands in for has not: programs that redirect
 * frames without further ado look at these alone. */
#define STANDBY_FLAGS (OXDP_PORT_F_XMIT | OXDP_PORT_F_XMIT_SG)

struct xdp_carrier {
    struct oxdp_shared *shared;
    struct nl_sock *sock;       /* Of the thread. */
    struct seq *seq;            /* Changes when the thread has done it. */
    uint64_t last_seq;          /* Of the main thread. */
    struct latch exit;
    pthread_t thread;

    /* Held for moments only.  Inside 'port_mutex'. */
    struct ovs_mutex mutex;
    struct xdp_standby *standbys OVS_GUARDED;   /* Prepared. */
    size_t n OVS_GUARDED;
};

static void
standby_apply(struct xdp_carrier *carrier, const struct xdp_standby *s)
    OVS_REQUIRES(carrier->mutex)
{
    struct oxdp_port *port = &carrier->shared->ports[s->port_no];

    __atomic_store_n(&port->standby, s->standby, __ATOMIC_RELEASE);
    if (s->standby) {
        __atomic_fetch_and(&port->flags, ~STANDBY_FLAGS, __ATOMIC_RELEASE);
    }
    if (s->received) {
        union oxdp_ifport new = *s->received;

        new.port = s->port_no;
        __atomic_store_n(&s->received->both, new.both, __ATOMIC_RELEASE);
    }
}

void
xdp_standby_apply(struct xdp_dp *dp, const struct xdp_standby *s)
{
    struct xdp_carrier *carrier = dp->carrier;

    ovs_mutex_lock(&carrier->mutex);
    standby_apply(carrier, s);
    ovs_mutex_unlock(&carrier->mutex);
}

void
xdp_standby_put_flags(struct xdp_dp *dp, uint32_t port_no, uint32_t flags)
{
    struct xdp_carrier *carrier = dp->carrier;
    struct oxdp_port *port = &carrier->shared->ports[port_no];

    ovs_mutex_lock(&carrier->mutex);
    if (port->standby) {
        flags &= ~STANDBY_FLAGS;
    }
    __atomic_store_n(&port->flags, flags, __ATOMIC_RELEASE);
    ovs_mutex_unlock(&carrier->mutex);
}

void
xdp_standby_prepare(struct xdp_dp *dp, struct xdp_standby *standbys, size_t n)
{
    struct xdp_carrier *carrier = dp->carrier;
    struct xdp_standby *old;

    ovs_mutex_lock(&carrier->mutex);
    old = carrier->standbys;
    carrier->standbys = standbys;
    carrier->n = n;
    ovs_mutex_unlock(&carrier->mutex);
    free(old);
}

void
xdp_standby_forget(struct xdp_dp *dp, uint32_t port_no)
{
    struct xdp_carrier *carrier = dp->carrier;
    size_t n = 0;

    ovs_mutex_lock(&carrier->mutex);
    for (size_t i = 0; i < carrier->n; i++) {
        const struct xdp_standby *s = &carrier->standbys[i];

        if (s->port_no != port_no && s->standby != port_no) {
            carrier->standbys[n++] = *s;
        }
    }
    carrier->n = n;
    ovs_mutex_unlock(&carrier->mutex);
}

/* Does what is prepared for device 'ifindex', which has no carrier. */
static void
carrier_lost(struct xdp_carrier *carrier, int ifindex)
    OVS_EXCLUDED(carrier->mutex)
{
    bool done = false;

    ovs_mutex_lock(&carrier->mutex);
    for (size_t i = 0; i < carrier->n; i++) {
        const struct xdp_standby *s = &carrier->standbys[i];

        if (s->ifindex == ifindex
            && !carrier->shared->ports[s->port_no].standby) {
            standby_apply(carrier, s);
            done = true;
        }
    }
    ovs_mutex_unlock(&carrier->mutex);
    if (done) {
        seq_change(carrier->seq);
    }
}

/* Reads what the kernel has told. */
static void
carrier_receive(struct xdp_carrier *carrier)
{
    uint64_t stub[4096 / 8];
    struct ofpbuf buf;

    ofpbuf_use_stub(&buf, stub, sizeof stub);
    /* After ENOBUFS something is missing, and is left to the main thread. */
    while (!nl_sock_recv(carrier->sock, &buf, NULL, false)) {
        const struct nlmsghdr *nlmsg = buf.data;
        const struct ifinfomsg *ifi
            = ofpbuf_at(&buf, NLMSG_HDRLEN, sizeof *ifi);

        if (nlmsg->nlmsg_type == RTM_NEWLINK && ifi
            && !(ifi->ifi_flags & OXDP_IFF_LOWER_UP)) {
            carrier_lost(carrier, ifi->ifi_index);
        }
    }
    ofpbuf_uninit(&buf);
}

static void *
carrier_main(void *carrier_)
{
    struct xdp_carrier *carrier = carrier_;
    const struct sched_param param = { .sched_priority = 1 };

    /* Where busy processes would otherwise be first.  It does without if it may
     * not. */
    pthread_setschedparam(pthread_self(), SCHED_RR, &param);
    while (!latch_is_set(&carrier->exit)) {
        carrier_receive(carrier);
        nl_sock_wait(carrier->sock, POLLIN);
        latch_wait(&carrier->exit);
        poll_block();
    }
    return NULL;
}

bool
xdp_carrier_run(struct xdp_dp *dp)
{
    struct xdp_carrier *carrier = dp->carrier;
    uint64_t seq = seq_read(carrier->seq);
    bool changed = seq != carrier->last_seq;

    carrier->last_seq = seq;
    return changed;
}

void
xdp_carrier_wait(struct xdp_dp *dp)
{
    seq_wait(dp->carrier->seq, dp->carrier->last_seq);
}

int
xdp_carrier_create(struct xdp_dp *dp)
{
    struct xdp_carrier *carrier;
    struct nl_sock *sock;
    int error = nl_sock_create(NETLINK_ROUTE, &sock);

    if (error) {
        return error;
    }
    error = nl_sock_join_mcgroup(sock, RTNLGRP_LINK);
    if (error) {
        nl_sock_destroy(sock);
        return error;
    }
    carrier = xzalloc(sizeof *carrier);
    carrier->shared = dp->bpf->shared;
    carrier->sock = sock;
    carrier->seq = seq_create();
    carrier->last_seq = seq_read(carrier->seq);
    ovs_mutex_init(&carrier->mutex);
    latch_init(&carrier->exit);
    carrier->thread = ovs_thread_create("xdp_carrier", carrier_main, carrier);
    dp->carrier = carrier;
    return 0;
}

void
xdp_carrier_destroy(struct xdp_dp *dp)
{
    struct xdp_carrier *carrier = dp->carrier;

    if (carrier) {
        latch_set(&carrier->exit);
        xpthread_join(carrier->thread, NULL);
        latch_destroy(&carrier->exit);
        ovs_mutex_destroy(&carrier->mutex);
        seq_destroy(carrier->seq);
        nl_sock_destroy(carrier->sock);
        free(carrier->standbys);
        free(carrier);
    }
}
