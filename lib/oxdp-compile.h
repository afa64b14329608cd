/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-compile: from OVS's actions to the opcodes of the fast path.
 *
 * Pure functions, for any thread.
 */

#ifndef OXDP_COMPILE_H
#define OXDP_COMPILE_H 1

#include <stddef.h>

struct nlattr;
struct oxdp_flow;

/* Stores verdict, reason and opcodes for 'actions' in '*flow', whose other
 * members are not touched.  Never fails: what opcodes cannot express gets the
 * verdict OXDP_VERDICT_USER and a reason. */
void oxdp_compile_actions(const struct nlattr *actions, size_t actions_len,
                          struct oxdp_flow *flow);

#endif /* oxdp-compile.h */
