/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-cpu: the CPU port.
 *
 * A veth pair: "ovs-xdp" is the switch's end, port 0 of the datapath, into
 * which the programs on ports redirect what userspace shall see;
 * "ovs-xdp-cpu" is userspace's end, with one AF_XDP socket per queue, and a
 * queue per CPU.
 */

#include <config.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <stdlib.h>

#include "dp-packet.h"
#include "dpif-xdp.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "oxdp-netdev.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(dpif_xdp_cpu);

/* The port's first MTU: enough for jumbo frames. */
#define CPU_MTU (9216 + (int) sizeof(struct oxdp_hdr))
#define CPU_MTU_MAX 65535

/* Chunks of all sockets together, and of one at least and at most. */
#define TOTAL_FRAMES 16384u
#define MIN_FRAMES 1024u
#define MAX_FRAMES 8192u

/* Deletes what an earlier daemon left. */
static int
delete_leftover(char **errp)
{
    struct oxdp_link_info info;
    int error = oxdp_link_get_by_name(DPIF_XDP_NAME, &info);

    if (error == ENODEV) {
        error = oxdp_link_get_by_name(DPIF_XDP_CPU_PEER, &info);
    }
    if (error) {
        return error == ENODEV ? 0 : error;
    }
    if (strcmp(info.alias, DPIF_XDP_CPU_ALIAS)) {
        *errp = xasprintf("a device \"%s\" exists that is not ours: delete "
                          "or rename it", info.name);
        return EEXIST;
    }
    return oxdp_link_delete(info.ifindex);
}

static int
create_pair(struct xdp_dp *dp, char **errp)
{
    struct oxdp_link_info info;
    int error;

    error = delete_leftover(errp);
    if (error) {
        return error;
    }
    dp->cpu_mtu = CPU_MTU;
    error = oxdp_veth_create(DPIF_XDP_NAME, DPIF_XDP_CPU_PEER,
                             dp->bpf->n_queues, dp->cpu_mtu,
                             DPIF_XDP_CPU_ALIAS);
    if (error) {
        *errp = xasprintf("cannot create the veth pair \"%s\" (%s): load the "
                          "kernel module veth", DPIF_XDP_NAME,
                          ovs_strerror(error));
        return error;
    }
    error = oxdp_link_get_by_name(DPIF_XDP_CPU_PEER, &info);
    if (!error) {
        dp->cpu_peer_ifindex = info.ifindex;
        error = oxdp_link_get_by_name(DPIF_XDP_NAME, &info);
        dp->cpu_ifindex = info.ifindex;
    }
    if (!error) {
        oxdp_link_no_ipv6(dp->cpu_ifindex);
        oxdp_link_no_ipv6(dp->cpu_peer_ifindex);

        /* Partial checksums must be complete before a packet is punted. */
        error = oxdp_ethtool_set(DPIF_XDP_NAME, ETHTOOL_STXCSUM, false);
    }
    return error;
}

static int
attach_programs(struct xdp_dp *dp, char **errp)
{
    int error;

    error = oxdp_attach_tc_ingress(&dp->cpu_peer_tc, dp->pins,
                                   dp->cpu_peer_ifindex, dp->bpf->cpu_drop_fd,
                                   errp);
    if (!error) {
        error = oxdp_attach_tc_ingress(&dp->cpu_tc, dp->pins,
                                       dp->cpu_ifindex, dp->bpf->cpu_tc_fd, errp);
    }
    if (!error) {
        error = oxdp_attach_tc_egress(&dp->cpu_encap, dp->pins,
                                      dp->cpu_ifindex, dp->bpf->cpu_encap_fd, errp);
    }
    if (!error) {
        error = oxdp_attach_xdp(&dp->cpu_peer_xdp, dp->pins,
                                dp->cpu_peer_ifindex, dp->bpf->cpu_to_user_fd, false, errp);
    }
    if (!error) {
        error = oxdp_attach_xdp(&dp->cpu_xdp, dp->pins, dp->cpu_ifindex,
                                dp->bpf->cpu_from_user_fd, false, errp);
    }
    return error;
}

static int
open_sockets(struct xdp_dp *dp, char **errp)
{
    uint32_t n = dp->bpf->n_queues;
    uint32_t n_frames = MIN(MAX(TOTAL_FRAMES / n, MIN_FRAMES), MAX_FRAMES);

    dp->xsks = xcalloc(n, sizeof *dp->xsks);
    for (uint32_t i = 0; i < n; i++) {
        int error = oxdp_xsk_open(DPIF_XDP_CPU_PEER, i, n_frames,
                                  &dp->xsks[i], errp);
        if (error) {
            return error;
        }
        int fd = oxdp_xsk_fd(dp->xsks[i]);

        error = -bpf_map_update_elem(dp->bpf->xsks_fd, &i, &fd, BPF_ANY);
        if (error) {
            return error;
        }
    }
    return 0;
}

int
xdp_cpu_open(struct xdp_dp *dp, char **errp)
{
    struct bpf_devmap_val val = { 0 };
    uint32_t zero = 0;
    int error;

    dp->cpu_xdp = dp->cpu_tc = dp->cpu_encap
        = dp->cpu_peer_xdp = dp->cpu_peer_tc
        = (struct oxdp_attach) OXDP_ATTACH_INIT;

    error = create_pair(dp, errp);
    error = error ? error : attach_programs(dp, errp);
    error = error ? error : open_sockets(dp, errp);
    error = error ? error : oxdp_link_set_up(dp->cpu_peer_ifindex, true);
    error = error ? error : oxdp_link_set_up(dp->cpu_ifindex, true);
    if (!error) {
        val.ifindex = dp->cpu_ifindex;
        error = -bpf_map_update_elem(dp->bpf->devs_fd, &zero, &val, BPF_ANY);
    }
    if (error) {
        if (!*errp) {
            *errp = xasprintf("cannot set up the CPU port \"%s\" (%s)",
                              DPIF_XDP_NAME, ovs_strerror(error));
        }
        return error;
    }
    dp->queues = oxdp_queues_create(dp->bpf, oxdp_xsk_capacity(dp->xsks[0]));
    dp->bpf->shared->control.cpu_ifindex = dp->cpu_ifindex;
    return 0;
}

void
xdp_cpu_close(struct xdp_dp *dp)
{
    oxdp_queues_destroy(dp->queues);
    if (dp->xsks) {
        for (uint32_t i = 0; i < dp->bpf->n_queues; i++) {
            oxdp_xsk_close(dp->xsks[i]);
        }
        free(dp->xsks);
    }
    oxdp_detach(&dp->cpu_xdp);
    oxdp_detach(&dp->cpu_tc);
    oxdp_detach(&dp->cpu_encap);
    oxdp_detach(&dp->cpu_peer_xdp);
    oxdp_detach(&dp->cpu_peer_tc);
    if (dp->cpu_ifindex) {
        oxdp_link_delete(dp->cpu_ifindex);
    }
}

void
xdp_cpu_require_mtu(struct xdp_dp *dp, int mtu)
{
    mtu = MIN(mtu + (int) sizeof(struct oxdp_hdr), CPU_MTU_MAX);
    if (mtu > dp->cpu_mtu
        && !oxdp_link_set_mtu(dp->cpu_peer_ifindex, mtu)
        && !oxdp_link_set_mtu(dp->cpu_ifindex, mtu)) {
        dp->cpu_mtu = mtu;
    }
}

static struct oxdp_xsk *
xsk_of_thread(struct xdp_dp *dp)
{
    return dp->xsks[ovsthread_id_self() % dp->bpf->n_queues];
}

void
xdp_cpu_send(struct xdp_dp *dp, odp_port_t port_no,
             const struct dp_packet *packet)
{
    struct oxdp_hdr hdr = {
        .magic = OXDP_HDR_MAGIC,
        .port = odp_to_u32(port_no),
    };

    /* Failures are counted by the socket. */
    oxdp_xsk_send(xsk_of_thread(dp), &hdr, packet);
}

void
xdp_cpu_flush(struct xdp_dp *dp)
{
    oxdp_xsk_flush(xsk_of_thread(dp));
}
