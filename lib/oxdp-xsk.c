/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-xsk.h"

#include <errno.h>
#include <linux/if_xdp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <xdp/xsk.h>

#include "dp-packet.h"
#include "openvswitch/vlog.h"
#include "ovs-thread.h"
#include "oxdp-abi.h"
#include "oxdp-compat.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(oxdp_xsk);

#define FRAME_SIZE 4096u
#define HEADROOM 128

struct oxdp_xsk {
    struct xsk_umem *umem;
    struct xsk_socket *xsk;
    void *area;
    size_t area_size;
    uint32_t n_rx, n_tx;
    bool sg;

    /* Receive, the handler's. */
    struct xsk_ring_cons rx;
    struct xsk_ring_prod fill;
    atomic_uint64_t rx_packets, rx_bad;

    struct ovs_mutex tx_mutex;  /* Protects all that follows. */
    struct xsk_ring_prod tx;
    struct xsk_ring_cons comp;
    uint64_t *free_frames;
    uint32_t n_free_frames;
    uint32_t outstanding;
    atomic_uint64_t tx_packets, tx_dropped;
};

int
oxdp_xsk_open(const char *ifname, uint32_t queue, uint32_t n_frames,
              struct oxdp_xsk **xskp, char **errp)
{
    struct oxdp_xsk *x = xzalloc(sizeof *x);
    int error;

    x->n_rx = ROUND_DOWN_POW2(n_frames / 2);
    x->n_tx = x->n_rx;
    x->area_size = (size_t) (x->n_rx + x->n_tx) * FRAME_SIZE;
    x->area = mmap(NULL, x->area_size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (x->area == MAP_FAILED) {
        error = errno;
        free(x);
        return error;
    }
    ovs_mutex_init(&x->tx_mutex);
    struct xsk_umem_config uc = {
        .fill_size = x->n_rx,
        .comp_size = x->n_tx,
        .frame_size = FRAME_SIZE,
    };
    error = -xsk_umem__create(&x->umem, x->area, x->area_size, &x->fill,
                              &x->comp, &uc);
    x->sg = true;
    for (int tries = 0; !error && tries < 100; tries++) {
        struct xsk_socket_config sc = {
            .rx_size = x->n_rx,
            .tx_size = x->n_tx,
            .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
            .bind_flags = XDP_COPY | (x->sg ? OXDP_XDP_USE_SG : 0),
        };
        int r = -xsk_socket__create(&x->xsk, ifname, queue, x->umem, &x->rx,
                                    &x->tx, &sc);
        if (!r) {
            break;
        }
        if (r == EINVAL && x->sg) {
            x->sg = false;
        } else if (r == EBUSY) {
            struct timespec ts = { 0, 10000000 };
            nanosleep(&ts, NULL);
        } else {
            error = r;
        }
        x->xsk = NULL;
    }
    if (!error && !x->xsk) {
        error = EBUSY;
    }
    if (error) {
        *errp = xasprintf("cannot open AF_XDP socket on %s queue %u (%s)",
                          ifname, queue, ovs_strerror(error));
        oxdp_xsk_close(x);
        return error;
    }
    uint32_t idx = 0;
    xsk_ring_prod__reserve(&x->fill, x->n_rx, &idx);
    for (uint32_t i = 0; i < x->n_rx; i++) {
        *xsk_ring_prod__fill_addr(&x->fill, idx + i)
            = (uint64_t) i * FRAME_SIZE;
    }
    xsk_ring_prod__submit(&x->fill, x->n_rx);
    x->free_frames = xmalloc(x->n_tx * sizeof *x->free_frames);
    for (uint32_t i = 0; i < x->n_tx; i++) {
        x->free_frames[x->n_free_frames++]
            = (uint64_t) (x->n_rx + i) * FRAME_SIZE;
    }
    *xskp = x;
    return 0;
}

void
oxdp_xsk_close(struct oxdp_xsk *x)
{
    if (x) {
        if (x->xsk) {
            xsk_socket__delete(x->xsk);
        }
        if (x->umem) {
            xsk_umem__delete(x->umem);
        }
        munmap(x->area, x->area_size);
        ovs_mutex_destroy(&x->tx_mutex);
        free(x->free_frames);
        free(x);
    }
}

int
oxdp_xsk_fd(const struct oxdp_xsk *x)
{
    return xsk_socket__fd(x->xsk);
}

bool
oxdp_xsk_can_sg(const struct oxdp_xsk *x)
{
    return x->sg;
}

/* Takes one frame. */
static bool
rx_one(struct oxdp_xsk *x, struct dp_packet **pp, bool *contd)
{
    uint32_t idx, fidx;

    if (!xsk_ring_cons__peek(&x->rx, 1, &idx)) {
        return false;
    }
    struct xdp_desc d = *xsk_ring_cons__rx_desc(&x->rx, idx);
    uint64_t base = d.addr & ~(uint64_t) (FRAME_SIZE - 1);

    *contd = x->sg && d.options & OXDP_XDP_PKT_CONTD;
    if (!*pp) {
        *pp = dp_packet_new_with_headroom(d.len, HEADROOM);
    }
    if (d.addr < x->area_size && d.len <= FRAME_SIZE) {
        dp_packet_put(*pp, xsk_umem__get_data(x->area, d.addr), d.len);
    }
    xsk_ring_cons__release(&x->rx, 1);
    if (xsk_ring_prod__reserve(&x->fill, 1, &fidx)) {
        *xsk_ring_prod__fill_addr(&x->fill, fidx) = base;
        xsk_ring_prod__submit(&x->fill, 1);
    }
    return true;
}

struct dp_packet *
oxdp_xsk_recv(struct oxdp_xsk *x, struct oxdp_hdr *hdr)
{
    for (;;) {
        struct dp_packet *p = NULL;
        bool contd = true;
        uint64_t old;

        while (contd) {
            if (!rx_one(x, &p, &contd)) {
                dp_packet_delete(p);
                return NULL;
            }
        }
        if (dp_packet_size(p) >= sizeof *hdr + ETH_HEADER_LEN) {
            memcpy(hdr, dp_packet_data(p), sizeof *hdr);
            if (hdr->magic == OXDP_HDR_MAGIC) {
                dp_packet_pull(p, sizeof *hdr);
                p->packet_type = htonl(PT_ETH);
                atomic_add_relaxed(&x->rx_packets, 1, &old);
                return p;
            }
        }
        atomic_add_relaxed(&x->rx_bad, 1, &old);
        dp_packet_delete(p);
    }
}

void
oxdp_xsk_purge(struct oxdp_xsk *x)
{
    struct oxdp_hdr hdr;
    struct dp_packet *p;

    while ((p = oxdp_xsk_recv(x, &hdr))) {
        dp_packet_delete(p);
    }
}

static void
reap(struct oxdp_xsk *x)
{
    uint32_t idx, n = xsk_ring_cons__peek(&x->comp, x->n_tx, &idx);

    for (uint32_t i = 0; i < n; i++) {
        x->free_frames[x->n_free_frames++]
            = *xsk_ring_cons__comp_addr(&x->comp, idx + i)
              & ~(uint64_t) (FRAME_SIZE - 1);
    }
    xsk_ring_cons__release(&x->comp, n);
    x->outstanding -= n;
}

static void
kick(struct oxdp_xsk *x)
{
    for (int i = 0; i < 256 && x->outstanding; i++) {
        int r = sendto(xsk_socket__fd(x->xsk), NULL, 0, MSG_DONTWAIT, NULL, 0);

        reap(x);
        if (r >= 0 || (errno != EAGAIN && errno != EBUSY
                       && errno != ENOBUFS)) {
            break;
        }
    }
    reap(x);
}

int
oxdp_xsk_send(struct oxdp_xsk *x, const struct oxdp_hdr *hdr,
              const struct dp_packet *packet)
{
    uint32_t size = sizeof *hdr + dp_packet_size(packet);
    uint32_t n = DIV_ROUND_UP(size, FRAME_SIZE);
    const char *data = dp_packet_data(packet);
    uint32_t left = dp_packet_size(packet);
    uint64_t old;
    uint32_t idx;
    int error = 0;

    ovs_mutex_lock(&x->tx_mutex);
    if (n > 1 && !x->sg) {
        error = EMSGSIZE;
        goto out;
    }
    if (x->n_free_frames < n) {
        kick(x);
    }
    if (x->n_free_frames < n || !xsk_ring_prod__reserve(&x->tx, n, &idx)) {
        error = ENOBUFS;
        goto out;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct xdp_desc *d = xsk_ring_prod__tx_desc(&x->tx, idx + i);
        char *to;
        uint32_t room = FRAME_SIZE, len = 0;

        d->addr = x->free_frames[--x->n_free_frames];
        to = xsk_umem__get_data(x->area, d->addr);
        if (!i) {
            memcpy(to, hdr, sizeof *hdr);
            len = sizeof *hdr;
            room -= len;
        }
        uint32_t part = MIN(room, left);
        memcpy(to + len, data, part);
        data += part;
        left -= part;
        d->len = len + part;
        d->options = i < n - 1 ? OXDP_XDP_PKT_CONTD : 0;
    }
    xsk_ring_prod__submit(&x->tx, n);
    x->outstanding += n;
out:
    if (error) {
        atomic_add_relaxed(&x->tx_dropped, 1, &old);
    } else {
        atomic_add_relaxed(&x->tx_packets, 1, &old);
    }
    ovs_mutex_unlock(&x->tx_mutex);
    return error;
}

void
oxdp_xsk_flush(struct oxdp_xsk *x)
{
    ovs_mutex_lock(&x->tx_mutex);
    if (x->outstanding) {
        kick(x);
    }
    ovs_mutex_unlock(&x->tx_mutex);
}

void
oxdp_xsk_get_stats(const struct oxdp_xsk *x_, struct oxdp_xsk_stats *s)
{
    struct oxdp_xsk *x = CONST_CAST(struct oxdp_xsk *, x_);
    struct xdp_statistics xs = { 0 };
    socklen_t len = sizeof xs;

    getsockopt(oxdp_xsk_fd(x), SOL_XDP, XDP_STATISTICS, &xs, &len);
    s->rx_ring_full = xs.rx_ring_full + xs.rx_dropped;
    s->rx_fill_empty = xs.rx_fill_ring_empty_descs;
    atomic_read_relaxed(&x->rx_packets, &s->rx_packets);
    atomic_read_relaxed(&x->rx_bad, &s->rx_bad);
    atomic_read_relaxed(&x->tx_packets, &s->tx_packets);
    atomic_read_relaxed(&x->tx_dropped, &s->tx_dropped);
}
