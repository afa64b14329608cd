/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "ovs-xdp-client.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "daemon.h"
#include "dirs.h"
#include "jsonrpc.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

/* A signal is noticed after so long at most, in ms. */
#define SLICE_MS 100

static volatile sig_atomic_t stop;

struct jsonrpc *
ovs_xdp_client_open(const char *target)
{
    struct jsonrpc *client;
    char *path;
    int error;

    if (target[0] == '/') {
        path = xstrdup(target);
    } else {
        char *pidfile = xasprintf("%s/%s.pid", ovs_rundir(), target);
        pid_t pid = read_pidfile(pidfile);

        if (pid < 0) {
            ovs_fatal(-pid, "cannot read %s: start ovs-vswitchd, or say by "
                      "OVS_RUNDIR or --target where it is", pidfile);
        }
        path = xasprintf("%s/%s.%ld.ctl", ovs_rundir(), target, (long) pid);
        free(pidfile);
    }
    error = unixctl_client_create(path, &client);
    if (error) {
        ovs_fatal(error, "cannot connect to %s", path);
    }
    free(path);
    return client;
}

char *
ovs_xdp_client_call(struct jsonrpc *client, const char *command, int argc,
                    char *argv[])
{
    char *result, *text;
    int error = unixctl_client_transact(client, command, argc, argv, &result,
                                        &text);

    if (error) {
        ovs_fatal(error == EOF ? 0 : error,
                  "lost the connection to ovs-vswitchd");
    }
    if (text) {
        ovs_fatal(0, "%s: %s", command, text);
    }
    return result;
}

static void
handle_signal(int number OVS_UNUSED)
{
    stop = true;
}

void
ovs_xdp_client_stop_on_signals(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    struct sigaction action = { .sa_handler = handle_signal };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        sigaction(numbers[i], &action, NULL);
    }
}

bool
ovs_xdp_client_sleep(long long int when)
{
    /* poll_block() goes on after a signal. */
    while (!stop && time_msec() < when) {
        poll_timer_wait_until(MIN(when, time_msec() + SLICE_MS));
        poll_block();
    }
    return !stop;
}
