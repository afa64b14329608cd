/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-bench-gen: makes frames, and counts those that arrive.
 *
 * ovs-xdp-bench starts one of these for each thing that it compares and talks
 * to it in lines on standard input and output:
 *
 *   "renew"           from now on, each frame gets its headers anew, which what
 *                     is on the way may have changed last time; reply "ok"
 *   "macs"            from now on, each frame from a random MAC address; reply
 *                     "ok"
 *   "stream S"        what follows is about stream 0 or 1; reply "ok"
 *   "field NAME BASE HOW N"
 *                     from now on, field NAME of its frames varies, see
 *                     bpf/oxdp-bench-frame.h; reply "ok"
 *   "mix N"           from now on, one of N frames is of stream 1, or none if N
 *                     is 0; reply "ok"
 *   "window N"        from now on, no more than about N frames on the way, or
 *                     with 0 as many as there may be; reply "ok"
 *   "charge PID CPU"  from now on, what process PID and softirqs on CPU take
 *                     counts as well; reply "ok"
 *   "burst N"         the same, from when an eighth of N frames has arrived
 *                     until N have, or for BURST_NS
 *   "latency N"       sends N frames, each after the one before has arrived;
 *                     reply: frames that arrived within 100 ms, and the 50th
 *                     and 99th percentile of the time they took in ns
 *   "run WARM TIME"   generates for WARM + TIME milliseconds; reply: frames
 *                     sent, frames arrived, nanoseconds, and nanoseconds of
 *                     CPU time that the frames took, with and without what is
 *                     charged, all within TIME
 *
 * The end of the input is the end of the program, and of its attachments.
 *
 * Frames come from BPF_PROG_TEST_RUN with live frames, in a thread that is
 * bound to one CPU.  A veth's receiver runs on its sender's CPU, so everything
 * on the way and the sink do too.  With --socket they come from a packet socket
 * instead, as SKBs like those of a host's stack: what is made of a frame has a
 * page for its head, which costs whoever copies it.  These cannot vary, and
 * only "run" and "charge" are about them.
 *
 * With --read this is the other end of frames that go to userspace instead, see
 * oxdp-bench-read.c.
 */

#define _GNU_SOURCE 1

#include "oxdp-bench.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "oxdp-bench-frame.h"
#include "oxdp-bench.skel.h"

/* What one call of BPF_PROG_TEST_RUN would send if nothing stopped it. */
#define FOREVER (1u << 30)

/* How long a burst may take, and how often it is looked at. */
#define BURST_NS UINT64_C(2000000000)
#define LOOK_NS UINT64_C(200000)

/* How long a single frame is waited for. */
#define MAX_LATENCY_NS UINT64_C(100000000)

/* Processes that count as well. */
#define MAX_CHARGED 8

/* Ethernet's shortest, without the checksum. */
#define FRAME_LEN 60

/* Where frames may arrive. */
#define MAX_SINKS 64

/* Packets per system call. */
#define SOCKET_BATCH 64

struct frame {
    struct bench_headers headers;
    uint8_t payload[FRAME_LEN - sizeof(struct bench_headers)];
} __attribute__((packed));

/* An interface in a namespace that has a name. */
struct place {
    char netns[64];
    char name[IFNAMSIZ];
};

/* The thread that generates. */
struct generator {
    struct oxdp_bench *skel;
    unsigned int cpu;
    int ksoftirqd;              /* The CPU's, or 0 if we cannot see it. */
    struct frame frame;
    int socket;                 /* That frames are sent on, or -1. */
    uint64_t sent;              /* Atomic; to 'socket'. */
    clockid_t charged[MAX_CHARGED];
    size_t n_charged;
    pthread_t thread;
    bool stop;                  /* Atomic. */
    bool stopped;               /* Atomic. */
    int error;                  /* Once stopped, 0 or positive errno. */
};

struct sample {
    uint64_t sent, arrived, ns, cpu_ns, charged_ns;
};

void
fatal(int error, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "oxdp-bench-gen: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, error ? " (%s)\n" : "\n", strerror(error));
    exit(EXIT_FAILURE);
}

static void
usage(void)
{
    puts("usage: oxdp-bench-gen --from NETNS:IFACE --to NETNS:IFACE...\n"
         "           [--also NETNS:IFACE] [--broadcast] [--skb] [--socket]\n"
         "           [--bare NETNS:IN:OUT] [--cpu CPU]\n"
         "Helper of ovs-xdp-bench: sends through IFACE what arrives at its\n"
         "peer, counts and drops in XDP what arrives on the IFACE of each\n"
         "--to, or with --skb in TC.  --broadcast sends to all of them.\n"
         "--socket sends on a packet socket of IFACE instead.\n"
         "--also is where a second stream of frames goes.\n"
         "--bare attaches a plain XDP redirect from IN to OUT.\n"
         "       oxdp-bench-gen --read NETNS:IN:OUT:CPU [--cpu CPU]\n"
         "counts in userspace what arrives at IN, by way of veth pair OUT and\n"
         "CPU.");
    exit(EXIT_SUCCESS);
}

int
enter_place(const char *netns, const char *name)
{
    char path[128];
    int ifindex;
    int fd;

    snprintf(path, sizeof path, "/run/netns/%s", netns);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET)) {
        fatal(errno, "cannot enter network namespace %s", netns);
    }
    close(fd);
    ifindex = if_nametoindex(name);
    if (!ifindex) {
        fatal(errno, "no interface %s in namespace %s", name, netns);
    }
    return ifindex;
}

static struct place
parse_place(const char *s)
{
    struct place p;

    if (sscanf(s, "%63[^:]:%15s", p.netns, p.name) != 2) {
        fatal(0, "\"%s\" is not NETNS:IFACE", s);
    }
    return p;
}

void
attach(const struct bpf_program *prog, int ifindex, const char *name)
{
    LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
    int fd = bpf_link_create(bpf_program__fd(prog), ifindex, BPF_XDP, &opts);

    if (fd < 0) {
        fatal(-fd, "cannot attach %s to %s", bpf_program__name(prog), name);
    }
}

/* This attachment stays, on a device of the benchmark's own. */
static void
attach_tc(const struct bpf_program *prog, int ifindex, const char *name)
{
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex,
                .attach_point = BPF_TC_INGRESS);
    LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(prog));
    int error = bpf_tc_hook_create(&hook);

    error = error ? error : bpf_tc_attach(&hook, &opts);
    if (error) {
        fatal(-error, "cannot attach %s to %s", bpf_program__name(prog), name);
    }
}

void
set_device(const struct bpf_map *map, uint32_t key, int ifindex)
{
    int error = bpf_map_update_elem(bpf_map__fd(map), &key, &ifindex, 0);

    if (error) {
        fatal(-error, "cannot put a device into map %s", bpf_map__name(map));
    }
}

static void
attach_bare(const struct oxdp_bench *skel, const char *s)
{
    char netns[64], in[IFNAMSIZ], out[IFNAMSIZ];

    if (sscanf(s, "%63[^:]:%15[^:]:%15s", netns, in, out) != 3) {
        fatal(0, "\"%s\" is not NETNS:IN:OUT", s);
    }
    set_device(skel->maps.bench_out_dev, 0, enter_place(netns, out));
    attach(skel->progs.oxdp_bench_bare, enter_place(netns, in), in);
}

/* The sum of an IP header, which inverted is its checksum.  It need not be
 * aligned. */
static uint32_t
ip_sum(const void *ip)
{
    uint16_t words[sizeof(struct iphdr) / 2];
    uint32_t sum = 0;

    memcpy(words, ip, sizeof words);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        sum += words[i];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return (sum & 0xffff) + (sum >> 16);
}

/* From host 'from' of a lab to the next, or to all. */
static void
make_stream(struct bench_stream *s, int from, bool broadcast)
{
    struct bench_headers *h = &s->headers;

    memset(s, 0, sizeof *s);
    memcpy(h->eth.h_source, "\2\0\0\0\0", ETH_ALEN - 1);
    h->eth.h_source[ETH_ALEN - 1] = from;
    memcpy(h->eth.h_dest, "\2\0\0\0\0", ETH_ALEN - 1);
    h->eth.h_dest[ETH_ALEN - 1] = from + 1;
    if (broadcast) {
        memset(h->eth.h_dest, 0xff, ETH_ALEN);
    }
    h->eth.h_proto = htons(ETH_P_IP);
    h->ip.version = 4;
    h->ip.ihl = 5;
    h->ip.ttl = 64;
    h->ip.protocol = IPPROTO_UDP;
    h->ip.tot_len = htons(FRAME_LEN - sizeof h->eth);
    s->sum = ip_sum((char *) h + sizeof h->eth);
    h->ip.saddr = htonl(0x0a000000 + from);
    h->ip.daddr = htonl(0x0a000001 + from);
    h->ip.check = ~ip_sum((char *) h + sizeof h->eth);
    h->udp.source = htons(1);
    h->udp.dest = htons(9);
    h->udp.len = htons(FRAME_LEN - sizeof h->eth - sizeof h->ip);

    s->fields[BENCH_SADDR].base = 0x0a000000 + from;
    s->fields[BENCH_DADDR].base = 0x0a000001 + from;
    s->fields[BENCH_SPORT].base = 1;
    s->fields[BENCH_DPORT].base = 9;
}

static void
sleep_ns(uint64_t ns)
{
    struct timespec t = { ns / 1000000000, ns % 1000000000 };

    while (nanosleep(&t, &t) && errno == EINTR) {
        continue;
    }
}

static uint64_t
get_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

static uint64_t
count_sent(const struct generator *gen)
{
    return *(volatile __u64 *) &gen->skel->bss->bench_sent
           + __atomic_load_n(&gen->sent, __ATOMIC_RELAXED);
}

static uint64_t
count_arrived(const struct generator *gen)
{
    int n = libbpf_num_possible_cpus();
    uint64_t arrived[n], sum = 0;
    uint32_t key = 0;

    if (bpf_map_lookup_elem(bpf_map__fd(gen->skel->maps.bench_arrived), &key,
                            arrived)) {
        fatal(errno, "cannot read the sink's counter");
    }
    for (int i = 0; i < n; i++) {
        sum += arrived[i];
    }
    return sum;
}

int
bind_to_cpu(unsigned int cpu)
{
    cpu_set_t cpus;

    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    return sched_setaffinity(0, sizeof cpus, &cpus) ? errno : 0;
}

/* Makes frames until a signal comes.  Returns 0 or a positive errno value. */
static int
generate_frames(struct generator *gen)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts,
                .data_in = &gen->frame, .data_size_in = sizeof gen->frame,
                .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .repeat = FOREVER);
    int fd = bpf_program__fd(gen->skel->progs.oxdp_bench_gen);
    int error = bpf_prog_test_run_opts(fd, &opts);

    return error == -EINTR ? 0 : -error;
}

/* Sends some packets.  Returns 0 or a positive errno value. */
static int
send_packets(struct generator *gen)
{
    struct iovec iov = { &gen->frame, sizeof gen->frame };
    struct mmsghdr packets[SOCKET_BATCH];
    int n;

    memset(packets, 0, sizeof packets);
    for (int i = 0; i < SOCKET_BATCH; i++) {
        packets[i].msg_hdr.msg_iov = &iov;
        packets[i].msg_hdr.msg_iovlen = 1;
    }
    n = sendmmsg(gen->socket, packets, SOCKET_BATCH, 0);
    if (n < 0) {
        return errno == EINTR || errno == ENOBUFS ? 0 : errno;
    }
    __atomic_add_fetch(&gen->sent, n, __ATOMIC_RELAXED);
    return 0;
}

static void *
generate(void *gen_)
{
    struct generator *gen = gen_;

    gen->error = bind_to_cpu(gen->cpu);
    while (!gen->error && !__atomic_load_n(&gen->stop, __ATOMIC_RELAXED)) {
        gen->error = gen->socket < 0 ? generate_frames(gen)
                     : send_packets(gen);
    }
    __atomic_store_n(&gen->stopped, true, __ATOMIC_RELEASE);
    return NULL;
}

/* Runs what softirq work the kernel does not do in the generator's context. */
static int
find_ksoftirqd(int cpu)
{
    char want[32];
    glob_t g;
    int pid = 0;

    snprintf(want, sizeof want, "ksoftirqd/%d", cpu);
    if (glob("/proc/[1-9]*/comm", 0, NULL, &g)) {
        return 0;
    }
    for (size_t i = 0; i < g.gl_pathc && !pid; i++) {
        FILE *file = fopen(g.gl_pathv[i], "r");
        char comm[32];

        if (file) {
            if (fscanf(file, "%31s", comm) == 1 && !strcmp(comm, want)) {
                pid = atoi(g.gl_pathv[i] + strlen("/proc/"));
            }
            fclose(file);
        }
    }
    globfree(&g);
    return pid;
}

/* Nanoseconds that thread 'pid' has had a CPU. */
static uint64_t
get_cpu_ns(int pid)
{
    char path[64];
    uint64_t ns = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
    file = pid ? fopen(path, "r") : NULL;
    if (file) {
        if (fscanf(file, "%"SCNu64, &ns) != 1) {
            ns = 0;
        }
        fclose(file);
    }
    return ns;
}

static struct sample
take_sample(const struct generator *gen)
{
    struct sample s = {
        .sent = count_sent(gen),
        .arrived = count_arrived(gen),
        .ns = get_ns(CLOCK_MONOTONIC),
        .cpu_ns = get_cpu_ns(gen->ksoftirqd),
    };
    clockid_t clock;

    if (!pthread_getcpuclockid(gen->thread, &clock)) {
        s.cpu_ns += get_ns(clock);
    }
    s.cpu_ns -= *(volatile __u64 *) &gen->skel->bss->bench_waited_ns;
    for (size_t i = 0; i < gen->n_charged; i++) {
        s.charged_ns += get_ns(gen->charged[i]);
    }
    return s;
}

static void
charge(struct generator *gen, int pid)
{
    int error;

    if (gen->n_charged >= MAX_CHARGED) {
        fatal(0, "more than %d processes to charge", MAX_CHARGED);
    }
    error = clock_getcpuclockid(pid, &gen->charged[gen->n_charged]);
    if (error) {
        fatal(error, "cannot see the CPU time of process %d", pid);
    }
    gen->n_charged++;
}

/* A signal makes BPF_PROG_TEST_RUN return, one before it is lost. */
static void
stop_generator(struct generator *gen)
{
    __atomic_store_n(&gen->stop, true, __ATOMIC_RELAXED);
    while (!__atomic_load_n(&gen->stopped, __ATOMIC_ACQUIRE)) {
        pthread_kill(gen->thread, SIGUSR1);
        sleep_ns(1000000);
    }
    pthread_join(gen->thread, NULL);
    if (gen->error && gen->socket >= 0) {
        fatal(gen->error, "cannot send on a packet socket");
    } else if (gen->error) {
        fatal(gen->error, "BPF_PROG_TEST_RUN with live frames failed%s",
              gen->error == EINVAL ? ": it needs Linux 5.18 or later" : "");
    }
}

static void
start_generator(struct generator *gen)
{
    int error;

    gen->stop = gen->stopped = false;
    error = pthread_create(&gen->thread, NULL, generate, gen);
    if (error) {
        fatal(error, "cannot start a thread");
    }
}

static void
print_between(const struct sample *a_, const struct sample *b_)
{
    struct sample a = *a_, b = *b_;

    /* Waiting, which is not in it, may have taken longer than a thread's CPU
     * time says, by what the machine itself has waited for its CPU. */
    b.cpu_ns = (int64_t) (b.cpu_ns - a.cpu_ns) > 0 ? b.cpu_ns - a.cpu_ns : 0;
    b.charged_ns -= a.charged_ns;
    printf("%"PRIu64" %"PRIu64" %"PRIu64" %"PRIu64" %"PRIu64"\n",
           b.sent - a.sent, b.arrived - a.arrived, b.ns - a.ns,
           b.cpu_ns + b.charged_ns, b.cpu_ns);
}

static void
run(struct generator *gen, unsigned int warm_ms, unsigned int time_ms)
{
    struct sample a, b;

    start_generator(gen);
    sleep_ns(warm_ms * UINT64_C(1000000));
    a = take_sample(gen);
    sleep_ns(time_ms * UINT64_C(1000000));
    b = take_sample(gen);
    stop_generator(gen);
    print_between(&a, &b);
}

/* Waits until 'n' frames have arrived, or for 'deadline'. */
static struct sample
sample_at(const struct generator *gen, uint64_t n, uint64_t deadline)
{
    while (count_arrived(gen) < n && get_ns(CLOCK_MONOTONIC) < deadline) {
        sleep_ns(LOOK_NS);
    }
    return take_sample(gen);
}

static void
run_burst(struct generator *gen, unsigned int n)
{
    uint64_t deadline = get_ns(CLOCK_MONOTONIC) + BURST_NS;
    uint64_t before = count_arrived(gen);
    struct sample a, b;

    start_generator(gen);
    a = sample_at(gen, before + n / 8, deadline);
    b = sample_at(gen, before + n, deadline);
    stop_generator(gen);
    print_between(&a, &b);
}

/* Sends one frame.  Returns what it took until it arrived, in ns, or 0 if it
 * did not. */
static uint64_t
send_one(struct generator *gen)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts,
                .data_in = &gen->frame, .data_size_in = sizeof gen->frame,
                .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .repeat = 1);
    uint64_t arrived = count_arrived(gen);
    uint64_t deadline = get_ns(CLOCK_MONOTONIC) + MAX_LATENCY_NS;
    int fd = bpf_program__fd(gen->skel->progs.oxdp_bench_gen);
    int error = bpf_prog_test_run_opts(fd, &opts);

    if (error) {
        fatal(-error, "BPF_PROG_TEST_RUN with a live frame failed");
    }
    while (count_arrived(gen) == arrived) {
        if (get_ns(CLOCK_MONOTONIC) > deadline) {
            return 0;
        }
        sleep_ns(20000);
    }
    return *(volatile __u64 *) &gen->skel->bss->bench_age_ns;
}

static int
compare_ns(const void *a_, const void *b_)
{
    const uint64_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static void
measure_latency(struct generator *gen, unsigned int n)
{
    uint64_t *ages = calloc(n + 1, sizeof *ages);
    unsigned int n_arrived = 0;
    int error = bind_to_cpu(gen->cpu);

    if (!ages || error) {
        fatal(ages ? error : ENOMEM, "cannot send single frames");
    }
    gen->skel->bss->bench_flags |= BENCH_F_STAMP;
    for (unsigned int i = 0; i < n; i++) {
        ages[n_arrived] = send_one(gen);
        n_arrived += ages[n_arrived] != 0;
        /* What there is to do after a frame must not hold up the next one. */
        sleep_ns(1000000);
    }
    gen->skel->bss->bench_flags &= ~BENCH_F_STAMP;
    qsort(ages, n_arrived, sizeof *ages, compare_ns);
    printf("%u %"PRIu64" %"PRIu64"\n", n_arrived, ages[n_arrived / 2],
           ages[n_arrived * 99 / 100]);
    free(ages);
}

/* Returns the number of 'name' in 'names', of which there are 'n', or -1. */
static int
find_name(const char *const names[], int n, const char *name)
{
    for (int i = 0; i < n; i++) {
        if (!strcmp(name, names[i])) {
            return i;
        }
    }
    return -1;
}

/* A "field" line for 's'.  Returns false if it makes no sense. */
static bool
set_field(struct bench_stream *s, const char *line)
{
#define BENCH_FIELD(ENUM, NAME) NAME,
#define BENCH_HOW(ENUM, NAME) NAME,
    static const char *const fields[] = { BENCH_FIELDS };
    static const char *const hows[] = { BENCH_HOWS };
#undef BENCH_HOW
#undef BENCH_FIELD
    int n_hows = sizeof hows / sizeof hows[0];
    struct bench_field f = { .i = 0 };
    char name[16], how[16];
    int id;

    if (sscanf(line, "field %15s %u %15s %u", name, &f.base, how, &f.n) != 4) {
        return false;
    }
    id = find_name(fields, BENCH_N_FIELDS, name);
    f.how = find_name(hows, n_hows, how);
    if (id < 0 || f.how >= n_hows || !f.n
        || (f.how == BENCH_FLIP && f.n > 32)) {
        return false;
    }
    s->fields[id] = f;
    return true;
}

/* Does what 'line' says, about stream '*sp' if about one.  Returns false if it
 * makes no sense. */
static bool
obey(struct generator *gen, unsigned int *sp, const char *line)
{
    struct oxdp_bench *skel = gen->skel;
    unsigned int x, y;

    if (!strcmp(line, "macs\n")) {
        skel->bss->bench_flags |= BENCH_F_MACS;
    } else if (!strcmp(line, "renew\n")) {
        skel->bss->bench_flags |= BENCH_F_RENEW;
    } else if (sscanf(line, "stream %u", &x) == 1 && x < BENCH_N_STREAMS) {
        *sp = x;
    } else if (!strcmp(line, "mix 0\n")) {
        skel->bss->bench_flags &= ~BENCH_F_MIX;
    } else if (sscanf(line, "mix %u", &x) == 1) {
        skel->bss->bench_until_mix = 0;
        skel->data->bench_mix = x;
        skel->bss->bench_flags |= BENCH_F_MIX;
    } else if (sscanf(line, "window %u", &x) == 1) {
        skel->bss->bench_window = x;
    } else if (sscanf(line, "charge %u %u", &x, &y) == 2) {
        int ksoftirqd = find_ksoftirqd(y);

        charge(gen, x);
        if (ksoftirqd && y != gen->cpu) {
            charge(gen, ksoftirqd);
        }
    } else if (set_field(&skel->bss->bench_streams[*sp], line)) {
        skel->bss->bench_flags |= BENCH_F_VARY;
    } else {
        return false;
    }
    return true;
}

static void
serve(struct generator *gen)
{
    unsigned int stream = 0;
    char line[128];

    while (fgets(line, sizeof line, stdin)) {
        unsigned int x, y;

        if (sscanf(line, "run %u %u", &x, &y) == 2) {
            run(gen, x, y);
        } else if (gen->socket >= 0 && strncmp(line, "charge ", 7)) {
            fatal(0, "\"%s\" is not for a socket", strtok(line, "\n"));
        } else if (sscanf(line, "burst %u", &x) == 1 && x) {
            run_burst(gen, x);
        } else if (sscanf(line, "latency %u", &x) == 1 && x) {
            measure_latency(gen, x);
        } else if (obey(gen, &stream, line)) {
            puts("ok");
        } else {
            fatal(0, "cannot make sense of \"%s\"", strtok(line, "\n"));
        }
        fflush(stdout);
    }
}

/* Returns a socket that sends packets out of device 'ifindex' of this
 * namespace, past its queues. */
static int
open_socket(int ifindex, const char *name)
{
    struct sockaddr_ll address = { .sll_family = AF_PACKET,
                                   .sll_ifindex = ifindex };
    int fd = socket(AF_PACKET, SOCK_RAW, 0);
    int one = 1;

    if (fd < 0 || bind(fd, (struct sockaddr *) &address, sizeof address)
        || setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one)) {
        fatal(errno, "cannot open a packet socket on %s", name);
    }
    return fd;
}

static void
ignore_signal(int signr)
{
    (void) signr;
}

static int
print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
    return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

/* Loads the programs.  Those for AF_XDP, which not every kernel has, only if
 * it 'reads'. */
static struct oxdp_bench *
load(bool reads)
{
    struct oxdp_bench *skel;

    libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
    libbpf_set_print(print_libbpf);
    skel = oxdp_bench__open();
    if (skel && !reads) {
        bpf_program__set_autoload(skel->progs.oxdp_bench_to_user, false);
        bpf_map__set_autocreate(skel->maps.bench_xsks, false);
    }
    if (!skel || oxdp_bench__load(skel)) {
        fatal(errno, "cannot load BPF programs%s",
              errno == EPERM ? ": must be root" : "");
    }
    return skel;
}

int
main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "from", required_argument, NULL, 'f' },
        { "also", required_argument, NULL, 'a' },
        { "to", required_argument, NULL, 't' },
        { "bare", required_argument, NULL, 'b' },
        { "read", required_argument, NULL, 'r' },
        { "broadcast", no_argument, NULL, 'B' },
        { "cpu", required_argument, NULL, 'c' },
        { "skb", no_argument, NULL, 's' },
        { "socket", no_argument, NULL, 'S' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    struct sigaction action = { .sa_handler = ignore_signal };
    const char *from[BENCH_N_STREAMS] = { NULL }, *bare = NULL;
    const char *punts = NULL;
    struct generator gen = { .socket = -1 };
    struct place to[MAX_SINKS];
    bool broadcast = false, skb = false, use_socket = false;
    size_t n_to = 0;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'f': from[0] = optarg; break;
        case 'a': from[1] = optarg; break;
        case 't':
            if (n_to >= MAX_SINKS) {
                fatal(0, "more than %d times --to", MAX_SINKS);
            }
            to[n_to++] = parse_place(optarg);
            break;
        case 'b': bare = optarg; break;
        case 'r': punts = optarg; break;
        case 'B': broadcast = true; break;
        case 's': skb = true; break;
        case 'S': use_socket = true; break;
        case 'c': gen.cpu = atoi(optarg); break;
        case 'h': usage(); break;
        default: return EXIT_FAILURE;
        }
    }
    if (punts) {
        gen.skel = load(true);
        read_punts(gen.skel, punts, gen.cpu);
        return EXIT_SUCCESS;
    }
    if (!from[0] || !n_to || optind < argc) {
        fatal(0, "this is a helper of ovs-xdp-bench; see --help");
    }

    sigaction(SIGUSR1, &action, NULL);
    gen.ksoftirqd = find_ksoftirqd(gen.cpu);
    gen.skel = load(false);
    for (int i = 0; i < BENCH_N_STREAMS; i++) {
        make_stream(&gen.skel->bss->bench_streams[i], 1 + 2 * i, broadcast);
    }
    gen.frame.headers = gen.skel->bss->bench_streams[0].headers;
    for (size_t i = 0; i < n_to; i++) {
        int ifindex = enter_place(to[i].netns, to[i].name);

        if (skb) {
            attach_tc(gen.skel->progs.oxdp_bench_skb_sink, ifindex,
                      to[i].name);
        } else {
            attach(gen.skel->progs.oxdp_bench_sink, ifindex, to[i].name);
        }
    }
    if (bare) {
        attach_bare(gen.skel, bare);
    }
    for (int i = 0; i < BENCH_N_STREAMS && from[i]; i++) {
        struct place p = parse_place(from[i]);
        int ifindex = enter_place(p.netns, p.name);

        set_device(gen.skel->maps.bench_gen_dev, i, ifindex);
        if (use_socket && !i) {
            gen.socket = open_socket(ifindex, p.name);
        }
    }

    puts("ready");
    fflush(stdout);
    serve(&gen);
    oxdp_bench__destroy(gen.skel);
    return EXIT_SUCCESS;
}
