/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-format: flows of the fast path in a form for people.
 *
 * Pure functions, for any thread.
 */

#ifndef OXDP_FORMAT_H
#define OXDP_FORMAT_H 1

#include "oxdp-abi.h"

struct ds;
struct oxdp_code;

/* Names and texts of an enum oxdp_verdict, oxdp_hook and oxdp_reason. */
const char *oxdp_verdict_name(int verdict);
const char *oxdp_hook_name(int hook);
const char *oxdp_reason_name(int reason);
const char *oxdp_reason_text(int reason);

/* An enum oxdp_drop, or an enum oxdp_away: its name, what it means, and what to
 * do about it. */
struct oxdp_drop_info {
    const char *name, *text, *advice;
};

const struct oxdp_drop_info *oxdp_drop_info(enum oxdp_drop);

/* Appends the opcodes of 'code' to 'ds'. */
void oxdp_format_ops(const struct oxdp_code *code, struct ds *ds);

#endif /* oxdp-format.h */
