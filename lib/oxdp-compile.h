/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-compile: from OVS's actions to the opcodes of the fast path.
 *
 * Pure functions, for any thread.
 */

#ifndef OXDP_COMPILE_H
#define OXDP_COMPILE_H 1

#include <stdbool.h>
#include <stddef.h>

#include "oxdp-abi.h"

struct nlattr;

/* A flow and its opcodes, 'flow.n_ops' of them. */
struct oxdp_code {
    struct oxdp_flow flow;
    struct oxdp_flow_rest rest;
    struct oxdp_op ops[OXDP_MAX_OPS];
};

/* Stores verdict, reason and opcodes for 'actions' in '*code'.  The other members
 * of 'code->flow' and 'code->rest' stay as they are.  Never fails: what opcodes
 * cannot express gets the verdict OXDP_VERDICT_USER and a reason. */
void oxdp_compile_actions(const struct nlattr *actions, size_t actions_len,
                          struct oxdp_code *code);

/* Returns true if BPF finds the opcodes of 'code' in a struct oxdp_list. */
static inline bool
oxdp_code_needs_list(const struct oxdp_code *code)
{
    return (code->flow.n_ops > 1
            || (code->flow.n_ops && code->ops[0].code != OXDP_OP_OUTPUT));
}

#endif /* oxdp-compile.h */
