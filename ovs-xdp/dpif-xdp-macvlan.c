/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-macvlan: bridges with other_config:xdp-l2=macvlan, see
 * datapath-bpf/oxdp-macvlan.h: what the database says of their ports.
 *
 * dpif-xdp-bridge.c calls this whenever that may have changed.
 */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "dpif-xdp.h"
#include "openvswitch/dynamic-string.h"
#include "oxdp-macs.h"
#include "packets.h"
#include "smap.h"
#include "util.h"
#include "vswitch-idl.h"

/* A bridge. */
struct bridge {
    const struct ovsrec_bridge *cfg;
    const char *lower_name;     /* Or NULL. */
    const struct xdp_port *lower;       /* Or NULL. */
    const struct xdp_port *local;       /* Or NULL. */
    size_t n_uppers;            /* Interfaces that are neither that nor
                                 * LOCAL. */
};

/* An Interface that is a port of the datapath. */
struct member {
    const struct ovsrec_interface *cfg;
    const struct ovsrec_port *port_cfg;
    struct xdp_port *port;
};

/* Addresses. */
struct addresses {
    struct eth_addr *macs;
    size_t n, allocated;
};

static void
add_address(struct addresses *list, struct eth_addr mac)
{
    if (list->n >= list->allocated) {
        list->macs = x2nrealloc(list->macs, &list->allocated,
                                sizeof *list->macs);
    }
    list->macs[list->n++] = mac;
}

/* Appends the addresses in 's', which commas and blanks separate, to 'list';
 * NULL has none.  'where' is what says 's'.  Returns NULL or what is wrong. */
static char *
parse_addresses(const char *s, const char *where, bool multicast,
                struct addresses *list)
{
    char *copy = xstrdup(s ? s : ""), *error = NULL;
    char *save_ptr = NULL;

    for (char *word = strtok_r(copy, ", ", &save_ptr); word && !error;
         word = strtok_r(NULL, ", ", &save_ptr)) {
        struct eth_addr mac;

        if (!eth_addr_from_string(word, &mac) || eth_addr_is_zero(mac)
            || eth_addr_is_multicast(mac) != multicast) {
            error = xasprintf("%s has \"%s\", which is no %s address: write "
                              "them like %s", where, word,
                              multicast ? "multicast" : "unicast",
                              multicast ? "01:00:5e:00:00:fb"
                              : "02:00:00:00:00:01");
        } else {
            add_address(list, mac);
        }
    }
    free(copy);
    return error;
}

/* What the database says of an upper port. */
struct upper {
    struct oxdp_macs_port port;
    struct addresses own, sources, groups;
};

static void
upper_free(struct upper *upper)
{
    free(upper->own.macs);
    free(upper->sources.macs);
    free(upper->groups.macs);
}

/* Stores the VLAN of 'cfg' in '*vlan'.  Returns NULL or what is wrong. */
static char *
get_vlan(const struct ovsrec_port *cfg, uint16_t *vlan)
{
    *vlan = cfg->n_tag ? *cfg->tag : 0;
    if (cfg->n_trunks || cfg->n_cvlans
        || (cfg->vlan_mode && strcmp(cfg->vlan_mode, "access"))) {
        return xstrdup("trunks, cvlans and vlan_mode are not possible in a "
                       "bridge with xdp-l2=macvlan: give the Port a tag, or "
                       "nothing and it sees all tags");
    }
    return NULL;
}

static char *
get_mode(const struct bridge *br, const struct ovsrec_interface *cfg,
         struct oxdp_macs_port *port)
{
    const char *s = smap_get_def(&cfg->other_config, "xdp-macvlan-mode",
                                 "bridge");

    if (!oxdp_macs_mode_from_string(s, &port->mode)) {
        return xasprintf("other_config:xdp-macvlan-mode=\"%s\" is not a mode: "
                         "use bridge, vepa, private, passthru or source", s);
    }
    if (port->mode == OXDP_MACVLAN_PASSTHRU && br->n_uppers > 1) {
        return xasprintf("xdp-macvlan-mode=passthru is for the only port above "
                         "%s: remove the other %"PRIuSIZE, br->lower_name,
                         br->n_uppers - 1);
    }
    if (port->mode == OXDP_MACVLAN_PASSTHRU && port->vlan) {
        return xstrdup("xdp-macvlan-mode=passthru is for all VLANs: remove "
                       "the tag of the Port");
    }
    return NULL;
}

static char *
get_addresses(const struct bridge *br, const struct ovsrec_interface *cfg,
              struct upper *upper)
{
    bool source = upper->port.mode == OXDP_MACVLAN_SOURCE;
    const char *macs = smap_get(&cfg->other_config, "xdp-macvlan-macs");
    const char *groups = smap_get(&cfg->other_config,
                                  "xdp-macvlan-multicast");
    char *error;

    if (upper->port.mode == OXDP_MACVLAN_PASSTHRU) {
        /* It may have any, and has the one of the device below it. */
        if (br->local) {
            add_address(&upper->own, br->local->mac);
        }
        return NULL;
    }
    error = parse_addresses(cfg->mac, "mac", false, &upper->own);
    if (!error) {
        error = parse_addresses(smap_get(&cfg->external_ids, "attached-mac"),
                                "external_ids:attached-mac", false,
                                &upper->own);
    }
    if (!error) {
        error = parse_addresses(macs, "other_config:xdp-macvlan-macs", false,
                                source ? &upper->sources : &upper->own);
    }
    if (!error && groups) {
        /* The kernel's devices always have this one. */
        add_address(&upper->groups, eth_addr_broadcast);
        error = parse_addresses(groups, "other_config:xdp-macvlan-multicast",
                                true, &upper->groups);
    }
    if (!error && !upper->own.n) {
        error = xasprintf("no address: set the Interface's mac, "
                          "external_ids:attached-mac%s",
                          source ? "" : " or other_config:xdp-macvlan-macs");
    }
    upper->port.groups = groups ? upper->groups.macs : NULL;
    upper->port.n_groups = upper->groups.n;
    return error;
}

/* Adds 'upper' to the tables.  Returns NULL or what is wrong. */
static char *
add_upper(struct xdp_dp *dp, const struct upper *upper)
    OVS_REQUIRES(dp->port_mutex)
{
    char *error = NULL;

    oxdp_macs_add_port(dp->macs, &upper->port);
    for (size_t i = 0; i < upper->own.n; i++) {
        uint32_t owner = oxdp_macs_add_mac(dp->macs, &upper->port,
                                           upper->own.macs[i]);
        const struct xdp_port *other
            = owner ? xdp_port_by_number(dp, u32_to_odp(owner)) : NULL;

        if (other) {
            free(error);
            error = xasprintf("address "ETH_ADDR_FMT" is that of %s already: "
                              "give each port one of its own",
                              ETH_ADDR_ARGS(upper->own.macs[i]), other->name);
        }
    }
    for (size_t i = 0; i < upper->sources.n; i++) {
        if (oxdp_macs_add_source(dp->macs, &upper->port,
                                 upper->sources.macs[i])) {
            free(error);
            error = xasprintf("%d ports have "ETH_ADDR_FMT" in "
                              "xdp-macvlan-macs already, which is all there "
                              "can be", OXDP_MAC_SRC_PORTS,
                              ETH_ADDR_ARGS(upper->sources.macs[i]));
        }
    }
    return error;
}

/* Adds LOCAL or the lower port to the tables.  Returns NULL or what is
 * wrong. */
static char *
add_special(struct xdp_dp *dp, const struct bridge *br,
            const struct member *member, uint8_t mode)
    OVS_REQUIRES(dp->port_mutex)
{
    struct oxdp_macs_port port = {
        .port_no = odp_to_u32(member->port->port_no),
        .lower = odp_to_u32(br->lower->port_no),
        .lower_ifindex = br->lower->ifindex,
        .mode = mode,
    };
    char *error = get_vlan(member->port_cfg, &port.vlan);

    if (!error && mode == OXDP_MACVLAN_LOWER && port.vlan) {
        error = xstrdup("the lower port takes all VLANs: give the tag to the "
                        "others");
    }
    if (!error) {
        oxdp_macs_add_port(dp->macs, &port);
        if (mode == OXDP_MACVLAN_LOCAL) {
            oxdp_macs_add_mac(dp->macs, &port, member->port->mac);
        }
    }
    return error;
}

/* Adds 'member' to the tables.  Returns NULL or what is wrong. */
static char *
add_member(struct xdp_dp *dp, const struct bridge *br,
           const struct member *member)
    OVS_REQUIRES(dp->port_mutex)
{
    struct upper upper = { .port = { .port_no = 0 } };
    char *error;

    if (!br->lower) {
        return (br->lower_name
                ? xasprintf("Bridge other_config:xdp-macvlan-lower=%s is not a "
                            "port of the bridge that works", br->lower_name)
                : xstrdup("the bridge has no lower port: set Bridge "
                          "other_config:xdp-macvlan-lower to the uplink"));
    }
    if (member->port_cfg->n_interfaces > 1) {
        return xstrdup("bonds are not possible in a bridge with "
                       "xdp-l2=macvlan: use a Linux bond as lower port");
    }
    if (member->port == br->lower) {
        return add_special(dp, br, member, OXDP_MACVLAN_LOWER);
    }
    if (member->port->local) {
        return add_special(dp, br, member, OXDP_MACVLAN_LOCAL);
    }
    upper.port.port_no = odp_to_u32(member->port->port_no);
    upper.port.lower = odp_to_u32(br->lower->port_no);
    upper.port.lower_ifindex = br->lower->ifindex;
    error = get_vlan(member->port_cfg, &upper.port.vlan);
    error = error ? error : get_mode(br, member->cfg, &upper.port);
    error = error ? error : get_addresses(br, member->cfg, &upper);
    error = error ? error : add_upper(dp, &upper);
    upper_free(&upper);
    return error;
}

/* LOCAL and the lower port first, which keep their addresses, then by name. */
static int
compare_members(const void *a_, const void *b_)
{
    const struct member *a = a_, *b = b_;

    return (a->port->local != b->port->local
            ? (a->port->local ? -1 : 1)
            : strcmp(a->port->name, b->port->name));
}

/* Stores the members of 'br' in '*membersp', to be freed, and returns their
 * number.  Finds the lower port. */
static size_t
get_members(const struct xdp_dp *dp, struct bridge *br,
            struct member **membersp)
    OVS_REQUIRES(dp->port_mutex)
{
    struct shash ports = SHASH_INITIALIZER(&ports);
    struct member *members = NULL;
    size_t n = 0, allocated = 0;
    struct xdp_port *port;

    HMAP_FOR_EACH (port, node, &dp->ports) {
        if (!port->tunnel) {
            shash_add(&ports, port->name, port);
        }
    }
    br->lower_name = smap_get(&br->cfg->other_config, "xdp-macvlan-lower");
    for (size_t i = 0; i < br->cfg->n_ports; i++) {
        const struct ovsrec_port *p = br->cfg->ports[i];

        for (size_t j = 0; j < p->n_interfaces; j++) {
            const char *name = p->interfaces[j]->name;

            port = shash_find_data(&ports, name);
            if (!port) {
                continue;
            }
            if (n >= allocated) {
                members = x2nrealloc(members, &allocated, sizeof *members);
            }
            members[n++] = (struct member) { p->interfaces[j], p, port };
            if (br->lower_name && !strcmp(name, br->lower_name)
                && !port->local) {
                br->lower = port;
            } else if (port->local) {
                br->local = port;
            } else {
                br->n_uppers++;
            }
        }
    }
    shash_destroy(&ports);
    if (n) {
        qsort(members, n, sizeof *members, compare_members);
    }
    *membersp = members;
    return n;
}

void
xdp_macvlans_start(struct xdp_dp *dp)
{
    oxdp_macs_start(dp->macs);
}

void
xdp_macvlans_add(struct xdp_dp *dp, const struct ovsrec_bridge *cfg)
{
    struct bridge br = { .cfg = cfg };
    struct member *members;
    size_t n = get_members(dp, &br, &members);

    for (size_t i = 0; i < n; i++) {
        xdp_port_set_l2_error(members[i].port,
                              add_member(dp, &br, &members[i]));
    }
    free(members);
}

void
xdp_macvlans_finish(struct xdp_dp *dp)
{
    struct xdp_port *port;

    oxdp_macs_finish(dp->macs);
    HMAP_FOR_EACH (port, node, &dp->ports) {
        const struct oxdp_macvlan *mv
            = &dp->bpf->shared->macvlans[odp_to_u32(port->port_no)];

        /* 'next' is a port that is to have everything. */
        if (port->macvlan && mv->mode == OXDP_MACVLAN_LOWER) {
            xdp_port_set_promisc(dp, port, mv->next != 0);
        }
    }
}

/* ovs-appctl dpif-xdp/macvlan-show. */

static void
format_address(struct eth_addr mac, bool source, void *ds)
{
    ds_put_format(ds, "%s"ETH_ADDR_FMT, source ? " from " : " ",
                  ETH_ADDR_ARGS(mac));
}

static void
format_counters(const struct xdp_dp *dp, uint32_t port_no, struct ds *ds)
{
    struct oxdp_port_stats s;

    xdp_port_get_stats(dp, port_no, &s);
    ds_put_format(ds, "    rx %"PRIu64" packets %"PRIu64" bytes, of these %"
                  PRIu64" multicast, tx %"PRIu64" packets %"PRIu64" bytes, "
                  "another source address %"PRIu64"\n",
                  (uint64_t) s.macvlan.rx_packets,
                  (uint64_t) s.macvlan.rx_bytes,
                  (uint64_t) s.macvlan.rx_multicast,
                  (uint64_t) s.macvlan.tx_packets,
                  (uint64_t) s.macvlan.tx_bytes,
                  (uint64_t) s.drops[OXDP_DROP_MACVLAN_SRC]);
}

static void
format_port(const struct xdp_dp *dp, const struct xdp_port *port,
            struct ds *ds)
    OVS_REQUIRES(dp->port_mutex)
{
    uint32_t port_no = odp_to_u32(port->port_no);
    const struct oxdp_macvlan *mv = &dp->bpf->shared->macvlans[port_no];

    ds_put_format(ds, "  %s: %s", port->name, oxdp_macs_mode_name(mv->mode));
    if (mv->vlan) {
        ds_put_format(ds, ", tag %d", (int) mv->vlan);
    }
    if (mv->flags & OXDP_MACVLAN_F_FILTER) {
        ds_put_cstr(ds, ", multicast filter");
    }
    ds_put_char(ds, ',');
    oxdp_macs_for_each(dp->macs, port_no, format_address, ds);
    ds_chomp(ds, ',');
    if (port->l2_error) {
        ds_put_format(ds, " (%s)", port->l2_error);
    }
    ds_put_char(ds, '\n');
    if (mv->mode != OXDP_MACVLAN_LOWER && mv->mode != OXDP_MACVLAN_NONE) {
        format_counters(dp, port_no, ds);
    }
}

void
xdp_macvlan_format(const struct xdp_dp *dp, const struct ovsrec_bridge *cfg,
                   struct ds *ds)
{
    struct bridge br = { .cfg = cfg };
    struct member *members;
    size_t n = get_members(dp, &br, &members);

    ds_put_format(ds, "bridge %s: lower port %s%s\n", cfg->name,
                  br.lower_name ? br.lower_name : "not set",
                  br.lower || !br.lower_name ? "" : ", which is not there");
    for (size_t i = 0; i < n; i++) {
        format_port(dp, members[i].port, ds);
    }
    free(members);
}
