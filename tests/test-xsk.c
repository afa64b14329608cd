/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test-xsk: the AF_XDP sockets of the CPU port, on a pair of veth devices in a
 * network namespace of its own.
 *
 *     this test            kernel                       lib/oxdp-xsk.c
 *
 *     AF_PACKET  --->  ovs-xdp ~~~~~ ovs-xdp-cpu  --->  oxdp_xsk_recv()
 *     socket     <---        (veth)               <---  oxdp_xsk_send()
 *
 * The source file is included, and not only linked, so that the part that
 * looks at descriptors can also be tried with descriptors that no kernel
 * makes.
 */

#include <config.h>

#include "oxdp-xsk.c"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "oxdp-attach.h"
#include "oxdp-cpu.skel.h"
#include "oxdp-netdev.h"
#include "random.h"

#define INNER "ovs-xdp"
#define CPU "ovs-xdp-cpu"
#define N_QUEUES 2
#define N_FRAMES 1024
#define N_RX (N_FRAMES / 2)
#define N_TX (N_FRAMES - N_RX)
#define MTU 9100
#define MAX_FRAME 9014          /* MTU 9000. */

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

static int n_failed;

#define CHECK(COND, ...) check(COND, __LINE__, #COND, __VA_ARGS__)

/* Reports and counts a failure if 'ok' is false.  Returns 'ok'. */
static bool OVS_PRINTF_FORMAT(4, 5)
check(bool ok, int line, const char *cond, const char *format, ...)
{
    if (!ok && ++n_failed <= 20) {
        va_list args;

        printf("not ok - line %d: %s: ", line, cond);
        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        putchar('\n');
    }
    return ok;
}

static void
passed(const char *what, int failed_before)
{
    printf("%s - %s\n", n_failed == failed_before ? "ok" : "not ok", what);
    fflush(stdout);
}

/* Frames.  Number 'seq' says it all: length and every byte. */

static void
make_frame(uint32_t seq, uint8_t *frame, size_t len)
{
    uint32_t x = seq * 2654435761u + 1;

    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        frame[i] = x >> 24;
    }
    memcpy(frame, &seq, sizeof seq);
}

static void
make_hdr(uint32_t seq, struct oxdp_hdr *hdr)
{
    memset(hdr, 0, sizeof *hdr);
    hdr->magic = OXDP_HDR_MAGIC;
    hdr->port = seq % OXDP_MAX_PORTS;
    hdr->recirc_id = seq;
    /* Where the kernel, which has our header for an Ethernet header, sees the
     * type.  AF_PACKET must not see a VLAN tag and take it out. */
    hdr->dp_hash = htonl(seq % 2 ? 0x12340000 + seq % 1000 : 0x08000000);
    hdr->skb_mark = seq * 3;
    hdr->skb_priority = seq * 5;
    hdr->vlan_tpid = htons(0x8100);
    hdr->vlan_tci = htons(OXDP_VLAN_CFI | seq % 4096);
    hdr->reason = seq % 4;
    hdr->hook = seq % 2;
}

static size_t
frame_len(uint32_t seq, bool sg)
{
    size_t max = sg && seq % 4 == 0 ? MAX_FRAME
                 : 3840 - sizeof(struct oxdp_hdr);

    return 60 + (seq * 7919u) % (max - 60 + 1);
}

static bool
frame_is(uint32_t seq, const void *data, size_t len)
{
    static uint8_t want[MAX_FRAME];

    make_frame(seq, want, MIN(len, sizeof want));
    return len <= sizeof want && !memcmp(want, data, len);
}

/* The pair of devices. */

static struct oxdp_link_info inner, cpu;
static int packet_fd;
static int xsks_fd;

static int
open_packet_socket(void)
{
    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = inner.ifindex,
    };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
    int size = 64 * 1024 * 1024;
    int one = 1;

    if (fd < 0
        || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)
        || setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size)
        || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one)
        || bind(fd, (struct sockaddr *) &sll, sizeof sll)) {
        ovs_fatal(errno, "AF_PACKET");
    }
    return fd;
}

/* Loads the program that feeds the sockets and attaches it to CPU. */
static void
attach_program(struct oxdp_attach *attach)
{
    struct oxdp_cpu *skel = oxdp_cpu__open();
    struct bpf_program *prog;
    char *text;
    int error;

    if (!skel) {
        ovs_fatal(errno, "oxdp-cpu: open");
    }
    bpf_object__for_each_program (prog, skel->obj) {
        bpf_program__set_autoload(prog, prog == skel->progs.oxdp_cpu_to_user);
    }
    bpf_map__set_max_entries(skel->maps.oxdp_xsks, N_QUEUES);
    error = oxdp_cpu__load(skel);
    if (error) {
        ovs_fatal(-error, "oxdp-cpu: load");
    }
    error = oxdp_attach_xdp(attach, NULL, cpu.ifindex,
                            bpf_program__fd(skel->progs.oxdp_cpu_to_user),
                            false, &text);
    if (error) {
        ovs_fatal(error, "%s", text);
    }
    xsks_fd = bpf_map__fd(skel->maps.oxdp_xsks);
}

static void
set_up_devices(void)
{
    int error = oxdp_veth_create(INNER, CPU, N_QUEUES, MTU, "test-xsk");

    if (!error) {
        error = oxdp_link_get_by_name(INNER, &inner);
    }
    if (!error) {
        error = oxdp_link_get_by_name(CPU, &cpu);
    }
    if (error) {
        ovs_fatal(error, "veth pair");
    }
    oxdp_link_no_ipv6(inner.ifindex);
    oxdp_link_no_ipv6(cpu.ifindex);
    oxdp_link_set_up(inner.ifindex, true);
    oxdp_link_set_up(cpu.ifindex, true);
}

static struct oxdp_xsk *
open_xsk(uint32_t queue)
{
    struct oxdp_xsk *xsk;
    char *text;
    int error = oxdp_xsk_open(CPU, queue, N_FRAMES, &xsk, &text);
    int fd;

    if (error) {
        ovs_fatal(error, "%s", text);
    }
    fd = oxdp_xsk_fd(xsk);
    if (bpf_map_update_elem(xsks_fd, &queue, &fd, BPF_ANY)) {
        ovs_fatal(errno, "XSKMAP");
    }
    return xsk;
}

/* Sends 'magic' with 'frame' into the inner end, that is, towards sockets. */
static void
inject(uint32_t seq, uint32_t magic, size_t len)
{
    static uint8_t frame[MAX_FRAME];
    struct oxdp_hdr hdr;
    struct iovec iov[2] = { { &hdr, sizeof hdr }, { frame, len } };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

    make_hdr(seq, &hdr);
    hdr.magic = magic;
    make_frame(seq, frame, len);
    if (sendmsg(packet_fd, &msg, 0) < 0) {
        ovs_fatal(errno, "AF_PACKET: send %"PRIuSIZE" bytes", len);
    }
}

/* Receives from the sockets, waiting up to 'ms' for the first packet. */
static struct dp_packet *
receive(struct oxdp_xsk *xsks[N_QUEUES], struct oxdp_hdr *hdr, int ms)
{
    for (;;) {
        struct pollfd fds[N_QUEUES];

        for (int i = 0; i < N_QUEUES; i++) {
            struct dp_packet *packet = oxdp_xsk_recv(xsks[i], hdr);

            if (packet) {
                return packet;
            }
            fds[i].fd = oxdp_xsk_fd(xsks[i]);
            fds[i].events = POLLIN;
        }
        if (poll(fds, N_QUEUES, ms) <= 0) {
            return NULL;
        }
    }
}

static bool
check_received(const struct dp_packet *packet, const struct oxdp_hdr *hdr,
               uint32_t seq, size_t len)
{
    struct oxdp_hdr want;

    make_hdr(seq, &want);
    return (CHECK(!memcmp(hdr, &want, sizeof want), "header of %u", seq)
            && CHECK(dp_packet_size(packet) == len, "packet %u: %u bytes, not "
                     "%"PRIuSIZE, seq, dp_packet_size(packet), len)
            && CHECK(frame_is(seq, dp_packet_data(packet), len),
                     "contents of %u", seq)
            && CHECK(dp_packet_headroom(packet) >= 128, "headroom")
            && CHECK(packet->packet_type == htonl(PT_ETH), "packet_type"));
}

static uint64_t
sum_rx_bad(struct oxdp_xsk *xsks[N_QUEUES])
{
    struct oxdp_xsk_stats stats;
    uint64_t sum = 0;

    for (int i = 0; i < N_QUEUES; i++) {
        oxdp_xsk_get_stats(xsks[i], &stats);
        sum += stats.rx_bad;
    }
    return sum;
}

/* Reception. */

static void
test_rx_sizes(struct oxdp_xsk *xsks[N_QUEUES])
{
    size_t max = oxdp_xsk_can_sg(xsks[0]) ? MAX_FRAME : 3840 - 32;
    int failed_before = n_failed;
    struct dp_packet *packet;
    struct oxdp_hdr hdr;

    for (size_t len = 60; len <= max; len++) {
        inject(len, OXDP_HDR_MAGIC, len);
        packet = receive(xsks, &hdr, 1000);
        if (!CHECK(packet, "%"PRIuSIZE" bytes did not arrive", len)) {
            break;
        }
        check_received(packet, &hdr, len, len);
        dp_packet_delete(packet);
    }
    passed(oxdp_xsk_can_sg(xsks[0])
           ? "receives frames of every size from 60 to 9014 bytes"
           : "receives frames of every size from 60 bytes to a chunk",
           failed_before);
}

static void
test_rx_bad(struct oxdp_xsk *xsks[N_QUEUES])
{
    bool sg = oxdp_xsk_can_sg(xsks[0]);
    uint64_t bad = sum_rx_bad(xsks);
    int failed_before = n_failed;
    struct dp_packet *packet;
    struct oxdp_hdr hdr;
    uint8_t junk[sizeof hdr + 5];

    memset(&hdr, 0, sizeof hdr);
    memset(junk, 0, sizeof junk);
    make_hdr(0, &hdr);
    memcpy(junk, &hdr, sizeof hdr);

    inject(1, OXDP_HDR_MAGIC + 1, 60);
    inject(2, OXDP_HDR_MAGIC, 60);
    inject(3, 0, sg ? MAX_FRAME : 1500);
    inject(4, OXDP_HDR_MAGIC, sg ? MAX_FRAME : 1500);
    bad += 2;
    for (size_t len = ETH_HEADER_LEN; len <= sizeof junk; len++) {
        CHECK(send(packet_fd, junk, len, 0) == len, "%s", ovs_strerror(errno));
        bad++;
    }
    inject(5, OXDP_HDR_MAGIC, 14);

    for (int n = 0; n < 3; n++) {
        packet = receive(xsks, &hdr, 1000);
        if (CHECK(packet, "good packet %d of 3 did not arrive", n)) {
            CHECK(hdr.recirc_id == 2 || hdr.recirc_id == 4
                  || hdr.recirc_id == 5, "got %u", hdr.recirc_id);
            check_received(packet, &hdr, hdr.recirc_id,
                           hdr.recirc_id == 2 ? 60 : hdr.recirc_id == 5 ? 14
                           : sg ? MAX_FRAME : 1500);
            dp_packet_delete(packet);
        }
    }
    packet = receive(xsks, &hdr, 20);
    CHECK(!packet, "a bad packet was received");
    dp_packet_delete(packet);
    CHECK(sum_rx_bad(xsks) == bad, "%"PRIu64" counted, %"PRIu64" sent",
          sum_rx_bad(xsks), bad);
    passed("drops and counts frames without a valid header", failed_before);
}

/* Overflows the receive rings, which has the kernel drop and take chunks
 * back, then lets the sockets be empty again. */
static void
overflow(struct oxdp_xsk *xsks[N_QUEUES], bool purge)
{
    struct dp_packet *packet;
    struct oxdp_hdr hdr;

    for (int i = 0; i < 3 * N_QUEUES * N_RX; i++) {
        inject(i, i % 5 ? OXDP_HDR_MAGIC : 0,
               frame_len(i, oxdp_xsk_can_sg(xsks[0])));
    }
    if (purge) {
        for (int i = 0; i < N_QUEUES; i++) {
            oxdp_xsk_purge(xsks[i]);
        }
        return;
    }
    while ((packet = receive(xsks, &hdr, 20))) {
        check_received(packet, &hdr, hdr.recirc_id,
                       frame_len(hdr.recirc_id, oxdp_xsk_can_sg(xsks[0])));
        dp_packet_delete(packet);
    }
}

/* However much came before, a socket that was emptied takes as many packets
 * as it has chunks. */
static void
check_all_rx_chunks(struct oxdp_xsk *xsks[N_QUEUES])
{
    int n[N_QUEUES] = { 0 };
    struct oxdp_hdr hdr;

    for (int i = 0; i < 4 * N_QUEUES * N_RX; i++) {
        inject(i, OXDP_HDR_MAGIC, 60);
    }
    for (int i = 0; i < N_QUEUES; i++) {
        struct dp_packet *packet;

        while ((packet = oxdp_xsk_recv(xsks[i], &hdr))) {
            dp_packet_delete(packet);

            /* What the first packets freed is filled again at once. */
            n[i]++;
        }
        CHECK(!n[i] || n[i] == N_RX, "queue %d: %d chunks, not %d", i, n[i],
              N_RX);
    }
    CHECK(n[0] || n[1], "nothing received");
}

static void
test_rx_leak(struct oxdp_xsk *xsks[N_QUEUES])
{
    bool sg = oxdp_xsk_can_sg(xsks[0]);
    int failed_before = n_failed;
    uint32_t seq = 0, next = 0;
    struct oxdp_hdr hdr;

    while (seq < 100000) {
        uint32_t end = seq + 1 + random_range(64);

        for (; seq < end; seq++) {
            inject(seq, seq % 10 ? OXDP_HDR_MAGIC : seq, frame_len(seq, sg));
        }
        for (; next < end; next++) {
            struct dp_packet *packet;

            if (next % 10 == 0) {
                continue;
            }
            packet = receive(xsks, &hdr, 1000);
            if (!CHECK(packet, "packet %u of 100000 was lost", next)) {
                goto out;
            }
            check_received(packet, &hdr, hdr.recirc_id,
                           frame_len(hdr.recirc_id, sg));
            dp_packet_delete(packet);
        }
    }
    check_all_rx_chunks(xsks);
    overflow(xsks, false);
    check_all_rx_chunks(xsks);
    overflow(xsks, true);
    check_all_rx_chunks(xsks);
out:
    passed("loses no packet of 100000 and no chunk, even in overflow",
           failed_before);
}

/* Transmission. */

static struct dp_packet *
make_packet(uint32_t seq, size_t len)
{
    struct dp_packet *packet = dp_packet_new_with_headroom(len, 64);

    make_frame(seq, dp_packet_put_uninit(packet, len), len);
    return packet;
}

static int
send_one(struct oxdp_xsk *xsk, uint32_t seq, size_t len)
{
    struct dp_packet *packet = make_packet(seq, len);
    struct oxdp_hdr hdr;
    int error;

    make_hdr(seq, &hdr);
    error = oxdp_xsk_send(xsk, &hdr, packet);
    dp_packet_delete(packet);
    return error;
}

/* Takes what has arrived at the inner end within 'ms'.  Returns its number
 * and stores its length in '*lenp', or returns -1. */
static int64_t
collect(int ms, size_t *lenp)
{
    static uint8_t data[sizeof(struct oxdp_hdr) + MAX_FRAME + 1];
    struct pollfd pfd = { .fd = packet_fd, .events = POLLIN };
    struct oxdp_hdr *hdr = (struct oxdp_hdr *) data;

    for (;;) {
        ssize_t n = recv(packet_fd, data, sizeof data, MSG_DONTWAIT);

        if (n < 0) {
            if (poll(&pfd, 1, ms) <= 0) {
                return -1;
            }
        } else if (n >= sizeof *hdr && hdr->magic == OXDP_HDR_MAGIC) {
            struct oxdp_hdr want;
            uint32_t seq = hdr->recirc_id;

            *lenp = n - sizeof *hdr;
            make_hdr(seq, &want);
            CHECK(!memcmp(hdr, &want, sizeof want), "header of %u", seq);
            CHECK(frame_is(seq, hdr + 1, *lenp), "contents of %u", seq);
            return seq;
        }
    }
}

static void
drain(void)
{
    size_t len;

    while (collect(20, &len) >= 0) {
        continue;
    }
}

static void
test_tx_sizes(struct oxdp_xsk *xsk)
{
    size_t max = oxdp_xsk_can_sg(xsk) ? MAX_FRAME : 4096 - 32;
    int failed_before = n_failed;

    for (size_t len = 14; len <= max; len++) {
        size_t got_len;
        int64_t got;

        CHECK(!send_one(xsk, len, len), "%"PRIuSIZE" bytes", len);
        oxdp_xsk_flush(xsk);
        got = collect(1000, &got_len);
        if (!CHECK(got == len && got_len == len, "sent %"PRIuSIZE" bytes, got "
                   "%"PRId64, len, got)) {
            break;
        }
    }
    CHECK(send_one(xsk, 0, oxdp_xsk_can_sg(xsk) ? 65536 - 31 : 4096 - 31)
          == EMSGSIZE, "too long a packet is not refused");
    passed(oxdp_xsk_can_sg(xsk)
           ? "sends frames of every size from 14 to 9014 bytes"
           : "sends frames of every size from 14 bytes to a chunk",
           failed_before);
}

/* Without carrier or with the device down nothing is sent, and so the number
 * of packets that can be queued is the number of chunks that we have. */
static void
check_all_tx_chunks(struct oxdp_xsk *xsk)
{
    struct oxdp_xsk_stats before, after;
    int n_arrived = 0;
    size_t len;
    int n = 0;

    oxdp_link_set_up(cpu.ifindex, false);
    oxdp_xsk_get_stats(xsk, &before);
    while (n <= N_TX && !send_one(xsk, n, 60)) {
        n++;
    }
    oxdp_xsk_get_stats(xsk, &after);
    CHECK(n == N_TX, "%d chunks, not %d", n, N_TX);
    CHECK(after.tx_dropped - before.tx_dropped == 1, "not counted");

    oxdp_link_set_up(cpu.ifindex, true);
    oxdp_xsk_flush(xsk);
    while (collect(50, &len) >= 0) {
        n_arrived++;
    }
    CHECK(n_arrived == n, "%d queued, %d arrived", n, n_arrived);
}

static void
test_tx_leak(struct oxdp_xsk *xsk)
{
    bool sg = oxdp_xsk_can_sg(xsk);
    int failed_before = n_failed;
    uint32_t seq = 0, next = 0;
    size_t len;

    check_all_tx_chunks(xsk);
    while (seq < 100000) {
        uint32_t end = seq + 1 + random_range(100);

        for (; seq < end; seq++) {
            CHECK(!send_one(xsk, seq, frame_len(seq, sg)), "%u", seq);
        }
        oxdp_xsk_flush(xsk);
        for (; next < end; next++) {
            int64_t got = collect(1000, &len);

            if (!CHECK(got == next && len == frame_len(next, sg),
                       "sent %u, got %"PRId64, next, got)) {
                goto out;
            }
        }
    }
    check_all_tx_chunks(xsk);

    /* Packets that the kernel drops: longer than the MTU, no carrier. */
    for (int i = 0; i < 2000; i++) {
        if (sg) {
            send_one(xsk, i, 10000 + i * 27);
        }
    }
    oxdp_xsk_flush(xsk);
    check_all_tx_chunks(xsk);
    oxdp_link_set_up(inner.ifindex, false);
    for (int i = 0; i < 2000; i++) {
        send_one(xsk, i, frame_len(i, sg));
    }
    oxdp_xsk_flush(xsk);
    oxdp_link_set_up(inner.ifindex, true);
    drain();
    check_all_tx_chunks(xsk);
out:
    passed("sends 100000 packets in order and loses no chunk", failed_before);
}

static void *
sender_main(void *xsk)
{
    for (int i = 0; i < 20000; i++) {
        while (send_one(xsk, i, 60 + i % 200)) {
            oxdp_xsk_flush(xsk);
        }
        if (i % 13 == 0) {
            oxdp_xsk_flush(xsk);
        }
    }
    oxdp_xsk_flush(xsk);
    return NULL;
}

static void
test_tx_threads(struct oxdp_xsk *xsk)
{
    int failed_before = n_failed;
    pthread_t threads[3];
    int n_arrived = 0;
    size_t len;

    for (int i = 0; i < ARRAY_SIZE(threads); i++) {
        pthread_create(&threads[i], NULL, sender_main, xsk);
    }
    while (n_arrived < 60000 && collect(1000, &len) >= 0) {
        n_arrived++;
    }
    for (int i = 0; i < ARRAY_SIZE(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    CHECK(n_arrived == 60000, "%d of 60000 arrived", n_arrived);
    check_all_tx_chunks(xsk);
    passed("sends from three threads at a time", failed_before);
}

/* Opening. */

static int
count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(dir)) {
        n++;
    }
    closedir(dir);
    return n;
}

static void
test_open(void)
{
    int failed_before = n_failed;
    struct oxdp_xsk *xsk;
    char *text;
    int n_fds;
    int error;

    oxdp_xsk_close(open_xsk(0));
    n_fds = count_fds();
    for (int i = 0; i < 30; i++) {
        oxdp_xsk_close(open_xsk(0));
    }
    CHECK(count_fds() == n_fds, "%d descriptors left open",
          count_fds() - n_fds);

    error = oxdp_xsk_open("no-such-dev", 0, N_FRAMES, &xsk, &text);
    CHECK(error == ENODEV && !xsk && text && strstr(text, "no-such-dev"),
          "%s: %s", ovs_strerror(error), text ? text : "-");
    free(text);
    error = oxdp_xsk_open(CPU, N_QUEUES, N_FRAMES, &xsk, &text);
    CHECK(error == EINVAL && !xsk && text && strstr(text, "no such queue"),
          "%s: %s", ovs_strerror(error), text ? text : "-");
    free(text);

    xsk = open_xsk(1);
    CHECK(fcntl(oxdp_xsk_fd(xsk), F_GETFD) & FD_CLOEXEC, "not CLOEXEC");
    struct oxdp_xsk *second;
    error = oxdp_xsk_open(CPU, 1, N_FRAMES, &second, &text);
    CHECK(error == EBUSY && !second && text, "%s", ovs_strerror(error));
    free(text);
    oxdp_xsk_close(xsk);
    CHECK(count_fds() == n_fds, "%d descriptors left open",
          count_fds() - n_fds);
    passed("opens again after closing, says why it cannot", failed_before);
}

/* The reader of descriptors against a "kernel" that writes anything. */
static void
test_hostile_descriptors(void)
{
    enum { SIZE = 64, N = 16 };
    struct {
        uint32_t producer, consumer, flags;
    } rx_ptrs = { 0, 0, 0 }, fill_ptrs = { 0, 0, 0 };
    struct xdp_desc descs[SIZE];
    uint64_t fill[SIZE];
    struct oxdp_xsk xsk = {
        .area_size = 2 * N * CHUNK_SIZE,
        .n_rx = N, .n_tx = N, .sg = true,
        .rx = { .mask = SIZE - 1, .size = SIZE, .ring = descs,
                .producer = &rx_ptrs.producer, .consumer = &rx_ptrs.consumer },
        .fill = { .mask = SIZE - 1, .size = SIZE, .ring = fill,
                  .cached_cons = SIZE, .producer = &fill_ptrs.producer,
                  .consumer = &fill_ptrs.consumer },
    };
    struct oxdp_hdr hdr;
    uint64_t n_packets = 0, n_stats, n_bad;
    int failed_before = n_failed;

    /* As large as needed, so that a sanitizer sees what is beyond. */
    xsk.area = xmalloc(N * CHUNK_SIZE);
    make_hdr(1, &hdr);
    for (size_t i = 0; i < N * CHUNK_SIZE; i += 64) {
        memcpy(xsk.area + i, &hdr, sizeof hdr);
    }
    for (int i = 0; i < 1000000; i++) {
        static const uint32_t lens[] = {
            0, 1, sizeof hdr - 1, sizeof hdr, sizeof hdr + 13, sizeof hdr + 14,
            80, 3840, 3841, 4096, 4097, UINT32_MAX
        };
        struct xdp_desc *desc = &descs[rx_ptrs.producer % SIZE];
        struct dp_packet *packet;

        desc->addr = (random_range(4) ? random_range(N) * CHUNK_SIZE
                      : random_range(20) ? random_range(N * CHUNK_SIZE)
                      : random_range(2) ? -(uint64_t) random_range(10000)
                      : N * CHUNK_SIZE + random_range(10000));
        desc->addr += random_range(3) ? 256 : random_range(4096);
        desc->len = (random_range(2) ? lens[random_range(ARRAY_SIZE(lens))]
                     : random_range(4096));
        desc->options = random_range(4) ? 0
                        : random_range(2) ? OXDP_XDP_PKT_CONTD : 0xfffffffe;
        rx_ptrs.producer++;
        if (random_range(10) == 0) {
            fill_ptrs.consumer = fill_ptrs.producer;
        }
        while ((packet = oxdp_xsk_recv(&xsk, &hdr))) {
            CHECK(hdr.magic == OXDP_HDR_MAGIC, "magic");
            CHECK(dp_packet_size(packet) <= UINT16_MAX, "size");
            dp_packet_delete(packet);
            n_packets++;
        }
        CHECK(rx_ptrs.consumer == rx_ptrs.producer, "descriptor not taken");
        if (random_range(1000) == 0) {
            oxdp_xsk_purge(&xsk);
        }
    }
    atomic_read_relaxed(&xsk.rx_packets, &n_stats);
    atomic_read_relaxed(&xsk.rx_bad, &n_bad);
    CHECK(n_packets && n_packets == n_stats && n_bad,
          "%"PRIu64" packets, %"PRIu64" bad", n_packets, n_bad);
    dp_packet_delete(xsk.partial);
    free(xsk.area);
    passed("survives descriptors that no kernel makes", failed_before);
}

int
main(void)
{
    struct oxdp_attach attach = OXDP_ATTACH_INIT;
    struct oxdp_xsk *xsks[N_QUEUES];

    setvbuf(stdout, NULL, _IOLBF, 0);
    random_set_seed(1);
    test_hostile_descriptors();
    if (geteuid() || unshare(CLONE_NEWNET)) {
        printf("skipped: needs root and network namespaces\n");
        return n_failed ? 1 : 77;
    }
    set_up_devices();
    attach_program(&attach);
    packet_fd = open_packet_socket();

    test_open();
    for (int i = 0; i < N_QUEUES; i++) {
        xsks[i] = open_xsk(i);
    }
    printf("# packets in several descriptors: %s\n",
           oxdp_xsk_can_sg(xsks[0]) ? "yes" : "no");
    test_rx_sizes(xsks);
    test_rx_bad(xsks);
    test_rx_leak(xsks);
    test_tx_sizes(xsks[0]);
    test_tx_leak(xsks[0]);
    test_tx_threads(xsks[0]);
    for (int i = 0; i < N_QUEUES; i++) {
        oxdp_xsk_close(xsks[i]);
    }
    oxdp_detach(&attach);
    oxdp_link_delete(inner.ifindex);
    return n_failed ? 1 : 0;
}
