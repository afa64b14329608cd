/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-macs.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/vlog.h"
#include "oxdp-abi.h"
#include "oxdp-fdb.h"
#include "oxdp-filter.h"
#include "oxdp-loader.h"
#include "oxdp-mac.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(oxdp_macs);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

/* What one of the two tables has for a key. */
union value {
    union oxdp_mac_owner mac;
    struct oxdp_mac_src src;
};

/* An element of one of the tables, there or to be there. */
struct element {
    struct hmap_node node;
    struct oxdp_mac_key key;
    union value want;
    bool wanted;                /* 'want' is to be there. */
    union value now;
    bool there;                 /* 'now' is there. */
    struct oxdp_mac *slot;      /* In oxdp_shared.macs, if there. */
    int want_filter;            /* Device that is to receive what is for the
                                 * address, 0 if none. */
    int filter;                 /* Device that does. */
};

struct table {
    struct oxdp_bpf *bpf;
    int fd;                     /* The map, or -1 if it is oxdp_shared.macs. */
    bool removed;               /* From that, since the last grace period. */
    struct hmap elements;       /* Of struct element, by key. */
};

struct oxdp_macs {
    struct oxdp_bpf *bpf;
    struct table macs, srcs;
    struct oxdp_macvlan ports[OXDP_MAX_PORTS];  /* What is to be there. */
};

static void
table_init(struct table *table, struct oxdp_bpf *bpf, int fd)
{
    table->bpf = bpf;
    table->fd = fd;
    hmap_init(&table->elements);
}

struct oxdp_macs *
oxdp_macs_create(struct oxdp_bpf *bpf)
{
    struct oxdp_macs *macs = xzalloc(sizeof *macs);

    macs->bpf = bpf;
    table_init(&macs->macs, bpf, -1);
    table_init(&macs->srcs, bpf, bpf->mac_srcs_fd);
    return macs;
}

void
oxdp_macs_destroy(struct oxdp_macs *macs)
{
    if (macs) {
        oxdp_macs_start(macs);
        oxdp_macs_finish(macs);
        hmap_destroy(&macs->macs.elements);
        hmap_destroy(&macs->srcs.elements);
        free(macs);
    }
}

static void
table_start(struct table *table)
{
    struct element *e;

    HMAP_FOR_EACH (e, node, &table->elements) {
        e->wanted = false;
        e->want_filter = 0;
        memset(&e->want, 0, sizeof e->want);
    }
}

void
oxdp_macs_start(struct oxdp_macs *macs)
{
    table_start(&macs->macs);
    table_start(&macs->srcs);
    memset(macs->ports, 0, sizeof macs->ports);
}

static struct oxdp_mac_key
make_key(const struct oxdp_macs_port *port, struct eth_addr mac)
{
    struct oxdp_mac_key key = { .lower = port->lower, .vlan = port->vlan };

    memcpy(key.mac, &mac, sizeof key.mac);
    return key;
}

/* Returns the element for 'mac' on 'port', which is wanted from now on. */
static struct element *
table_want(struct table *table, const struct oxdp_macs_port *port,
           struct eth_addr mac)
{
    struct oxdp_mac_key key = make_key(port, mac);
    uint32_t hash = hash_bytes(&key, sizeof key, 0);
    struct element *e;

    HMAP_FOR_EACH_WITH_HASH (e, node, hash, &table->elements) {
        if (!memcmp(&e->key, &key, sizeof key)) {
            e->wanted = true;
            return e;
        }
    }
    e = xzalloc(sizeof *e);
    e->key = key;
    e->wanted = true;
    hmap_insert(&table->elements, &e->node, hash);
    return e;
}

void
oxdp_macs_add_port(struct oxdp_macs *macs, const struct oxdp_macs_port *port)
{
    struct oxdp_macvlan *p = &macs->ports[port->port_no];
    struct oxdp_macvlan *lower = &macs->ports[port->lower];
    union oxdp_mac_owner *vlan;

    p->lower = port->lower;
    p->vlan = port->vlan;
    p->mode = port->mode;
    if (port->vlan) {
        lower->flags |= OXDP_MACVLAN_F_VLANS;
    }
    if (port->mode == OXDP_MACVLAN_LOWER) {
        return;
    }
    vlan = &table_want(&macs->macs, port, eth_addr_zero)->want.mac;
    vlan->lower = port->lower;
    if (port->mode == OXDP_MACVLAN_LOCAL) {
        vlan->local = port->port_no;
        return;
    }
    p->next = vlan->port;
    vlan->port = port->port_no;
    if (port->mode == OXDP_MACVLAN_PASSTHRU) {
        lower->next = port->port_no;
    }
    if (port->groups) {
        p->flags |= OXDP_MACVLAN_F_FILTER;
        for (size_t i = 0; i < port->n_groups; i++) {
            uint32_t bit = oxdp_filter_bit(port->groups[i].ea);

            p->filter[bit / 64] |= UINT64_C(1) << bit % 64;
        }
    }
}

uint32_t
oxdp_macs_add_mac(struct oxdp_macs *macs, const struct oxdp_macs_port *port,
                  struct eth_addr mac)
{
    struct element *e = table_want(&macs->macs, port, mac);
    union oxdp_mac_owner *owner = &e->want.mac;

    /* The kernel's device has the address of the device below it. */
    if (owner->port && owner->port != port->port_no
        && (owner->mode != OXDP_MACVLAN_LOCAL
            || port->mode != OXDP_MACVLAN_PASSTHRU)) {
        return owner->port;
    }
    owner->lower = port->lower;
    owner->port = port->port_no;
    owner->mode = port->mode;
    e->want_filter = port->lower_ifindex;
    return 0;
}

int
oxdp_macs_add_source(struct oxdp_macs *macs, const struct oxdp_macs_port *port,
                     struct eth_addr mac)
{
    struct oxdp_mac_src *src = &table_want(&macs->srcs, port, mac)->want.src;

    macs->ports[port->lower].flags |= OXDP_MACVLAN_F_SOURCES;
    for (size_t i = 0; i < src->n; i++) {
        if (src->ports[i] == port->port_no) {
            return 0;
        }
    }
    if (src->n >= OXDP_MAC_SRC_PORTS) {
        return ENOSPC;
    }
    src->ports[src->n++] = port->port_no;
    return 0;
}

/* Returns a free slot for 'key' in whichever of its two buckets has more of
 * them, or NULL if both are full. */
static struct oxdp_mac *
find_slot(const struct oxdp_bpf *bpf, const struct oxdp_mac_key *key)
{
    uint64_t hash = oxdp_mac_hash(oxdp_mac_key(key->mac, key->vlan),
                                  key->lower, bpf->seeds);
    struct oxdp_mac *best = NULL;
    size_t best_n = 0;

    for (int i = 0; i < 2; i++) {
        struct oxdp_mac_bucket *bucket
            = &bpf->shared->macs[oxdp_mac_bucket(hash, i)];
        struct oxdp_mac *slot = NULL;
        size_t n = 0;

        for (size_t j = 0; j < OXDP_MAC_SLOTS; j++) {
            if (!bucket->macs[j].owner.both) {
                slot = slot ? slot : &bucket->macs[j];
                n++;
            }
        }
        if (n > best_n) {
            best = slot;
            best_n = n;
        }
    }
    return best;
}

/* Makes 'e' be there as it is wanted.  Returns 0 or a positive errno value. */
static int
table_put(struct table *table, struct element *e)
{
    if (table->fd >= 0) {
        return -bpf_map_update_elem(table->fd, &e->key, &e->want, BPF_ANY);
    }
    if (!e->slot) {
        e->slot = find_slot(table->bpf, &e->key);
        if (!e->slot) {
            return ENOSPC;
        }
        if (table->removed) {
            /* Somebody may have found the key of before. */
            oxdp_bpf_synchronize();
            table->removed = false;
        }
        e->slot->key = oxdp_mac_key(e->key.mac, e->key.vlan);
    }
    __atomic_store_n(&e->slot->owner.both, e->want.mac.both,
                     __ATOMIC_RELEASE);
    return 0;
}

/* Makes 'e', which is there, be gone. */
static void
table_delete(struct table *table, struct element *e)
{
    if (table->fd >= 0) {
        bpf_map_delete_elem(table->fd, &e->key);
    } else {
        __atomic_store_n(&e->slot->owner.both, 0, __ATOMIC_RELEASE);
        table->removed = true;
    }
}

/* Makes elements that are wanted be there. */
static void
table_add(struct table *table)
{
    struct element *e;

    HMAP_FOR_EACH (e, node, &table->elements) {
        if (e->wanted && (!e->there || memcmp(&e->now, &e->want,
                                              sizeof e->want))) {
            int error = table_put(table, e);

            if (error) {
                VLOG_WARN_RL(&rl, "cannot add address "ETH_ADDR_FMT" (%s): "
                             "there may be %d of them",
                             ETH_ADDR_BYTES_ARGS(e->key.mac),
                             ovs_strerror(error), OXDP_MAX_MACS);
            } else {
                e->now = e->want;
                e->there = true;
            }
        }
    }
}

/* And those that are not, be gone. */
static void
table_remove(struct table *table)
{
    struct element *e;

    HMAP_FOR_EACH_SAFE (e, node, &table->elements) {
        if (!e->wanted) {
            if (e->there) {
                table_delete(table, e);
            }
            hmap_remove(&table->elements, &e->node);
            free(e);
        }
    }
}

static void
apply_ports(struct oxdp_macs *macs)
{
    struct oxdp_macvlan *now = macs->bpf->shared->macvlans;

    for (size_t i = 0; i < OXDP_MAX_PORTS; i++) {
        const struct oxdp_macvlan *want = &macs->ports[i];

        if (memcmp(&now[i], want, sizeof *want)) {
            memcpy(now[i].filter, want->filter, sizeof want->filter);
            *(volatile uint64_t *) &now[i].both = want->both;
        }
    }
}

/* Has the lower ports' devices receive what is for the ports above, without
 * being promiscuous. */
static void
apply_filters(struct oxdp_macs *macs)
{
    size_t n = 0, allocated = 0;
    struct oxdp_fdb_op *ops = NULL;
    struct element *e;

    HMAP_FOR_EACH (e, node, &macs->macs.elements) {
        struct oxdp_fdb_op op = { .self = true };

        if (e->filter == e->want_filter) {
            continue;
        }
        if (n + 2 > allocated) {
            allocated += 64;
            ops = xrealloc(ops, allocated * sizeof *ops);
        }
        memcpy(&op.mac, e->key.mac, sizeof op.mac);
        if (e->filter) {
            op.ifindex = e->filter;
            ops[n++] = op;
        }
        if (e->want_filter) {
            op.ifindex = e->want_filter;
            op.add = true;
            ops[n++] = op;
        }
        e->filter = e->want_filter;
    }
    oxdp_fdb_execute(ops, n);
    for (size_t i = 0; i < n; i++) {
        if (ops[i].add && ops[i].error) {
            VLOG_WARN_RL(&rl, "the device with ifindex %d does not take "
                         "address "ETH_ADDR_FMT" into its filter (%s): if "
                         "nothing for it arrives, use \"ip link set ... "
                         "promisc on\"", ops[i].ifindex,
                         ETH_ADDR_ARGS(ops[i].mac),
                         ovs_strerror(ops[i].error));
        }
    }
    free(ops);
}

void
oxdp_macs_finish(struct oxdp_macs *macs)
{
    table_add(&macs->macs);
    table_add(&macs->srcs);
    apply_ports(macs);
    apply_filters(macs);
    table_remove(&macs->macs);
    table_remove(&macs->srcs);
}

void
oxdp_macs_for_each(const struct oxdp_macs *macs, uint32_t port_no,
                   void (*cb)(struct eth_addr, bool source, void *aux),
                   void *aux)
{
    const struct element *e;
    struct eth_addr mac;

    HMAP_FOR_EACH (e, node, &macs->macs.elements) {
        memcpy(&mac, e->key.mac, sizeof mac);
        if (e->there && e->now.mac.port == port_no && !eth_addr_is_zero(mac)) {
            cb(mac, false, aux);
        }
    }
    HMAP_FOR_EACH (e, node, &macs->srcs.elements) {
        memcpy(&mac, e->key.mac, sizeof mac);
        for (size_t i = 0; e->there && i < e->now.src.n; i++) {
            if (e->now.src.ports[i] == port_no) {
                cb(mac, true, aux);
            }
        }
    }
}

const char *
oxdp_macs_mode_name(uint8_t mode)
{
    switch (mode) {
#define OXDP_MACVLAN_MODE(ENUM, BIT, NAME) case BIT: return NAME;
    OXDP_MACVLAN_ROLES
#undef OXDP_MACVLAN_MODE
    default: return "none";
    }
}

bool
oxdp_macs_mode_from_string(const char *s, uint8_t *mode)
{
#define OXDP_MACVLAN_MODE(ENUM, BIT, NAME)      \
    if (!strcmp(s, NAME)) {                     \
        *mode = BIT;                            \
        return true;                            \
    }
    OXDP_MACVLAN_MODES
#undef OXDP_MACVLAN_MODE
    return false;
}
