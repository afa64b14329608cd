/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-ct: conntrack, by OVS's userspace implementation.
 */

#include <config.h>

#include <errno.h>
#include <stdlib.h>

#include "conntrack.h"
#include "ct-dpif.h"
#include "dp-packet.h"
#include "dpif-xdp.h"
#include "netlink.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_ct);

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
        default:
            /* Persistence and the kind of hash do not apply here. */
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

int
dpif_xdp_ct_flush(struct dpif *dpif, const uint16_t *zone,
                  const struct ct_dpif_tuple *tuple)
{
    struct xdp_dp *dp = get_xdp_dp(dpif);

    return (tuple
            ? conntrack_flush_tuple(dp->conntrack, tuple, zone ? *zone : 0)
            : conntrack_flush(dp->conntrack, zone));
}
