/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-xsk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_xdp.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xdp/xsk.h>

#include "coverage.h"
#include "dp-packet.h"
#include "openvswitch/thread.h"
#include "openvswitch/vlog.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "oxdp-abi.h"
#include "oxdp-compat.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(oxdp_xsk);

COVERAGE_DEFINE(oxdp_xsk_kick);
COVERAGE_DEFINE(oxdp_xsk_stuck);

#define CHUNK_SIZE 4096u
#define HEADROOM 128            /* In front of received frames. */
#define TAILROOM 64             /* Behind them. */
#define MAX_TX_CHUNKS 16        /* Of a packet; the kernel takes 17. */
#define MIN_FRAMES 64
#define MAX_FRAMES (1u << 20)
#define BIND_RETRY_MS 5000
#define MAX_YIELDS 64           /* Without progress in transmission. */

/* Longer packets are dropped: a struct dp_packet's allocation is a 16-bit
 * number. */
#define MAX_RX_SIZE (UINT16_MAX - HEADROOM - TAILROOM)

/* The first 'n_rx' chunks of the area are received into, the others are
 * transmitted from.  Every ring has room for all the chunks that can be on it,
 * so that none of them ever is full while there is a chunk to put on it. */
struct oxdp_xsk {
    struct xsk_umem *umem;
    struct xsk_socket *socket;
    char *area;
    size_t area_size;
    uint32_t n_rx, n_tx;
    bool sg;                    /* Packets may have several descriptors. */

    /* Receiver's. */
    struct xsk_ring_cons rx;
    struct xsk_ring_prod fill;
    struct dp_packet *partial;  /* The first part of a packet, or null. */
    bool skip;                  /* Drop descriptors up to the packet's end. */
    atomic_uint64_t rx_packets;
    atomic_uint64_t rx_bad;

    /* Sender's. */
    struct ovs_mutex mutex;     /* Protects all members below. */
    struct xsk_ring_prod tx;
    struct xsk_ring_cons completions;
    uint64_t *free_chunks;      /* Stack of 'n_free' offsets into 'area'. */
    uint32_t n_free;
    atomic_uint64_t tx_packets;
    atomic_uint64_t tx_dropped;
};

static void
count(atomic_uint64_t *counter)
{
    uint64_t orig;

    atomic_add_relaxed(counter, 1, &orig);
}

/* Opening and closing. */

/* Before 5.11, the memory of a socket is charged to RLIMIT_MEMLOCK; since
 * then it still is for a process without CAP_IPC_LOCK. */
static void
raise_memlock(void)
{
    const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

    if (setrlimit(RLIMIT_MEMLOCK, &unlimited)) {
        VLOG_DBG("cannot raise RLIMIT_MEMLOCK (%s)", ovs_strerror(errno));
    }
}

static int
bind_socket(struct oxdp_xsk *xsk, const char *ifname, uint32_t queue, bool sg)
{
    uint32_t rx_size = ROUND_UP_POW2(xsk->n_rx);
    uint32_t tx_size = ROUND_UP_POW2(xsk->n_tx);
    const struct xsk_umem_config umem_config = {
        .fill_size = rx_size,
        .comp_size = tx_size,
        .frame_size = CHUNK_SIZE,
    };
    const struct xsk_socket_config config = {
        .rx_size = rx_size,
        .tx_size = tx_size,
        .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
        /* With XDP_USE_NEED_WAKEUP, poll() transmits what flush could not. */
        .bind_flags = (XDP_COPY | XDP_USE_NEED_WAKEUP
                       | (sg ? OXDP_XDP_USE_SG : 0)),
    };
    int error;

    error = -xsk_umem__create(&xsk->umem, xsk->area, xsk->area_size,
                              &xsk->fill, &xsk->completions, &umem_config);
    if (error) {
        xsk->umem = NULL;
        return error;
    }
    error = -xsk_socket__create(&xsk->socket, ifname, queue, xsk->umem,
                                &xsk->rx, &xsk->tx, &config);
    if (error) {
        xsk->socket = NULL;
        xsk_umem__delete(xsk->umem);
        xsk->umem = NULL;
        return error;
    }
    xsk->sg = sg;
    return 0;
}

/* Binds the socket, without several descriptors per packet if the kernel does
 * not know them.  A queue that was just released is busy for some time, as the
 * kernel takes sockets down in the background. */
static int
bind_socket_retry(struct oxdp_xsk *xsk, const char *ifname, uint32_t queue)
{
    long long int deadline = time_msec() + BIND_RETRY_MS;

    for (;;) {
        int error = bind_socket(xsk, ifname, queue, true);

        if (error == EINVAL) {
            error = bind_socket(xsk, ifname, queue, false);
        }
        if (error != EBUSY || time_msec() >= deadline) {
            return error;
        }
        usleep(10 * 1000);
    }
}

static void
configure_socket(struct oxdp_xsk *xsk)
{
    int fd = xsk_socket__fd(xsk->socket);
    int sndbuf = MIN(xsk->n_tx * 2 * CHUNK_SIZE, INT32_MAX / 2);
    int flags = fcntl(fd, F_GETFD);

    if (flags >= 0) {
        fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
    }

    /* So that no more than the transmit ring limits what is on its way. */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &sndbuf, sizeof sndbuf)) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof sndbuf);
    }
}

/* Hands all chunks out, to the kernel and to the list of free ones. */
static void
distribute_chunks(struct oxdp_xsk *xsk)
{
    uint32_t idx = 0;

    xsk_ring_prod__reserve(&xsk->fill, xsk->n_rx, &idx);
    for (uint32_t i = 0; i < xsk->n_rx; i++) {
        *xsk_ring_prod__fill_addr(&xsk->fill, idx + i)
            = (uint64_t) i * CHUNK_SIZE;
    }
    xsk_ring_prod__submit(&xsk->fill, xsk->n_rx);

    for (uint32_t i = xsk->n_tx; i-- > 0; ) {
        xsk->free_chunks[xsk->n_free++]
            = (uint64_t) (xsk->n_rx + i) * CHUNK_SIZE;
    }
}

static char *
explain_open(const char *ifname, uint32_t queue, int error)
{
    const char *advice
        = (error == EAFNOSUPPORT || error == EPROTONOSUPPORT
           ? "; the kernel needs XDP_SOCKETS"
           : error == EPERM
           ? "; ovs-vswitchd needs CAP_NET_ADMIN and CAP_NET_RAW"
           : error == EBUSY
           ? "; another AF_XDP socket is bound to this queue, stop its program"
           : error == EINVAL
           ? "; the device has no such queue, or the kernel is too old"
           : error == ENOBUFS || error == ENOMEM
           ? "; raise the limit of locked memory (LimitMEMLOCK=infinity in "
             "the systemd unit)"
           : "");

    return xasprintf("cannot open an AF_XDP socket on queue %"PRIu32" of %s: "
                     "%s%s", queue, ifname, ovs_strerror(error), advice);
}

int
oxdp_xsk_open(const char *ifname, uint32_t queue, uint32_t n_frames,
              struct oxdp_xsk **xskp, char **errp)
{
    struct oxdp_xsk *xsk = xzalloc(sizeof *xsk);
    int error;

    *xskp = NULL;
    *errp = NULL;

    n_frames = MIN(MAX(n_frames, MIN_FRAMES), MAX_FRAMES);
    xsk->n_rx = n_frames / 2;
    xsk->n_tx = n_frames - xsk->n_rx;
    ovs_mutex_init(&xsk->mutex);
    xsk->free_chunks = xmalloc(xsk->n_tx * sizeof *xsk->free_chunks);
    xsk->area_size = (size_t) n_frames * CHUNK_SIZE;
    xsk->area = mmap(NULL, xsk->area_size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (xsk->area == MAP_FAILED) {
        xsk->area = NULL;
        error = errno;
    } else {
        /* A child must not make the kernel's pages copies of ours. */
        madvise(xsk->area, xsk->area_size, MADV_DONTFORK);
        raise_memlock();
        error = bind_socket_retry(xsk, ifname, queue);
    }
    if (error) {
        *errp = explain_open(ifname, queue, error);
        oxdp_xsk_close(xsk);
        return error;
    }
    configure_socket(xsk);
    distribute_chunks(xsk);
    *xskp = xsk;
    return 0;
}

void
oxdp_xsk_close(struct oxdp_xsk *xsk)
{
    if (!xsk) {
        return;
    }
    if (xsk->socket) {
        xsk_socket__delete(xsk->socket);
    }
    if (xsk->umem) {
        xsk_umem__delete(xsk->umem);
    }
    if (xsk->area) {
        munmap(xsk->area, xsk->area_size);
    }
    dp_packet_delete(xsk->partial);
    free(xsk->free_chunks);
    ovs_mutex_destroy(&xsk->mutex);
    free(xsk);
}

int
oxdp_xsk_fd(const struct oxdp_xsk *xsk)
{
    return xsk_socket__fd(xsk->socket);
}

bool
oxdp_xsk_can_sg(const struct oxdp_xsk *xsk)
{
    return xsk->sg;
}

uint32_t
oxdp_xsk_capacity(const struct oxdp_xsk *xsk)
{
    return xsk->n_rx;
}

/* Receiving. */

/* Takes a descriptor off the receive ring.  Returns false if there is none.
 * Its chunk stays ours until rx_release(). */
static bool
rx_take(struct oxdp_xsk *xsk, struct xdp_desc *desc)
{
    uint32_t idx;

    if (!xsk_ring_cons__peek(&xsk->rx, 1, &idx)) {
        return false;
    }
    *desc = *xsk_ring_cons__rx_desc(&xsk->rx, idx);
    return true;
}

/* Gives the chunk of 'desc' back to the kernel. */
static void
rx_release(struct oxdp_xsk *xsk, const struct xdp_desc *desc)
{
    uint64_t chunk = ROUND_DOWN(desc->addr, CHUNK_SIZE);
    uint32_t idx;

    xsk_ring_cons__release(&xsk->rx, 1);
    if (chunk < (uint64_t) xsk->n_rx * CHUNK_SIZE
        && xsk_ring_prod__reserve(&xsk->fill, 1, &idx)) {
        *xsk_ring_prod__fill_addr(&xsk->fill, idx) = chunk;
        xsk_ring_prod__submit(&xsk->fill, 1);
    }
}

/* Whether the bytes of 'desc' are inside of one chunk for reception. */
static bool
rx_desc_is_valid(const struct oxdp_xsk *xsk, const struct xdp_desc *desc)
{
    return (desc->addr < (uint64_t) xsk->n_rx * CHUNK_SIZE
            && desc->len <= CHUNK_SIZE - desc->addr % CHUNK_SIZE);
}

static bool
rx_desc_is_last(const struct xdp_desc *desc)
{
    return !(desc->options & OXDP_XDP_PKT_CONTD);
}

/* Drops the packet that is being received, 'desc' included. */
static void
rx_drop(struct oxdp_xsk *xsk, const struct xdp_desc *desc)
{
    dp_packet_delete(xsk->partial);
    xsk->partial = NULL;
    xsk->skip = !rx_desc_is_last(desc);
}

/* Makes the first descriptor of a packet a header and the beginning of a
 * frame.  Returns false if it cannot be that. */
static bool
rx_first(struct oxdp_xsk *xsk, const struct xdp_desc *desc)
{
    const char *data = xsk_umem__get_data(xsk->area, desc->addr);
    struct oxdp_hdr hdr;
    size_t len;

    if (desc->len < sizeof hdr + ETH_HEADER_LEN) {
        return false;
    }
    memcpy(&hdr, data, sizeof hdr);
    if (hdr.magic != OXDP_HDR_MAGIC) {
        return false;
    }

    /* The headroom has the header, for as long as the packet is not whole. */
    len = desc->len - sizeof hdr;
    xsk->partial = dp_packet_new_with_headroom(
        rx_desc_is_last(desc) ? len + TAILROOM : 3 * CHUNK_SIZE, HEADROOM);
    dp_packet_put(xsk->partial, data + sizeof hdr, len);
    memcpy((char *) dp_packet_data(xsk->partial) - sizeof hdr, &hdr,
           sizeof hdr);
    return true;
}

/* Adds 'desc' to the packet that is being received.  Returns false if there
 * must be no such descriptor here. */
static bool
rx_next(struct oxdp_xsk *xsk, const struct xdp_desc *desc)
{
    if (!rx_desc_is_valid(xsk, desc)) {
        return false;
    }
    if (!xsk->partial) {
        return rx_first(xsk, desc);
    }
    if (dp_packet_size(xsk->partial) + desc->len > MAX_RX_SIZE) {
        return false;
    }
    dp_packet_put(xsk->partial, xsk_umem__get_data(xsk->area, desc->addr),
                  desc->len);
    return true;
}

struct dp_packet *
oxdp_xsk_recv(struct oxdp_xsk *xsk, struct oxdp_hdr *hdr)
{
    struct xdp_desc desc;

    while (rx_take(xsk, &desc)) {
        if (xsk->skip) {
            xsk->skip = !rx_desc_is_last(&desc);
        } else if (!rx_next(xsk, &desc)) {
            rx_drop(xsk, &desc);
            count(&xsk->rx_bad);
        }
        rx_release(xsk, &desc);

        if (xsk->partial && rx_desc_is_last(&desc)) {
            struct dp_packet *packet = xsk->partial;

            xsk->partial = NULL;
            memcpy(hdr, (char *) dp_packet_data(packet) - sizeof *hdr,
                   sizeof *hdr);
            count(&xsk->rx_packets);
            return packet;
        }
    }
    return NULL;
}

bool
oxdp_xsk_is_waiting(struct oxdp_xsk *xsk)
{
    return xsk_cons_nb_avail(&xsk->rx, 1) > 0;
}

void
oxdp_xsk_purge(struct oxdp_xsk *xsk)
{
    struct xdp_desc desc;

    /* No more than what is there now, or a busy sender keeps us here. */
    for (uint32_t i = 0; i < xsk->rx.size && rx_take(xsk, &desc); i++) {
        rx_drop(xsk, &desc);
        rx_release(xsk, &desc);
    }
}

/* Sending. */

/* Takes chunks back that the kernel has sent. */
static void
tx_reap(struct oxdp_xsk *xsk)
    OVS_REQUIRES(xsk->mutex)
{
    uint32_t idx;
    uint32_t n = xsk_ring_cons__peek(&xsk->completions, xsk->n_tx, &idx);

    for (uint32_t i = 0; i < n; i++) {
        uint64_t addr = *xsk_ring_cons__comp_addr(&xsk->completions, idx + i);

        ovs_assert(xsk->n_free < xsk->n_tx);
        xsk->free_chunks[xsk->n_free++] = ROUND_DOWN(addr, CHUNK_SIZE);
    }
    if (n) {
        xsk_ring_cons__release(&xsk->completions, n);
    }
}

/* Descriptors that the kernel has not taken off the transmit ring. */
static uint32_t
tx_pending(const struct oxdp_xsk *xsk)
    OVS_REQUIRES(xsk->mutex)
{
    return (xsk->tx.cached_prod
            - __atomic_load_n(xsk->tx.consumer, __ATOMIC_ACQUIRE));
}

/* Has the kernel send until the ring is empty or nothing moves any more.  One
 * system call sends about 32 descriptors. */
static void
tx_kick(struct oxdp_xsk *xsk)
    OVS_REQUIRES(xsk->mutex)
{
    uint32_t pending = tx_pending(xsk);
    int yields = 0;

    for (uint32_t i = 0; pending && i < 4 * xsk->n_tx; i++) {
        uint32_t before = pending;
        int error;

        COVERAGE_INC(oxdp_xsk_kick);
        error = (sendto(oxdp_xsk_fd(xsk), NULL, 0, MSG_DONTWAIT, NULL, 0) < 0
                 ? errno : 0);
        tx_reap(xsk);
        pending = tx_pending(xsk);
        if (pending != before) {
            yields = 0;
        } else if (error == EBUSY) {
            /* The kernel has dropped a packet and will tell us later. */
        } else if ((!error || error == EAGAIN || error == ENOBUFS)
                   && yields++ < MAX_YIELDS) {
            sched_yield();
        } else {
            break;
        }
    }
    if (pending) {
        COVERAGE_INC(oxdp_xsk_stuck);
    }
    tx_reap(xsk);
}

/* Puts the next descriptors of a packet, 'n' chunks in all, onto the transmit
 * ring from 'idx' on. */
static void
tx_fill(struct oxdp_xsk *xsk, uint32_t idx, uint32_t n,
        const struct oxdp_hdr *hdr, const struct dp_packet *packet)
    OVS_REQUIRES(xsk->mutex)
{
    const char *data = dp_packet_data(packet);
    size_t left = dp_packet_size(packet);

    for (uint32_t i = 0; i < n; i++) {
        struct xdp_desc *desc = xsk_ring_prod__tx_desc(&xsk->tx, idx + i);
        uint64_t addr = xsk->free_chunks[--xsk->n_free];
        char *chunk = xsk_umem__get_data(xsk->area, addr);
        size_t used = 0;
        size_t len;

        if (!i) {
            memcpy(chunk, hdr, sizeof *hdr);
            used = sizeof *hdr;
        }
        len = MIN(left, CHUNK_SIZE - used);
        memcpy(chunk + used, data, len);
        data += len;
        left -= len;

        desc->addr = addr;
        desc->len = used + len;
        desc->options = i + 1 < n ? OXDP_XDP_PKT_CONTD : 0;
    }
}

int
oxdp_xsk_send(struct oxdp_xsk *xsk, const struct oxdp_hdr *hdr,
              const struct dp_packet *packet)
{
    size_t size = sizeof *hdr + dp_packet_size(packet);
    size_t n = DIV_ROUND_UP(size, CHUNK_SIZE);
    uint32_t idx;
    int error = 0;

    if (n > (xsk->sg ? MAX_TX_CHUNKS : 1) || n > xsk->n_tx) {
        count(&xsk->tx_dropped);
        return EMSGSIZE;
    }

    ovs_mutex_lock(&xsk->mutex);
    if (xsk->n_free < n) {
        tx_reap(xsk);
    }
    if (xsk->n_free < n) {
        tx_kick(xsk);
    }
    if (xsk->n_free >= n && xsk_ring_prod__reserve(&xsk->tx, n, &idx)) {
        tx_fill(xsk, idx, n, hdr, packet);
        xsk_ring_prod__submit(&xsk->tx, n);
        count(&xsk->tx_packets);
    } else {
        count(&xsk->tx_dropped);
        error = ENOBUFS;
    }
    ovs_mutex_unlock(&xsk->mutex);
    return error;
}

void
oxdp_xsk_flush(struct oxdp_xsk *xsk)
{
    ovs_mutex_lock(&xsk->mutex);
    tx_kick(xsk);
    ovs_mutex_unlock(&xsk->mutex);
}

/* Statistics. */

void
oxdp_xsk_get_stats(const struct oxdp_xsk *xsk, struct oxdp_xsk_stats *stats)
{
    struct xdp_statistics kernel;
    socklen_t len = sizeof kernel;

    memset(&kernel, 0, sizeof kernel);
    if (getsockopt(oxdp_xsk_fd(xsk), SOL_XDP, XDP_STATISTICS, &kernel, &len)) {
        memset(&kernel, 0, sizeof kernel);
    }
    atomic_read_relaxed(&xsk->rx_packets, &stats->rx_packets);
    atomic_read_relaxed(&xsk->rx_bad, &stats->rx_bad);
    atomic_read_relaxed(&xsk->tx_packets, &stats->tx_packets);
    atomic_read_relaxed(&xsk->tx_dropped, &stats->tx_dropped);
    /* Without a chunk the packet is lost before it gets to the ring. */
    stats->rx_ring_full = kernel.rx_ring_full + kernel.rx_dropped;
    stats->rx_fill_empty = kernel.rx_fill_ring_empty_descs;
}
