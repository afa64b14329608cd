/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-bench-read: the least that sends frames to userspace, for ovs-xdp-bench
 * to compare with.
 *
 *   IN [redirect] -> OUT ---- CPU [redirect] -> AF_XDP socket
 *
 * IN is where frames arrive; OUT and CPU are a veth pair as the datapath's CPU
 * port is.  The socket, in copy mode, is on CPU's first queue.  Of frames, the
 * first bytes are read, they are counted, and nothing else.
 *
 * A line "count" on standard input is answered, once the socket is empty, with
 * the number of frames read since the start.
 */

#define _GNU_SOURCE 1

#include "oxdp-bench.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <xdp/xsk.h>

#include "oxdp-bench-frame.h"
#include "oxdp-bench.skel.h"

#define CHUNK_SIZE 4096u
#define N_CHUNKS 2048u
#define BATCH 64u

struct reader {
    struct xsk_umem *umem;
    struct xsk_socket *socket;
    struct xsk_ring_cons rx, completions;
    struct xsk_ring_prod fill;
    char *area;
    uint64_t n_read;
    uint64_t seen;              /* Of the frames' first bytes. */
};

static void
open_socket(struct reader *r, const char *name)
{
    const struct xsk_umem_config umem_config = {
        .fill_size = N_CHUNKS,
        .comp_size = N_CHUNKS,
        .frame_size = CHUNK_SIZE,
    };
    const struct xsk_socket_config config = {
        .rx_size = N_CHUNKS,
        .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
        .bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP,
    };
    size_t size = (size_t) N_CHUNKS * CHUNK_SIZE;
    void *area = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t idx = 0;
    int error;

    if (area == MAP_FAILED) {
        fatal(errno, "cannot allocate memory");
    }
    r->area = area;
    error = xsk_umem__create(&r->umem, area, size, &r->fill, &r->completions,
                             &umem_config);
    if (!error) {
        error = xsk_socket__create(&r->socket, name, 0, r->umem, &r->rx, NULL,
                                   &config);
    }
    if (error) {
        fatal(-error, "cannot open an AF_XDP socket on %s", name);
    }

    xsk_ring_prod__reserve(&r->fill, N_CHUNKS, &idx);
    for (uint32_t i = 0; i < N_CHUNKS; i++) {
        *xsk_ring_prod__fill_addr(&r->fill, idx + i)
            = (uint64_t) i * CHUNK_SIZE;
    }
    xsk_ring_prod__submit(&r->fill, N_CHUNKS);
}

/* Counts what waits, a batch at most, with a look at each frame, without which
 * there would be no point in reading it.  Returns false if nothing did. */
static bool
count_frames(struct reader *r)
{
    uint32_t rx_idx = 0, fill_idx = 0;
    uint32_t n = xsk_ring_cons__peek(&r->rx, BATCH, &rx_idx);

    /* There is room for all chunks. */
    xsk_ring_prod__reserve(&r->fill, n, &fill_idx);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t addr = xsk_ring_cons__rx_desc(&r->rx, rx_idx + i)->addr;

        r->seen ^= *(const volatile uint64_t *) (r->area + addr);
        *xsk_ring_prod__fill_addr(&r->fill, fill_idx + i)
            = addr - addr % CHUNK_SIZE;
    }
    if (n) {
        xsk_ring_prod__submit(&r->fill, n);
        xsk_ring_cons__release(&r->rx, n);
    }
    r->n_read += n;
    return n > 0;
}

/* Answers a line.  Returns false at the end of the input. */
static bool
answer(const struct reader *r)
{
    char line[128];

    if (!fgets(line, sizeof line, stdin)) {
        return false;
    }
    if (strcmp(line, "count\n")) {
        fatal(0, "cannot make sense of \"%s\"", strtok(line, "\n"));
    }
    printf("%"PRIu64"\n", r->n_read);
    fflush(stdout);
    return true;
}

void
read_punts(struct oxdp_bench *skel, const char *where, unsigned int cpu)
{
    char netns[64], in[IFNAMSIZ], out[IFNAMSIZ], cpu_port[IFNAMSIZ];
    struct reader r = { .n_read = 0 };
    int ifindex, fd, error;
    uint32_t key = 0;
    bool more = true;

    if (sscanf(where, "%63[^:]:%15[^:]:%15[^:]:%15s", netns, in, out,
               cpu_port) != 4) {
        fatal(0, "\"%s\" is not NETNS:IN:OUT:CPU", where);
    }
    set_device(skel->maps.bench_out_dev, 0, enter_place(netns, out));
    ifindex = enter_place(netns, cpu_port);
    attach(skel->progs.oxdp_bench_to_user, ifindex, cpu_port);
    open_socket(&r, cpu_port);
    fd = xsk_socket__fd(r.socket);
    if (bpf_map_update_elem(bpf_map__fd(skel->maps.bench_xsks), &key, &fd,
                            0)) {
        fatal(errno, "cannot put a socket into a map");
    }
    attach(skel->progs.oxdp_bench_bare, enter_place(netns, in), in);
    error = bind_to_cpu(cpu);
    if (error) {
        fatal(error, "cannot run on CPU %u", cpu);
    }

    puts("ready");
    fflush(stdout);
    while (more) {
        struct pollfd fds[] = {
            { .fd = fd, .events = POLLIN },
            { .fd = STDIN_FILENO, .events = POLLIN },
        };

        while (count_frames(&r)) {
            continue;
        }
        poll(fds, 2, -1);
        if (fds[1].revents && !(fds[0].revents & POLLIN)) {
            more = answer(&r);
        }
    }
}
