/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-tunnel: tunnels, which OVS encapsulates itself in userspace.
 *
 * A tunnel port is no device: OVS looks up route and neighbour, gives the
 * header to push, and outputs the packet to a port of the bridge that has the
 * route ("native tunnelling").  What comes back is delivered to that bridge's
 * local address, where a flow says which tunnel port's header to pop.
 */

#include <config.h>

#include "dp-packet.h"
#include "dpif-xdp.h"
#include "flow.h"
#include "netdev.h"
#include "odp-util.h"
#include "ovs-rcu.h"
#include "packets.h"
#include "seq.h"
#include "tnl-neigh-cache.h"
#include "tnl-ports.h"
#include "util.h"


/* A tunnel port, for the threads that execute actions.  Under RCU. */
struct xdp_tunnel {
    struct cmap_node node;      /* In struct xdp_dp's 'tunnels', by number. */
    odp_port_t port_no;
    struct netdev *netdev;
};

static struct xdp_tunnel *
tunnel_find(const struct xdp_dp *dp, odp_port_t port_no)
{
    struct xdp_tunnel *tunnel;

    CMAP_FOR_EACH_WITH_HASH (tunnel, node, hash_odp_port(port_no),
                             &dp->tunnels) {
        if (tunnel->port_no == port_no) {
            return tunnel;
        }
    }
    return NULL;
}

static void
tunnel_free(struct xdp_tunnel *tunnel)
{
    netdev_close(tunnel->netdev);
    free(tunnel);
}

void
xdp_tunnel_add(struct xdp_dp *dp, odp_port_t port_no, struct netdev *netdev)
{
    struct xdp_tunnel *tunnel = xmalloc(sizeof *tunnel);

    tunnel->port_no = port_no;
    tunnel->netdev = netdev_ref(netdev);
    cmap_insert(&dp->tunnels, &tunnel->node, hash_odp_port(port_no));
}

void
xdp_tunnel_remove(struct xdp_dp *dp, odp_port_t port_no)
{
    struct xdp_tunnel *tunnel = tunnel_find(dp, port_no);

    if (tunnel) {
        cmap_remove(&dp->tunnels, &tunnel->node, hash_odp_port(port_no));
        ovsrcu_postpone(tunnel_free, tunnel);
    }
}

bool
xdp_tunnels_run(struct xdp_dp *dp)
{
    uint64_t seq;

    tnl_neigh_cache_run();
    tnl_port_map_run();
    seq = seq_read(tnl_conf_seq);
    if (seq == dp->tnl_conf_seq) {
        return false;
    }
    dp->tnl_conf_seq = seq;
    return true;
}

void
xdp_tunnels_wait(struct xdp_dp *dp)
{
    seq_wait(tnl_conf_seq, dp->tnl_conf_seq);
}

/* The outer UDP source port comes from the hash of the packet inside. */
static void
set_hash(struct dp_packet *packet)
{
    if (!dp_packet_rss_valid(packet)) {
        struct flow flow;

        flow_extract(packet, &flow);
        dp_packet_set_rss_hash(packet, flow_hash_5tuple(&flow, 0));
    }
}

bool
xdp_tunnel_push(struct xdp_dp *dp, struct dp_packet_batch *batch,
                const struct ovs_action_push_tnl *action)
{
    struct xdp_tunnel *tunnel = tunnel_find(dp, action->tnl_port);
    size_t n = dp_packet_batch_size(batch);
    struct dp_packet *packet;

    if (!tunnel) {
        xdp_lose(dp, XDP_LOSS_USER_TUNNEL, n);
        return false;
    }
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        set_hash(packet);
    }
    if (netdev_push_header(tunnel->netdev, batch, action)) {
        xdp_lose(dp, XDP_LOSS_USER_TUNNEL, n);
        return false;
    }
    return true;
}

bool
xdp_tunnel_pop(struct xdp_dp *dp, struct dp_packet_batch *batch,
               odp_port_t port_no)
{
    struct xdp_tunnel *tunnel = tunnel_find(dp, port_no);
    size_t n = dp_packet_batch_size(batch);
    struct dp_packet *packet;

    if (!tunnel) {
        xdp_lose(dp, XDP_LOSS_USER_TUNNEL, n);
        return false;
    }
    netdev_pop_header(tunnel->netdev, batch);
    xdp_lose(dp, XDP_LOSS_USER_TUNNEL, n - dp_packet_batch_size(batch));
    DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
        packet->md.in_port.odp_port = port_no;
    }
    return true;
}
