/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-masks: the masks that BPF has, and in which order it searches them.
 *
 * No thread safety: the flow table has a lock.
 */

#ifndef OXDP_MASKS_H
#define OXDP_MASKS_H 1

#include <stdbool.h>
#include <stdint.h>

struct oxdp_bpf;
struct oxdp_key;
struct oxdp_masks;
struct oxdp_order;

#define OXDP_NO_MASK UINT32_MAX
#define OXDP_NO_ORDER UINT32_MAX

/* What BPF does not use any more, but packets that are under way may: to be
 * given back after a grace period of BPF. */
struct oxdp_masks_gone {
    uint32_t mask_id;           /* Or OXDP_NO_MASK. */
    uint32_t order;             /* Or OXDP_NO_ORDER. */
};

/* Creates the masks over the maps of 'bpf'. */
struct oxdp_masks *oxdp_masks_create(struct oxdp_bpf *bpf);
void oxdp_masks_destroy(struct oxdp_masks *);

/* Adds a flow with 'key' under 'bits'.  Returns the mask's id, or OXDP_NO_MASK
 * if there is no room, and stores in '*gone' what that has replaced. */
uint32_t oxdp_masks_ref(struct oxdp_masks *, const struct oxdp_key *key,
                        const struct oxdp_key *bits,
                        struct oxdp_masks_gone *gone);

/* Removes a flow with 'key' under mask 'id' again. */
struct oxdp_masks_gone oxdp_masks_unref(struct oxdp_masks *,
                                        const struct oxdp_key *key,
                                        uint32_t id);

/* Gives back what was gone a grace period ago. */
void oxdp_masks_reuse(struct oxdp_masks *, const struct oxdp_masks_gone *);

/* Puts masks that have found more packets lately before others, in scope number
 * 'scope', up to OXDP_SCOPES.  To be called for each about once a second. */
struct oxdp_masks_gone oxdp_masks_sort(struct oxdp_masks *, uint32_t scope);

/* Copies the order of masks for packets with 'key', which may be empty.  Returns
 * their scope, less than OXDP_SCOPES. */
uint32_t oxdp_masks_get_order(const struct oxdp_masks *,
                              const struct oxdp_key *key,
                              struct oxdp_order *);

/* Returns the number of masks. */
uint32_t oxdp_masks_count(const struct oxdp_masks *);

/* Returns whether a new mask would have to wait until something that is gone is
 * given back. */
bool oxdp_masks_is_full(const struct oxdp_masks *);

#endif /* oxdp-masks.h */
