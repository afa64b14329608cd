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
    int ifindex;                /* For classic TC, which has no link. */
    uint32_t tc_handle, tc_priority; /* Classic TC's filter, else 0. */
};

#define OXDP_ATTACH_INIT { -1, 0, 0, 0 }

/* Attaches XDP program 'prog_fd' to 'ifindex', natively or generic.  Returns 0
 * or a positive errno value: EBUSY if another XDP program is attached,
 * EOPNOTSUPP if the driver has no XDP, ERANGE or EINVAL mostly if the MTU is
 * too large.  On failure '*errp' says in a sentence (to be freed) what to do,
 * from the kernel's extended ack where it gives one. */
int oxdp_attach_xdp(struct oxdp_attach *, int ifindex, int prog_fd,
                    bool generic, char **errp);

/* Attaches 'prog_fd' to TC ingress of 'ifindex', as tcx where the kernel has
 * it (6.6), otherwise as clsact filter (direct action). */
int oxdp_attach_tc_ingress(struct oxdp_attach *, int ifindex, int prog_fd,
                           char **errp);

bool oxdp_attach_is_attached(const struct oxdp_attach *);
void oxdp_detach(struct oxdp_attach *);

#endif /* oxdp-attach.h */
