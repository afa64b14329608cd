/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-attach: our programs on a device's hooks.
 *
 * Attachments are bpf_links where the kernel has them, so that nothing else
 * detaches them and so that closing them (or the end of the process) detaches
 * the program.  An attachment outlives a device that goes away: detaching is
 * then merely a close().
 *
 * Not thread-safe; the owner of the port serializes.
 */

#ifndef OXDP_ATTACH_H
#define OXDP_ATTACH_H 1

#include <stdbool.h>
#include <stdint.h>

/* One attached program. */
struct oxdp_attach {
    int link_fd;                /* The bpf_link, or -1. */
    int ifindex;                /* The device it was attached to. */
    uint32_t tc_handle, tc_priority; /* Classic TC's filter, else 0. */
    bool egress;                /* For TC: it sees what goes out. */
    uint32_t prog_id;           /* The program. */
};

#define OXDP_ATTACH_INIT { -1, 0, 0, 0, false, 0 }

/* Attaches XDP program 'prog_fd' to 'ifindex', natively or generic.  Returns 0
 * or a positive errno value: EBUSY if another XDP program is attached,
 * EOPNOTSUPP if the driver has no XDP, ERANGE or EINVAL mostly if the MTU is
 * too large.  On failure '*errp' says in a sentence (to be freed) what to do,
 * from the kernel's extended ack where it gives one. */
int oxdp_attach_xdp(struct oxdp_attach *, int ifindex, int prog_fd,
                    bool generic, char **errp);

/* Attaches 'prog_fd' to TC ingress or egress of 'ifindex', as tcx where the
 * kernel has it (6.6), otherwise as clsact filter (direct action). */
int oxdp_attach_tc_ingress(struct oxdp_attach *, int ifindex, int prog_fd,
                           char **errp);
int oxdp_attach_tc_egress(struct oxdp_attach *, int ifindex, int prog_fd,
                          char **errp);

/* To ingress, in the second of these ways only.  Leaves the qdisc, which does
 * nothing by itself, behind when the program is detached. */
int oxdp_attach_tc_clsact(struct oxdp_attach *, int ifindex, int prog_fd,
                          char **errp);

/* Whether anything, which is never ours, is on TC egress of the device. */
bool oxdp_tc_egress_is_used(int ifindex);

/* Whether an attachment was made and not yet detached. */
bool oxdp_attach_is_attached(const struct oxdp_attach *);

/* Asks the kernel whether the program still is where it was attached.  It is
 * not if the device has gone, and in the case of classic TC if someone has
 * removed the filter or the qdisc: OVS itself removes it when it sets up
 * ingress policing, which it does once for every interface.  Such an
 * attachment should be detached and made anew. */
bool oxdp_attach_is_live(const struct oxdp_attach *);

void oxdp_detach(struct oxdp_attach *);

#endif /* oxdp-attach.h */
