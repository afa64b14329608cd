/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-bond: bonds.
 *
 * There are two sides to them.  The one is action "lb_output": ofproto says
 * which port each bucket of a bond has, and BPF and dpif-xdp-execute.c choose
 * by a packet's hash.  The tables are in oxdp_shared.bonds; this file writes
 * them, in the main thread and in those of OVS that translate flows.
 *
 * The other side is what happens to a member that dies.  ofproto moves its
 * traffic elsewhere by changing flows, which takes as long as it has flows.
 * Until then another member of the bond stands in for the dead one, whatever
 * the bond's mode is: BPF sends there what flows output to the dead one.  And if
 * ofproto takes nothing from it because it is not the active member, what comes
 * in by it is taken to come in by the dead one until that has changed.  Which
 * ports are members and may be used, by carrier, LACP, BFD and CFM, this file
 * gets to know by standing in front of the functions by which ofproto tells its
 * own bonds.  All of that is in the main thread, but dpif-xdp-carrier.c has one
 * that does it earlier.
 */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "dpif-xdp.h"
#include "netdev.h"
#include "ofproto/bond.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "oxdp-flood.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_bond);

BUILD_ASSERT_DECL(OXDP_BOND_BUCKETS == BOND_BUCKETS);

/* "lb_output". */

/* What userspace has sent, as BPF's struct oxdp_bond_stats. */
struct xdp_bonds {
    struct ovs_mutex mutex;     /* Held while tables are written. */
    atomic_uint64_t bytes[OXDP_MAX_BONDS][OXDP_BOND_BUCKETS];
};

/* Returns the 'i'th place for bond 'id'. */
static uint32_t
bond_slot(uint32_t id, uint32_t i)
{
    return (id + i) % OXDP_MAX_BONDS;
}

/* Returns the index of bond 'id', or OXDP_MAX_BONDS. */
static uint32_t
bond_find(const struct xdp_dp *dp, uint32_t id)
{
    for (uint32_t i = 0; id && i < OXDP_BOND_PROBES; i++) {
        uint32_t slot = bond_slot(id, i);

        if (*(volatile uint32_t *) &dp->bpf->shared->bonds[slot].id == id) {
            return slot;
        }
    }
    return OXDP_MAX_BONDS;
}

static void
bond_clear_stats(struct xdp_dp *dp, uint32_t slot)
{
    for (uint32_t cpu = 0; cpu < dp->bpf->n_cpus; cpu++) {
        memset(&oxdp_bpf_cpu_block(dp->bpf, cpu)->bonds[slot], 0,
               sizeof(struct oxdp_bond_stats));
    }
    for (int i = 0; i < OXDP_BOND_BUCKETS; i++) {
        atomic_store_relaxed(&dp->bonds->bytes[slot][i], 0);
    }
}

/* Adds up what went through the buckets of bond number 'slot'. */
static void
bond_get_bytes(const struct xdp_dp *dp, uint32_t slot,
               uint64_t bytes[OXDP_BOND_BUCKETS])
{
    for (int i = 0; i < OXDP_BOND_BUCKETS; i++) {
        atomic_read_relaxed(&dp->bonds->bytes[slot][i], &bytes[i]);
        for (uint32_t cpu = 0; cpu < dp->bpf->n_cpus; cpu++) {
            bytes[i] += *(volatile uint64_t *) &oxdp_bpf_cpu_block(
                dp->bpf, cpu)->bonds[slot].bytes[i];
        }
    }
}

odp_port_t
xdp_bond_take(struct xdp_dp *dp, uint32_t id, uint32_t hash, uint32_t bytes)
{
    uint32_t slot = bond_find(dp, id);
    uint32_t bucket = hash % OXDP_BOND_BUCKETS;
    uint32_t port, standby;
    uint64_t old;

    if (slot == OXDP_MAX_BONDS) {
        return ODPP_NONE;
    }
    port = dp->bpf->shared->bonds[slot].ports[bucket];
    if (port >= OXDP_MAX_PORTS) {
        return ODPP_NONE;
    }
    atomic_add_relaxed(&dp->bonds->bytes[slot][bucket], bytes, &old);
    standby = dp->bpf->shared->ports[port].standby;
    return u32_to_odp(standby ? standby : port);
}

bool
xdp_bond_takes_frames(const struct xdp_dp *dp, uint32_t id)
{
    uint32_t slot = bond_find(dp, id);

    for (int i = 0; slot < OXDP_MAX_BONDS && i < OXDP_BOND_BUCKETS; i++) {
        uint32_t port = dp->bpf->shared->bonds[slot].ports[i];

        if (port < OXDP_MAX_PORTS
            && !(dp->bpf->shared->ports[port].flags & OXDP_PORT_F_XMIT)) {
            return false;
        }
    }
    return true;
}

int
dpif_xdp_bond_add(struct dpif *dpif, uint32_t id, odp_port_t *members)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    struct xdp_dp *dp = get_xdp_dp(dpif);
    struct oxdp_bond *bond;
    uint32_t slot;
    bool is_new;

    ovs_mutex_lock(&dp->bonds->mutex);
    slot = bond_find(dp, id);
    is_new = slot == OXDP_MAX_BONDS;
    for (uint32_t i = 0; slot == OXDP_MAX_BONDS && i < OXDP_BOND_PROBES; i++) {
        if (!dp->bpf->shared->bonds[bond_slot(id, i)].id) {
            slot = bond_slot(id, i);
        }
    }
    if (slot == OXDP_MAX_BONDS) {
        ovs_mutex_unlock(&dp->bonds->mutex);
        VLOG_ERR_RL(&rl, "too many bonds with other_config:lb-output-action: "
                    "the packets of one are dropped, switch it off for some "
                    "of them");
        return ENOSPC;
    }
    bond = &dp->bpf->shared->bonds[slot];
    if (is_new) {
        bond_clear_stats(dp, slot);
    }
    for (int i = 0; i < OXDP_BOND_BUCKETS; i++) {
        uint32_t port = odp_to_u32(members[i]);

        *(volatile uint16_t *) &bond->ports[i]
            = port < OXDP_MAX_PORTS ? port : OXDP_BOND_NO_PORT;
    }
    atomic_thread_fence(memory_order_release);
    *(volatile uint32_t *) &bond->id = id;
    ovs_mutex_unlock(&dp->bonds->mutex);
    return 0;
}

int
dpif_xdp_bond_del(struct dpif *dpif, uint32_t id)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    uint32_t slot;

    ovs_mutex_lock(&dp->bonds->mutex);
    slot = bond_find(dp, id);
    if (slot < OXDP_MAX_BONDS) {
        *(volatile uint32_t *) &dp->bpf->shared->bonds[slot].id = 0;
    }
    ovs_mutex_unlock(&dp->bonds->mutex);
    return slot < OXDP_MAX_BONDS ? 0 : ENOENT;
}

int
dpif_xdp_bond_stats_get(struct dpif *dpif, uint32_t id, uint64_t *bytes)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    uint32_t slot = bond_find(dp, id);

    if (slot == OXDP_MAX_BONDS) {
        /* OVS uses it all the same. */
        memset(bytes, 0, OXDP_BOND_BUCKETS * sizeof *bytes);
        return ENOENT;
    }
    bond_get_bytes(dp, slot, bytes);
    return 0;
}

void
xdp_bonds_create(struct xdp_dp *dp)
{
    dp->bonds = xzalloc(sizeof *dp->bonds);
    ovs_mutex_init(&dp->bonds->mutex);
}

void
xdp_bonds_destroy(struct xdp_dp *dp)
{
    ovs_mutex_destroy(&dp->bonds->mutex);
    free(dp->bonds);
}

/* Members. */

/* A port is dead for so long until its flows must have changed, in ms: then
 * what a controller's flows output to it is lost again, as it should be. */
#define STANDBY_MS 5000

/* A member of one of ofproto's bonds, in any datapath. */
struct member {
    struct hmap_node node;      /* In 'members', by 'bond'. */
    const void *port;           /* As ofproto calls it. */
    const struct bond *bond;
    char *name;
    bool may_enable;            /* Carrier, LACP, BFD and CFM say so. */
    bool may_receive;           /* ofproto takes what comes in by it. */
};

/* OVS's handlers take it, when LACP's packets come, to set a member's
 * 'may_enable'; all else is the main thread's.  So it is held for moments only,
 * never while the kernel is asked: who has to do that works on a copy.  Inside
 * 'port_mutex', outside the lock of bond.c. */
static struct ovs_mutex members_mutex = OVS_MUTEX_INITIALIZER;
static struct hmap members OVS_GUARDED_BY(members_mutex)
    = HMAP_INITIALIZER(&members);

/* Something in 'members' has changed. */
static bool members_changed OVS_GUARDED_BY(members_mutex);

void __real_bond_member_register(struct bond *, void *port, ofp_port_t,
                                 struct netdev *);
void __wrap_bond_member_register(struct bond *, void *port, ofp_port_t,
                                 struct netdev *);
void __real_bond_member_unregister(struct bond *, const void *port);
void __wrap_bond_member_unregister(struct bond *, const void *port);
void __real_bond_member_set_may_enable(struct bond *, void *port, bool);
void __wrap_bond_member_set_may_enable(struct bond *, void *port, bool);
bool __real_bond_run(struct bond *, enum lacp_status);
bool __wrap_bond_run(struct bond *, enum lacp_status);

#define FOR_EACH_MEMBER(M, BOND)                                        \
    HMAP_FOR_EACH_WITH_HASH (M, node, hash_pointer(BOND, 0), &members)  \
        if ((M)->bond == (BOND))

static struct member *
member_find(const struct bond *bond, const void *port)
    OVS_REQUIRES(members_mutex)
{
    struct member *m;

    FOR_EACH_MEMBER (m, bond) {
        if (m->port == port) {
            return m;
        }
    }
    return NULL;
}

static void
member_remove(struct member *m)
    OVS_REQUIRES(members_mutex)
{
    hmap_remove(&members, &m->node);
    free(m->name);
    free(m);
    members_changed = true;
}

void
__wrap_bond_member_register(struct bond *bond, void *port, ofp_port_t ofp_port,
                            struct netdev *netdev)
{
    struct member *m, *found = NULL;

    ovs_mutex_lock(&members_mutex);
    HMAP_FOR_EACH (m, node, &members) {
        if (m->port == port) {
            found = m;
        }
    }
    if (found) {
        member_remove(found);
    }
    m = xzalloc(sizeof *m);
    m->port = port;
    m->bond = bond;
    m->name = xstrdup(netdev_get_name(netdev));
    m->may_enable = true;       /* ofproto tells soon. */
    hmap_insert(&members, &m->node, hash_pointer(bond, 0));
    members_changed = true;
    ovs_mutex_unlock(&members_mutex);
    __real_bond_member_register(bond, port, ofp_port, netdev);
}

void
__wrap_bond_member_unregister(struct bond *bond, const void *port)
{
    struct member *m;

    ovs_mutex_lock(&members_mutex);
    m = member_find(bond, port);
    if (m) {
        member_remove(m);
    }
    ovs_mutex_unlock(&members_mutex);
    __real_bond_member_unregister(bond, port);
}

/* Not only when the main loop comes round again. */
static void
run_now(void)
{
    struct xdp_dp *dp = xdp_dp_get();

    if (dp) {
        xdp_bonds_run(dp);
        xdp_dp_unref(dp);
    }
}

void
__wrap_bond_member_set_may_enable(struct bond *bond, void *port, bool enable)
{
    bool died = false;
    struct member *m;

    ovs_mutex_lock(&members_mutex);
    m = member_find(bond, port);
    if (m && m->may_enable != enable) {
        m->may_enable = enable;
        members_changed = true;
        died = !enable;
    }
    ovs_mutex_unlock(&members_mutex);
    if (died) {
        /* Thus in the main thread: handlers enable members only. */
        run_now();
    }
    __real_bond_member_set_may_enable(bond, port, enable);
}

bool
__wrap_bond_run(struct bond *bond, enum lacp_status lacp_status)
{
    const struct eth_addr unicast = ETH_ADDR_C(02,00,00,00,00,00);
    bool revalidate = __real_bond_run(bond, lacp_status);
    bool changed = false;
    struct member *m;

    ovs_mutex_lock(&members_mutex);
    FOR_EACH_MEMBER (m, bond) {
        bool may_receive = (bond_check_admissibility(bond, m->port, unicast)
                            != BV_DROP);

        changed |= may_receive != m->may_receive;
        m->may_receive = may_receive;
    }
    members_changed |= changed;
    ovs_mutex_unlock(&members_mutex);
    if (changed) {
        run_now();
    }
    return revalidate;
}

struct bond *__real_bond_create(const struct bond_settings *,
                                struct ofproto_dpif *);
struct bond *__wrap_bond_create(const struct bond_settings *,
                                struct ofproto_dpif *);

/* A bond that is left with one member goes without unregistering it, and a new
 * one may get its memory. */
struct bond *
__wrap_bond_create(const struct bond_settings *s, struct ofproto_dpif *ofproto)
{
    struct bond *bond = __real_bond_create(s, ofproto);
    struct member *m;

    ovs_mutex_lock(&members_mutex);
    HMAP_FOR_EACH_SAFE (m, node, &members) {
        if (m->bond == bond) {
            member_remove(m);
        }
    }
    ovs_mutex_unlock(&members_mutex);
    return bond;
}

/* Copies of all members. */
struct member_copies {
    struct member *members;     /* Sorted by name. */
    size_t n;
};

static int
compare_members(const void *a_, const void *b_)
{
    const struct member *a = a_;
    const struct member *b = b_;

    return strcmp(a->name, b->name);
}

/* Returns copies, for members_free(). */
static struct member_copies
members_copy(void)
    OVS_EXCLUDED(members_mutex)
{
    struct member_copies copies = { .n = 0 };
    const struct member *m;

    ovs_mutex_lock(&members_mutex);
    copies.members = xcalloc(hmap_count(&members) + 1, sizeof *m);
    HMAP_FOR_EACH (m, node, &members) {
        struct member *copy = &copies.members[copies.n++];

        *copy = *m;
        copy->name = xstrdup(m->name);
    }
    ovs_mutex_unlock(&members_mutex);
    qsort(copies.members, copies.n, sizeof *copies.members, compare_members);
    return copies;
}

static void
members_free(struct member_copies *copies)
{
    for (size_t i = 0; i < copies->n; i++) {
        free(copies->members[i].name);
    }
    free(copies->members);
}

#define FOR_EACH_COPY(M, COPIES)                                        \
    for ((M) = (COPIES)->members; (M) < (COPIES)->members + (COPIES)->n; (M)++)

/* Returns the first member that can stand in for 'dead', or NULL, and its port
 * in '*portp'. */
static const struct member *
choose_standby(const struct xdp_dp *dp, const struct member_copies *copies,
               const struct member *dead, struct xdp_port **portp)
    OVS_REQUIRES(dp->port_mutex)
{
    const struct member *m;

    FOR_EACH_COPY (m, copies) {
        if (m != dead && m->bond == dead->bond && m->may_enable) {
            *portp = xdp_port_by_name(dp, m->name);
            if (*portp && (*portp)->carrier) {
                return m;
            }
        }
    }
    *portp = NULL;
    return NULL;
}

/* Fills in '*s' for 'dead', whose port 'port' is.  Returns the one that stands
 * in, or NULL if there is none. */
static const struct xdp_port *
make_standby(const struct xdp_dp *dp, const struct member_copies *copies,
             const struct member *dead, const struct xdp_port *port,
             struct xdp_standby *s)
    OVS_REQUIRES(dp->port_mutex)
{
    const struct oxdp_port *ports = dp->bpf->shared->ports;
    struct xdp_port *other;
    const struct member *m = choose_standby(dp, copies, dead, &other);

    *s = (struct xdp_standby) {
        .ifindex = port->ifindex,
        .port_no = odp_to_u32(port->port_no),
        .standby = other ? odp_to_u32(other->port_no) : 0,
    };
    /* As if it were by the dead one means that both have the same hooks. */
    if (m && dead->may_receive && !m->may_receive
        && !((ports[s->port_no].flags ^ ports[s->standby].flags)
             & (OXDP_PORT_F_XDP | OXDP_PORT_F_NO_PASS))) {
        s->received = xdp_port_ifport(dp, other);
    }
    return other;
}

/* What comes in by the device of 'port' is taken for what it is again. */
static void
receive_for_itself(struct xdp_dp *dp, const struct xdp_port *port)
    OVS_REQUIRES(dp->port_mutex)
{
    struct xdp_standby s = {
        .port_no = odp_to_u32(port->port_no),
        .standby = dp->bpf->shared->ports[odp_to_u32(port->port_no)].standby,
        .received = xdp_port_ifport(dp, port),
    };

    if (s.received && s.received->port != s.port_no) {
        xdp_standby_apply(dp, &s);
    }
}

void
xdp_bonds_remove_port(struct xdp_dp *dp, const struct xdp_port *port)
{
    const struct xdp_port *other;

    xdp_standby_forget(dp, odp_to_u32(port->port_no));
    dp->next_standby = 0;
    HMAP_FOR_EACH (other, node, &dp->ports) {
        const union oxdp_ifport *p = xdp_port_ifport(dp, other);

        if (p && p->port == odp_to_u32(port->port_no)) {
            receive_for_itself(dp, other);
        }
    }
}

/* Has what '*s' says stand in for 'port': that is 'other', or none. */
static void
set_standby(struct xdp_dp *dp, struct xdp_port *port,
            const struct xdp_standby *s, const struct xdp_port *other)
    OVS_REQUIRES(dp->port_mutex)
{
    uint32_t old = dp->bpf->shared->ports[s->port_no].standby;

    if (old == s->standby && port->standby == s->standby) {
        return;
    }
    /* The thread may have been first. */
    if (old != s->standby) {
        xdp_standby_apply(dp, s);
    }
    port->standby = s->standby;
    if (other) {
        oxdp_floods_port_changed(oxdp_table_floods(dp->table), s->port_no);
        VLOG_INFO("port %s: dead member of a bond, %s stands in until flows "
                  "have changed", port->name, other->name);
    } else {
        /* Gives it back its flags. */
        xdp_port_refresh(dp, port);
    }
}

/* Looks after the port of 'm'. */
static void
member_apply(struct xdp_dp *dp, const struct member_copies *copies,
             const struct member *m)
    OVS_REQUIRES(dp->port_mutex)
{
    struct xdp_port *port = xdp_port_by_name(dp, m->name);
    const struct xdp_port *other = NULL;
    struct xdp_standby s;

    if (!port) {
        return;
    }
    s = (struct xdp_standby) { .port_no = odp_to_u32(port->port_no) };
    if (dp->bpf->shared->ports[s.port_no].standby != port->standby
        && port->carrier) {
        /* The thread has heard of something. */
        xdp_port_refresh(dp, port);
    }
    if (port->carrier && m->may_enable) {
        port->standby_until = 0;
    } else {
        if (!port->standby_until) {
            port->standby_until = time_msec() + STANDBY_MS;
        }
        if (time_msec() < port->standby_until) {
            other = make_standby(dp, copies, m, port, &s);
            dp->next_standby = MIN(dp->next_standby, port->standby_until);
        }
    }
    set_standby(dp, port, &s, other);
}

/* Ends what must not go on: that a port receives for another one whose flows
 * are no better any more, and that one stands in for a port that has left its
 * bond. */
static void
port_apply(struct xdp_dp *dp, const struct member_copies *copies,
           struct xdp_port *port)
    OVS_REQUIRES(dp->port_mutex)
{
    const struct oxdp_port *ports = dp->bpf->shared->ports;
    const union oxdp_ifport *p = xdp_port_ifport(dp, port);
    uint32_t port_no = odp_to_u32(port->port_no);
    const struct member *m, *found = NULL;

    if (!ports[port_no].standby && !(p && p->port != port_no)) {
        return;
    }
    FOR_EACH_COPY (m, copies) {
        if (!strcmp(m->name, port->name)) {
            found = m;
        }
    }
    if (p && p->port != port_no
        && (!found || found->may_receive
            || ports[p->port].standby != port_no)) {
        receive_for_itself(dp, port);
    }
    if (!found && ports[port_no].standby) {
        port->standby_until = 0;
        set_standby(dp, port, &(struct xdp_standby) { .port_no = port_no },
                    NULL);
    }
}

/* Says what is to be done when members that are alive lose their carriers. */
static void
prepare_standbys(struct xdp_dp *dp, const struct member_copies *copies)
    OVS_REQUIRES(dp->port_mutex)
{
    struct xdp_standby *standbys = xcalloc(copies->n + 1, sizeof *standbys);
    const struct member *m;
    size_t n = 0;

    FOR_EACH_COPY (m, copies) {
        const struct xdp_port *port = xdp_port_by_name(dp, m->name);

        if (port && port->carrier && m->may_enable
            && make_standby(dp, copies, m, port, &standbys[n])) {
            n++;
        }
    }
    xdp_standby_prepare(dp, standbys, n);
}

/* Have members changed since the last call? */
static bool
members_take_changed(void)
    OVS_EXCLUDED(members_mutex)
{
    bool changed;

    ovs_mutex_lock(&members_mutex);
    changed = members_changed;
    members_changed = false;
    ovs_mutex_unlock(&members_mutex);
    return changed;
}

void
xdp_bonds_run(struct xdp_dp *dp)
{
    bool changed = members_take_changed();

    changed |= xdp_carrier_run(dp);
    ovs_mutex_lock(&dp->port_mutex);
    if (changed || dp->bridges_changed || time_msec() >= dp->next_standby) {
        struct member_copies copies = members_copy();
        const struct member *m;
        struct xdp_port *port;

        dp->next_standby = LLONG_MAX;
        FOR_EACH_COPY (m, &copies) {
            member_apply(dp, &copies, m);
        }
        HMAP_FOR_EACH (port, node, &dp->ports) {
            port_apply(dp, &copies, port);
        }
        prepare_standbys(dp, &copies);
        members_free(&copies);
    }
    ovs_mutex_unlock(&dp->port_mutex);
}

void
xdp_bonds_wait(struct xdp_dp *dp)
{
    ovs_mutex_lock(&members_mutex);
    if (members_changed) {
        poll_immediate_wake();
    }
    ovs_mutex_unlock(&members_mutex);
    if (dp->next_standby != LLONG_MAX) {
        poll_timer_wait_until(dp->next_standby);
    }
    xdp_carrier_wait(dp);
}

/* ovs-appctl dpif-xdp/bond-show. */

static const char *
port_name(const struct xdp_dp *dp, uint32_t port_no)
    OVS_REQUIRES(dp->port_mutex)
{
    const struct xdp_port *port;

    HMAP_FOR_EACH (port, node, &dp->ports) {
        if (odp_to_u32(port->port_no) == port_no) {
            return port->name;
        }
    }
    return "no port";
}

/* Appends what goes out of which port of bond number 'slot'. */
static void
format_bond(const struct xdp_dp *dp, uint32_t slot, struct ds *ds)
    OVS_REQUIRES(dp->port_mutex)
{
    struct oxdp_bond bond = dp->bpf->shared->bonds[slot];
    uint64_t bytes[OXDP_BOND_BUCKETS];
    bool shown[OXDP_BOND_BUCKETS] = { false };

    bond_get_bytes(dp, slot, bytes);
    ds_put_format(ds, "bond %"PRIu32": lb_output\n", bond.id);
    for (int i = 0; i < OXDP_BOND_BUCKETS; i++) {
        uint64_t sum = 0;
        int n = 0;

        for (int j = i; !shown[i] && j < OXDP_BOND_BUCKETS; j++) {
            if (bond.ports[j] == bond.ports[i]) {
                shown[j] |= j != i;
                sum += bytes[j];
                n++;
            }
        }
        if (n) {
            ds_put_format(ds, "  %s: buckets %d, bytes %"PRIu64"\n",
                          port_name(dp, bond.ports[i]), n, sum);
        }
    }
}

static void
format_port_of_bond(const struct xdp_dp *dp, const struct member *m,
                    struct ds *ds)
    OVS_REQUIRES(dp->port_mutex)
{
    const struct xdp_port *port = xdp_port_by_name(dp, m->name);
    uint32_t standby;

    if (!port) {
        return;
    }
    standby = dp->bpf->shared->ports[odp_to_u32(port->port_no)].standby;
    ds_put_format(ds, "member %s: %s", m->name,
                  !port->carrier ? "no carrier"
                  : !m->may_enable ? "disabled by LACP, BFD or CFM"
                  : "may send");
    if (standby) {
        ds_put_format(ds, ", %s stands in", port_name(dp, standby));
    }
    ds_put_char(ds, '\n');
}

void
xdp_bonds_format(const struct xdp_dp *dp, struct ds *ds)
{
    struct member_copies copies;
    const struct member *m;

    ovs_mutex_lock(&dp->port_mutex);
    for (uint32_t i = 0; i < OXDP_MAX_BONDS; i++) {
        if (dp->bpf->shared->bonds[i].id) {
            format_bond(dp, i, ds);
        }
    }
    copies = members_copy();
    FOR_EACH_COPY (m, &copies) {
        format_port_of_bond(dp, m, ds);
    }
    members_free(&copies);
    ovs_mutex_unlock(&dp->port_mutex);
}
