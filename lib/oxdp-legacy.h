/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-legacy: what the maps of an earlier daemon say.
 *
 * That may have been of another ABI version.  Where its structures have what,
 * the BTF of its programs says, by the names of structures and members: it is
 * in the kernel as long as they are.
 *
 * For one thread.
 */

#ifndef OXDP_LEGACY_H
#define OXDP_LEGACY_H 1

#include <stdbool.h>
#include <stdint.h>

#include "oxdp-abi.h"

struct oxdp_bpf;
struct oxdp_legacy;
struct oxdp_pins;

/* A flow, with key and mask as they would be here.  Fields that only one of
 * the two versions has are zero. */
struct oxdp_legacy_flow {
    struct oxdp_key key;        /* Masked. */
    struct oxdp_key mask;
    bool to_user;               /* Packets of it, or copies, go to
                                 * ovs-vswitchd. */
    uint32_t used;              /* For oxdp_bpf_used_to_msec(), or 0. */
};

/* Opens what is pinned in 'pins'.  Returns NULL if that is nothing. */
struct oxdp_legacy *oxdp_legacy_open(const struct oxdp_bpf *,
                                     const struct oxdp_pins *);
void oxdp_legacy_close(struct oxdp_legacy *);

/* The ABI version of it. */
uint32_t oxdp_legacy_version(const struct oxdp_legacy *);

/* Calls 'cb' for all flows, until it returns false.  Takes CAP_SYS_ADMIN.
 * Returns false if they cannot be understood, which is logged. */
bool oxdp_legacy_for_each_flow(const struct oxdp_legacy *,
                               bool (*cb)(const struct oxdp_legacy_flow *,
                                          void *aux), void *aux);

/* Stores what there is of port 'port_no': in '*port', and in '*stats' the sum
 * of its counters on all CPUs.  Returns false if there is no such port, or the
 * version is not ours. */
bool oxdp_legacy_get_port(const struct oxdp_legacy *, uint32_t port_no,
                          struct oxdp_port *port,
                          struct oxdp_port_stats *stats);

#endif /* oxdp-legacy.h */
