/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-attach: our programs on a device's hooks.
 *
 * Attachments are bpf_links where the kernel has them, so that nothing else
 * detaches them.  Pinned (oxdp-pin.h) they outlive the process; those that are
 * not end with it.  An attachment outlives a device that goes away: detaching
 * is then merely a close().
 *
 * To attach a program where an earlier daemon has left one is to adopt that:
 * the old one stays, and its datapath goes on forwarding, until
 * oxdp_attach_take_over() puts all new ones in the place of the old ones, and
 * no packet gets past both.
 *
 * Not thread-safe; the owner of the port serializes.
 */

#ifndef OXDP_ATTACH_H
#define OXDP_ATTACH_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oxdp-pin.h"

/* One attached program.  Must stay where it is in memory while attached. */
struct oxdp_attach {
    int link_fd;                /* The bpf_link, or -1. */
    int ifindex;                /* The device it was attached to. */
    enum oxdp_point point;      /* Where on it. */
    uint32_t tc_handle, tc_priority; /* Classic TC's filter, else 0. */
    uint32_t prog_id;           /* The program that is there. */
    struct oxdp_pins *pins;     /* Where it is pinned, or NULL. */
};

#define OXDP_ATTACH_INIT { .link_fd = -1 }

/* The functions that attach take 'pins', where the attachment is pinned and
 * what an earlier daemon has left is adopted from, or NULL for an attachment
 * that ends with the process. */

/* Attaches XDP program 'prog_fd' to 'ifindex', natively or generic.  Returns 0
 * or a positive errno value: EBUSY if another XDP program is attached,
 * EOPNOTSUPP if the driver has no XDP, ERANGE or EINVAL mostly if the MTU is
 * too large.  On failure '*errp' says in a sentence (to be freed) what to do,
 * from the kernel's extended ack where it gives one. */
int oxdp_attach_xdp(struct oxdp_attach *, struct oxdp_pins *pins, int ifindex,
                    int prog_fd, bool generic, char **errp);

/* Attaches 'prog_fd' to TC ingress or egress of 'ifindex', as tcx where the
 * kernel has it (6.6), otherwise as clsact filter (direct action). */
int oxdp_attach_tc_ingress(struct oxdp_attach *, struct oxdp_pins *pins,
                           int ifindex, int prog_fd, char **errp);
int oxdp_attach_tc_egress(struct oxdp_attach *, struct oxdp_pins *pins,
                          int ifindex, int prog_fd, char **errp);

/* To ingress, in the second of these ways only.  Leaves the qdisc, which does
 * nothing by itself, behind when the program is detached. */
int oxdp_attach_tc_clsact(struct oxdp_attach *, struct oxdp_pins *pins,
                          int ifindex, int prog_fd, char **errp);

/* Whether anything but '*ours', which need not be attached, is on TC egress of
 * the device. */
bool oxdp_tc_egress_is_used(int ifindex, const struct oxdp_attach *ours);

/* Whether an attachment was made and not yet detached. */
bool oxdp_attach_is_attached(const struct oxdp_attach *);

/* Whether it is a program of an earlier daemon, until that is replaced. */
bool oxdp_attach_is_adopted(const struct oxdp_attach *);

/* Asks the kernel whether the program still is where it was attached.  It is
 * not if the device has gone, and in the case of classic TC if someone has
 * removed the filter or the qdisc: OVS itself removes it when it sets up
 * ingress policing, which it does once for every interface.  Such an
 * attachment should be detached and made anew. */
bool oxdp_attach_is_live(const struct oxdp_attach *);

void oxdp_detach(struct oxdp_attach *);

/* Puts the programs that were to be attached in the place of those of an
 * earlier daemon, without a moment between the two.  Returns the number of
 * programs replaced. */
size_t oxdp_attach_take_over(struct oxdp_pins *);

/* Returns whether that program is on the device that has its ifindex here;
 * another device can have that elsewhere. */
bool oxdp_found_is_here(const struct oxdp_found *);

/* Detaches what 'found' says and nobody has adopted, and frees it. */
void oxdp_detach_found(struct oxdp_pins *, struct oxdp_found *found);

#endif /* oxdp-attach.h */
