/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-fdb: what OVS has learned, for the kernel bridges.
 *
 * A bridge that has to forward on its own (see dpif-xdp-bridge.c) should not
 * begin with flooding.  Which address lives behind which port is what installed
 * megaflows say: their source address has been seen on their input port.  So
 * the flow table is walked, a part at a time, and the bridge's forwarding table
 * is made to follow.  An address that no flow has any more stays for as long as
 * OVS remembers addresses.
 *
 * Main thread only.
 */

#include <config.h>

#include <stdlib.h>

#include "dpif-xdp.h"
#include "hash.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "oxdp-fdb.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_fdb);

/* Time from the end of a walk to the next one. */
#define WALK_INTERVAL_MS 1000

/* Flows per part, and time to the next part. */
#define WALK_FLOWS 4096
#define WALK_PART_MS 10

/* The kernel is told of that many at a time, a hundredth of a millisecond
 * each. */
#define MAX_OPS 2048

/* Addresses in all.  OVS's own limit, 8192 per bridge, is in the same order. */
#define MAX_ENTRIES 32768

/* An address in the forwarding table of a bridge. */
struct fdb_entry {
    struct hmap_node node;      /* In struct xdp_fdb's 'entries'. */
    struct eth_addr mac;
    int bridge_ifindex;
    uint32_t port_no;           /* Member of the bridge, as last seen. */
    int kernel_ifindex;         /* Member that the kernel knows, 0 if none. */
    long long int used;         /* When a packet last came from there. */
};

/* A kernel bridge that may have to forward. */
struct fdb_bridge {
    int ifindex;
    unsigned int age_s;         /* How long its addresses are remembered. */
};

struct xdp_fdb {
    struct hmap entries;        /* Of struct fdb_entry. */
    struct cmap_position pos;   /* Where the current walk is. */
    long long int next;         /* When to go on. */
    struct fdb_bridge *bridges;
    size_t n_bridges, allocated_bridges;
};

struct xdp_fdb *
xdp_fdb_create(void)
{
    struct xdp_fdb *fdb = xzalloc(sizeof *fdb);

    hmap_init(&fdb->entries);
    return fdb;
}

void
xdp_fdb_destroy(struct xdp_fdb *fdb)
{
    struct fdb_entry *e;

    if (fdb) {
        HMAP_FOR_EACH_POP (e, node, &fdb->entries) {
            free(e);
        }
        hmap_destroy(&fdb->entries);
        free(fdb->bridges);
        free(fdb);
    }
}

/* Returns the bridge that forwards for 'port_no' when userspace cannot, or 0
 * if there is none or if the port is that bridge's LOCAL. */
static int
bridge_of_port(const struct xdp_dp *dp, uint32_t port_no)
{
    const struct oxdp_port *port = &dp->bpf->shared->ports[port_no];
    int bridge;

    if (port_no >= OXDP_MAX_PORTS || !(port->flags & OXDP_PORT_F_FALLBACK)) {
        return 0;
    }
    bridge = dp->bpf->shared->bports[port_no].bridge;
    return bridge != port->ifindex ? bridge : 0;
}

/* Returns the entry for 'mac' in a bridge, or NULL if there are too many. */
static struct fdb_entry *
fdb_get(struct xdp_fdb *fdb, int bridge_ifindex, struct eth_addr mac)
{
    uint32_t hash = hash_mac(mac, 0, bridge_ifindex);
    struct fdb_entry *e;

    HMAP_FOR_EACH_WITH_HASH (e, node, hash, &fdb->entries) {
        if (e->bridge_ifindex == bridge_ifindex
            && eth_addr_equals(e->mac, mac)) {
            return e;
        }
    }
    if (hmap_count(&fdb->entries) >= MAX_ENTRIES) {
        return NULL;
    }
    e = xzalloc(sizeof *e);
    e->mac = mac;
    e->bridge_ifindex = bridge_ifindex;
    hmap_insert(&fdb->entries, &e->node, hash);
    return e;
}

/* Bridges. */

static struct fdb_bridge *
find_bridge(const struct xdp_fdb *fdb, int ifindex)
{
    for (size_t i = 0; i < fdb->n_bridges; i++) {
        if (fdb->bridges[i].ifindex == ifindex) {
            return &fdb->bridges[i];
        }
    }
    return NULL;
}

struct adopt_aux {
    struct xdp_dp *dp;
    int bridge_ifindex;
};

/* An entry that an earlier daemon has left and nobody else would remove. */
static void
adopt_entry(struct eth_addr mac, int ifindex, void *aux_)
{
    struct adopt_aux *aux = aux_;
    const struct oxdp_port *ports = aux->dp->bpf->shared->ports;
    struct fdb_entry *e = fdb_get(aux->dp->fdb, aux->bridge_ifindex, mac);

    if (e && !e->kernel_ifindex) {
        e->kernel_ifindex = ifindex;
        for (uint32_t i = 0; i < OXDP_MAX_PORTS; i++) {
            if (ports[i].ifindex == ifindex) {
                e->port_no = i;
                e->used = time_msec();
                break;
            }
        }
    }
}

void
xdp_fdb_set_bridge(struct xdp_dp *dp, int ifindex, unsigned int age_s)
{
    struct adopt_aux aux = { dp, ifindex };
    struct xdp_fdb *fdb = dp->fdb;
    struct fdb_bridge *br = find_bridge(fdb, ifindex);

    if (!br) {
        if (fdb->n_bridges >= fdb->allocated_bridges) {
            fdb->bridges = x2nrealloc(fdb->bridges, &fdb->allocated_bridges,
                                      sizeof *fdb->bridges);
        }
        br = &fdb->bridges[fdb->n_bridges++];
        br->ifindex = ifindex;
        oxdp_fdb_dump(ifindex, adopt_entry, &aux);
    }
    br->age_s = age_s;
}

void
xdp_fdb_remove_bridge(struct xdp_dp *dp, int ifindex)
{
    struct xdp_fdb *fdb = dp->fdb;
    struct fdb_bridge *br = find_bridge(fdb, ifindex);

    if (br) {
        *br = fdb->bridges[--fdb->n_bridges];
    }
}

/* Walking. */

/* Stores in '*mac' the source address of packets of 'mf'.  Returns false if
 * that is no single one, or if packets from it are dropped. */
static bool
megaflow_source(const struct oxdp_megaflow *mf, struct eth_addr *mac)
{
    size_t mask_len;
    const struct nlattr *mask = oxdp_index_entry_mask(&mf->entry, &mask_len);
    const struct nlattr *key
        = nl_attr_find__(oxdp_index_entry_key(&mf->entry), mf->entry.key_len,
                         OVS_KEY_ATTR_ETHERNET);
    const struct oxdp_actions *actions
        = ovsrcu_get(struct oxdp_actions *, &mf->actions);
    const struct ovs_key_ethernet *eth;

    mask = nl_attr_find__(mask, mask_len, OVS_KEY_ATTR_ETHERNET);
    if (!key || !mask || !actions->size) {
        return false;
    }
    eth = nl_attr_get(mask);
    if (!eth_mask_is_exact(eth->eth_src)) {
        return false;
    }
    eth = nl_attr_get(key);
    *mac = eth->eth_src;
    return !eth_addr_is_multicast(*mac) && !eth_addr_is_zero(*mac);
}

/* Notes where packets of 'mf' come from. */
static void
learn_megaflow(struct xdp_dp *dp, const struct oxdp_megaflow *mf)
{
    int bridge_ifindex = bridge_of_port(dp, mf->in_port);
    struct oxdp_counters counters;
    struct eth_addr mac;

    if (bridge_ifindex && megaflow_source(mf, &mac)) {
        struct fdb_entry *e;

        oxdp_megaflow_counters(dp->table, mf, &counters);
        e = counters.used ? fdb_get(dp->fdb, bridge_ifindex, mac) : NULL;
        /* Of two places, the later one. */
        if (e && counters.used >= e->used) {
            e->used = counters.used;
            e->port_no = mf->in_port;
        }
    }
}

/* Returns true at the end of the table. */
static bool
walk_part(struct xdp_dp *dp)
{
    for (int i = 0; i < WALK_FLOWS; i++) {
        struct oxdp_megaflow *mf = oxdp_table_next(dp->table, &dp->fdb->pos);

        if (!mf) {
            dp->fdb->pos = (struct cmap_position) { 0, 0, 0 };
            return true;
        }
        learn_megaflow(dp, mf);
    }
    return false;
}

/* Returns whether 'e' still says where its address is. */
static bool
is_current(const struct xdp_dp *dp, const struct fdb_entry *e)
{
    const struct fdb_bridge *br = find_bridge(dp->fdb, e->bridge_ifindex);

    return (br && bridge_of_port(dp, e->port_no) == br->ifindex
            && e->used + 1000LL * br->age_s > time_msec());
}

/* Tells the kernel what has changed.  A device that is no member of its bridge
 * any more has lost its entries there. */
static void
fdb_sync(struct xdp_dp *dp)
{
    struct hmap *entries = &dp->fdb->entries;
    struct oxdp_fdb_op *ops;
    struct fdb_entry *e;
    size_t n = 0;

    ops = xmalloc(MAX_OPS * sizeof *ops);
    HMAP_FOR_EACH_SAFE (e, node, entries) {
        int ifindex = dp->bpf->shared->ports[e->port_no].ifindex;

        if (n >= MAX_OPS) {
            break;
        }
        if (!is_current(dp, e)) {
            if (e->kernel_ifindex) {
                ops[n++] = (struct oxdp_fdb_op) {
                    .mac = e->mac, .ifindex = e->kernel_ifindex
                };
            }
            hmap_remove(entries, &e->node);
            free(e);
        } else if (e->kernel_ifindex != ifindex) {
            ops[n++] = (struct oxdp_fdb_op) {
                .mac = e->mac, .ifindex = ifindex, .add = true
            };
            e->kernel_ifindex = ifindex;
        }
    }
    oxdp_fdb_execute(ops, n);
    for (size_t i = 0; i < n; i++) {
        if (ops[i].add && ops[i].error) {
            static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

            VLOG_INFO_RL(&rl, "kernel bridge does not take "ETH_ADDR_FMT
                         " (%s)", ETH_ADDR_ARGS(ops[i].mac),
                         ovs_strerror(ops[i].error));
        }
    }
    free(ops);
}

void
xdp_fdb_run(struct xdp_dp *dp)
{
    struct xdp_fdb *fdb = dp->fdb;

    if (time_msec() < fdb->next) {
        return;
    }
    if (!walk_part(dp)) {
        fdb->next = time_msec() + WALK_PART_MS;
    } else {
        fdb_sync(dp);
        fdb->next = time_msec() + WALK_INTERVAL_MS;
    }
}

void
xdp_fdb_wait(struct xdp_dp *dp)
{
    poll_timer_wait_until(dp->fdb->next);
}
