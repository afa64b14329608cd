/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "fake-reader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "oxdp-abi.h"
#include "oxdp-loader.h"
#include "util.h"

#define MAX_QUEUES 64

static int fds[MAX_QUEUES];
static uint32_t n_fds;

int
fake_reader_open(struct oxdp_bpf *bpf, uint32_t limit)
{
    for (uint32_t i = 0; i < bpf->n_queues; i++) {
        /* Bound to nothing, which would take a device. */
        int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

        if (fd < 0) {
            return errno;
        }
        ovs_assert(i < MAX_QUEUES);
        fds[i] = fd;
        n_fds = i + 1;
        if (bpf_map_update_elem(bpf->xsks_fd, &i, &fd, BPF_ANY)) {
            return errno;
        }
    }
    for (uint32_t cpu = 0; cpu < bpf->n_cpus; cpu++) {
        struct oxdp_queue *queue = &oxdp_bpf_cpu_block(bpf, cpu)->queue;

        queue->socket = cpu % bpf->n_queues;
        queue->limit = queue->upcall_limit = limit;
    }
    return 0;
}

void
fake_reader_close(void)
{
    while (n_fds) {
        close(fds[--n_fds]);
    }
}

void
fake_reader_beat(struct oxdp_bpf *bpf)
{
    for (uint32_t cpu = 0; cpu < bpf->n_cpus; cpu++) {
        oxdp_bpf_cpu_block(bpf, cpu)->queue.beat = INT64_MAX;
    }
}
