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

/* Settings, ports and masks.  Mapped; written by ovs-vswitchd, except the
 * clock and the token buckets.  Global data, since the address of that is a
 * constant: the lookups that arrays take instead are a quarter of the time that
 * a packet takes.  Alone in ".bss": the loader shares that whole section. */
struct oxdp_shared oxdp_shared;

/* Where frames can be redirected, by datapath port; port 0 is the CPU port, and
 * for LOCAL it is the bridge's keeper, from where a program sends them on.
 * Written by ovs-vswitchd with system calls. */
struct {
    __uint(type, BPF_MAP_TYPE_DEVMAP);
    __uint(max_entries, OXDP_MAX_PORTS);
    __type(key, __u32);
    __type(value, struct bpf_devmap_val);
} oxdp_devs SEC(".maps");

/* The same for sets of ports that frames are broadcast to, one map per set and
 * no larger than that, since a broadcast looks at all elements.  Element N is
 * set by lib/oxdp-flood.c before oxdp_shared.floods[N].max_len is nonzero, and
 * cleared a grace period after the last flow with set N has gone. */
struct oxdp_floods_inner {
    __uint(type, BPF_MAP_TYPE_DEVMAP);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, OXDP_MAX_FLOODS);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(__u32));
    __array(values, struct oxdp_floods_inner);
} oxdp_floods SEC(".maps");

/* Counters of ports and flow hints, by CPU.  Mapped; written by BPF.  The
 * loader sets both sizes. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(struct oxdp_cpu_block) + sizeof(__u64));
} oxdp_cpus SEC(".maps");

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

/* Flow slots in chunks.  Inner maps are mapped and have one element, which is
 * the chunk; flows are written by the flow table, counters by BPF.  The loader
 * sets the size. */
struct oxdp_chunk_inner {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(struct oxdp_chunk));
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, OXDP_MAX_CHUNKS);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(__u32));
    __array(values, struct oxdp_chunk_inner);
} oxdp_chunks SEC(".maps");

/* Orders of masks in chunks, like flows. */
struct oxdp_orders_inner {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, OXDP_ORDER_CHUNK);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(struct oxdp_order));
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, OXDP_MAX_ORDER_CHUNKS);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(__u32));
    __array(values, struct oxdp_orders_inner);
} oxdp_orders SEC(".maps");

/* Lists of opcodes in chunks, like flows, but each an element of its own. */
struct oxdp_lists_inner {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, OXDP_LIST_CHUNK);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(struct oxdp_list));
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, OXDP_MAX_LIST_CHUNKS);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(__u32));
    __array(values, struct oxdp_lists_inner);
} oxdp_lists SEC(".maps");

/* Meters in chunks, like flows.  Settings are written by ovs-vswitchd, states
 * and counters by whoever meters a packet. */
struct oxdp_meters_inner {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(struct oxdp_meter) * OXDP_METER_CHUNK);
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, OXDP_METER_CHUNKS);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, sizeof(__u32));
    __array(values, struct oxdp_meters_inner);
} oxdp_meters SEC(".maps");

/* What ports with mode SOURCE of bridges with other_config:xdp-l2=macvlan wait
 * for.  Written by lib/oxdp-macs.c with system calls. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, OXDP_MAX_MACS);
    __type(key, struct oxdp_mac_key);
    __type(value, struct oxdp_mac_src);
} oxdp_mac_srcs SEC(".maps");

/* AF_XDP sockets on "ovs-xdp-cpu", by queue, which is by CPU.  Written by
 * ovs-vswitchd with system calls. */
struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} oxdp_xsks SEC(".maps");

/* Returns what this CPU, whose number is 'cpu', has for itself. */
OXDP_INLINE struct oxdp_cpu_block *
oxdp_cpu_block_get(__u32 cpu)
{
    return bpf_map_lookup_elem(&oxdp_cpus, &cpu);
}

/* Returns the port with datapath port number 'port', or NULL if it is no such
 * number.  The port need not be present. */
OXDP_INLINE struct oxdp_port *
oxdp_port_get(__u32 port)
{
    return port < OXDP_MAX_PORTS
           ? &oxdp_shared.ports[OXDP_BOUND(port, OXDP_MAX_PORTS)] : NULL;
}

/* Returns the set of ports with number 'flood'. */
OXDP_INLINE const struct oxdp_flood *
oxdp_flood_get(__u32 flood)
{
    return &oxdp_shared.floods[OXDP_BOUND(flood, OXDP_MAX_FLOODS)];
}

#endif /* oxdp-maps.h */
