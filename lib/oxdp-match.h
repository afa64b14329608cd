/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-match: OVS's flows and matches as the keys and masks of the BPF side.
 *
 * Pure functions, for any thread.
 */

#ifndef OXDP_MATCH_H
#define OXDP_MATCH_H 1

#include <stdbool.h>

struct flow;
struct match;
struct oxdp_key;

/* Stores in '*key' the fields of 'flow' that a struct oxdp_key has. */
void oxdp_key_from_flow(const struct flow *flow, struct oxdp_key *key);

/* Stores in '*flow' the flow of an Ethernet packet that has what 'key' says.
 * What a key does not say is zero, VLAN tags of no type are 802.1Q. */
void oxdp_flow_from_key(const struct oxdp_key *key, struct flow *flow);

/* Translates 'match', whose flow is masked, to '*key' and '*mask'.  Returns
 * true if a frame on a port matches 'match' exactly if it matches these, false
 * if 'match' asks for something that a struct oxdp_key cannot tell, or that no
 * frame straight from a port can have. */
bool oxdp_key_from_match(const struct match *match, struct oxdp_key *key,
                         struct oxdp_key *mask);

#endif /* oxdp-match.h */
