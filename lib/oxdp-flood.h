/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-flood: sets of ports that XDP broadcasts frames to.
 *
 * Flows whose outputs are the same ports share a set.  Each set has a map of
 * devices in the kernel, which is made in the background, since that takes a
 * grace period, and not before all of the set's ports take frames.  Until then,
 * and whenever a port does not, BPF finds that the set cannot be used and the
 * opcodes of the flow are executed in TC.
 *
 * All functions are for any thread.
 */

#ifndef OXDP_FLOOD_H
#define OXDP_FLOOD_H 1

#include <stdbool.h>
#include <stdint.h>

struct oxdp_bpf;
struct oxdp_code;
struct oxdp_floods;

/* Creates the collection of all sets over the maps of 'bpf'. */
struct oxdp_floods *oxdp_floods_create(struct oxdp_bpf *bpf);

/* No flow may have a set any more. */
void oxdp_floods_destroy(struct oxdp_floods *);

/* Gives 'code', whose verdict is OXDP_VERDICT_FLOOD, its set, with one more
 * reference.  If there is no room for another set, changes the flow's verdict
 * and reason. */
void oxdp_flood_ref(struct oxdp_floods *, struct oxdp_code *code);

/* Gives back the reference to set 'id', of a struct oxdp_flow_rest, if that is
 * not 0.  To be called when no BPF program can be using the flow any more. */
void oxdp_flood_unref(struct oxdp_floods *, uint16_t id);

/* Returns true if XDP cannot broadcast to set 'id' since a port of it takes no
 * frames. */
bool oxdp_flood_lacks_frames(struct oxdp_floods *, uint16_t id);

/* Something that BPF knows of 'port' has changed: its device, its flags or how
 * long frames it takes. */
void oxdp_floods_port_changed(struct oxdp_floods *, uint32_t port);

#endif /* oxdp-flood.h */
