/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-actions: lists of actions.
 *
 * BPF knows a "userspace" action by its cookie, a hash of it, and sends that
 * along with a copy of a packet.  As long as a list of actions exists, so does
 * the way back from the cookies in it, for all threads.
 */

#ifndef OXDP_ACTIONS_H
#define OXDP_ACTIONS_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netlink.h"

/* A list of actions, immutable. */
struct oxdp_actions {
    size_t size;                /* In bytes. */
    struct nlattr actions[];
};

/* Returns true if the list is well-formed: attributes fill it, those that are
 * structures have their size, fields are set that can be, and lists in lists are
 * not too deep.  All others of the project's functions, and OVS's
 * odp_execute_actions(), take that for granted. */
bool oxdp_actions_are_valid(const struct nlattr *, size_t size);

struct oxdp_actions *oxdp_actions_clone(const struct nlattr *, size_t size);
void oxdp_actions_free(struct oxdp_actions *);

/* Returns the cookie of 'a', an OVS_ACTION_ATTR_USERSPACE. */
uint64_t oxdp_cookie(const struct nlattr *a);

/* Returns the action that 'cookie' stands for, valid until the calling thread
 * quiesces, or NULL if it is in no list any more. */
const struct nlattr *oxdp_cookie_find(uint64_t cookie);

#endif /* oxdp-actions.h */
