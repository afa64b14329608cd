/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-bflood: flows whose packets the kernel bridge can flood.
 *
 * That is so if what the bridge and its gates (datapath-bpf/oxdp-gate.h) would
 * do with a packet is exactly what the flow's actions say: the same ports, with
 * the same VLAN tags.  Any thread.
 */

#ifndef OXDP_BFLOOD_H
#define OXDP_BFLOOD_H 1

#include <stdbool.h>
#include <stddef.h>

struct match;
struct nlattr;
struct oxdp_code;
struct oxdp_shared;

/* Changes 'code', which has been compiled from 'actions' and matches 'match',
 * to verdict BRIDGE if the kernel bridge can flood its packets, and is either
 * asked to or the only one in the kernel who can. */
void oxdp_bflood_choose(const struct oxdp_shared *, const struct match *match,
                        const struct nlattr *actions, size_t actions_len,
                        struct oxdp_code *code);

/* Returns false if oxdp_bflood_choose() cannot choose the bridge for a flow
 * with this match, whatever the ports are. */
bool oxdp_bflood_is_candidate(const struct match *);

#endif /* oxdp-bflood.h */
