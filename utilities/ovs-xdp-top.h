/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovs-xdp-top: where packets go, live, in a terminal.
 */

#ifndef OVS_XDP_TOP_H
#define OVS_XDP_TOP_H 1

#include <stdbool.h>

struct jsonrpc;

/* Prints every second what the daemon behind 'client' counts, 'n' times or
 * without end if that is 0; as 'batch' one below the other.  Returns when a
 * signal says so. */
void ovs_xdp_top(struct jsonrpc *client, bool batch, int n);

#endif /* ovs-xdp-top.h */
