/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-flood.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "oxdp-compile.h"
#include "oxdp-loader.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(oxdp_flood);

/* A set.  'id', 'n' and 'ports' are constant, the rest is under the
 * collection's mutex. */
struct flood {
    struct hmap_node node;      /* In 'sets', by ports, while 'n_refs'. */
    struct ovs_list work_node;  /* In 'work', or not in any list. */
    uint32_t id;
    size_t n;
    size_t n_refs;
    uint32_t *ifindexes;        /* The devices in the map, of number 'n', or
                                 * NULL if there is no map. */
    uint16_t ports[];           /* Sorted; some may be there twice. */
};

struct oxdp_floods {
    struct oxdp_bpf *bpf;

    struct ovs_mutex mutex;     /* Protects all that follows. */
    struct hmap sets;           /* Of struct flood. */
    struct flood *by_id[OXDP_MAX_FLOODS]; /* Also those that wait for being
                                           * freed. */
    struct ovs_list work;       /* Of struct flood: to get a map, or to be
                                 * freed if there are no references. */
    bool exiting;
    pthread_cond_t work_cond;   /* 'work' is not empty, or 'exiting'. */
    pthread_t worker;
};

/* What all ports of a set are now. */

static const struct oxdp_port *
get_port(const struct oxdp_floods *floods, const struct flood *flood, size_t i)
{
    return &floods->bpf->shared->ports[flood->ports[i]];
}

/* Returns the device of port number 'i', or 0 if it is to have none: the keeper
 * does not know that LOCAL is down. */
static uint32_t
get_ifindex(const struct oxdp_floods *floods, const struct flood *flood,
            size_t i)
{
    const uint32_t local_down = OXDP_PORT_F_LOCAL | OXDP_PORT_F_DOWN;
    const struct oxdp_port *port = get_port(floods, flood, i);

    return (port->flags & local_down) == local_down ? 0 : port->frames_ifindex;
}

/* Returns how long frames all ports of 'flood' take, 0 if not all take any.
 * Ports that are down do not matter: the kernel leaves them out.  It does not
 * know which port stands in for another one. */
static uint32_t
get_max_len(const struct oxdp_floods *floods, const struct flood *flood)
{
    uint32_t max_len = OXDP_FLOOD_LEN;

    for (size_t i = 0; i < flood->n; i++) {
        const struct oxdp_port *port = get_port(floods, flood, i);

        if (port->standby) {
            return 0;
        }
        if (port->flags & OXDP_PORT_F_DOWN) {
            continue;
        }
        if (!(port->flags & OXDP_PORT_F_PRESENT)
            || !(port->flags & (OXDP_PORT_F_XMIT | OXDP_PORT_F_KEEPER))) {
            return 0;
        }
        max_len = MIN(max_len, port->max_len);
    }
    return max_len;
}

/* Returns true if the map of 'flood' has the devices of its ports. */
static bool
map_is_right(const struct oxdp_floods *floods, const struct flood *flood)
{
    for (size_t i = 0; flood->ifindexes && i < flood->n; i++) {
        if (flood->ifindexes[i] != get_ifindex(floods, flood, i)) {
            return false;
        }
    }
    return flood->ifindexes != NULL;
}

static void
add_work(struct oxdp_floods *floods, struct flood *flood)
    OVS_REQUIRES(floods->mutex)
{
    if (ovs_list_is_empty(&flood->work_node)) {
        ovs_list_push_back(&floods->work, &flood->work_node);
        xpthread_cond_signal(&floods->work_cond);
    }
}

/* Tells BPF whether 'flood' can be used.  If it could be, but for its map, has
 * that made. */
static void
update(struct oxdp_floods *floods, struct flood *flood)
    OVS_REQUIRES(floods->mutex)
{
    volatile struct oxdp_flood *f = &floods->bpf->shared->floods[flood->id];
    uint32_t max_len = flood->n_refs ? get_max_len(floods, flood) : 0;

    if (max_len && !map_is_right(floods, flood)) {
        max_len = 0;
        add_work(floods, flood);
    }
    f->max_len = max_len;
}

/* Maps. */

/* Makes a map of the devices 'ifindexes', of number 'n', those that are not 0,
 * that of set 'id'.  Returns 0 or a positive errno value. */
static int
make_map(const struct oxdp_bpf *bpf, uint32_t id, const uint32_t *ifindexes,
         size_t n)
{
    int error = 0;
    int fd;

    fd = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "oxdp_flood", sizeof(uint32_t),
                        sizeof(uint32_t), n, NULL);
    if (fd < 0) {
        return -fd;
    }
    for (uint32_t i = 0; i < n && !error; i++) {
        if (ifindexes[i]) {
            error = -bpf_map_update_elem(fd, &i, &ifindexes[i], BPF_ANY);
        }
    }
    error = error ? error : -bpf_map_update_elem(bpf->floods_fd, &id, &fd,
                                                 BPF_ANY);
    close(fd);
    return error;
}

/* Makes a map for 'flood', for some 10 ms without the mutex. */
static void
set_map(struct oxdp_floods *floods, struct flood *flood)
    OVS_REQUIRES(floods->mutex)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    uint32_t *ifindexes = xmalloc(flood->n * sizeof *ifindexes);
    int error;

    for (size_t i = 0; i < flood->n; i++) {
        ifindexes[i] = get_ifindex(floods, flood, i);
    }
    ovs_mutex_unlock(&floods->mutex);
    error = make_map(floods->bpf, flood->id, ifindexes, flood->n);
    ovs_mutex_lock(&floods->mutex);

    if (!error) {
        free(flood->ifindexes);
        flood->ifindexes = ifindexes;
        update(floods, flood);
        return;
    }
    free(ifindexes);
    /* A device that has gone, or is no longer the port's, is nothing unusual:
     * oxdp_floods_port_changed() comes next. */
    if (error != EINVAL && error != ENODEV) {
        VLOG_WARN_RL(&rl, "no map for XDP to broadcast to %"PRIuSIZE" ports "
                     "(%s): TC sends the copies", flood->n,
                     ovs_strerror(error));
    }
}

/* Frees 'flood', which no flow has any more, for some 10 ms without the
 * mutex. */
static void
free_flood(struct oxdp_floods *floods, struct flood *flood)
    OVS_REQUIRES(floods->mutex)
{
    if (flood->ifindexes) {
        ovs_mutex_unlock(&floods->mutex);
        bpf_map_delete_elem(floods->bpf->floods_fd, &flood->id);
        ovs_mutex_lock(&floods->mutex);
    }
    floods->by_id[flood->id] = NULL;
    free(flood->ifindexes);
    free(flood);
}

/* Every update of a map in maps waits for a grace period. */
static void *
worker_main(void *floods_)
{
    struct oxdp_floods *floods = floods_;

    ovsrcu_quiesce_start();
    ovs_mutex_lock(&floods->mutex);
    for (;;) {
        struct flood *flood;

        if (ovs_list_is_empty(&floods->work)) {
            if (floods->exiting) {
                break;
            }
            ovs_mutex_cond_wait(&floods->work_cond, &floods->mutex);
            continue;
        }
        flood = CONTAINER_OF(ovs_list_pop_front(&floods->work),
                             struct flood, work_node);
        ovs_list_init(&flood->work_node);
        if (flood->n_refs) {
            set_map(floods, flood);
        } else {
            free_flood(floods, flood);
        }
    }
    ovs_mutex_unlock(&floods->mutex);
    ovsrcu_quiesce_end();
    return NULL;
}

/* Sets. */

static int
compare_ports(const void *a_, const void *b_)
{
    const uint16_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

/* Stores the ports that 'code' outputs to in 'ports', which has room for all
 * that a flow can have, sorted, and returns their number. */
static size_t
get_ports(const struct oxdp_code *code, uint16_t *ports)
{
    size_t n = 0;

    for (int i = 0; i < code->flow.n_ops; i++) {
        const struct oxdp_op *op = &code->ops[i];

        if (op->code == OXDP_OP_OUTPUT) {
            ports[n++] = op->arg32;
        } else if (op->code == OXDP_OP_COPY) {
            memcpy(&ports[n], op->ports, op->arg32 * sizeof *ports);
            n += op->arg32;
        }
    }
    qsort(ports, n, sizeof *ports, compare_ports);
    return n;
}

static struct flood *
create_flood(struct oxdp_floods *floods, const uint16_t *ports, size_t n,
             uint32_t hash)
    OVS_REQUIRES(floods->mutex)
{
    for (uint32_t id = 1; id < OXDP_MAX_FLOODS; id++) {
        if (!floods->by_id[id]) {
            struct flood *flood = xzalloc(sizeof *flood + n * sizeof *ports);

            flood->id = id;
            flood->n = n;
            memcpy(flood->ports, ports, n * sizeof *ports);
            ovs_list_init(&flood->work_node);
            hmap_insert(&floods->sets, &flood->node, hash);
            floods->by_id[id] = flood;
            return flood;
        }
    }
    return NULL;
}

void
oxdp_flood_ref(struct oxdp_floods *floods, struct oxdp_code *code)
{
    uint16_t ports[OXDP_MAX_OPS * OXDP_COPY_PORTS];
    size_t n = get_ports(code, ports);
    uint32_t hash = hash_bytes(ports, n * sizeof *ports, 0);
    struct flood *flood;

    ovs_mutex_lock(&floods->mutex);
    HMAP_FOR_EACH_WITH_HASH (flood, node, hash, &floods->sets) {
        if (flood->n == n && !memcmp(flood->ports, ports, n * sizeof *ports)) {
            break;
        }
    }
    if (!flood) {
        flood = create_flood(floods, ports, n, hash);
    }
    if (flood) {
        code->rest.flood = flood->id;
        if (!flood->n_refs++) {
            update(floods, flood);
        }
    } else {
        code->flow.verdict = OXDP_VERDICT_SKB;
        code->rest.reason = OXDP_REASON_FLOOD_MAP;
    }
    ovs_mutex_unlock(&floods->mutex);
}

void
oxdp_flood_unref(struct oxdp_floods *floods, uint16_t id)
{
    if (id) {
        ovs_mutex_lock(&floods->mutex);
        struct flood *flood = floods->by_id[id];

        if (!--flood->n_refs) {
            hmap_remove(&floods->sets, &flood->node);
            update(floods, flood);
            add_work(floods, flood);
        }
        ovs_mutex_unlock(&floods->mutex);
    }
}

bool
oxdp_flood_lacks_frames(struct oxdp_floods *floods, uint16_t id)
{
    bool lacks;

    ovs_mutex_lock(&floods->mutex);
    struct flood *flood = floods->by_id[id];

    /* 'id' is of a copy, which the set need not outlive. */
    lacks = flood && !get_max_len(floods, flood);
    ovs_mutex_unlock(&floods->mutex);
    return lacks;
}

void
oxdp_floods_port_changed(struct oxdp_floods *floods, uint32_t port)
{
    struct flood *flood;

    ovs_mutex_lock(&floods->mutex);
    HMAP_FOR_EACH (flood, node, &floods->sets) {
        for (size_t i = 0; i < flood->n; i++) {
            if (flood->ports[i] == port) {
                update(floods, flood);
                break;
            }
        }
    }
    ovs_mutex_unlock(&floods->mutex);
}

struct oxdp_floods *
oxdp_floods_create(struct oxdp_bpf *bpf)
{
    struct oxdp_floods *floods = xzalloc(sizeof *floods);

    floods->bpf = bpf;
    ovs_mutex_init(&floods->mutex);
    hmap_init(&floods->sets);
    ovs_list_init(&floods->work);
    xpthread_cond_init(&floods->work_cond, NULL);
    floods->worker = ovs_thread_create("xdp_flood", worker_main, floods);
    return floods;
}

void
oxdp_floods_destroy(struct oxdp_floods *floods)
{
    ovs_mutex_lock(&floods->mutex);
    floods->exiting = true;
    xpthread_cond_signal(&floods->work_cond);
    ovs_mutex_unlock(&floods->mutex);
    xpthread_join(floods->worker, NULL);

    hmap_destroy(&floods->sets);
    xpthread_cond_destroy(&floods->work_cond);
    ovs_mutex_destroy(&floods->mutex);
    free(floods);
}
