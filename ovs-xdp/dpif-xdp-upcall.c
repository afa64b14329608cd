/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-upcall: from the AF_XDP sockets to OVS's handler threads.
 *
 * Handler N reads sockets N, N + n_handlers, and so on.  A packet whose flow
 * is in the table is executed at once; the rest become upcalls in the handler's
 * queue, as do packets that actions in any thread send to userspace.
 */

#include <config.h>

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "coverage.h"
#include "dp-packet.h"
#include "dpif-xdp.h"
#include "odp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "packets.h"
#include "seq.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_upcall);

COVERAGE_DEFINE(xdp_poll_found);
COVERAGE_DEFINE(xdp_poll_vain);
COVERAGE_DEFINE(xdp_poll_yielded);

/* Upcalls that may wait for a handler. */
#define MAX_QUEUED_UPCALLS 4096

/* Nice value of handler threads. */
#define HANDLER_NICE -10

/* Packets read from a socket at a time. */
#define RECV_BATCH NETDEV_MAX_BURST

/* How often a handler reads its sockets, if nothing becomes an upcall, before
 * it looks at what else wants it. */
#define RECV_ROUNDS 16

/* The shortest time that a handler waits before it sleeps, if at all, in us. */
#define MIN_POLL_US 50

/* Another thread wants the CPU if it has had it for so long, in us; then there
 * is no such waiting for so many times as long. */
#define MAX_YIELD_US 50
#define YIELDED_TIMES 16

static struct odp_support odp_support = {
    .max_vlan_headers = SIZE_MAX,
    .max_mpls_depth = SIZE_MAX,
    .recirc = true,
    .ct_state = true,
    .ct_zone = true,
    .ct_mark = true,
    .ct_label = true,
    .ct_state_nat = true,
    .ct_orig_tuple = true,
    .ct_orig_tuple6 = true,
};

/* A packet on its way to a handler. */
struct xdp_upcall {
    struct ovs_list node;       /* In struct xdp_handler's 'upcalls'. */
    enum dpif_upcall_type type;
    struct dp_packet *packet;
    struct flow flow;
    struct nlattr *userdata;    /* Or NULL. */
    struct nlattr *actions;     /* Or NULL. */
};

/* The handler that the calling thread is, if any. */
DEFINE_STATIC_PER_THREAD_DATA(struct xdp_handler *, this_handler, NULL)

static struct nlattr *
clone_attr(const struct nlattr *a)
{
    return a ? xmemdup(a, NLA_ALIGN(a->nla_len)) : NULL;
}

static void
upcall_free(struct xdp_upcall *u)
{
    dp_packet_delete(u->packet);
    free(u->userdata);
    free(u->actions);
    free(u);
}

void
xdp_upcall_queue(struct xdp_dp *dp, struct dp_packet *packet,
                 enum dpif_upcall_type type, const struct flow *flow,
                 const struct nlattr *userdata, const struct nlattr *actions)
{
    struct xdp_handler *handler = *this_handler_get();
    bool locked = false;

    if (!handler) {
        /* Not a handler's thread: any of them will do. */
        ovs_rwlock_rdlock(&dp->handlers_lock);
        locked = true;
        handler = dp->n_handlers ? &dp->handlers[0] : NULL;
    }

    if (handler) {
        ovs_mutex_lock(&handler->mutex);
        if (handler->n_upcalls < MAX_QUEUED_UPCALLS) {
            struct xdp_upcall *u = xmalloc(sizeof *u);

            u->type = type;
            u->packet = packet;
            u->flow = *flow;
            u->userdata = clone_attr(userdata);
            u->actions = clone_attr(actions);
            ovs_list_push_back(&handler->upcalls, &u->node);
            handler->n_upcalls++;
            packet = NULL;
        }
        ovs_mutex_unlock(&handler->mutex);
        if (locked) {
            seq_change(handler->seq);
        }
    }
    if (locked) {
        ovs_rwlock_unlock(&dp->handlers_lock);
    }
    if (packet) {
        xdp_lose(dp, XDP_LOSS_HANDLER, 1);
        dp_packet_delete(packet);
    }
}

/* Handlers. */

static void
handler_purge(struct xdp_handler *handler)
{
    struct xdp_upcall *u;

    ovs_mutex_lock(&handler->mutex);
    LIST_FOR_EACH_POP (u, node, &handler->upcalls) {
        upcall_free(u);
    }
    handler->n_upcalls = 0;
    ovs_mutex_unlock(&handler->mutex);
}

/* Tells BPF that handler 'id' is alive. */
static void
handler_beat(struct xdp_dp *dp, uint32_t id)
    OVS_REQ_RDLOCK(dp->handlers_lock)
{
    bool refused = false;

    for (uint32_t i = id; i < dp->bpf->n_queues; i += dp->n_handlers) {
        refused |= oxdp_queues_beat(dp->queues, i);
    }
    if (refused) {
        seq_change(dp->refused_seq);
    }
}

static void
handlers_set__(struct xdp_dp *dp, uint32_t n)
    OVS_REQ_WRLOCK(dp->handlers_lock)
{
    if (n == dp->n_handlers) {
        return;
    }
    for (uint32_t i = 0; i < dp->n_handlers; i++) {
        struct xdp_handler *handler = &dp->handlers[i];

        handler_purge(handler);
        seq_destroy(handler->seq);
        ovs_mutex_destroy(&handler->mutex);
    }
    free(dp->handlers);
    dp->handlers = n ? xcalloc(n, sizeof *dp->handlers) : NULL;
    dp->n_handlers = n;
    for (uint32_t i = 0; i < n; i++) {
        struct xdp_handler *handler = &dp->handlers[i];

        ovs_mutex_init(&handler->mutex);
        ovs_list_init(&handler->upcalls);
        handler->seq = seq_create();
        handler->next_look = LLONG_MAX;
        /* Their threads are about to start. */
        handler_beat(dp, i);
    }
    if (!n && dp->queues) {
        oxdp_queues_stop(dp->queues);
    }
}

void
xdp_handlers_destroy(struct xdp_dp *dp)
{
    ovs_rwlock_wrlock(&dp->handlers_lock);
    handlers_set__(dp, 0);
    ovs_rwlock_unlock(&dp->handlers_lock);
}

int
dpif_xdp_recv_set(struct dpif *dpif, bool enable)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);

    ovs_rwlock_wrlock(&dp->handlers_lock);
    dp->recv_enabled = enable;
    if (!enable) {
        handlers_set__(dp, 0);
    } else if (!dp->n_handlers) {
        handlers_set__(dp, 1);
    }
    ovs_rwlock_unlock(&dp->handlers_lock);
    return 0;
}

int
dpif_xdp_handlers_set(struct dpif *dpif, uint32_t n_handlers)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);

    ovs_rwlock_wrlock(&dp->handlers_lock);
    if (dp->recv_enabled) {
        handlers_set__(dp, n_handlers);
    }
    ovs_rwlock_unlock(&dp->handlers_lock);
    return 0;
}

bool
dpif_xdp_number_handlers_required(struct dpif *dpif, uint32_t *n_handlers)
{
    /* One per socket: more would have nothing to read. */
    *n_handlers = get_xdp_dp(dpif)->bpf->n_queues;
    return true;
}

/* Receiving. */

/* A copy of a packet for the action that 'cookie' names. */
static void
receive_copy(struct xdp_dp *dp, struct dp_packet *packet, uint64_t cookie)
{
    const struct nlattr *a = oxdp_cookie_find(cookie);

    if (a) {
        struct flow flow;

        flow_extract(packet, &flow);
        xdp_upcall_queue(dp, packet, DPIF_UC_ACTION, &flow,
                         nl_attr_find_nested(a, OVS_USERSPACE_ATTR_USERDATA),
                         nl_attr_find_nested(a, OVS_USERSPACE_ATTR_ACTIONS));
    } else {
        /* The flow has gone in the meantime. */
        xdp_lose(dp, XDP_LOSS_FLOW_GONE, 1);
        dp_packet_delete(packet);
    }
}

/* Gives 'packet' the metadata that its header, 'hdr', has. */
static void
set_metadata(struct dp_packet *packet, const struct oxdp_hdr *hdr)
{
    pkt_metadata_init(&packet->md, u32_to_odp(hdr->port));
    packet->md.recirc_id = hdr->recirc_id;
    packet->md.dp_hash = hdr->dp_hash;
    packet->md.pkt_mark = hdr->skb_mark;
    packet->md.skb_priority = hdr->skb_priority;
    if (hdr->vlan_tci) {
        eth_push_vlan(packet, hdr->vlan_tpid, hdr->vlan_tci);
    }
}

/* Reads a batch from socket 'i', runs it through the flow table, and sends up
 * what is to go there.  Returns how many packets it read. */
static int
read_socket(struct xdp_dp *dp, uint32_t i)
    OVS_REQ_RDLOCK(dp->handlers_lock)
{
    struct dp_packet_batch batch;
    struct oxdp_hdr hdr, last;
    int n_row = 0;              /* In a row, that 'last' is the last of. */
    int n;

    dp_packet_batch_init(&batch);
    for (n = 0; n < RECV_BATCH; n++) {
        struct dp_packet *packet = oxdp_xsk_recv(dp->xsks[i], &hdr);

        if (!packet) {
            break;
        }
        if (n_row && (hdr.cpu != last.cpu || hdr.port != last.port)) {
            oxdp_queues_read(dp->queues, i, &last, n_row);
            n_row = 0;
        }
        last = hdr;
        n_row++;

        set_metadata(packet, &hdr);
        if (hdr.reason == OXDP_PUNT_ACTION) {
            receive_copy(dp, packet, hdr.cookie);
        } else {
            dp_packet_batch_add(&batch, packet);
        }
    }
    if (n_row) {
        oxdp_queues_read(dp->queues, i, &last, n_row);
    }
    xdp_receive(dp, &batch);
    return n;
}

/* Waiting. */

static bool
is_packet_waiting(const struct xdp_dp *dp, uint32_t id)
    OVS_REQ_RDLOCK(dp->handlers_lock)
{
    for (uint32_t i = id; i < dp->bpf->n_queues; i += dp->n_handlers) {
        if (oxdp_xsk_is_waiting(dp->xsks[i])) {
            return true;
        }
    }
    return false;
}

void
xdp_upcall_set_poll(struct xdp_dp *dp, uint32_t us)
{
    /* On a single CPU, packets come only while it does not poll. */
    atomic_store_relaxed(&dp->max_poll_us, count_total_cores() > 1 ? us : 0);
}

/* How often the calling thread has left its CPU to others. */
static long int
count_switches(void)
{
    struct rusage usage;

    return (getrusage(RUSAGE_THREAD, &usage)
            ? 0 : usage.ru_nvcsw + usage.ru_nivcsw);
}

/* Looks for something that handler 'id' can read until 'end', in us, with CPU
 * time that no other thread wants.  If one does, sleeping is better for both:
 * a thread that wakes up need not wait for its turn. */
static void
poll_until(struct xdp_dp *dp, uint32_t id, long long int end)
    OVS_REQ_RDLOCK(dp->handlers_lock)
{
    struct xdp_handler *handler = &dp->handlers[id];
    long int switches = count_switches();
    long long int now = time_usec();

    while (now < end && seq_read(handler->seq) == handler->last_seq) {
        long long int before = now;

        sched_yield();
        if (is_packet_waiting(dp, id)) {
            COVERAGE_INC(xdp_poll_found);
            return;
        }
        now = time_usec();
        /* Interrupts take long as well. */
        if (now - before > MAX_YIELD_US && count_switches() != switches) {
            COVERAGE_INC(xdp_poll_yielded);
            handler->poll_from = now + YIELDED_TIMES * (now - before);
            return;
        }
    }
    COVERAGE_INC(xdp_poll_vain);
}

/* Until when 'handler' is to look for the next packet before it sleeps, in us:
 * packets have been coming so soon one after the other that it is worth it, as
 * it takes longer than an upcall to wake up.  In the past if it is not. */
static long long int
poll_end(const struct xdp_dp *dp, const struct xdp_handler *handler)
{
    uint32_t max;

    atomic_read_relaxed(&dp->max_poll_us, &max);
    return (handler->idle_since < handler->poll_from ? 0
            : handler->idle_since + MIN(handler->poll_us, max));
}

/* Has handler 'id' look for the next packet, if it is to.  Like poll_block(),
 * this is a quiescent state. */
static void
wait_for_packet(struct xdp_dp *dp, uint32_t id)
    OVS_REQ_RDLOCK(dp->handlers_lock)
{
    long long int end = poll_end(dp, &dp->handlers[id]);

    if (time_usec() < end && !is_packet_waiting(dp, id)) {
        ovsrcu_quiesce_start();
        poll_until(dp, id, end);
        ovsrcu_quiesce_end();
    }
}

/* 'handler' has something to read.  Chooses how long to wait for what comes
 * next: longer if this came later than that but within the longest time that is
 * permitted, not at all if it did not. */
static void
adapt_poll(struct xdp_dp *dp, struct xdp_handler *handler)
{
    long long int idle;
    uint32_t max;

    if (!handler->idle_since) {
        return;
    }
    atomic_read_relaxed(&dp->max_poll_us, &max);
    idle = time_usec() - handler->idle_since;
    handler->idle_since = 0;
    if (idle > max) {
        handler->poll_us = 0;
    } else if (idle > handler->poll_us) {
        handler->poll_us = MIN(MAX(2 * handler->poll_us, MIN_POLL_US), max);
    }
}

/* Reads a batch from every socket of handler 'id'.  Returns true if there may
 * be more. */
static bool
read_sockets(struct xdp_dp *dp, uint32_t id)
    OVS_REQ_RDLOCK(dp->handlers_lock)
{
    struct xdp_handler *handler = &dp->handlers[id];
    bool more = false;

    handler->next_look = LLONG_MAX;
    if (is_packet_waiting(dp, id)) {
        adapt_poll(dp, handler);
    }
    for (uint32_t i = id; i < dp->bpf->n_queues; i += dp->n_handlers) {
        if (read_socket(dp, i) == RECV_BATCH) {
            more = true;
        } else {
            handler->next_look = MIN(handler->next_look,
                                     oxdp_queues_empty(dp->queues, i,
                                                       time_msec()));
        }
    }
    xdp_cpu_flush(dp);
    return more;
}

static struct xdp_upcall *
handler_pop(struct xdp_handler *handler)
{
    struct xdp_upcall *u = NULL;

    ovs_mutex_lock(&handler->mutex);
    if (handler->n_upcalls) {
        u = CONTAINER_OF(ovs_list_pop_front(&handler->upcalls),
                         struct xdp_upcall, node);
        handler->n_upcalls--;
    }
    ovs_mutex_unlock(&handler->mutex);
    return u;
}

static struct nlattr *
put_attr(struct ofpbuf *buf, const struct nlattr *a, size_t *ofs)
{
    *ofs = buf->size;
    return a ? ofpbuf_put(buf, a, NLA_ALIGN(a->nla_len)) : NULL;
}

/* Turns 'u', which it frees, into '*out', with storage in 'buf'. */
static void
upcall_to_dpif(struct xdp_upcall *u, struct dpif_upcall *out,
               struct ofpbuf *buf)
{
    struct odp_flow_key_parms parms = {
        .flow = &u->flow,
        .support = odp_support,
    };
    size_t key_ofs, userdata_ofs, actions_ofs;

    memset(out, 0, sizeof *out);
    out->type = u->type;

    put_attr(buf, u->userdata, &userdata_ofs);
    put_attr(buf, u->actions, &actions_ofs);
    key_ofs = buf->size;
    odp_flow_key_from_flow(&parms, buf);

    /* 'buf' does not move any more. */
    out->key = ofpbuf_at_assert(buf, key_ofs, 0);
    out->key_len = buf->size - key_ofs;
    odp_flow_key_hash(out->key, out->key_len, &out->ufid);
    if (u->userdata) {
        out->userdata = ofpbuf_at_assert(buf, userdata_ofs, 0);
    }
    if (u->actions) {
        out->actions = ofpbuf_at_assert(buf, actions_ofs, 0);
    }

    dp_packet_init(&out->packet, 0);
    dp_packet_swap(&out->packet, u->packet);
    upcall_free(u);
}

/* Whether prefer_thread() was called in the calling thread. */
DEFINE_STATIC_PER_THREAD_DATA(bool, is_preferred, false)

/* Lets the calling thread, a handler, run before others that have work for a
 * while, such as revalidators: packets wait for it.  Does nothing where that is
 * not permitted. */
static void
prefer_thread(void)
{
    bool *preferred = is_preferred_get();

    if (!*preferred) {
        *preferred = true;
        setpriority(PRIO_PROCESS, syscall(SYS_gettid), HANDLER_NICE);
    }
}

int
dpif_xdp_recv(struct dpif *dpif, uint32_t handler_id,
              struct dpif_upcall *upcall, struct ofpbuf *buf)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    struct xdp_upcall *u = NULL;
    bool more = true;

    prefer_thread();
    ovs_rwlock_rdlock(&dp->handlers_lock);
    if (handler_id < dp->n_handlers) {
        struct xdp_handler *handler = &dp->handlers[handler_id];

        *this_handler_get() = handler;
        handler->last_seq = seq_read(handler->seq);
        handler_beat(dp, handler_id);
        u = handler_pop(handler);
        if (!u && !handler->has_returned) {
            wait_for_packet(dp, handler_id);
        }
        for (int i = 0; !u && more && i < RECV_ROUNDS; i++) {
            more = read_sockets(dp, handler_id);
            u = handler_pop(handler);
        }
        if (!u && more) {
            /* There may be more without a new event on the socket. */
            poll_immediate_wake();
        } else if (!u && !handler->idle_since) {
            handler->idle_since = time_usec();
        }
        /* OVS handles upcalls once it has been told that there is no other. */
        handler->has_returned = u != NULL;
        *this_handler_get() = NULL;
    }
    ovs_rwlock_unlock(&dp->handlers_lock);
    if (!u) {
        return EAGAIN;
    }
    upcall_to_dpif(u, upcall, buf);
    return 0;
}

void
dpif_xdp_recv_wait(struct dpif *dpif, uint32_t handler_id)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);

    ovs_rwlock_rdlock(&dp->handlers_lock);
    if (handler_id < dp->n_handlers) {
        struct xdp_handler *handler = &dp->handlers[handler_id];

        for (uint32_t i = handler_id; i < dp->bpf->n_queues;
             i += dp->n_handlers) {
            poll_fd_wait(oxdp_xsk_fd(dp->xsks[i]), POLLIN);
        }
        seq_wait(handler->seq, handler->last_seq);
        poll_timer_wait_until(MIN(time_msec() + OXDP_BEAT_MS,
                                  handler->next_look));
        ovs_mutex_lock(&handler->mutex);
        if (handler->n_upcalls || time_usec() < poll_end(dp, handler)) {
            poll_immediate_wake();
        }
        ovs_mutex_unlock(&handler->mutex);
    }
    ovs_rwlock_unlock(&dp->handlers_lock);
}

void
dpif_xdp_recv_purge(struct dpif *dpif)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);

    /* The write lock keeps handlers off the receive rings. */
    ovs_rwlock_wrlock(&dp->handlers_lock);
    for (uint32_t i = 0; i < dp->n_handlers; i++) {
        handler_purge(&dp->handlers[i]);
    }
    for (uint32_t i = 0; i < dp->bpf->n_queues; i++) {
        oxdp_xsk_purge(dp->xsks[i]);
    }
    ovs_rwlock_unlock(&dp->handlers_lock);
}
