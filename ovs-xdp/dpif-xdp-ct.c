/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-ct: conntrack, by OVS's userspace implementation, and what the
 * class offers of its settings.
 *
 * Each datapath has a conntrack of its own, which has locks of its own: any
 * thread may call any function here.
 */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "conntrack.h"
#include "conntrack-tp.h"
#include "ct-dpif.h"
#include "dp-packet.h"
#include "dpif-xdp.h"
#include "ipf.h"
#include "netlink.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_ct);

/* More than an FTP command grows by with another address. */
#define FTP_TAILROOM 64

/* Reads the OVS_CT_ATTR_NAT attribute 'nat'. */
static void
parse_nat(const struct nlattr *nat, struct nat_action_info_t *info)
{
    bool ip_min = false, ip_max = false, port_min = false, port_max = false;
    const struct nlattr *b;
    unsigned int left;

    memset(info, 0, sizeof *info);
    NL_NESTED_FOR_EACH_UNSAFE (b, left, nat) {
        switch ((enum ovs_nat_attr) nl_attr_type(b)) {
        case OVS_NAT_ATTR_SRC:
            info->nat_action |= NAT_ACTION_SRC;
            break;
        case OVS_NAT_ATTR_DST:
            info->nat_action |= NAT_ACTION_DST;
            break;
        case OVS_NAT_ATTR_IP_MIN:
            memcpy(&info->min_addr, nl_attr_get(b), nl_attr_get_size(b));
            ip_min = true;
            break;
        case OVS_NAT_ATTR_IP_MAX:
            memcpy(&info->max_addr, nl_attr_get(b), nl_attr_get_size(b));
            ip_max = true;
            break;
        case OVS_NAT_ATTR_PROTO_MIN:
            info->min_port = nl_attr_get_u16(b);
            port_min = true;
            break;
        case OVS_NAT_ATTR_PROTO_MAX:
            info->max_port = nl_attr_get_u16(b);
            port_max = true;
            break;
#if OXDP_OVS_VERSION >= 304
        case OVS_NAT_ATTR_PERSISTENT:
            info->nat_flags |= NAT_PERSISTENT;
            break;
        case OVS_NAT_ATTR_PROTO_RANDOM:
            info->nat_flags |= NAT_RANGE_RANDOM;
            break;
#endif
        default:
            /* What conntrack does not know. */
            break;
        }
    }
    if (ip_min && !ip_max) {
        info->max_addr = info->min_addr;
    }
    if (port_min && !port_max) {
        info->max_port = info->min_port;
    }
    if (port_min || port_max) {
        info->nat_action |= (info->nat_action & NAT_ACTION_SRC
                             ? NAT_ACTION_SRC_PORT
                             : info->nat_action & NAT_ACTION_DST
                             ? NAT_ACTION_DST_PORT : 0);
    }
}

/* Makes room behind packets for what conntrack's FTP helper may insert.  The
 * helper itself looks at the allocation only, headroom included. */
static void
reserve_tailroom(struct dp_packet_batch *batch)
{
    struct dp_packet *packet;

    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        /* A struct dp_packet's allocation is a 16-bit number. */
        if (dp_packet_headroom(packet) + dp_packet_size(packet)
            <= UINT16_MAX - FTP_TAILROOM) {
            dp_packet_prealloc_tailroom(packet, FTP_TAILROOM);
        }
    }
}

void
xdp_ct_execute(struct xdp_dp *dp, struct dp_packet_batch *batch,
               const struct nlattr *ct, const struct flow *flow)
{
    const struct ovs_key_ct_labels *setlabel = NULL;
    struct nat_action_info_t nat, *natp = NULL;
    bool force = false, commit = false;
    const uint32_t *setmark = NULL;
    const char *helper = NULL;
    const struct nlattr *b;
    unsigned int tp_id = 0;
    uint16_t zone = 0;
    unsigned int left;

    NL_NESTED_FOR_EACH_UNSAFE (b, left, ct) {
        switch ((enum ovs_ct_attr) nl_attr_type(b)) {
        case OVS_CT_ATTR_FORCE_COMMIT:
            force = true;
            commit = true;
            break;
        case OVS_CT_ATTR_COMMIT:
            commit = true;
            break;
        case OVS_CT_ATTR_ZONE:
            zone = nl_attr_get_u16(b);
            break;
        case OVS_CT_ATTR_HELPER:
            helper = nl_attr_get_string(b);
            break;
        case OVS_CT_ATTR_MARK:
            setmark = nl_attr_get(b);
            break;
        case OVS_CT_ATTR_LABELS:
            setlabel = nl_attr_get(b);
            break;
        case OVS_CT_ATTR_TIMEOUT:
            if (!str_to_uint(nl_attr_get_string(b), 10, &tp_id)) {
                tp_id = 0;
            }
            break;
        case OVS_CT_ATTR_NAT:
            parse_nat(b, &nat);
            natp = &nat;
            break;
        default:
            /* There are no netlink events to mask. */
            break;
        }
    }
    if (flow->nw_proto == IPPROTO_TCP) {
        reserve_tailroom(batch);
    }
    conntrack_execute(dp->conntrack, batch, flow->dl_type, force, commit,
                      zone, setmark, setlabel,
#if OXDP_OVS_VERSION < 302
                      flow->tp_src, flow->tp_dst,
#endif
                      helper, natp, time_msec(), tp_id);
}

struct ct_dump {
    struct ct_dpif_dump_state up;
    struct conntrack_dump dump;
};

int
dpif_xdp_ct_dump_start(struct dpif *dpif, struct ct_dpif_dump_state **dumpp,
                       const uint16_t *zone, int *n_buckets)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    struct ct_dump *dump = xzalloc(sizeof *dump);

    conntrack_dump_start(dp->conntrack, &dump->dump, zone, n_buckets);
    dump->up.dpif = dpif;
    *dumpp = &dump->up;
    return 0;
}

int
dpif_xdp_ct_dump_next(struct dpif *dpif OVS_UNUSED,
                      struct ct_dpif_dump_state *dump,
                      struct ct_dpif_entry *entry)
{
    return conntrack_dump_next(&CONTAINER_OF(dump, struct ct_dump, up)->dump,
                               entry);
}

int
dpif_xdp_ct_dump_done(struct dpif *dpif OVS_UNUSED,
                      struct ct_dpif_dump_state *dump_)
{
    struct ct_dump *dump = CONTAINER_OF(dump_, struct ct_dump, up);
    int error = conntrack_dump_done(&dump->dump);

    free(dump);
    return error;
}

#if OXDP_OVS_VERSION >= 302
int
dpif_xdp_ct_exp_dump_start(struct dpif *dpif,
                           struct ct_dpif_dump_state **dumpp,
                           const uint16_t *zone)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);
    struct ct_dump *dump = xzalloc(sizeof *dump);

    conntrack_exp_dump_start(dp->conntrack, &dump->dump, zone);
    dump->up.dpif = dpif;
    *dumpp = &dump->up;
    return 0;
}

int
dpif_xdp_ct_exp_dump_next(struct dpif *dpif OVS_UNUSED,
                          struct ct_dpif_dump_state *dump,
                          struct ct_dpif_exp *entry)
{
    return conntrack_exp_dump_next(
        &CONTAINER_OF(dump, struct ct_dump, up)->dump, entry);
}

int
dpif_xdp_ct_exp_dump_done(struct dpif *dpif OVS_UNUSED,
                          struct ct_dpif_dump_state *dump_)
{
    struct ct_dump *dump = CONTAINER_OF(dump_, struct ct_dump, up);
    int error = conntrack_exp_dump_done(&dump->dump);

    free(dump);
    return error;
}
#endif

int
dpif_xdp_ct_flush(struct dpif *dpif, const uint16_t *zone,
                  const struct ct_dpif_tuple *tuple)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);

    return (tuple
            ? conntrack_flush_tuple(dp->conntrack, tuple, zone ? *zone : 0)
            : conntrack_flush(dp->conntrack, zone));
}

/* Settings. */

int
dpif_xdp_ct_set_maxconns(struct dpif *dpif, uint32_t maxconns)
{
    return conntrack_set_maxconns(get_xdp_dp(dpif)->conntrack, maxconns);
}

int
dpif_xdp_ct_get_maxconns(struct dpif *dpif, uint32_t *maxconns)
{
    return conntrack_get_maxconns(get_xdp_dp(dpif)->conntrack, maxconns);
}

int
dpif_xdp_ct_get_nconns(struct dpif *dpif, uint32_t *nconns)
{
    return conntrack_get_nconns(get_xdp_dp(dpif)->conntrack, nconns);
}

int
dpif_xdp_ct_set_tcp_seq_chk(struct dpif *dpif, bool enabled)
{
    return conntrack_set_tcp_seq_chk(get_xdp_dp(dpif)->conntrack, enabled);
}

int
dpif_xdp_ct_get_tcp_seq_chk(struct dpif *dpif, bool *enabled)
{
    *enabled = conntrack_get_tcp_seq_chk(get_xdp_dp(dpif)->conntrack);
    return 0;
}

#if OXDP_OVS_VERSION >= 302
int
dpif_xdp_ct_set_sweep_interval(struct dpif *dpif, uint32_t ms)
{
    return conntrack_set_sweep_interval(get_xdp_dp(dpif)->conntrack, ms);
}

int
dpif_xdp_ct_get_sweep_interval(struct dpif *dpif, uint32_t *ms)
{
    *ms = conntrack_get_sweep_interval(get_xdp_dp(dpif)->conntrack);
    return 0;
}
#endif

int
dpif_xdp_ct_get_features(struct dpif *dpif OVS_UNUSED,
                         enum ct_features *features)
{
    if (features) {
        *features = CONNTRACK_F_ZERO_SNAT;
    }
    return 0;
}

/* Limits of zones. */

/* Appends to 'limits' the limit that applies to 'zone'; if 'own', only if it
 * is the zone's own, not the default. */
static void
push_limit(struct conntrack *ct, int32_t zone, bool own,
           struct ovs_list *limits)
{
#if OXDP_OVS_VERSION >= 305
    struct conntrack_zone_info info = zone_limit_get(ct, zone);
    uint32_t count = info.count;
#else
    struct conntrack_zone_limit info = zone_limit_get(ct, zone);
    uint32_t count = atomic_count_get(&info.count);
#endif

    if (!own || info.zone == zone) {
        ct_dpif_push_zone_limit(limits, zone, info.limit,
                                zone == DEFAULT_ZONE ? 0 : count);
    }
}

static void
get_limits(struct conntrack *ct, const struct ovs_list *request,
           struct ovs_list *reply)
{
    if (ovs_list_is_empty(request)) {
        for (int32_t zone = MIN_ZONE; zone <= MAX_ZONE; zone++) {
            push_limit(ct, zone, true, reply);
        }
    } else {
        const struct ct_dpif_zone_limit *limit;

        LIST_FOR_EACH (limit, node, request) {
            push_limit(ct, limit->zone, false, reply);
        }
    }
}

static int
set_limits(struct conntrack *ct, const struct ovs_list *limits)
{
    const struct ct_dpif_zone_limit *limit;

    LIST_FOR_EACH (limit, node, limits) {
        int error = zone_limit_update(ct, limit->zone, limit->limit);

        if (error) {
            return error;
        }
    }
    return 0;
}

#if OXDP_OVS_VERSION >= 303
/* The default is one of the list, of zone DEFAULT_ZONE. */
int
dpif_xdp_ct_set_limits(struct dpif *dpif, const struct ovs_list *limits)
{
    return set_limits(get_xdp_dp(dpif)->conntrack, limits);
}

int
dpif_xdp_ct_get_limits(struct dpif *dpif, const struct ovs_list *request,
                       struct ovs_list *reply)
{
    struct conntrack *ct = get_xdp_dp(dpif)->conntrack;

    if (ovs_list_is_empty(request)) {
        push_limit(ct, DEFAULT_ZONE, false, reply);
    }
    get_limits(ct, request, reply);
    return 0;
}
#else
int
dpif_xdp_ct_set_limits(struct dpif *dpif, const uint32_t *default_limit,
                       const struct ovs_list *limits)
{
    struct conntrack *ct = get_xdp_dp(dpif)->conntrack;
    int error = (default_limit
                 ? zone_limit_update(ct, DEFAULT_ZONE, *default_limit) : 0);

    return error ? error : set_limits(ct, limits);
}

int
dpif_xdp_ct_get_limits(struct dpif *dpif, uint32_t *default_limit,
                       const struct ovs_list *request, struct ovs_list *reply)
{
    struct conntrack *ct = get_xdp_dp(dpif)->conntrack;

    *default_limit = zone_limit_get(ct, DEFAULT_ZONE).limit;
    get_limits(ct, request, reply);
    return 0;
}
#endif

int
dpif_xdp_ct_del_limits(struct dpif *dpif, const struct ovs_list *limits)
{
    struct conntrack *ct = get_xdp_dp(dpif)->conntrack;
    const struct ct_dpif_zone_limit *limit;

    LIST_FOR_EACH (limit, node, limits) {
        int error = zone_limit_delete(ct, limit->zone);

        if (error) {
            return error;
        }
    }
    return 0;
}

/* Timeout policies.  Like dpif-netdev, there is no dump of them: conntrack
 * does not list them, and they are gone when the datapath is. */

int
dpif_xdp_ct_set_timeout_policy(struct dpif *dpif,
                               const struct ct_dpif_timeout_policy *policy)
{
    struct timeout_policy tp = { .policy = *policy };

    return timeout_policy_update(get_xdp_dp(dpif)->conntrack, &tp);
}

int
dpif_xdp_ct_get_timeout_policy(struct dpif *dpif, uint32_t id,
                               struct ct_dpif_timeout_policy *policy)
{
    const struct timeout_policy *tp
        = timeout_policy_get(get_xdp_dp(dpif)->conntrack, id);

    if (!tp) {
        return ENOENT;
    }
    *policy = tp->policy;
    return 0;
}

int
dpif_xdp_ct_del_timeout_policy(struct dpif *dpif, uint32_t id)
{
    return timeout_policy_delete(get_xdp_dp(dpif)->conntrack, id);
}

/* A policy's name, in an OVS_CT_ATTR_TIMEOUT, is its number: see
 * xdp_ct_execute().  One policy is for all protocols. */
int
dpif_xdp_ct_get_timeout_policy_name(struct dpif *dpif OVS_UNUSED, uint32_t id,
                                    uint16_t dl_type OVS_UNUSED,
                                    uint8_t nw_proto OVS_UNUSED, char **namep,
                                    bool *is_generic)
{
    *namep = xasprintf("%"PRIu32, id);
    *is_generic = true;
    return 0;
}

/* Fragments.  These of OVS's functions return 1 for a bad value. */

static struct ipf *
get_ipf(const struct dpif *dpif)
{
    return conntrack_ipf_ctx(get_xdp_dp(dpif)->conntrack);
}

int
dpif_xdp_ipf_set_enabled(struct dpif *dpif, bool v6, bool enabled)
{
    return ipf_set_enabled(get_ipf(dpif), v6, enabled);
}

int
dpif_xdp_ipf_set_min_frag(struct dpif *dpif, bool v6, uint32_t min_frag)
{
    return ipf_set_min_frag(get_ipf(dpif), v6, min_frag) ? EINVAL : 0;
}

int
dpif_xdp_ipf_set_max_nfrags(struct dpif *dpif, uint32_t max_nfrags)
{
    return ipf_set_max_nfrags(get_ipf(dpif), max_nfrags) ? EINVAL : 0;
}

static void
copy_ipf_proto_status(struct dpif_ipf_proto_status *dst,
                      const struct ipf_proto_status *src)
{
    dst->nfrag_accepted = src->nfrag_accepted;
    dst->nfrag_completed_sent = src->nfrag_completed_sent;
    dst->nfrag_expired_sent = src->nfrag_expired_sent;
    dst->nfrag_too_small = src->nfrag_too_small;
    dst->nfrag_overlap = src->nfrag_overlap;
    dst->nfrag_purged = src->nfrag_purged;
    dst->min_frag_size = src->min_frag_size;
    dst->enabled = src->enabled;
}

int
dpif_xdp_ipf_get_status(struct dpif *dpif, struct dpif_ipf_status *status)
{
    struct ipf_status s;

    memset(&s, 0, sizeof s);
    ipf_get_status(get_ipf(dpif), &s);
    copy_ipf_proto_status(&status->v4, &s.v4);
    copy_ipf_proto_status(&status->v6, &s.v6);
    status->nfrag = s.nfrag;
    status->nfrag_max = s.nfrag_max;
    return 0;
}

int
dpif_xdp_ipf_dump_start(struct dpif *dpif OVS_UNUSED,
                        struct ipf_dump_ctx **dumpp)
{
    return ipf_dump_start(dumpp);
}

int
dpif_xdp_ipf_dump_next(struct dpif *dpif, void *dump, char **fragsp)
{
    return ipf_dump_next(get_ipf(dpif), dump, fragsp);
}

int
dpif_xdp_ipf_dump_done(struct dpif *dpif OVS_UNUSED, void *dump)
{
    return ipf_dump_done(dump);
}
