/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "cni-ipam.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "util.h"

/* Returns the path of the executable 'type' in CNI_PATH, to be freed, or
 * NULL. */
static char *
find_plugin(const char *cni_path, const char *type)
{
    char *path = xstrdup(cni_path ? cni_path : "");
    char *save = NULL, *found = NULL;

    for (char *dir = strtok_r(path, ":", &save); dir && !found;
         dir = strtok_r(NULL, ":", &save)) {
        found = xasprintf("%s/%s", dir, type);
        if (access(found, X_OK)) {
            free(found);
            found = NULL;
        }
    }
    free(path);
    return found;
}

/* Starts 'program', and stores the near ends of pipes to its standard input
 * and output in 'fds'.  Returns its process ID, or a negative errno value. */
static pid_t
start_plugin(const char *program, const char *command, int fds[2])
{
    int in[2], out[2];
    pid_t pid;

    if (pipe2(in, O_CLOEXEC)) {
        return -errno;
    }
    if (pipe2(out, O_CLOEXEC)) {
        int error = errno;

        close(in[0]);
        close(in[1]);
        return -error;
    }
    pid = fork();
    if (!pid) {
        signal(SIGPIPE, SIG_DFL);
        if (dup2(in[0], STDIN_FILENO) >= 0 && dup2(out[1], STDOUT_FILENO) >= 0
            && !setenv("CNI_COMMAND", command, true)) {
            execl(program, program, NULL);
        }
        fprintf(stderr, "%s: %s\n", program, ovs_strerror(errno));
        _exit(127);
    } else if (pid < 0) {
        pid = -errno;
    }
    close(in[0]);
    close(out[1]);
    fds[0] = in[1];
    fds[1] = out[0];
    if (pid < 0) {
        close(fds[0]);
        close(fds[1]);
    }
    return pid;
}

/* Writes 'text' to 'fds[0]' while it reads from 'fds[1]', which it returns, to
 * be freed, at its end.  Closes both. */
static char *
exchange(const char *text, int fds[2])
{
    struct pollfd pfds[2] = {
        { .fd = fds[0], .events = POLLOUT },
        { .fd = fds[1], .events = POLLIN },
    };
    size_t left = strlen(text);
    struct ds output = DS_EMPTY_INITIALIZER;
    char buffer[4096];

    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    for (;;) {
        if (poll(pfds, 2, -1) < 0) {
            continue;
        }
        if (pfds[0].revents) {
            ssize_t n = write(fds[0], text, left);

            if (n > 0) {
                text += n;
                left -= n;
            }
            if (!left || (n < 0 && errno != EAGAIN && errno != EINTR)) {
                close(fds[0]);
                pfds[0].fd = -1;
                pfds[0].revents = 0;
            }
        }
        if (pfds[1].revents) {
            ssize_t n = read(fds[1], buffer, sizeof buffer);

            if (n > 0) {
                ds_put_buffer(&output, buffer, n);
            } else if (!n || errno != EINTR) {
                break;
            }
        }
    }
    if (pfds[0].fd >= 0) {
        close(fds[0]);
    }
    close(fds[1]);
    return ds_steal_cstr(&output);
}

/* What a plugin that failed said, in 'json' or not. */
static struct cni_error *
plugin_error(const char *type, const char *command, int status,
             const struct json *json)
{
    if (json->type == JSON_OBJECT) {
        struct shash *object = json_object(json);
        const struct json *code = shash_find_data(object, "code");
        const struct json *msg = shash_find_data(object, "msg");
        const struct json *details = shash_find_data(object, "details");

        if (code && code->type == JSON_INTEGER && json_integer(code) > 0
            && msg && msg->type == JSON_STRING) {
            const char *text = (details && details->type == JSON_STRING
                                ? json_string(details) : "");

            return cni_error_create(
                json_integer(code), xstrdup(json_string(msg)),
                xasprintf("IPAM plugin \"%s\", %s%s%s", type, command,
                          text[0] ? ": " : "", text));
        }
    }
    if (WIFSIGNALED(status)) {
        return cni_error(CNI_IPAM, "IPAM plugin \"%s\", %s: killed by signal "
                         "%d", type, command, WTERMSIG(status));
    }
    return cni_error(CNI_IPAM, "IPAM plugin \"%s\", %s: exit status %d without"
                     " a word on its standard output", type, command,
                     WEXITSTATUS(status));
}

/* Runs 'program' and returns its error, or stores what it prints in
 * '*outputp'. */
static struct cni_error *
run_plugin(const struct cni_config *config, const char *program,
           const char *command, struct json **jsonp)
{
    struct cni_error *error = NULL;
    struct json *json;
    int fds[2], status;
    char *output;
    pid_t pid;

    pid = start_plugin(program, command, fds);
    if (pid < 0) {
        return cni_error(CNI_IPAM, "cannot run %s: %s", program,
                         ovs_strerror(-pid));
    }
    output = exchange(config->text, fds);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        continue;
    }

    json = json_from_string(output);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        error = plugin_error(config->ipam_type, command, status, json);
    } else if (jsonp && json->type != JSON_OBJECT) {
        error = cni_error(CNI_IPAM, "IPAM plugin \"%s\", %s: it printed no "
                          "JSON object, but \"%.200s\"", config->ipam_type,
                          command, output);
    } else if (jsonp) {
        *jsonp = json_clone(json);
    }
    json_destroy(json);
    free(output);
    return error;
}

struct cni_error *
cni_ipam_run(const struct cni_config *config, const char *command,
             struct json **jsonp)
{
    struct cni_error *error;
    char *program;

    if (jsonp) {
        *jsonp = NULL;
    }
    program = find_plugin(config->path, config->ipam_type);
    if (!program) {
        return cni_error(CNI_IPAM, "there is no IPAM plugin \"%s\" in "
                         "CNI_PATH, \"%s\"", config->ipam_type,
                         config->path ? config->path : "");
    }
    error = run_plugin(config, program, command, jsonp);
    free(program);
    return error;
}
