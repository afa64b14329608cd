/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovs-xdp-client: what commands of ovs-xdp-ctl ask ovs-vswitchd.
 */

#ifndef OVS_XDP_CLIENT_H
#define OVS_XDP_CLIENT_H 1

#include <stdbool.h>

struct jsonrpc;

/* Connects to the daemon 'target', which is as for ovs-appctl's --target, and
 * exits if there is none. */
struct jsonrpc *ovs_xdp_client_open(const char *target);

/* Returns the reply to 'command' with 'argc' arguments, to be freed; exits if
 * it is an error. */
char *ovs_xdp_client_call(struct jsonrpc *, const char *command, int argc,
                          char *argv[]);

/* Sleeps until 'when', in time_msec().  Returns false if a signal that
 * ovs_xdp_client_stop_on_signals() has been called for has come before. */
bool ovs_xdp_client_sleep(long long int when);

/* Has SIGINT, SIGTERM, SIGHUP and SIGPIPE end ovs_xdp_client_sleep() and not
 * the program. */
void ovs_xdp_client_stop_on_signals(void);

#endif /* ovs-xdp-client.h */
