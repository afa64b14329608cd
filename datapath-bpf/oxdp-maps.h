/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-maps.h: every map, with who writes, who reads, and how long it lives.
 *
 * All live as long as the datapath.  The XDP, TC and CPU-port programs share
 * them: the loader (lib/oxdp-loader.c) creates each once and lets the other
 * objects reuse it by name.  "Mapped" means that ovs-vswitchd maps the memory,
 * so that its reads and writes are no system calls.
 */

#ifndef OXDP_MAPS_H
#define OXDP_MAPS_H 1

#include "oxdp-compat.h"
#include "oxdp-abi.h"

/* Settings.  Mapped; written by ovs-vswitchd, except the clock pair. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct oxdp_control);
} oxdp_control SEC(".maps");

/* Datapath ports.  Mapped; written by ovs-vswitchd, token buckets by BPF. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, OXDP_MAX_PORTS);
    __type(key, __u32);
    __type(value, struct oxdp_port);
} oxdp_ports SEC(".maps");

/* From ifindex to datapath port.  Mapped; written by ovs-vswitchd. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, OXDP_IFPORT_SLOTS);
    __type(key, __u32);
    __type(value, struct oxdp_ifport);
} oxdp_ifports SEC(".maps");

/* Where frames can be redirected, by datapath port; port 0 is the CPU port.
 * Written by ovs-vswitchd with system calls. */
struct {
    __uint(type, BPF_MAP_TYPE_DEVMAP);
    __uint(max_entries, OXDP_MAX_PORTS);
    __type(key, __u32);
    __type(value, struct bpf_devmap_val);
} oxdp_devs SEC(".maps");

/* Counters of ports, a block of OXDP_MAX_PORTS per CPU.  Mapped; written by
 * BPF.  The loader sets the size. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, OXDP_MAX_PORTS);
    __type(key, __u32);
    __type(value, struct oxdp_port_stats);
} oxdp_port_stats SEC(".maps");

/* Masks by id, and the order in which they are searched.  Mapped; written by
 * the flow table. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, OXDP_MAX_MASKS);
    __type(key, __u32);
    __type(value, struct oxdp_mask);
} oxdp_masks SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, OXDP_MAX_MASKS);
    __type(key, __u32);
    __type(value, __u64);
} oxdp_order SEC(".maps");

/* The shape of one map of buckets, and the map that holds one per order.
 * Element ORDER is set by the flow table before control.bucket_order says
 * ORDER, and cleared a grace period after it says something else. */
struct oxdp_buckets_inner {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(struct oxdp_bucket));
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, OXDP_MAX_ORDER + 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(__u32));
    __array(values, struct oxdp_buckets_inner);
} oxdp_buckets SEC(".maps");

/* Flow slots in chunks of OXDP_CHUNK_FLOWS, and their counters, a block of
 * OXDP_CHUNK_FLOWS per CPU.  Inner maps are mapped; flows are written by the
 * flow table, counters by BPF. */
struct oxdp_flows_inner {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, OXDP_CHUNK_FLOWS);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(struct oxdp_flow));
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, OXDP_MAX_CHUNKS);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(__u32));
    __array(values, struct oxdp_flows_inner);
} oxdp_flows SEC(".maps");

struct oxdp_stats_inner {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
    __uint(max_entries, OXDP_CHUNK_FLOWS);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(struct oxdp_flow_stats));
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, OXDP_MAX_CHUNKS);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(__u32));
    __array(values, struct oxdp_stats_inner);
} oxdp_flow_stats SEC(".maps");

/* The flow hint: hash of a whole key -> signature and flow slot.  A block of
 * oxdp_hint_mask + 1 elements per CPU.  Mapped for cache-show; written and
 * read by BPF.  A wrong element costs a search, never a wrong flow.  The
 * loader sets the size. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} oxdp_hints SEC(".maps");

/* AF_XDP sockets on "ovs-xdp-cpu", by queue, which is by CPU.  Written by
 * ovs-vswitchd with system calls. */
struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} oxdp_xsks SEC(".maps");

#endif /* oxdp-maps.h */
