/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp.h: what the files of the provider share.
 *
 *   dpif-xdp.c            open, close, settings, the class
 *   dpif-xdp-cpu.c        the CPU port and its AF_XDP sockets
 *   dpif-xdp-port.c       ports, and what happens to their devices
 *   dpif-xdp-bridge.c     bridges and what the database says of them
 *   dpif-xdp-macvlan.c    bridges that go by addresses alone
 *   dpif-xdp-hook.c       the ports' hooks and modes
 *   dpif-xdp-fdb.c        addresses that the kernel bridges know
 *   dpif-xdp-flow.c       put, get, delete, dump flows
 *   dpif-xdp-upcall.c     from AF_XDP to OVS's handlers
 *   dpif-xdp-away.c       what the log says of packets that did not get there
 *   dpif-xdp-bond.c       bonds, and what becomes of their dead members
 *   dpif-xdp-carrier.c    who stands in for these, without delay
 *   dpif-xdp-execute.c    actions on packets in userspace
 *   dpif-xdp-ct.c         conntrack and its settings
 *   dpif-xdp-warm.c       flows for the traffic that there is at a takeover
 *   dpif-xdp-unixctl.c    ovs-appctl dpif-xdp/...
 *   dpif-xdp-show.c       those of them that show counters in tables
 *   dpif-xdp-metrics.c    all counters as OpenMetrics
 *   dpif-xdp-trace.c      what becomes of a port's packets, one by one
 *   dpif-xdp-register.c   how OVS gets to know of all this
 *
 * Below it is lib/, which knows OVS's types but not the dpif.
 */

#ifndef DPIF_XDP_H
#define DPIF_XDP_H 1

#include "cmap.h"
#include "dpif-provider.h"
#include "odp-util.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/shash.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "oxdp-abi.h"
#include "oxdp-attach.h"
#include "oxdp-legacy.h"
#include "oxdp-loader.h"
#include "oxdp-macs.h"
#include "oxdp-netdev.h"
#include "oxdp-pin.h"
#include "oxdp-queue.h"
#include "oxdp-table.h"
#include "oxdp-xsk.h"

struct dp_packet;
struct dp_packet_batch;
struct flow;
struct ovsrec_bridge;
struct unixctl_conn;

#define DPIF_XDP_TYPE "xdp"
#define DPIF_XDP_NAME "ovs-xdp"
#define DPIF_XDP_CPU_PEER "ovs-xdp-cpu"
#define DPIF_XDP_CPU_ALIAS OXDP_ALIAS "CPU port"

/* The hook a port is asked to use, and, but for AUTO, uses. */
#define XDP_MODES                               \
    XDP_MODE(AUTO, "auto")                      \
    XDP_MODE(NATIVE, "native")                  \
    XDP_MODE(GENERIC, "generic")                \
    XDP_MODE(TC, "tc")

enum xdp_mode {
#define XDP_MODE(ENUM, NAME) XDP_MODE_##ENUM,
    XDP_MODES
#undef XDP_MODE
};

/* Who floods: Bridge other_config:xdp-flood. */
#define XDP_FLOODS                              \
    XDP_FLOOD(AUTO, "auto")                     \
    XDP_FLOOD(BRIDGE, "bridge")

enum xdp_flood {
#define XDP_FLOOD(ENUM, NAME) XDP_FLOOD_##ENUM,
    XDP_FLOODS
#undef XDP_FLOOD
};

/* What decides where packets go: Bridge other_config:xdp-l2. */
#define XDP_L2S                                 \
    XDP_L2(OPENFLOW, "openflow")                \
    XDP_L2(MACVLAN, "macvlan")

enum xdp_l2 {
#define XDP_L2(ENUM, NAME) XDP_L2_##ENUM,
    XDP_L2S
#undef XDP_L2
};

/* Why a packet was lost between BPF and OVS, or in ovs-vswitchd: ENUM, NAME, what
 * it means, what to do.  BPF's own reasons are OXDP_DROPS. */
#define XDP_LOSSES                                                           \
    XDP_LOSS(RING_FULL, "ring-full",                                         \
             "the ring of an AF_XDP socket was full",                        \
             "look for what stops or starves ovs-vswitchd")                  \
    XDP_LOSS(RING_BAD, "ring-bad", "AF_XDP packet without valid header",     \
             "nothing: counts packets in flight during an upgrade")          \
    XDP_LOSS(NOT_SENT, "not-sent",                                           \
             "ovs-vswitchd could not send it to the CPU port",               \
             "look for flows that take ovs-vswitchd in "                     \
             "ovs-appctl dpif-xdp/fallback-show")                            \
    XDP_LOSS(HANDLER, "handler",                                             \
             "no handler of ovs-vswitchd had room for it",                   \
             "look for a sender of ever new flows, or install wider flows")  \
    XDP_LOSS(FLOW_GONE, "flow-gone",                                         \
             "copy for a controller or collector of a flow that has gone",   \
             "nothing: counts packets in flight while flows change")         \
    XDP_LOSS(USER_ACTION, "user-action", "flow says drop, in ovs-vswitchd",  \
             "see ovs-appctl dpctl/dump-flows")                              \
    XDP_LOSS(USER_PORT, "user-output-port",                                  \
             "output to a port that is not there, in ovs-vswitchd",          \
             "nothing: flows follow within a second")                        \
    XDP_LOSS(USER_BOND, "user-bond",                                         \
             "bond without a member that may send, in ovs-vswitchd",         \
             "see ovs-appctl bond/show")                                     \
    XDP_LOSS(USER_RECIRC, "user-recirc-depth",                               \
             "recirculated too often, in ovs-vswitchd",                      \
             "look for a loop of resubmits in the OpenFlow tables")          \
    XDP_LOSS(USER_METER, "user-meter",                                       \
             "exceeded the rate of a meter, in ovs-vswitchd",                \
             "see ovs-ofctl meter-stats")                                    \
    XDP_LOSS(USER_TUNNEL, "user-tunnel",                                     \
             "tunnel header missing, wrong, or of a tunnel that has gone",   \
             "look for who sends such packets to the tunnel's port")

enum xdp_loss {
#define XDP_LOSS(ENUM, NAME, TEXT, ADVICE) XDP_LOSS_##ENUM,
    XDP_LOSSES
#undef XDP_LOSS
    XDP_N_LOSSES
};

/* A port.  Protected by the datapath's 'port_mutex'. */
struct xdp_port {
    struct hmap_node node;      /* In 'ports', by number. */
    odp_port_t port_no;
    char *name;
    char *type;                 /* Of 'netdev'. */
    struct netdev *netdev;
    bool internal;
    bool local;                 /* Internal, and a kernel bridge, which has
                                 * what the host sends on its TC egress. */
    bool tunnel;                /* No device, see dpif-xdp-tunnel.c. */
    int ifindex;                /* Device with our programs: the port's, or an
                                 * internal port's datapath end. */
    int keep_ifindex;           /* If 'local': the keeper's member end... */
    int in_ifindex;             /* ...and the other one, XDP's way to LOCAL. */
    char kind[16];              /* Of that device, "" for hardware. */
    int master_ifindex;         /* Bridge, bond... it is in, 0 if none. */
    bool carrier;
    struct eth_addr mac;        /* That device's. */
    uint8_t bridge_state;       /* As a member: BR_STATE_*. */

    /* Set by dpif-xdp-bridge.c. */
    int bridge_ifindex;         /* Kernel bridge that it is a member of or, if
                                 * 'local', that it is; 0 if none. */
    char *no_member;            /* Why it is no member, for people, or NULL. */
    const char *blocked;        /* Why the kernel bridge takes nothing from it
                                 * and sends nothing to it, or NULL. */
    bool fallback;              /* May the kernel bridge forward for it? */
    enum xdp_flood flood;       /* Of its bridge. */
    bool macvlan;               /* Its bridge has xdp-l2=macvlan. */
    bool traced;                /* dpif-xdp/trace-set. */
    long long int traced_until; /* For those who ask, in time_msec(); or 0. */
    char *l2_error;             /* What is wrong with that, for people, or
                                 * NULL. */

    long long int standby_until; /* As a dead member of a bond, see
                                  * dpif-xdp-bond.c, in time_msec(); else 0. */
    uint32_t standby;           /* Port that stands in, as last seen there. */
    bool configured;            /* dpif_port_set_config() was called. */
    char *wanted_mode;          /* other_config:xdp-mode, or NULL. */
    enum xdp_mode mode;         /* In use. */
    char *why;                  /* Why that mode, for people. */
    char *error;                /* What is wrong, for people, or NULL... */
    long long int retry_at;     /* ...then when to try again, in time_msec(). */
    struct oxdp_attach xdp, tc;
    struct oxdp_attach keeper_tc;       /* If 'local': on 'keep_ifindex'. */
    struct oxdp_attach gate;    /* Where what the kernel bridge forwards gets
                                 * out: on egress, of LOCAL on ingress. */
    uint32_t changed;           /* OXDP_CHANGED_*, on the device. */
    uint64_t features;          /* NETDEV_XDP_ACT_*. */
    char *no_frames;            /* Why XDP cannot redirect frames to it, for
                                 * people, or NULL if it can. */
    char *no_peer;              /* Why TC cannot redirect straight to its peer,
                                 * in the same way. */
    struct oxdp_away_sum away_start;    /* Packets that userspace should have
                                         * got, when that began. */
    long long int away_until;   /* When it is over, if no more follow, in
                                 * time_msec(); or 0. */
    struct oxdp_port_stats *cleared;    /* By CPU, as of the last
                                         * dpif-xdp/stats-clear, or NULL. */
};

/* A thread of OVS that takes upcalls, and what waits for it. */
struct xdp_handler {
    struct ovs_mutex mutex;
    struct ovs_list upcalls;    /* Of struct xdp_upcall. */
    size_t n_upcalls;
    struct seq *seq;            /* Changes when 'upcalls' gets longer. */
    uint64_t last_seq;
    long long int next_look;    /* When to look for what has not come. */

    /* Of the handler's thread, see wait_for_packet(). */
    bool has_returned;          /* An upcall, since OVS was told that there is
                                 * no other. */
    long long int idle_since;   /* In us: has had nothing to read, or 0. */
    uint32_t poll_us;           /* Waits so long before it sleeps. */
    long long int poll_from;    /* In us: does not before. */
};

/* The datapath. */
struct xdp_dp {
    struct ovs_refcount ref_cnt;
    atomic_flag destroyed;
    struct oxdp_pins *pins;     /* What outlives this process. */
    struct oxdp_bpf *bpf;
    struct oxdp_table *table;
    struct conntrack *conntrack;

    /* CPU port, constant. */
    int cpu_ifindex;            /* "ovs-xdp". */
    int cpu_peer_ifindex;       /* "ovs-xdp-cpu". */
    int cpu_mtu;                /* Grows; under 'port_mutex'. */
    struct oxdp_attach cpu_xdp, cpu_tc, cpu_encap;
    struct oxdp_attach cpu_peer_xdp, cpu_peer_tc;
    struct oxdp_xsk **xsks;     /* Of number bpf->n_queues. */
    struct oxdp_queues *queues; /* What waits in these. */
    struct seq *refused_seq;    /* Changes when packets could not be sent to
                                 * them. */
    uint64_t refused_seqno;     /* As last seen by the main thread. */
    long long int next_away;    /* When to look at ports next, or 0. */

    struct ovs_mutex port_mutex;
    struct hmap ports;          /* Of struct xdp_port. */
    struct oxdp_port_stats gone_stats;  /* Sum over ports that have left. */
    struct oxdp_port_stats *cpu_cleared;        /* As in struct xdp_port, of
                                                 * the CPU port, */
    uint64_t *losses_cleared;   /* and by enum xdp_loss. */
    struct seq *port_seq;       /* Changes with 'ports'. */
    bool bridges_changed;       /* Something that xdp_bridges_run() reads. */
    bool bports_changed;        /* BPF's 'bports', on which flows that the
                                 * kernel bridge floods depend. */
    unsigned int idl_seqno;     /* Of the database, as last applied. */
    struct shash port_refusals; /* Why ports could not be added, by name. */
    struct nln *links;          /* Tells of changes of devices. */
    struct nln_notifier *link_notifier, *tc_notifier;
    int changed_ifindex;        /* For 'links'. */
    struct nl_sock *features_sock;      /* Or NULL. */
    struct cmap tunnels;        /* Of struct xdp_tunnel. */
    struct xdp_trace *trace;    /* Or NULL.  Of the main thread. */
    struct xdp_meters *meters;
    struct oxdp_macs *macs;     /* Of the main thread. */
    struct xdp_bonds *bonds;
    struct xdp_carrier *carrier;
    long long int next_standby; /* Of all ports, of the main thread. */
    struct xdp_fdb *fdb;        /* Of the main thread. */
    uint64_t tnl_conf_seq;      /* Of OVS's tunnels, as last seen. */
    char *default_mode;         /* Open_vSwitch other_config:xdp-mode. */
    uint32_t upcall_rate, upcall_burst;

    /* Handlers.  The lock is written only while OVS has stopped them. */
    struct ovs_rwlock handlers_lock;
    struct xdp_handler *handlers;
    uint32_t n_handlers;
    bool recv_enabled;
    atomic_uint32_t max_poll_us;        /* Of all handlers' 'poll_us'. */

    /* Main thread's. */
    bool handlers_seen;         /* There were some in dpif_xdp_run(). */
    bool in_charge;             /* Earlier daemon's programs are replaced. */
    struct oxdp_legacy *legacy; /* What that has left in its maps.  Until
                                 * then, or NULL if there is none. */
    struct xdp_warm *warm;      /* In between, else NULL. */
    long long int next_sort;    /* Of BPF's masks, see time_msec(). */

    /* Figures. */
    atomic_uint64_t n_user_hits;        /* Lookups in userspace. */
    atomic_uint64_t n_missed;           /* Of these, upcalls. */
    atomic_uint64_t losses[XDP_N_LOSSES];       /* Those that sockets do not
                                                 * count. */
};

struct dpif_xdp {
    struct dpif dpif;
    struct xdp_dp *dp;
    uint64_t last_port_seq;
};

extern const struct dpif_class dpif_xdp_class;

/* Returns the one datapath with a reference, to be given back with
 * xdp_dp_unref(), or NULL.  Any thread. */
struct xdp_dp *xdp_dp_get(void);
void xdp_dp_unref(struct xdp_dp *);

/* Unless there is a datapath, removes from the kernel the one that an earlier
 * daemon has left.  Main thread. */
void xdp_dp_remove_leftover(void);

/* Counts 'n' packets that are lost because of 'loss'.  Any thread. */
static inline void
xdp_lose(struct xdp_dp *dp, enum xdp_loss loss, size_t n)
{
    uint64_t old;

    atomic_add_relaxed(&dp->losses[loss], n, &old);
}

static inline struct xdp_dp *
get_xdp_dp(const struct dpif *dpif)
{
    dpif_assert_class(dpif, &dpif_xdp_class);
    return CONTAINER_OF(dpif, struct dpif_xdp, dpif)->dp;
}

/* dpif-xdp-cpu.c.  0 or a positive errno value, with a sentence in
 * '*errp'. */
int xdp_cpu_open(struct xdp_dp *, char **errp);
void xdp_cpu_close(struct xdp_dp *);
void xdp_cpu_require_mtu(struct xdp_dp *, int mtu)
    OVS_REQUIRES(dp->port_mutex);

/* Sends 'packet', which stays the caller's, out of 'port_no', on the socket of
 * the calling thread, and tells the kernel about all that was sent. */
void xdp_cpu_send(struct xdp_dp *, odp_port_t port_no,
                  const struct dp_packet *packet);
void xdp_cpu_flush(struct xdp_dp *);

/* dpif-xdp-port.c. */
int xdp_ports_init(struct xdp_dp *);
void xdp_ports_destroy(struct xdp_dp *);

/* Whether 'port_no' is a port with a device. */
bool xdp_port_is_present(struct xdp_dp *, uint32_t port_no);

/* Puts the programs in the place of those of an earlier daemon, which have
 * forwarded until now, and leaves no trace of ports that there are no more. */
void xdp_ports_take_over(struct xdp_dp *);

/* Detaches what an earlier daemon has left and no port has adopted. */
void xdp_ports_forget_found(struct xdp_dp *);
void xdp_ports_run(struct xdp_dp *);
void xdp_ports_wait(struct xdp_dp *);
void xdp_ports_set_defaults(struct xdp_dp *, const char *mode,
                            uint32_t upcall_rate, uint32_t upcall_burst);
struct xdp_port *xdp_port_by_name(const struct xdp_dp *, const char *name)
    OVS_REQUIRES(dp->port_mutex);
struct xdp_port *xdp_port_by_number(const struct xdp_dp *, odp_port_t)
    OVS_REQUIRES(dp->port_mutex);

/* Returns the element of BPF's table that says of which port is what comes in
 * by the device of 'port': its own number, unless dpif-xdp-carrier.c has put a
 * dead member's there.  NULL if there is none. */
union oxdp_ifport *xdp_port_ifport(const struct xdp_dp *,
                                   const struct xdp_port *port)
    OVS_REQUIRES(dp->port_mutex);

/* Makes the device of 'port' receive everything, which a veth does anyway; or
 * no longer, if we have made it. */
void xdp_port_set_promisc(struct xdp_dp *, struct xdp_port *, bool promisc)
    OVS_REQUIRES(dp->port_mutex);

/* Returns true if a port on device 'name' is in the datapath, and stores in
 * '*errorp', to be freed, what is wrong with it, or NULL. */
bool xdp_port_get_error(const char *name, char **errorp);

/* Returns why port 'name' could not be added, to be freed, and forgets it, or
 * NULL if nothing is known of that. */
char *xdp_port_take_refusal(const char *name);

/* Adds up the counters of 'port_no' on all CPUs. */
void xdp_port_get_stats(const struct xdp_dp *, uint32_t port_no,
                        struct oxdp_port_stats *);

/* The same of port 'name'.  Returns false if there is none.  Any thread. */
bool xdp_port_get_stats_by_name(const char *name, struct oxdp_port_stats *);

/* Adds up the counters of all ports, those that have left included. */
void xdp_ports_get_stats(struct xdp_dp *, struct oxdp_port_stats *);

int dpif_xdp_port_add(struct dpif *, struct netdev *, odp_port_t *);
int dpif_xdp_port_del(struct dpif *, odp_port_t);
int dpif_xdp_port_set_config(struct dpif *, odp_port_t, const struct smap *);
int dpif_xdp_port_query_by_number(const struct dpif *, odp_port_t,
                                  struct dpif_port *);
int dpif_xdp_port_query_by_name(const struct dpif *, const char *,
                                struct dpif_port *);
int dpif_xdp_port_dump_start(const struct dpif *, void **);
int dpif_xdp_port_dump_next(const struct dpif *, void *, struct dpif_port *);
int dpif_xdp_port_dump_done(const struct dpif *, void *);
int dpif_xdp_port_poll(const struct dpif *, char **);
void dpif_xdp_port_poll_wait(const struct dpif *);

/* dpif-xdp-hook.c. */
const char *xdp_mode_name(enum xdp_mode);

/* Asks the kernel for the state of the port's device and tells BPF where to
 * send what goes out of it.  Returns ENODEV if it is no longer the port's. */
int xdp_port_refresh(struct xdp_dp *, struct xdp_port *)
    OVS_REQUIRES(dp->port_mutex);

/* Attaches the TC programs to 'port' that are not attached.  Without tcx (before
 * Linux 6.6) OVS removes it when it sets up ingress policing.  Returns 0 or a
 * positive errno value, with a sentence in '*why'. */
int xdp_port_attach_tc(struct xdp_dp *, struct xdp_port *, char **why)
    OVS_REQUIRES(dp->port_mutex);

/* Makes 'port' use the hook that it is asked to use, or else TC. */
void xdp_port_choose_mode(struct xdp_dp *, struct xdp_port *)
    OVS_REQUIRES(dp->port_mutex);

/* Does both if the port has not been 'configured' or something is wrong with
 * it.  To be called again at 'retry_at' as long as that is so. */
void xdp_port_configure(struct xdp_dp *, struct xdp_port *)
    OVS_REQUIRES(dp->port_mutex);
void xdp_port_detach(struct xdp_port *);

/* Remembers for the next daemon what it has to know of the port. */
void xdp_port_save(struct xdp_dp *, const struct xdp_port *)
    OVS_REQUIRES(dp->port_mutex);

int dpif_xdp_queue_to_priority(const struct dpif *, uint32_t queue_id,
                               uint32_t *priority);

/* These take the text, which is for people; the two kinds of errors exist side
 * by side. */
void xdp_port_set_error(struct xdp_port *, char *error);
void xdp_port_set_l2_error(struct xdp_port *, char *error);
void xdp_port_set_why(struct xdp_port *, char *why);

/* dpif-xdp-bridge.c; see netdev-xdp.h for another one.  Main thread. */

/* Returns Open_vSwitch:other_config, which is empty if it is not known yet. */
const struct smap *xdp_other_config(void);

void xdp_bridges_run(struct xdp_dp *);
void xdp_bridges_wait(struct xdp_dp *);

/* Makes 'port', which is about to leave, no member of a kernel bridge. */
void xdp_bridge_remove_port(struct xdp_dp *, struct xdp_port *)
    OVS_REQUIRES(dp->port_mutex);

/* Returns true if the database has an Interface 'name' in a bridge with
 * other_config:xdp-l2=macvlan. */
bool xdp_bridge_is_macvlan(const char *name);

/* If 'master_ifindex', which device 'name' is a member of, is nothing of ours,
 * returns a sentence that says so and what to do, to be freed, else NULL. */
char *xdp_port_why_foreign(const char *name, int master_ifindex);

/* Appends what is known of bridge 'name', or of all if that is NULL.  Returns
 * false if there is none. */
bool xdp_bridges_format(struct xdp_dp *, const char *name, struct ds *);

/* The same of those with other_config:xdp-l2=macvlan. */
bool xdp_bridges_format_macvlan(struct xdp_dp *, const char *name,
                                struct ds *);

/* dpif-xdp-macvlan.c.  Main thread. */

/* What is not added between these two will be gone. */
void xdp_macvlans_start(struct xdp_dp *);
void xdp_macvlans_add(struct xdp_dp *, const struct ovsrec_bridge *)
    OVS_REQUIRES(dp->port_mutex);
void xdp_macvlans_finish(struct xdp_dp *) OVS_REQUIRES(dp->port_mutex);

/* Appends what is known of the ports of 'cfg', with counters. */
void xdp_macvlan_format(const struct xdp_dp *, const struct ovsrec_bridge *cfg,
                        struct ds *) OVS_REQUIRES(dp->port_mutex);

/* dpif-xdp-flow.c. */
int dpif_xdp_flow_flush(struct dpif *);
struct dpif_flow_dump *dpif_xdp_flow_dump_create(
    const struct dpif *, bool terse, struct dpif_flow_dump_types *);
int dpif_xdp_flow_dump_destroy(struct dpif_flow_dump *);
struct dpif_flow_dump_thread *dpif_xdp_flow_dump_thread_create(
    struct dpif_flow_dump *);
void dpif_xdp_flow_dump_thread_destroy(struct dpif_flow_dump_thread *);
int dpif_xdp_flow_dump_next(struct dpif_flow_dump_thread *,
                            struct dpif_flow *, int max_flows);
void dpif_xdp_operate(struct dpif *, struct dpif_op **, size_t n_ops,
                      enum dpif_offload_type);

/* Where packets of 'mf' are handled now: "xdp", "tc" or "user"; and why it is
 * nothing better, an enum oxdp_reason. */
const char *xdp_flow_layer(const struct xdp_dp *,
                           const struct oxdp_megaflow *, uint8_t *reason);

/* odp_flow_format(), which has an argument more since some Open vSwitch
 * between 3.1 and 3.5.  'names' are those of ports, or NULL. */
static inline void
xdp_flow_format(const struct nlattr *key, size_t key_len,
                const struct nlattr *mask, size_t mask_len,
                const struct hmap *names, struct ds *ds, bool verbose)
{
    odp_flow_format(key, key_len, mask, mask_len, names, ds, verbose
#if OXDP_OVS_VERSION >= 305
                    , true
#endif
                    );
}

/* Appends what 'mf' matches to 'ds', for people. */
static inline void
xdp_megaflow_format(const struct oxdp_megaflow *mf, const struct hmap *names,
                    struct ds *ds)
{
    size_t mask_len;
    const struct nlattr *mask = oxdp_index_entry_mask(&mf->entry, &mask_len);

    xdp_flow_format(oxdp_index_entry_key(&mf->entry), mf->entry.key_len, mask,
                    mask_len, names, ds, false);
}

/* dpif-xdp-upcall.c. */
void xdp_handlers_destroy(struct xdp_dp *);

/* Sets how long at most, in us, a handler polls for the next packet before it
 * sleeps; 0 for not at all.  Any thread. */
void xdp_upcall_set_poll(struct xdp_dp *, uint32_t us);

/* Queues an upcall for 'packet', which it takes.  'userdata' and 'actions' are
 * copied.  Any thread. */
void xdp_upcall_queue(struct xdp_dp *, struct dp_packet *packet,
                      enum dpif_upcall_type, const struct flow *,
                      const struct nlattr *userdata,
                      const struct nlattr *actions);
int dpif_xdp_recv_set(struct dpif *, bool enable);
int dpif_xdp_handlers_set(struct dpif *, uint32_t n_handlers);
bool dpif_xdp_number_handlers_required(struct dpif *, uint32_t *);
int dpif_xdp_recv(struct dpif *, uint32_t handler_id, struct dpif_upcall *,
                  struct ofpbuf *);
void dpif_xdp_recv_wait(struct dpif *, uint32_t handler_id);
void dpif_xdp_recv_purge(struct dpif *);

/* dpif-xdp-trace.c.  Main thread.  xdp_trace_destroy() ends tracing. */
void xdp_trace_init(void);
void xdp_trace_run(struct xdp_dp *);
void xdp_trace_wait(struct xdp_dp *);
void xdp_trace_destroy(struct xdp_dp *);
bool xdp_port_is_traced(const struct xdp_port *);

/* dpif-xdp-away.c.  Main thread. */
void xdp_away_run(struct xdp_dp *);

/* Logs what has become of packets before this daemon took over from an earlier
 * one, which has left 'legacy', and since that one has told. */
void xdp_away_tell_legacy(struct xdp_dp *, const struct oxdp_legacy *legacy);
void xdp_away_wait(struct xdp_dp *);

/* dpif-xdp-execute.c. */

/* Looks the packets, whose metadata is set, up in the flow table and executes
 * their flows' actions or queues upcalls.  Takes the packets. */
void xdp_receive(struct xdp_dp *, struct dp_packet_batch *);
int dpif_xdp_execute(struct xdp_dp *, struct dpif_execute *);

/* dpif-xdp-tunnel.c. */

/* Makes 'port_no' a tunnel port, for push and pop by 'netdev'. */
void xdp_tunnel_add(struct xdp_dp *, odp_port_t port_no, struct netdev *)
    OVS_REQUIRES(dp->port_mutex);
void xdp_tunnel_remove(struct xdp_dp *, odp_port_t port_no)
    OVS_REQUIRES(dp->port_mutex);

/* Returns true if routes, neighbours or tunnels have changed, so that OVS must
 * translate its flows anew.  Main thread. */
bool xdp_tunnels_run(struct xdp_dp *);
void xdp_tunnels_wait(struct xdp_dp *);

/* Puts the header of 'action' in front of the packets, or takes the header of
 * tunnel port 'port_no' off them and makes that their input port; packets
 * without a valid one are deleted.  Returns false, with the batch as it was,
 * if that is not possible.  Any thread. */
bool xdp_tunnel_push(struct xdp_dp *, struct dp_packet_batch *,
                     const struct ovs_action_push_tnl *action);
bool xdp_tunnel_pop(struct xdp_dp *, struct dp_packet_batch *,
                    odp_port_t port_no);

/* dpif-xdp-meter.c. */

/* Deletes those packets of the batch that exceed meter 'id'.  Any thread. */
void xdp_meter_run(struct xdp_dp *, struct dp_packet_batch *, uint32_t id);
void xdp_meters_create(struct xdp_dp *);
void xdp_meters_destroy(struct xdp_dp *);
void dpif_xdp_meter_get_features(const struct dpif *,
                                 struct ofputil_meter_features *);
int dpif_xdp_meter_set(struct dpif *, ofproto_meter_id,
                       struct ofputil_meter_config *);
int dpif_xdp_meter_get(const struct dpif *, ofproto_meter_id,
                       struct ofputil_meter_stats *, uint16_t n_bands);
int dpif_xdp_meter_del(struct dpif *, ofproto_meter_id,
                       struct ofputil_meter_stats *, uint16_t n_bands);

/* dpif-xdp-bond.c. */
void xdp_bonds_create(struct xdp_dp *);
void xdp_bonds_destroy(struct xdp_dp *);

/* Returns the port that a packet with 'hash' goes out of by action "lb_output"
 * with 'id', and counts its 'bytes' there, or ODPP_NONE.  Any thread. */
odp_port_t xdp_bond_take(struct xdp_dp *, uint32_t id, uint32_t hash,
                         uint32_t bytes);

/* Whether XDP can redirect frames to all ports of that bond.  Any thread. */
bool xdp_bond_takes_frames(const struct xdp_dp *, uint32_t id);

/* No port receives for 'port', which is about to leave. */
void xdp_bonds_remove_port(struct xdp_dp *, const struct xdp_port *port)
    OVS_REQUIRES(dp->port_mutex);

/* Main thread. */
void xdp_bonds_run(struct xdp_dp *);
void xdp_bonds_wait(struct xdp_dp *);
void xdp_bonds_format(const struct xdp_dp *, struct ds *);

int dpif_xdp_bond_add(struct dpif *, uint32_t id, odp_port_t *members);
int dpif_xdp_bond_del(struct dpif *, uint32_t id);
int dpif_xdp_bond_stats_get(struct dpif *, uint32_t id, uint64_t *bytes);

/* dpif-xdp-carrier.c. */

/* Another port in the place of a bond's dead member, or none any more. */
struct xdp_standby {
    int ifindex;                /* Of the member, if that is prepared. */
    uint32_t port_no;           /* Of the member. */
    uint32_t standby;           /* Port to output to instead, 0 for none. */
    union oxdp_ifport *received; /* Device, of what comes in by which is taken
                                  * to be by the member from then on; or
                                  * NULL. */
};

/* Main thread.  The first returns 0 or a positive errno value, the third whether
 * the thread has done something since the last call. */
int xdp_carrier_create(struct xdp_dp *);
void xdp_carrier_destroy(struct xdp_dp *);
bool xdp_carrier_run(struct xdp_dp *);
void xdp_carrier_wait(struct xdp_dp *);

/* Does '*s' at once. */
void xdp_standby_apply(struct xdp_dp *, const struct xdp_standby *s)
    OVS_REQUIRES(dp->port_mutex);

/* From now on the 'n' elements of 'standbys', which it takes, are to be done
 * when those members lose their carriers. */
void xdp_standby_prepare(struct xdp_dp *, struct xdp_standby *standbys,
                         size_t n)
    OVS_REQUIRES(dp->port_mutex);

/* Nothing with port 'port_no' is to be done any more. */
void xdp_standby_forget(struct xdp_dp *, uint32_t port_no)
    OVS_REQUIRES(dp->port_mutex);

/* Gives port 'port_no' its flags, without those that it must not have while
 * another one stands in for it. */
void xdp_standby_put_flags(struct xdp_dp *, uint32_t port_no, uint32_t flags)
    OVS_REQUIRES(dp->port_mutex);

/* dpif-xdp-fdb.c.  Main thread. */
struct xdp_fdb *xdp_fdb_create(void);
void xdp_fdb_destroy(struct xdp_fdb *);
void xdp_fdb_run(struct xdp_dp *);
void xdp_fdb_wait(struct xdp_dp *);

/* The kernel bridge 'ifindex' forwards when userspace cannot, and then
 * remembers addresses for 'age_s' seconds; or it does not any more. */
void xdp_fdb_set_bridge(struct xdp_dp *, int ifindex, unsigned int age_s);
void xdp_fdb_remove_bridge(struct xdp_dp *, int ifindex);

/* dpif-xdp-warm.c.  Main thread. */

/* Makes upcalls of what an earlier daemon has flows for; 'legacy' may be
 * NULL. */
void xdp_warm_start(struct xdp_dp *, const struct oxdp_legacy *legacy);

/* Whether OVS has answered them, or has had its time. */
bool xdp_warm_is_done(struct xdp_dp *);
void xdp_warm_wait(const struct xdp_dp *);
void xdp_warm_finish(struct xdp_dp *);

/* Whether this is a packet of such an upcall, which must go nowhere.  Any
 * thread. */
bool xdp_warm_is_packet(const struct dp_packet *);

/* dpif-xdp-ct.c. */
void xdp_ct_execute(struct xdp_dp *, struct dp_packet_batch *,
                    const struct nlattr *ct, const struct flow *);
int dpif_xdp_ct_dump_start(struct dpif *, struct ct_dpif_dump_state **,
                           const uint16_t *zone, int *n_buckets);
int dpif_xdp_ct_dump_next(struct dpif *, struct ct_dpif_dump_state *,
                          struct ct_dpif_entry *);
int dpif_xdp_ct_dump_done(struct dpif *, struct ct_dpif_dump_state *);
#if OXDP_OVS_VERSION >= 302
int dpif_xdp_ct_exp_dump_start(struct dpif *, struct ct_dpif_dump_state **,
                               const uint16_t *zone);
int dpif_xdp_ct_exp_dump_next(struct dpif *, struct ct_dpif_dump_state *,
                              struct ct_dpif_exp *);
int dpif_xdp_ct_exp_dump_done(struct dpif *, struct ct_dpif_dump_state *);
#endif
int dpif_xdp_ct_flush(struct dpif *, const uint16_t *zone,
                      const struct ct_dpif_tuple *);
int dpif_xdp_ct_set_maxconns(struct dpif *, uint32_t maxconns);
int dpif_xdp_ct_get_maxconns(struct dpif *, uint32_t *maxconns);
int dpif_xdp_ct_get_nconns(struct dpif *, uint32_t *nconns);
int dpif_xdp_ct_set_tcp_seq_chk(struct dpif *, bool enabled);
int dpif_xdp_ct_get_tcp_seq_chk(struct dpif *, bool *enabled);
#if OXDP_OVS_VERSION >= 302
int dpif_xdp_ct_set_sweep_interval(struct dpif *, uint32_t ms);
int dpif_xdp_ct_get_sweep_interval(struct dpif *, uint32_t *ms);
#endif
#if OXDP_OVS_VERSION >= 303
int dpif_xdp_ct_set_limits(struct dpif *, const struct ovs_list *limits);
int dpif_xdp_ct_get_limits(struct dpif *, const struct ovs_list *request,
                           struct ovs_list *reply);
#else
int dpif_xdp_ct_set_limits(struct dpif *, const uint32_t *default_limit,
                           const struct ovs_list *limits);
int dpif_xdp_ct_get_limits(struct dpif *, uint32_t *default_limit,
                           const struct ovs_list *request,
                           struct ovs_list *reply);
#endif
int dpif_xdp_ct_del_limits(struct dpif *, const struct ovs_list *limits);
int dpif_xdp_ct_set_timeout_policy(struct dpif *,
                                   const struct ct_dpif_timeout_policy *);
int dpif_xdp_ct_get_timeout_policy(struct dpif *, uint32_t id,
                                   struct ct_dpif_timeout_policy *);
int dpif_xdp_ct_del_timeout_policy(struct dpif *, uint32_t id);
int dpif_xdp_ct_get_timeout_policy_name(struct dpif *, uint32_t id,
                                        uint16_t dl_type, uint8_t nw_proto,
                                        char **namep, bool *is_generic);
int dpif_xdp_ct_get_features(struct dpif *, enum ct_features *);
int dpif_xdp_ipf_set_enabled(struct dpif *, bool v6, bool enabled);
int dpif_xdp_ipf_set_min_frag(struct dpif *, bool v6, uint32_t min_frag);
int dpif_xdp_ipf_set_max_nfrags(struct dpif *, uint32_t max_nfrags);
int dpif_xdp_ipf_get_status(struct dpif *, struct dpif_ipf_status *);
int dpif_xdp_ipf_dump_start(struct dpif *, struct ipf_dump_ctx **);
int dpif_xdp_ipf_dump_next(struct dpif *, void *dump, char **fragsp);
int dpif_xdp_ipf_dump_done(struct dpif *, void *dump);

/* dpif-xdp-unixctl.c. */
void xdp_unixctl_init(void);

/* Returns the one datapath, as xdp_dp_get() does, or NULL after having replied
 * that there is none. */
struct xdp_dp *xdp_unixctl_get_dp(struct unixctl_conn *);

#endif /* dpif-xdp.h */
