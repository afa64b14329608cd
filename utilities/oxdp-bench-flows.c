/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-bench-flows: what it takes to put flows into a datapath's table.
 *
 * Runs within the datapath's process, as ofproto does, through the same
 * functions for every type: no text is parsed while the clock runs.  It needs
 * a network namespace of its own with devices p1 and p2, and prints a line of
 * nanoseconds for all puts, a dump, and all deletions, and bytes of memory.
 */

#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>

#include "dpif.h"
#include "netdev.h"
#include "odp-util.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "packets.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"

/* As many as OVS's handlers install, and its revalidators look at, at once. */
#define PUT_BATCH 64
#define DUMP_BATCH 50

/* A flow as ofproto would hand it over. */
struct test_flow {
    struct odputil_keybuf key, mask;
    size_t key_len, mask_len;
    ovs_u128 ufid;
};

/* Null while there is nothing to remove from the kernel. */
static struct dpif *dpif;

static int
remove_datapath(void)
{
    int error = dpif ? dpif_delete(dpif) : 0;

    dpif_close(dpif);
    dpif = NULL;
    return error;
}

OVS_NO_RETURN static void
fatal(int error, const char *what)
{
    remove_datapath();
    fprintf(stderr, "oxdp-bench-flows: %s (%s)\n", what, ovs_strerror(error));
    exit(EXIT_FAILURE);
}

static long long int
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Reads the number that follows 'name' in a file of lines "NAME: NUMBER", or
 * returns 0. */
static uint64_t
read_number(const char *path, const char *name)
{
    FILE *file = fopen(path, "r");
    uint64_t n = 0;
    char line[256];

    while (file && fgets(line, sizeof line, file)) {
        size_t len = strlen(name);

        if (!strncmp(line, name, len) && line[len] == ':') {
            n = strtoull(line + len + 1, NULL, 10);
        }
    }
    if (file) {
        fclose(file);
    }
    return n;
}

/* Memory that this process has for itself, and that of its BPF maps. */
static uint64_t
used_bytes(void)
{
    uint64_t bytes = read_number("/proc/self/status", "RssAnon") * 1024;
    DIR *dir = opendir("/proc/self/fdinfo");
    struct dirent *d;

    while (dir && (d = readdir(dir))) {
        char path[300];

        snprintf(path, sizeof path, "/proc/self/fdinfo/%s", d->d_name);
        bytes += read_number(path, "memlock");
    }
    if (dir) {
        closedir(dir);
    }
    return bytes;
}

/* UDP connections from port p1, each with all that OVS matches of one. */
static void
make_flow(struct test_flow *f, uint32_t n, odp_port_t in_port)
{
    static const struct eth_addr src = ETH_ADDR_C(02,00,00,00,00,01);
    static const struct eth_addr dst = ETH_ADDR_C(02,00,00,00,00,02);
    struct ofpbuf key, mask;
    struct match match;

    match_init_catchall(&match);
    match_set_recirc_id(&match, 0);
    match.flow.in_port.odp_port = in_port;
    match.wc.masks.in_port.odp_port = ODPP_NONE;
    match_set_packet_type(&match, htonl(PT_ETH));
    match_set_dl_src(&match, src);
    match_set_dl_dst(&match, dst);
    match_set_dl_tci(&match, 0);
    match_set_dl_type(&match, htons(ETH_TYPE_IP));
    match_set_nw_proto(&match, IPPROTO_UDP);
    match_set_nw_frag(&match, 0);
    match_set_nw_src(&match, htonl(0x0a000001));
    match_set_nw_dst(&match, htonl(0x0a010000 + n));
    match_set_tp_src(&match, htons(1));
    match_set_tp_dst(&match, htons(9));

    struct odp_flow_key_parms parms = {
        .flow = &match.flow,
        .mask = &match.wc.masks,
        .support = { .recirc = true, .max_vlan_headers = 1 },
    };

    ofpbuf_use_stack(&key, &f->key, sizeof f->key);
    odp_flow_key_from_flow(&parms, &key);
    f->key_len = key.size;
    parms.key_buf = &key;
    ofpbuf_use_stack(&mask, &f->mask, sizeof f->mask);
    odp_flow_key_from_mask(&parms, &mask);
    f->mask_len = mask.size;
    odp_flow_key_hash(&f->key, f->key_len, &f->ufid);
}

static void
prepare_put(struct dpif_op *op, const struct test_flow *f,
            const struct ofpbuf *actions)
{
    op->type = DPIF_OP_FLOW_PUT;
    op->flow_put.flags = DPIF_FP_CREATE;
    op->flow_put.key = (const struct nlattr *) &f->key;
    op->flow_put.key_len = f->key_len;
    op->flow_put.mask = (const struct nlattr *) &f->mask;
    op->flow_put.mask_len = f->mask_len;
    op->flow_put.actions = actions->data;
    op->flow_put.actions_len = actions->size;
    op->flow_put.ufid = &f->ufid;
    op->flow_put.pmd_id = PMD_ID_NULL;
}

static void
prepare_del(struct dpif_op *op, const struct test_flow *f)
{
    op->type = DPIF_OP_FLOW_DEL;
    op->flow_del.key = (const struct nlattr *) &f->key;
    op->flow_del.key_len = f->key_len;
    op->flow_del.ufid = &f->ufid;
    op->flow_del.pmd_id = PMD_ID_NULL;
}

/* Puts the 'n' flows with 'actions', or deletes them if 'actions' is null.
 * Returns nanoseconds. */
static long long int
operate(const struct test_flow *flows, size_t n,
        const struct ofpbuf *actions)
{
    long long int start = now_ns();

    for (size_t i = 0; i < n; i += PUT_BATCH) {
        struct dpif_op ops[PUT_BATCH], *opsp[PUT_BATCH];
        size_t n_ops = MIN(PUT_BATCH, n - i);

        memset(ops, 0, sizeof ops);
        for (size_t j = 0; j < n_ops; j++) {
            opsp[j] = &ops[j];
            if (actions) {
                prepare_put(&ops[j], &flows[i + j], actions);
            } else {
                prepare_del(&ops[j], &flows[i + j]);
            }
        }
        dpif_operate(dpif, opsp, n_ops, DPIF_OFFLOAD_NEVER);
        for (size_t j = 0; j < n_ops; j++) {
            if (ops[j].error) {
                fatal(ops[j].error, actions ? "cannot put a flow"
                                            : "cannot delete a flow");
            }
        }
        ovsrcu_quiesce();
    }
    return now_ns() - start;
}

/* Dumps the 'n' flows as one revalidator does. */
static long long int
dump(size_t n)
{
    long long int start = now_ns();
    struct dpif_flow_dump *d = dpif_flow_dump_create(dpif, false, NULL);
    struct dpif_flow_dump_thread *t = dpif_flow_dump_thread_create(d);
    struct dpif_flow flows[DUMP_BATCH];
    size_t found = 0;
    int error, batch;

    while ((batch = dpif_flow_dump_next(t, flows, DUMP_BATCH)) > 0) {
        found += batch;
    }
    dpif_flow_dump_thread_destroy(t);
    error = dpif_flow_dump_destroy(d);
    if (error || found != n) {
        fprintf(stderr, "%"PRIuSIZE" of %"PRIuSIZE" flows\n", found, n);
        fatal(error, "the dump is not complete");
    }
    return now_ns() - start;
}

static odp_port_t
add_port(const char *name)
{
    odp_port_t port = ODPP_NONE;
    struct netdev *netdev;
    int error = netdev_open(name, "system", &netdev);

    error = error ? error : dpif_port_add(dpif, netdev, &port);
    if (error) {
        fatal(error, "cannot add a port");
    }
    netdev_close(netdev);
    return port;
}

static void
measure(size_t n)
{
    struct test_flow *flows = xcalloc(n, sizeof *flows);
    odp_port_t in_port = add_port("p1");
    odp_port_t out_port = add_port("p2");
    long long int put_ns, dump_ns, del_ns;
    struct ofpbuf actions;
    uint64_t before;

    ofpbuf_init(&actions, 0);
    nl_msg_put_odp_port(&actions, OVS_ACTION_ATTR_OUTPUT, out_port);
    for (size_t i = 0; i < n; i++) {
        make_flow(&flows[i], i, in_port);
    }

    before = used_bytes();
    put_ns = operate(flows, n, &actions);
    uint64_t bytes = used_bytes() - before;
    dump_ns = dump(n);
    del_ns = operate(flows, n, NULL);
    printf("put %lld dump %lld del %lld bytes %"PRIu64"\n",
           put_ns, dump_ns, del_ns, bytes);
    ofpbuf_uninit(&actions);
    free(flows);
}

int
main(int argc, char *argv[])
{
    struct smap config = SMAP_INITIALIZER(&config);
    const char *type, *name;
    unsigned int n;
    int error;

    set_program_name(argv[0]);
    if (argc != 3 || !str_to_uint(argv[2], 10, &n) || !n) {
        fprintf(stderr, "usage: oxdp-bench-flows xdp|netdev N\n"
                "Helper of ovs-xdp-bench.\n");
        return EXIT_FAILURE;
    }
    type = argv[1];
    name = strcmp(type, "xdp") ? "ovs-netdev" : "ovs-xdp";
    /* What it makes in the kernel has to be removed, and it does not take
     * long. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);

    error = dpif_create_and_open(name, type, &dpif);
    if (error) {
        fatal(error, "cannot create the datapath");
    }
    smap_add_format(&config, "xdp-max-flows", "%u", n);
    error = dpif_set_config(dpif, &config);
    smap_destroy(&config);
    if (error) {
        fatal(error, "cannot configure the datapath");
    }
    measure(n);
    return remove_datapath() ? EXIT_FAILURE : EXIT_SUCCESS;
}
