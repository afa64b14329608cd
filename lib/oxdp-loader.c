/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "entropy.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "oxdp-cpu.skel.h"
#include "oxdp-tc-trace.skel.h"
#include "oxdp-tc.skel.h"
#include "oxdp-xdp-trace.skel.h"
#include "oxdp-xdp.skel.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(oxdp_loader);

/* The map of a chunk's or of all buckets' memory may have to be locked on
 * kernels before 5.11. */
static void
raise_memlock(void)
{
    struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

    if (setrlimit(RLIMIT_MEMLOCK, &limit)) {
        VLOG_DBG("could not raise RLIMIT_MEMLOCK (%s)", ovs_strerror(errno));
    }
}

/* libbpf's last complaint, for the error message of oxdp_bpf_open(), which
 * runs in one thread at a time. */
static char last_libbpf_message[512];

static int OVS_PRINTF_FORMAT(2, 0)
print_to_vlog(enum libbpf_print_level level, const char *format, va_list args)
{
    char *s = xvasprintf(format, args);
    size_t len = strlen(s);

    if (len && s[len - 1] == '\n') {
        s[len - 1] = '\0';
    }
    if (level == LIBBPF_WARN) {
        ovs_strlcpy(last_libbpf_message, s, sizeof last_libbpf_message);
    }
    VLOG_DBG("%s", s);
    free(s);
    return 0;
}

/* Returns the size in bytes that a mapped array takes. */
static size_t
map_bytes(size_t value_size, uint32_t n)
{
    return ROUND_UP(ROUND_UP(value_size, 8) * n, (size_t) getpagesize());
}

static void *
map_memory(int fd, size_t value_size, uint32_t n)
{
    void *p = mmap(NULL, map_bytes(value_size, n), PROT_READ | PROT_WRITE,
                   MAP_SHARED, fd, 0);

    return p == MAP_FAILED ? NULL : p;
}

void *
oxdp_map_new(const char *name, size_t value_size, uint32_t n, uint32_t flags,
             int *fdp)
{
    LIBBPF_OPTS(bpf_map_create_opts, opts,
                .map_flags = BPF_F_MMAPABLE | flags);
    void *p;
    int fd;

    fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(uint32_t),
                        value_size, n, &opts);
    if (fd < 0) {
        errno = -fd;
        return NULL;
    }
    p = map_memory(fd, value_size, n);
    if (!p) {
        int error = errno;

        close(fd);
        errno = error;
        return NULL;
    }
    *fdp = fd;
    return p;
}

void
oxdp_map_free(void *p, size_t value_size, uint32_t n, int fd)
{
    if (p) {
        munmap(p, map_bytes(value_size, n));
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* What this process and this kernel lack, before the kernel says EPERM.
 * Returns 0 or a positive errno value. */
static int
check_prerequisites(char **errp)
{
    int fd;

    capng_get_caps_process();
    if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN)
        || !(capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF)
             || capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN))) {
        *errp = xstrdup("CAP_BPF or CAP_NET_ADMIN is missing: run "
                        "ovs-vswitchd as root, without --user, and a "
                        "container with these capabilities");
        return EPERM;
    }

    fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        int error = errno;

        *errp = xasprintf("the kernel has no AF_XDP sockets (%s): use a "
                          "kernel with CONFIG_XDP_SOCKETS=y",
                          ovs_strerror(error));
        return error;
    }
    close(fd);
    return 0;
}

/* Returns the map of 'obj' that is shared under 'name', or NULL if it has
 * none.  libbpf names ".bss" after the object. */
static struct bpf_map *
find_shared_map(struct bpf_object *obj, const char *name)
{
    const char *dot = strchr(name, '.');
    struct bpf_map *map;

    if (!dot) {
        return bpf_object__find_map_by_name(obj, name);
    }
    bpf_object__for_each_map (map, obj) {
        const char *suffix = strchr(bpf_map__name(map), '.');

        if (suffix && !strcmp(dot, ".bss") && !strcmp(suffix, dot)) {
            return map;
        }
    }
    return NULL;
}

/* Returns the highest number that a CPU can have, plus 1. */
static uint32_t
count_cpus(void)
{
    FILE *file = fopen("/sys/devices/system/cpu/possible", "r");
    unsigned int last = 0, n;

    /* As in "0-3,8-11". */
    while (file && fscanf(file, "%u%*[-,]", &n) == 1) {
        last = n;
    }
    if (file) {
        fclose(file);
    }
    return MAX(last + 1, libbpf_num_possible_cpus());
}

/* Gives 'obj' the maps that 'first', which is loaded, has. */
static int
share_maps(struct bpf_object *obj, struct bpf_object *first)
{
    struct bpf_map *map;

    bpf_object__for_each_map (map, obj) {
        struct bpf_map *other = find_shared_map(first, bpf_map__name(map));

        if (other && bpf_map__is_internal(map)
            && bpf_map__value_size(map) != bpf_map__value_size(other)) {
            VLOG_ERR("oxdp_shared is not alone in .bss");
            return EINVAL;
        }
        if (other) {
            int error = bpf_map__reuse_fd(map, bpf_map__fd(other));

            if (error) {
                return -error;
            }
        }
    }
    return 0;
}

size_t
oxdp_bpf_chunk_size(const struct oxdp_bpf *bpf)
{
    return offsetof(struct oxdp_chunk,
                    stats[bpf->n_cpus * OXDP_CHUNK_FLOWS]);
}

static size_t
cpu_block_size(const struct oxdp_bpf *bpf)
{
    return offsetof(struct oxdp_cpu_block, hints[bpf->hint_size]);
}

struct oxdp_cpu_block *
oxdp_bpf_cpu_block(const struct oxdp_bpf *bpf, uint32_t cpu)
{
    return (void *) ((char *) bpf->cpu_blocks + cpu * cpu_block_size(bpf));
}

void
oxdp_port_stats_add(struct oxdp_port_stats *sum,
                    const struct oxdp_port_stats *stats)
{
    const volatile uint64_t *from = (const volatile uint64_t *) stats;
    uint64_t *to = (uint64_t *) sum;

    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) {
        to[i] += from[i];
    }
}

/* How much the verifier may say of a program: sums, no details. */
#define VERIFIER_LOG_SIZE 4096
#define VERIFIER_LOG_STATS 4

/* If 'log' is nonnull, makes the verifier say what it found when 'obj' is
 * loaded. */
static void
start_verifier_log(struct bpf_object *obj, struct ds *log)
{
    struct bpf_program *prog;

    if (log) {
        bpf_object__for_each_program (prog, obj) {
            bpf_program__set_log_level(prog, VERIFIER_LOG_STATS);
            bpf_program__set_log_buf(prog, xzalloc(VERIFIER_LOG_SIZE),
                                     VERIFIER_LOG_SIZE);
        }
    }
}

static void
finish_verifier_log(struct bpf_object *obj, struct ds *log)
{
    struct bpf_program *prog;

    if (log) {
        bpf_object__for_each_program (prog, obj) {
            size_t size;
            char *buf = CONST_CAST(char *, bpf_program__log_buf(prog, &size));

            ds_put_format(log, "program %s\n%s", bpf_program__name(prog),
                          buf);
            bpf_program__set_log_buf(prog, NULL, 0);
            free(buf);
        }
    }
}

/* Elements of the flow hint per CPU, and of all together. */
#define DEFAULT_HINTS (1u << 18)
#define DEFAULT_ALL_HINTS (1u << 24)

static uint32_t
choose_hint_size(const struct oxdp_bpf *bpf, uint32_t size)
{
    if (!size) {
        size = MIN(DEFAULT_HINTS, DEFAULT_ALL_HINTS / bpf->n_cpus);
    }
    return ROUND_UP_POW2(MAX(size, OXDP_HINT_WAYS));
}

/* Masks that may be looked at in vain per millisecond, for packets of one port
 * on one CPU: some 3 % of its time. */
#define VAIN_PROBES_PER_MS 1000

/* Constants of a skeleton's programs. */
#define SET_RODATA(SKEL, BPF)                                           \
    do {                                                                \
        memcpy((void *) (SKEL)->rodata->oxdp_seeds, (BPF)->seeds,       \
               sizeof (BPF)->seeds);                                    \
        *(uint32_t *) &(SKEL)->rodata->oxdp_hint_mask                   \
            = (BPF)->hint_size - OXDP_HINT_WAYS;                        \
        *(uint32_t *) &(SKEL)->rodata->oxdp_n_cpus = (BPF)->n_cpus;     \
    } while (0)

static int
load_xdp(struct oxdp_bpf *bpf, struct ds *log)
{
    LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
    struct oxdp_xdp *xdp = bpf->xdp = oxdp_xdp__open();
    int error, fd;

    if (!xdp) {
        return errno;
    }
    bpf_map__set_max_entries(xdp->maps.oxdp_cpus, bpf->n_cpus);
    bpf_map__set_value_size(xdp->maps.oxdp_cpus, cpu_block_size(bpf));
    bpf_map__set_max_entries(xdp->maps.oxdp_xsks, bpf->n_queues);
    SET_RODATA(xdp, bpf);

    /* What the elements of oxdp_chunks will be like.  libbpf 1.1 cannot change
     * the size of an inner map that it makes itself. */
    fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "oxdp_chunk", sizeof(uint32_t),
                        oxdp_bpf_chunk_size(bpf), 1, &opts);
    if (fd < 0) {
        return -fd;
    }
    error = -bpf_map__set_inner_map_fd(xdp->maps.oxdp_chunks, fd);
    start_verifier_log(xdp->obj, log);
    error = error ? error : -oxdp_xdp__load(xdp);
    finish_verifier_log(xdp->obj, log);
    close(fd);
    return error;
}

static int
load_tc(struct oxdp_bpf *bpf, struct ds *log)
{
    struct oxdp_tc *tc = bpf->tc = oxdp_tc__open();
    int error;

    if (!tc) {
        return errno;
    }
    SET_RODATA(tc, bpf);
    error = share_maps(tc->obj, bpf->xdp->obj);
    start_verifier_log(tc->obj, log);
    error = error ? error : -oxdp_tc__load(tc);
    finish_verifier_log(tc->obj, log);
    return error;
}

static int
load_cpu(struct oxdp_bpf *bpf, struct ds *log)
{
    struct oxdp_cpu *cpu = bpf->cpu = oxdp_cpu__open();
    int error;

    if (!cpu) {
        return errno;
    }
    error = share_maps(cpu->obj, bpf->xdp->obj);
    start_verifier_log(cpu->obj, log);
    error = error ? error : -oxdp_cpu__load(cpu);
    finish_verifier_log(cpu->obj, log);
    return error;
}

/* Loads 'obj', a copy of programs of 'first' that traces, and puts its programs
 * into 'progs'. */
static int
load_trace(struct bpf_object *obj, struct bpf_object *first,
           struct bpf_object *samples, const struct bpf_map *progs,
           struct ds *log)
{
    enum oxdp_prog i = OXDP_PROG_TRACE;
    struct bpf_program *prog;
    int error;

    error = share_maps(obj, first);
    error = error || !samples ? error : share_maps(obj, samples);
    start_verifier_log(obj, log);
    error = error ? error : -bpf_object__load(obj);
    finish_verifier_log(obj, log);
    bpf_object__for_each_program (prog, obj) {
        int fd = bpf_program__fd(prog);

        error = error ? error
                : -bpf_map__update_elem(progs, &i, sizeof i, &fd, sizeof fd,
                                        BPF_ANY);
        i++;
    }
    return error;
}

int
oxdp_bpf_load_trace(struct oxdp_bpf *bpf, struct ds *log)
{
    struct oxdp_xdp_trace *xdp;
    struct oxdp_tc_trace *tc;
    int error;

    if (bpf->tc_trace) {
        return 0;
    }
    xdp = oxdp_xdp_trace__open();
    tc = oxdp_tc_trace__open();
    error = xdp && tc ? 0 : errno;
    if (!error) {
        SET_RODATA(xdp, bpf);
        SET_RODATA(tc, bpf);
        error = load_trace(xdp->obj, bpf->xdp->obj, NULL,
                           bpf->xdp->maps.oxdp_progs, log);
    }
    if (!error) {
        error = load_trace(tc->obj, bpf->xdp->obj, xdp->obj,
                           bpf->tc->maps.oxdp_tc_progs, log);
    }
    if (error) {
        oxdp_tc_trace__destroy(tc);
        oxdp_xdp_trace__destroy(xdp);
        return error;
    }
    bpf->xdp_trace = xdp;
    bpf->tc_trace = tc;
    bpf->samples_fd = bpf_map__fd(xdp->maps.oxdp_samples);
    return 0;
}

static int
map_all(struct oxdp_bpf *bpf)
{
    struct oxdp_xdp *xdp = bpf->xdp;

    bpf->cpu_blocks = map_memory(bpf_map__fd(xdp->maps.oxdp_cpus),
                                 cpu_block_size(bpf), bpf->n_cpus);
    if (!bpf->cpu_blocks) {
        return errno;
    }
    bpf->shared = &xdp->bss->oxdp_shared;

    bpf->devs_fd = bpf_map__fd(xdp->maps.oxdp_devs);
    bpf->buckets_fd = bpf_map__fd(xdp->maps.oxdp_buckets);
    bpf->chunks_fd = bpf_map__fd(xdp->maps.oxdp_chunks);
    bpf->lists_fd = bpf_map__fd(xdp->maps.oxdp_lists);
    bpf->orders_fd = bpf_map__fd(xdp->maps.oxdp_orders);
    bpf->floods_fd = bpf_map__fd(xdp->maps.oxdp_floods);
    bpf->meters_fd = bpf_map__fd(xdp->maps.oxdp_meters);
    bpf->mac_srcs_fd = bpf_map__fd(xdp->maps.oxdp_mac_srcs);
    bpf->xsks_fd = bpf_map__fd(xdp->maps.oxdp_xsks);
    return 0;
}

/* Relates bpf_jiffies64() to CLOCK_MONOTONIC.  The kernel advances both in
 * step, so once is enough. */
static void
sync_clock(struct oxdp_bpf *bpf)
{
    char frame[64] = { 0 };
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
                .data_size_in = sizeof frame, .repeat = 1);

    bpf_prog_test_run_opts(bpf->clock_fd, &opts);
}

int
oxdp_bpf_open(const struct oxdp_bpf_config *config, struct oxdp_bpf **bpfp,
              char **errp)
{
    struct oxdp_bpf *bpf;
    struct timespec tick;
    int error;

    *bpfp = NULL;
    error = check_prerequisites(errp);
    if (error) {
        return error;
    }

    libbpf_set_print(print_to_vlog);
    last_libbpf_message[0] = '\0';
    raise_memlock();

    bpf = xzalloc(sizeof *bpf);
    bpf->n_cpus = count_cpus();
    bpf->n_queues = MIN(bpf->n_cpus, 64);
    bpf->hint_size = choose_hint_size(bpf, config->hint_size);
    get_entropy(bpf->seeds, sizeof bpf->seeds);
    clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
    bpf->ms_per_jiffy = tick.tv_sec * 1e3 + tick.tv_nsec / 1e6;

    error = load_xdp(bpf, config->verifier_log);
    error = error ? error : load_tc(bpf, config->verifier_log);
    error = error ? error : load_cpu(bpf, config->verifier_log);
    error = error ? error : map_all(bpf);
    if (error) {
        *errp = xasprintf("the kernel does not accept the BPF programs (%s%s"
                          "%s): Linux 6.1 or later is needed, with "
                          "CONFIG_BPF_SYSCALL and CONFIG_DEBUG_INFO_BTF",
                          ovs_strerror(error),
                          last_libbpf_message[0] ? "; " : "",
                          last_libbpf_message);
        oxdp_bpf_close(bpf);
        return error;
    }

    bpf->xdp_port_fd = bpf_program__fd(bpf->xdp->progs.oxdp_xdp_port);
    bpf->clock_fd = bpf_program__fd(bpf->xdp->progs.oxdp_xdp_clock);
    bpf->tc_port_fd = bpf_program__fd(bpf->tc->progs.oxdp_tc_port);
    bpf->tc_local_fd = bpf_program__fd(bpf->tc->progs.oxdp_tc_local);
    bpf->tc_keeper_fd = bpf_program__fd(bpf->tc->progs.oxdp_tc_keeper);
    bpf->tc_gate_fd = bpf_program__fd(bpf->tc->progs.oxdp_tc_gate);
    bpf->tc_host_fd = bpf_program__fd(bpf->tc->progs.oxdp_tc_host);
    bpf->cpu_to_user_fd = bpf_program__fd(bpf->cpu->progs.oxdp_cpu_to_user);
    bpf->cpu_from_user_fd
        = bpf_program__fd(bpf->cpu->progs.oxdp_cpu_from_user);
    bpf->cpu_tc_fd = bpf_program__fd(bpf->cpu->progs.oxdp_cpu_tc);
    bpf->cpu_encap_fd = bpf_program__fd(bpf->cpu->progs.oxdp_cpu_encap);
    bpf->cpu_drop_fd = bpf_program__fd(bpf->cpu->progs.oxdp_cpu_drop);

    bpf->shared->control.abi_version = OXDP_ABI_VERSION;
    bpf->shared->control.vlan_limit = 1;
    bpf->shared->control.vain_limit = VAIN_PROBES_PER_MS * bpf->ms_per_jiffy;
    sync_clock(bpf);
    *bpfp = bpf;
    return 0;
}

void
oxdp_bpf_close(struct oxdp_bpf *bpf)
{
    if (!bpf) {
        return;
    }
    oxdp_map_free(bpf->cpu_blocks, cpu_block_size(bpf), bpf->n_cpus, -1);
    oxdp_tc_trace__destroy(bpf->tc_trace);
    oxdp_xdp_trace__destroy(bpf->xdp_trace);
    oxdp_cpu__destroy(bpf->cpu);
    oxdp_tc__destroy(bpf->tc);
    oxdp_xdp__destroy(bpf->xdp);
    free(bpf);
}

/* Calls 'cb' for the programs of 'obj', and for its maps, without constants,
 * unless it has them from 'first'. */
static void
for_each_in_object(struct bpf_object *obj, struct bpf_object *first,
                   void (*cb)(const char *kind, const char *name, int fd,
                              void *aux), void *aux)
{
    struct bpf_program *prog;
    struct bpf_map *map;

    bpf_object__for_each_program (prog, obj) {
        cb("prog", bpf_program__name(prog), bpf_program__fd(prog), aux);
    }
    bpf_object__for_each_map (map, obj) {
        const char *name = bpf_map__name(map);

        if (strstr(name, ".bss")) {
            name = "oxdp_shared";
        } else if (bpf_map__is_internal(map)) {
            continue;
        }
        if (obj == first || !find_shared_map(first, bpf_map__name(map))) {
            cb("map", name, bpf_map__fd(map), aux);
        }
    }
}

void
oxdp_bpf_for_each(const struct oxdp_bpf *bpf,
                  void (*cb)(const char *kind, const char *name, int fd,
                             void *aux), void *aux)
{
    struct bpf_object *first = bpf->xdp->obj;

    for_each_in_object(first, first, cb, aux);
    for_each_in_object(bpf->tc->obj, first, cb, aux);
    for_each_in_object(bpf->cpu->obj, first, cb, aux);
}

long long int
oxdp_bpf_used_to_msec(const struct oxdp_bpf *bpf, uint32_t used)
{
    const struct oxdp_control *control = &bpf->shared->control;
    long long int now = time_msec();
    /* It may be somewhat later, by the other clock. */
    const uint32_t future = 1000;
    uint32_t jiffies, age;

    jiffies = control->clock_jiffies
              + (int64_t) ((now - (int64_t) (control->clock_ns / 1000000))
                           / bpf->ms_per_jiffy);
    age = jiffies + future - used;
    return now - (long long int) (((int64_t) age - future)
                                  * bpf->ms_per_jiffy);
}

void
oxdp_bpf_synchronize(void)
{
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0) {
        /* nohz_full kernels: updating an element of a map in maps waits for a
         * grace period as well. */
        LIBBPF_OPTS(bpf_map_create_opts, opts);
        uint32_t key = 0;
        int inner, outer;

        inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "oxdp_sync", 4, 4, 1, NULL);
        opts.inner_map_fd = inner;
        outer = inner < 0 ? -1
                : bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "oxdp_sync", 4, 4,
                                 1, &opts);
        if (outer >= 0) {
            bpf_map_update_elem(outer, &key, &inner, BPF_ANY);
            bpf_map_update_elem(outer, &key, &inner, BPF_ANY);
            close(outer);
        }
        if (inner >= 0) {
            close(inner);
        }
    }
}
