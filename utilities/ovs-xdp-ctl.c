/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovs-xdp-ctl: looks at datapaths of type xdp, and removes them, from outside
 * of ovs-vswitchd, which need not be alive but for live views.
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command-line.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "ovs-xdp-client.h"
#include "ovs-xdp-doctor.h"
#include "ovs-xdp-top.h"
#include "ovs-xdp-trace.h"
#include "oxdp-instance.h"
#include "oxdp-pin.h"
#include "sset.h"
#include "util.h"

/* How often and how long to wait for an ovs-vswitchd to end. */
#define ENDING_TRIES 20
#define ENDING_USEC 100000

/* --all, --force, --batch. */
static bool all, force, batch;

/* --count, 0: no limit; --target. */
static int count;
static const char *target = "ovs-vswitchd";

/* --write, or NULL. */
static const char *file;

OVS_NO_RETURN static void
usage(void)
{
    printf("\
%s: looks at and removes datapaths of type xdp\n\
usage: %s [OPTIONS] COMMAND [ARG...]\n\
\n\
A datapath has a name, made of the number of its network namespace and of\n\
the run directory of its ovs-vswitchd.  It outlives that: what of it is in\n\
the kernel is pinned in " OXDP_PIN_BASE "/NAME.\n\
\n\
Commands:\n\
  show [NAME...]     print datapaths (default: all), whether their\n\
                     ovs-vswitchd is alive, and what is pinned, with the\n\
                     numbers of links, programs and maps for bpftool\n\
  doctor [DEVICE...] print what this machine has of what datapaths need, and\n\
                     how ports with these devices (default: all) will work\n\
  destroy [NAME...]  remove datapaths from the kernel (default: what is in\n\
                     the network namespace where this runs): programs, maps,\n\
                     and the devices that ovs-vswitchd made, bridges and\n\
                     internal ports among them.  Not if ovs-vswitchd is\n\
                     alive: then use \"ovs-appctl exit --cleanup\".\n\
  top                print every second what goes where, by port\n\
  monitor [PORT...]  print what becomes of some of the packets that come in on\n\
                     ports (default: those that are traced anyway)\n\
  tcpdump PORT       write such packets, before and after, as pcapng\n\
\n\
Options:\n\
  --all              with destroy: all there are\n\
  --force            with destroy: even if ovs-vswitchd is alive\n\
  -b, --batch        with top: print one below the other\n\
  -n, --count=N      with top: print N times; monitor, tcpdump: N packets\n\
  -t, --target=TARGET  with these: ask this daemon, as with ovs-appctl\n\
  -w, --write=FILE   with tcpdump: write to FILE (default: standard output)\n\
  -h, --help         print this text and exit\n\
  -V, --version      print the version and exit\n",
           program_name, program_name);
    vlog_usage();
    exit(EXIT_SUCCESS);
}

static void
parse_options(int argc, char *argv[])
{
    enum {
        OPT_ALL = UCHAR_MAX + 1,
        OPT_FORCE,
        VLOG_OPTION_ENUMS
    };
    static const struct option options[] = {
        {"all", no_argument, NULL, OPT_ALL},
        {"batch", no_argument, NULL, 'b'},
        {"count", required_argument, NULL, 'n'},
        {"force", no_argument, NULL, OPT_FORCE},
        {"help", no_argument, NULL, 'h'},
        {"target", required_argument, NULL, 't'},
        {"write", required_argument, NULL, 'w'},
        {"version", no_argument, NULL, 'V'},
        VLOG_LONG_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    char *short_options = ovs_cmdl_long_options_to_short_options(options);
    int c;

    while ((c = getopt_long(argc, argv, short_options, options, NULL)) != -1) {
        switch (c) {
        case OPT_ALL:
            all = true;
            break;
        case OPT_FORCE:
            force = true;
            break;
        case 'b':
            batch = true;
            break;
        case 'n':
            if (!str_to_int(optarg, 10, &count) || count <= 0) {
                ovs_fatal(0, "--count takes a number from 1 on, and not "
                          "\"%s\"", optarg);
            }
            break;
        case 't':
            target = optarg;
            break;
        case 'w':
            file = optarg;
            break;
        case 'h':
            usage();
        case 'V':
            printf("%s (ovs-xdp) %s\n", program_name, OXDP_VERSION);
            exit(EXIT_SUCCESS);
        VLOG_OPTION_HANDLERS
        case '?':
            exit(EXIT_FAILURE);
        default:
            OVS_NOT_REACHED();
        }
    }
    free(short_options);
}

/* Network namespaces. */

/* Returns a descriptor of network namespace 'inode' and stores in '*wherep',
 * to be freed, how to get there, or returns -1 if there is none such. */
static int
open_namespace(uint64_t inode, char **wherep)
{
    static const char *const patterns[] = {
        "/proc/self/ns/net", "/run/netns/*", "/proc/[0-9]*/ns/net",
    };

    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        glob_t g;
        int fd = -1;

        if (glob(patterns[i], GLOB_NOSORT, NULL, &g)) {
            continue;
        }
        for (size_t j = 0; j < g.gl_pathc && fd < 0; j++) {
            struct stat st;

            if (!stat(g.gl_pathv[j], &st) && st.st_ino == inode) {
                fd = open(g.gl_pathv[j], O_RDONLY | O_CLOEXEC);
                *wherep = xstrdup(i ? g.gl_pathv[j] : "this one");
            }
        }
        globfree(&g);
        if (fd >= 0) {
            return fd;
        }
    }
    *wherep = xstrdup("gone");
    return -1;
}

/* What to do to an instance, in its network namespace, unless that is gone.
 * Returns an exit status. */
typedef int instance_func(const char *instance, const char *rundir,
                          uint64_t inode, const char *where);

/* Calls 'cb' for 'instance' in a process of its own: Open vSwitch's netlink
 * sockets stay in the network namespace where they were opened. */
static int
run_in_namespace(const char *instance, instance_func *cb)
{
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid < 0) {
        ovs_fatal(errno, "fork");
    } else if (!pid) {
        char *rundir, *where;
        uint64_t inode;
        int fd;

        if (!oxdp_instance_parse(instance, &inode, &rundir)) {
            ovs_fatal(0, "\"%s\" is no name of a datapath: \"%s show\" prints "
                      "those that exist", instance, program_name);
        }
        fd = open_namespace(inode, &where);
        if (fd >= 0 && setns(fd, CLONE_NEWNET)) {
            ovs_fatal(errno, "cannot enter network namespace %"PRIu64, inode);
        }
        status = cb(instance, rundir, inode, where);
        fflush(stdout);
        _exit(status);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        continue;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

/* Calls 'cb' for those of 'names' that 'ctx' has as arguments, or else for
 * all, and exits if something went wrong. */
static void
for_each_instance(struct ovs_cmdl_context *ctx, const struct sset *names,
                  instance_func *cb)
{
    int status = EXIT_SUCCESS;
    const char *name;

    for (int i = 1; i < ctx->argc; i++) {
        if (!sset_contains(names, ctx->argv[i])) {
            ovs_fatal(0, "there is no datapath \"%s\": \"%s show\" prints "
                      "those that exist", ctx->argv[i], program_name);
        }
    }
    for (int i = 1; i < ctx->argc; i++) {
        status |= run_in_namespace(ctx->argv[i], cb);
    }
    if (ctx->argc <= 1) {
        SSET_FOR_EACH (name, names) {
            status |= run_in_namespace(name, cb);
        }
    }
    if (status) {
        exit(EXIT_FAILURE);
    }
}

static void
get_names(struct sset *names)
{
    int error = oxdp_instance_list(names);

    if (error && error != ENOENT) {
        ovs_fatal(error, "cannot read " OXDP_PIN_BASE);
    }
}

/* Commands. */

static int
show(const char *instance, const char *rundir, uint64_t inode,
     const char *where)
{
    struct oxdp_pins *pins = oxdp_pins_open_other(instance);
    struct ds s = DS_EMPTY_INITIALIZER;
    int pid;

    ds_put_format(&s, "%s\n  network namespace: %"PRIu64" (%s)\n"
                  "  run directory: %s\n  ovs-vswitchd: ", instance, inode,
                  where, rundir);
    if (strcmp(where, "gone") && oxdp_instance_is_alive(&pid)) {
        ds_put_format(&s, "alive, process %d\n", pid);
    } else {
        ds_put_cstr(&s, "not alive\n");
    }
    ds_put_format(&s, "  ABI version: %"PRIu32"\n",
                  oxdp_pins_abi_version(pins));
    oxdp_pins_format(pins, &s);
    fputs(ds_cstr(&s), stdout);
    ds_destroy(&s);
    oxdp_pins_close(pins);
    return EXIT_SUCCESS;
}

static void
cmd_show(struct ovs_cmdl_context *ctx)
{
    struct sset names = SSET_INITIALIZER(&names);

    get_names(&names);
    for_each_instance(ctx, &names, show);
    sset_destroy(&names);
}

/* Returns true, after having said so, if there is an ovs-vswitchd that forbids
 * to destroy the datapath of this network namespace. */
static bool
is_alive(const char *what)
{
    int pid;

    /* One that is ending takes a moment. */
    for (int i = 0; ; i++) {
        if (force || !oxdp_instance_is_alive(&pid)) {
            return false;
        }
        if (i >= ENDING_TRIES) {
            break;
        }
        usleep(ENDING_USEC);
    }
    ovs_error(0, "%s: ovs-vswitchd is alive, process %d: use \"ovs-appctl "
              "exit --cleanup\", or --force", what, pid);
    return true;
}

static int
destroy(const char *instance, const char *rundir OVS_UNUSED,
        uint64_t inode OVS_UNUSED, const char *where)
{
    bool gone = !strcmp(where, "gone");

    if (!gone && is_alive(instance)) {
        return EXIT_FAILURE;
    }
    if (!gone) {
        oxdp_instance_delete_devices();
    }
    oxdp_instance_destroy(instance);
    return EXIT_SUCCESS;
}

/* Removes from 'names' those that are not of this network namespace. */
static void
keep_ours(struct sset *names)
{
    char *rundir, *ours = oxdp_instance_name();
    uint64_t inode, our_inode;
    const char *name;

    oxdp_instance_parse(ours, &our_inode, &rundir);
    free(rundir);
    free(ours);
    SSET_FOR_EACH_SAFE (name, names) {
        if (oxdp_instance_parse(name, &inode, &rundir)
            && inode != our_inode) {
            sset_delete(names, SSET_NODE_FROM_NAME(name));
        }
        free(rundir);
    }
}

static void
cmd_destroy(struct ovs_cmdl_context *ctx)
{
    struct sset names = SSET_INITIALIZER(&names);

    if (all && ctx->argc > 1) {
        ovs_fatal(0, "--all takes no names");
    }
    get_names(&names);
    if (!all && ctx->argc <= 1) {
        if (is_alive("this network namespace")) {
            exit(EXIT_FAILURE);
        }
        keep_ours(&names);
    }
    for_each_instance(ctx, &names, destroy);
    if (!all && ctx->argc <= 1) {
        /* Even if nothing could be pinned. */
        oxdp_instance_delete_devices();
    }
    sset_destroy(&names);
}

static void
cmd_doctor(struct ovs_cmdl_context *ctx)
{
    if (ovs_xdp_doctor(ctx->argv + 1, ctx->argc - 1)) {
        exit(EXIT_FAILURE);
    }
}

static void
cmd_top(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    ovs_xdp_client_stop_on_signals();
    ovs_xdp_top(ovs_xdp_client_open(target), batch, count);
}

static void
cmd_monitor(struct ovs_cmdl_context *ctx)
{
    ovs_xdp_monitor(ovs_xdp_client_open(target), ctx->argv + 1, ctx->argc - 1,
                    count);
}

static void
cmd_tcpdump(struct ovs_cmdl_context *ctx)
{
    ovs_xdp_tcpdump(ovs_xdp_client_open(target), ctx->argv[1], file, count);
}

static void
cmd_help(struct ovs_cmdl_context *ctx OVS_UNUSED)
{
    usage();
}

static const struct ovs_cmdl_command commands[] = {
    {"show", "[name...]", 0, INT_MAX, cmd_show, OVS_RO},
    {"destroy", "[name...]", 0, INT_MAX, cmd_destroy, OVS_RW},
    {"doctor", "[device...]", 0, INT_MAX, cmd_doctor, OVS_RO},
    {"top", NULL, 0, 0, cmd_top, OVS_RO},
    {"monitor", "[port...]", 0, INT_MAX, cmd_monitor, OVS_RO},
    {"tcpdump", "port", 1, 1, cmd_tcpdump, OVS_RO},
    {"help", NULL, 0, INT_MAX, cmd_help, OVS_RO},
    {NULL, NULL, 0, 0, NULL, OVS_RO},
};

int
main(int argc, char *argv[])
{
    struct ovs_cmdl_context ctx = { .argc = 0 };

    set_program_name(argv[0]);
    ovsthread_id_init();
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_WARN);
    parse_options(argc, argv);
    if (optind == argc) {
        ovs_fatal(0, "missing command name; use --help for help");
    }
    if (geteuid()) {
        ovs_fatal(0, "must run as root");
    }
    ctx.argc = argc - optind;
    ctx.argv = argv + optind;
    ovs_cmdl_run_command(&ctx, commands);
    return 0;
}
