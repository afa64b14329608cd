/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-bridge: bridges, and what the database says of them and of ports.
 *
 * A dpif is not told which bridge a port is in, nor much else.  So this file
 * looks it up in ovs-vswitchd's own copy of the database, which it gets to see
 * by standing in front of a function that bridge_run() calls in each iteration
 * of the main loop.  From it follows which kernel bridge a port's device is a
 * member of, and what BPF has to know for packets that the kernel bridge
 * forwards.
 *
 * All of it runs in the main thread.
 */

#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dpif-xdp.h"
#include "mac-learning.h"
#include "netdev-xdp.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "oxdp-bport.h"
#include "oxdp-bridge.h"
#include "oxdp-netdev.h"
#include "rstp.h"
#include "smap.h"
#include "sset.h"
#include "stp.h"
#include "unixctl.h"
#include "util.h"
#include "vswitch-idl.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_bridge);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 20);

/* The database. */

/* ovs-vswitchd's copy, or NULL. */
static const struct ovsdb_idl *the_idl;

const struct ovsrec_open_vswitch *__real_ovsrec_open_vswitch_first(
    const struct ovsdb_idl *);
const struct ovsrec_open_vswitch *__wrap_ovsrec_open_vswitch_first(
    const struct ovsdb_idl *);

static bool
bridge_is_ours(const struct ovsrec_bridge *cfg)
{
    return !strcmp(cfg->datapath_type, DPIF_XDP_TYPE);
}

/* If the database has changed and has no bridge of ours, removes what an
 * earlier daemon has left: OVS opens no datapath that has no bridge. */
static void
remove_leftover(void)
{
    static unsigned int last_seqno;
    const struct ovsrec_bridge *cfg;
    unsigned int seqno = ovsdb_idl_get_seqno(the_idl);

    if (seqno != last_seqno) {
        last_seqno = seqno;
        OVSREC_BRIDGE_FOR_EACH (cfg, the_idl) {
            if (bridge_is_ours(cfg)) {
                return;
            }
        }
        xdp_dp_remove_leftover();
    }
}

const struct ovsrec_open_vswitch *
__wrap_ovsrec_open_vswitch_first(const struct ovsdb_idl *idl)
{
    the_idl = idl;
    remove_leftover();
    return __real_ovsrec_open_vswitch_first(idl);
}

void __real_ovsdb_idl_omit(struct ovsdb_idl *,
                           const struct ovsdb_idl_column *);
void __wrap_ovsdb_idl_omit(struct ovsdb_idl *,
                           const struct ovsdb_idl_column *);

/* Called by bridge_init() for columns that ovs-vswitchd has no use for.  We have
 * one for the attached-mac of Interfaces. */
void
__wrap_ovsdb_idl_omit(struct ovsdb_idl *idl,
                      const struct ovsdb_idl_column *column)
{
    if (column != &ovsrec_interface_col_external_ids) {
        __real_ovsdb_idl_omit(idl, column);
    }
}

const struct smap *
xdp_other_config(void)
{
    static const struct smap none = SMAP_INITIALIZER(&none);
    const struct ovsrec_open_vswitch *cfg
        = the_idl ? __real_ovsrec_open_vswitch_first(the_idl) : NULL;

    return cfg ? &cfg->other_config : &none;
}

bool
xdp_bridge_is_name(const char *name)
{
    const struct ovsrec_bridge *cfg;

    if (the_idl) {
        OVSREC_BRIDGE_FOR_EACH (cfg, the_idl) {
            if (!strcmp(cfg->name, name)) {
                return bridge_is_ours(cfg);
            }
        }
    }
    return false;
}

/* Ports that a spanning tree blocks. */

/* Names of ports on which a spanning tree lets nothing through. */
static struct sset stp_blocked = SSET_INITIALIZER(&stp_blocked);
static bool stp_changed;

void __real_ofproto_port_set_state(struct ofport *, enum ofputil_port_state);
void __wrap_ofproto_port_set_state(struct ofport *, enum ofputil_port_state);

/* Called by ofproto-dpif when the state changes.  In OpenFlow's bits listening
 * cannot be told from no spanning tree at all. */
void
__wrap_ofproto_port_set_state(struct ofport *port,
                              enum ofputil_port_state state)
{
    const char *name = netdev_get_name(port->netdev);
    struct ofproto_port_rstp_status rstp;
    struct ofproto_port_stp_status stp;
    bool blocked = false;

    if (!ofproto_port_get_stp_status(port->ofproto, port->ofp_port, &stp)) {
        blocked |= stp.enabled && !stp_forward_in_state(stp.state);
    }
    if (!ofproto_port_get_rstp_status(port->ofproto, port->ofp_port, &rstp)) {
        blocked |= rstp.enabled && !rstp_forward_in_state(rstp.state);
    }
    if (blocked != sset_contains(&stp_blocked, name)) {
        if (blocked) {
            sset_add(&stp_blocked, name);
        } else {
            sset_find_and_delete(&stp_blocked, name);
        }
        stp_changed = true;
    }
    __real_ofproto_port_set_state(port, state);
}

/* Bridges. */

/* What the database says of a bridge, as far as it concerns us. */
struct xdp_bridge {
    const struct ovsrec_bridge *cfg;
    int ifindex;                /* The kernel bridge, 0 if there is none. */
    bool up;                    /* While it is down it forwards nothing. */
    bool fallback;              /* May it forward? */
    const char *fallback_why;
    enum xdp_flood flood;
    enum xdp_l2 l2;
    bool l2_known;              /* The database has such a value. */
};

/* Stores what 'cfg' says decides where packets go.  Returns false if it is
 * none of what there is. */
static bool
get_l2(const struct ovsrec_bridge *cfg, enum xdp_l2 *l2)
{
    const char *s = smap_get(&cfg->other_config, "xdp-l2");

    *l2 = XDP_L2_OPENFLOW;
#define XDP_L2(ENUM, NAME)                      \
    if (s && !strcmp(s, NAME)) {                \
        *l2 = XDP_L2_##ENUM;                    \
        return true;                            \
    }
    XDP_L2S
#undef XDP_L2
    return !s;
}

static bool
bridge_is_macvlan(const struct ovsrec_bridge *cfg)
{
    enum xdp_l2 l2;

    get_l2(cfg, &l2);
    return bridge_is_ours(cfg) && l2 == XDP_L2_MACVLAN;
}

static bool
bridge_has_interface(const struct ovsrec_bridge *cfg, const char *name)
{
    for (size_t i = 0; i < cfg->n_ports; i++) {
        const struct ovsrec_port *p = cfg->ports[i];

        for (size_t j = 0; j < p->n_interfaces; j++) {
            if (!strcmp(p->interfaces[j]->name, name)) {
                return true;
            }
        }
    }
    return false;
}

bool
xdp_bridge_is_macvlan(const char *name)
{
    const struct ovsrec_bridge *cfg;

    if (the_idl) {
        OVSREC_BRIDGE_FOR_EACH (cfg, the_idl) {
            if (bridge_is_macvlan(cfg) && bridge_has_interface(cfg, name)) {
                return true;
            }
        }
    }
    return false;
}

static const char *
flood_name(enum xdp_flood flood)
{
    static const char *names[] = {
#define XDP_FLOOD(ENUM, NAME) [XDP_FLOOD_##ENUM] = NAME,
        XDP_FLOODS
#undef XDP_FLOOD
    };

    return names[flood];
}

static bool
flood_from_string(const char *s, enum xdp_flood *flood)
{
#define XDP_FLOOD(ENUM, NAME)                   \
    if (!strcmp(s, NAME)) {                     \
        *flood = XDP_FLOOD_##ENUM;              \
        return true;                            \
    }
    XDP_FLOODS
#undef XDP_FLOOD
    return false;
}

static void
get_fallback(const struct ovsrec_bridge *cfg, struct xdp_bridge *br)
{
    const char *s = smap_get(&cfg->other_config, "xdp-fallback");

    if (s && (!strcmp(s, "bridge") || !strcmp(s, "drop"))) {
        br->fallback = !strcmp(s, "bridge");
        br->fallback_why = "other_config:xdp-fallback";
        return;
    }
    br->fallback = !cfg->fail_mode || strcmp(cfg->fail_mode, "secure");
    br->fallback_why = (br->fallback ? "fail_mode is not secure"
                        : "fail_mode=secure");
    if (s) {
        VLOG_WARN_RL(&rl, "bridge %s: other_config:xdp-fallback=\"%s\" is "
                     "neither bridge nor drop: using %s, since %s", cfg->name,
                     s, br->fallback ? "bridge" : "drop", br->fallback_why);
    }
}

/* Has the kernel bridge of 'br' know what OVS has learned, and forget it when
 * OVS does, if it may have to forward. */
static void
apply_learning(struct xdp_dp *dp, const struct xdp_bridge *br)
    OVS_REQUIRES(dp->port_mutex)
{
    int age_s = smap_get_int(&br->cfg->other_config, "mac-aging-time", 0);

    if (br->ifindex && br->fallback) {
        /* As mac_learning_set_idle_time(). */
        xdp_fdb_set_bridge(dp, br->ifindex,
                           age_s ? MIN(MAX(age_s, 15), 3600)
                           : MAC_ENTRY_DEFAULT_IDLE_TIME);
    } else {
        xdp_fdb_remove_bridge(dp, br->ifindex);
    }
}

static void
get_bridge(const struct xdp_dp *dp, const struct ovsrec_bridge *cfg,
           struct xdp_bridge *br)
    OVS_REQUIRES(dp->port_mutex)
{
    const char *flood = smap_get(&cfg->other_config, "xdp-flood");
    const struct xdp_port *local = xdp_port_by_name(dp, cfg->name);

    br->cfg = cfg;
    br->ifindex = local && local->local ? local->ifindex : 0;
    br->up = br->ifindex && local->carrier;
    get_fallback(cfg, br);
    br->l2_known = get_l2(cfg, &br->l2);
    if (br->l2 == XDP_L2_MACVLAN) {
        br->fallback = false;
        br->fallback_why = "other_config:xdp-l2=macvlan";
    }
    br->flood = XDP_FLOOD_AUTO;
    if (flood && !flood_from_string(flood, &br->flood)) {
        VLOG_WARN_RL(&rl, "bridge %s: other_config:xdp-flood=\"%s\" is "
                     "neither auto nor bridge: using auto", cfg->name, flood);
    }
}

/* Ports. */

/* Returns that interface of bond 'cfg' which takes part in what the kernel
 * bridge forwards: of those with a carrier, or else of all, the first one by
 * name.  NULL if none is a port of the datapath. */
static const char *
bond_member(const struct xdp_dp *dp, const struct ovsrec_port *cfg)
    OVS_REQUIRES(dp->port_mutex)
{
    const struct xdp_port *best = NULL;

    for (size_t i = 0; i < cfg->n_interfaces; i++) {
        const struct xdp_port *port
            = xdp_port_by_name(dp, cfg->interfaces[i]->name);

        if (port && (!best || port->carrier > best->carrier
                     || (port->carrier == best->carrier
                         && strcmp(port->name, best->name) < 0))) {
            best = port;
        }
    }
    return best ? best->name : NULL;
}

/* Returns why nothing goes in or out of 'port', of 'br' and 'cfg', when the
 * kernel bridge forwards, or NULL. */
static const char *
why_blocked(const struct xdp_dp *dp, const struct xdp_port *port,
            const struct xdp_bridge *br, const struct ovsrec_port *cfg)
    OVS_REQUIRES(dp->port_mutex)
{
    for (size_t i = 0; i < br->cfg->n_mirrors; i++) {
        if (br->cfg->mirrors[i]->output_port == cfg) {
            return "output of a mirror";
        }
    }
    if (cfg->n_interfaces > 1
        && !nullable_string_is_equal(port->name, bond_member(dp, cfg))) {
        return "another member of the bond is in use";
    }
    return sset_contains(&stp_blocked, port->name) ? "spanning tree" : NULL;
}

char *
xdp_port_why_foreign(const char *name, int master_ifindex)
{
    struct oxdp_link_info master;

    if (!master_ifindex || oxdp_link_get(master_ifindex, &master)
        || oxdp_bridge_is_ours(&master)) {
        return NULL;
    }
    return xasprintf("it belongs to %s \"%s\": use that as port, or take it "
                     "out of it with \"ip link set %s nomaster\"",
                     master.kind, master.name, name);
}

/* Takes 'why', why 'port' is not a member of its kernel bridge. */
static void
set_no_member(struct xdp_port *port, char *why)
{
    if (why && !nullable_string_is_equal(port->no_member, why)) {
        VLOG_INFO("port %s: not in the kernel bridge, so there is no fallback "
                  "for it: %s", port->name, why);
    }
    free(port->no_member);
    port->no_member = why;
}

/* Makes the device of 'port' a member of kernel bridge 'bridge', or of none if
 * that is 0. */
static void
set_bridge(struct xdp_port *port, int bridge)
{
    char *why = NULL;
    int error = 0;

    if (port->local) {
        port->bridge_ifindex = bridge;
        return;
    }
    if (port->master_ifindex != bridge) {
        why = xdp_port_why_foreign(port->name, port->master_ifindex);
        if (!why) {
            error = oxdp_link_set_master(port->ifindex, bridge);
        }
        if (!why && !error) {
            port->master_ifindex = bridge;
        }
    }
    port->bridge_ifindex = port->master_ifindex == bridge ? bridge : 0;
    if (bridge && error) {
        why = xasprintf("the kernel refuses it (%s)", ovs_strerror(error));
    }
    set_no_member(port, why);
}

/* Makes 'port' forward though its bridge is down, as a bridge does whose LOCAL
 * is down: that is how OVS creates it. */
static void
forward_without_local(struct xdp_port *port)
{
    if (port->carrier && port->bridge_state != OXDP_BR_STATE_FORWARDING) {
        int error = oxdp_bridge_set_forwarding(port->ifindex);

        if (error) {
            VLOG_WARN_RL(&rl, "port %s: the kernel bridge, which is down, will "
                         "not forward for it (%s): set the bridge's device up",
                         port->name, ovs_strerror(error));
        }
        port->bridge_state = OXDP_BR_STATE_FORWARDING;
    }
}

/* Tells BPF what 'cfg' says of 'port'. */
static void
set_bport(struct xdp_dp *dp, const struct xdp_port *port,
          const struct ovsrec_port *cfg)
    OVS_REQUIRES(dp->port_mutex)
{
    struct oxdp_bport *bport
        = &dp->bpf->shared->bports[odp_to_u32(port->port_no)];
    const struct oxdp_bport old = *bport;

    if (port->bridge_ifindex) {
        struct oxdp_bport_config config = {
            .bridge_ifindex = port->bridge_ifindex,
            .vlan_mode = cfg->vlan_mode,
            .tag = cfg->n_tag ? *cfg->tag : -1,
            .trunks = cfg->trunks,
            .n_trunks = cfg->n_trunks,
            .cvlans = cfg->cvlans,
            .n_cvlans = cfg->n_cvlans,
            .qinq_ethtype = smap_get(&cfg->other_config, "qinq-ethtype"),
            .priority_tags = smap_get(&cfg->other_config, "priority-tags"),
            .protected = cfg->protected_,
            .blocked = port->blocked,
            .flood = port->flood == XDP_FLOOD_BRIDGE,
        };

        oxdp_bport_set(bport, &config);
    } else {
        oxdp_bport_clear(bport);
    }
    if (memcmp(&old, bport, sizeof old)) {
        dp->bpf->shared->control.bridge_gen++;
        dp->bports_changed = true;
    }
}

/* Returns what is wrong with other_config:xdp-l2 of 'br', if 'port' is the one
 * to say it, or NULL. */
static char *
why_unknown_l2(const struct xdp_port *port, const struct xdp_bridge *br)
{
    return (!port->local || br->l2_known ? NULL
            : xasprintf("Bridge other_config:xdp-l2=\"%s\" is neither "
                        "openflow nor macvlan: using openflow",
                        smap_get(&br->cfg->other_config, "xdp-l2")));
}

/* Makes 'port' what the database says: in 'br' with the settings 'cfg', or in
 * none, when both are NULL. */
static void
port_apply(struct xdp_dp *dp, struct xdp_port *port,
           const struct xdp_bridge *br, const struct ovsrec_port *cfg)
    OVS_REQUIRES(dp->port_mutex)
{
    int bridge_ifindex = port->bridge_ifindex;
    bool fallback = port->fallback;
    bool macvlan = port->macvlan;

    port->macvlan = br && br->l2 == XDP_L2_MACVLAN;
    /* A member of a bridge is promiscuous. */
    set_bridge(port, br && (port->local || !port->macvlan) ? br->ifindex : 0);
    port->blocked = br ? why_blocked(dp, port, br, cfg) : NULL;
    port->flood = br ? br->flood : XDP_FLOOD_AUTO;
    port->fallback = br && br->fallback && port->bridge_ifindex;
    set_bport(dp, port, cfg);
    if (br && !br->up && port->bridge_ifindex && !port->local) {
        forward_without_local(port);
    }
    if (port->macvlan != macvlan && port->configured) {
        xdp_port_choose_mode(dp, port);
    } else if (port->fallback != fallback || port->macvlan != macvlan
               || port->bridge_ifindex != bridge_ifindex) {
        xdp_port_refresh(dp, port);
    }
    if (!port->macvlan) {
        xdp_port_set_promisc(dp, port, true);
        xdp_port_set_l2_error(port, br ? why_unknown_l2(port, br) : NULL);
    }
}

void
xdp_bridge_remove_port(struct xdp_dp *dp, struct xdp_port *port)
{
    oxdp_bport_clear(&dp->bpf->shared->bports[odp_to_u32(port->port_no)]);
    dp->bpf->shared->control.bridge_gen++;
    dp->bports_changed = true;
    sset_find_and_delete(&stp_blocked, port->name);
    oxdp_bridge_release(port->ifindex);
    port->bridge_ifindex = 0;
    if (port->local) {
        xdp_fdb_remove_bridge(dp, port->ifindex);
    }
    set_no_member(port, NULL);
}

/* Makes those ports of bridge 'cfg' that are in 'ports', by name, what the
 * database says, and removes them from there. */
static void
apply_bridge(struct xdp_dp *dp, const struct ovsrec_bridge *cfg,
             struct shash *ports)
    OVS_REQUIRES(dp->port_mutex)
{
    struct xdp_bridge br;

    get_bridge(dp, cfg, &br);
    apply_learning(dp, &br);
    for (size_t i = 0; i < cfg->n_ports; i++) {
        const struct ovsrec_port *p = cfg->ports[i];

        for (size_t j = 0; j < p->n_interfaces; j++) {
            struct xdp_port *port
                = shash_find_and_delete(ports, p->interfaces[j]->name);

            if (port) {
                port_apply(dp, port, &br, p);
            }
        }
    }
    if (br.l2 == XDP_L2_MACVLAN) {
        xdp_macvlans_add(dp, cfg);
    }
}

/* Makes all ports what the database says. */
static void
apply_all(struct xdp_dp *dp)
    OVS_REQUIRES(dp->port_mutex)
{
    struct shash ports = SHASH_INITIALIZER(&ports);
    const struct ovsrec_bridge *cfg;
    struct shash_node *node;
    struct xdp_port *port;

    HMAP_FOR_EACH (port, node, &dp->ports) {
        if (!port->tunnel) {
            shash_add(&ports, port->name, port);
        }
    }
    xdp_macvlans_start(dp);
    OVSREC_BRIDGE_FOR_EACH (cfg, the_idl) {
        if (bridge_is_ours(cfg)) {
            apply_bridge(dp, cfg, &ports);
        }
    }
    xdp_macvlans_finish(dp);
    SHASH_FOR_EACH (node, &ports) {
        port_apply(dp, node->data, NULL, NULL);
    }
    shash_destroy(&ports);
}

void
xdp_bridges_run(struct xdp_dp *dp)
{
    unsigned int seqno;

    if (!the_idl) {
        return;
    }
    seqno = ovsdb_idl_get_seqno(the_idl);
    ovs_mutex_lock(&dp->port_mutex);
    if (seqno != dp->idl_seqno || dp->bridges_changed || stp_changed) {
        dp->idl_seqno = seqno;
        dp->bridges_changed = stp_changed = false;
        apply_all(dp);
    }
    if (dp->bports_changed) {
        dp->bports_changed = false;
        oxdp_table_refresh_bridged(dp->table);
    }
    ovs_mutex_unlock(&dp->port_mutex);
}

void
xdp_bridges_wait(struct xdp_dp *dp)
{
    ovs_mutex_lock(&dp->port_mutex);
    if (dp->bridges_changed || stp_changed) {
        poll_immediate_wake();
    }
    ovs_mutex_unlock(&dp->port_mutex);
}

/* ovs-appctl dpif-xdp/bridge-show. */

static void
format_vlans(const struct oxdp_bport *bport, struct ds *ds)
{
    const char *sep = ", VLANs ";
    uint16_t n = 0;

    for (unsigned int i = 0; i < OXDP_VLANS; i++) {
        n += bport->vlans[i / 64] >> i % 64 & 1;
    }
    if (n == OXDP_VLANS) {
        return;
    }
    for (unsigned int i = 0; i < OXDP_VLANS; i++) {
        if (bport->vlans[i / 64] >> i % 64 & 1) {
            ds_put_format(ds, "%s%u", sep, i);
            sep = ",";
        }
    }
}

/* What BPF knows of 'port', which it has for the fallback. */
static void
format_member(const struct xdp_dp *dp, const struct xdp_port *port,
              struct ds *ds)
    OVS_REQUIRES(dp->port_mutex)
{
    const struct oxdp_bport *bport
        = &dp->bpf->shared->bports[odp_to_u32(port->port_no)];

    ds_put_format(ds, "%s, %s", port->local ? "local" : "member",
                  oxdp_vlan_mode_name(bport->vlan_mode));
    if (bport->tag) {
        ds_put_format(ds, ", tag %d", (int) bport->tag);
    }
    if (bport->vlan_mode != OXDP_VLAN_MODE_ACCESS) {
        format_vlans(bport, ds);
    }
    if (bport->flags & OXDP_BPORT_F_PROTECTED) {
        ds_put_cstr(ds, ", protected");
    }
    if (port->blocked) {
        ds_put_format(ds, ", blocked (%s)", port->blocked);
    }
}

static void
format_bridge(const struct xdp_dp *dp, const struct ovsrec_bridge *cfg,
              struct ds *ds)
    OVS_REQUIRES(dp->port_mutex)
{
    struct xdp_bridge br;

    get_bridge(dp, cfg, &br);
    ds_put_format(ds, "bridge %s: ", cfg->name);
    if (br.ifindex) {
        ds_put_format(ds, "kernel bridge with ifindex %d%s", br.ifindex,
                      br.up ? "" : ", which is down");
    } else {
        ds_put_cstr(ds, "no kernel bridge (see the log)");
    }
    ds_put_format(ds, ", fallback %s (%s), flood %s\n",
                  br.fallback ? "bridge" : "drop", br.fallback_why,
                  flood_name(br.flood));
    for (size_t i = 0; i < cfg->n_ports; i++) {
        const struct ovsrec_port *p = cfg->ports[i];

        for (size_t j = 0; j < p->n_interfaces; j++) {
            const char *name = p->interfaces[j]->name;
            const struct xdp_port *port = xdp_port_by_name(dp, name);

            ds_put_format(ds, "  %s: ", name);
            if (port && port->bridge_ifindex) {
                format_member(dp, port, ds);
            } else {
                ds_put_format(ds, "no member (%s)",
                              !port ? "no device of the datapath"
                              : port->no_member ? port->no_member
                              : port->macvlan ? "other_config:xdp-l2=macvlan"
                              : "there is no kernel bridge");
            }
            ds_put_char(ds, '\n');
        }
    }
}

/* Has 'format' append what it knows of bridge 'name' of ours, or of all if that
 * is NULL, those with other_config:xdp-l2=macvlan or all.  Returns false if
 * there is none. */
static bool
format_bridges(struct xdp_dp *dp, const char *name, bool macvlan,
               void (*format)(const struct xdp_dp *,
                              const struct ovsrec_bridge *, struct ds *),
               struct ds *ds)
{
    const struct ovsrec_bridge *cfg;
    bool found = false;

    ovs_mutex_lock(&dp->port_mutex);
    if (the_idl) {
        OVSREC_BRIDGE_FOR_EACH (cfg, the_idl) {
            if (bridge_is_ours(cfg) && (!macvlan || bridge_is_macvlan(cfg))
                && (!name || !strcmp(name, cfg->name))) {
                format(dp, cfg, ds);
                found = true;
            }
        }
    }
    ovs_mutex_unlock(&dp->port_mutex);
    return found;
}

bool
xdp_bridges_format(struct xdp_dp *dp, const char *name, struct ds *ds)
{
    return format_bridges(dp, name, false, format_bridge, ds);
}

bool
xdp_bridges_format_macvlan(struct xdp_dp *dp, const char *name, struct ds *ds)
{
    return format_bridges(dp, name, true, xdp_macvlan_format, ds);
}
