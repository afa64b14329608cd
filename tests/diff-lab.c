/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "diff-lab.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bpf/diff-test.h"
#include "diff-list.h"
#include "fake-reader.h"
#include "hash.h"
#include "oxdp-attach.h"
#include "oxdp-loader.h"
#include "oxdp-netdev.h"
#include "oxdp-table.h"
#include "oxdp-tc.skel.h"
#include "util.h"

/* What packets come in on. */
#define LOOPBACK 1

static void OVS_NO_RETURN
die(const char *what, int error)
{
    printf("%s (%s)\n", what, ovs_strerror(error));
    exit(1);
}

/* Loads tests/bpf/diff-tc.bpf.o over the maps of 'lab->bpf'. */
static void
load_diff_tc(struct diff_lab *lab)
{
    const char *dir = getenv("abs_top_builddir");
    char *file = xasprintf("%s/tests/bpf/diff-tc.bpf.o", dir ? dir : ".");
    struct bpf_object *obj = bpf_object__open_file(file, NULL);
    struct bpf_object *tc = lab->bpf->tc->obj;
    struct bpf_map *map;

    if (!obj) {
        die(file, errno);
    }
    bpf_object__for_each_map (map, obj) {
        const char *suffix = strchr(bpf_map__name(map), '.');
        struct bpf_map *other;

        if (suffix && !strcmp(suffix, ".rodata")) {
            if (bpf_map__set_initial_value(map, lab->bpf->tc->rodata,
                                           sizeof *lab->bpf->tc->rodata)) {
                die("constants differ", EINVAL);
            }
            continue;
        }
        other = suffix ? lab->bpf->tc->maps.bss
                : bpf_object__find_map_by_name(tc, bpf_map__name(map));
        if (other && bpf_map__reuse_fd(map, bpf_map__fd(other))) {
            die(bpf_map__name(map), errno);
        }
    }
    if (bpf_object__load(obj)) {
        die(file, errno);
    }
    map = bpf_object__find_map_by_name(obj, "diff_test");
    lab->test = mmap(NULL, sizeof *lab->test, PROT_READ | PROT_WRITE,
                     MAP_SHARED, bpf_map__fd(map), 0);
    if (lab->test == MAP_FAILED) {
        die("cannot map a map", errno);
    }
    lab->tc_fd = bpf_program__fd(
        bpf_object__find_program_by_name(obj, "diff_tc"));
    lab->record_fd = bpf_program__fd(
        bpf_object__find_program_by_name(obj, "diff_record"));
    free(file);
}

/* Attaches 'fd', or exits. */
static void
attach_egress(struct oxdp_attach *attach, int ifindex, int fd)
{
    char *error_text;
    int error = oxdp_attach_tc_egress(attach, NULL, ifindex, fd, &error_text);

    if (error) {
        die(error_text, error);
    }
}

/* Makes a device for 'port', which takes what 'flags' says, where copies are
 * recorded; if 'encap', behind the CPU port's program. */
static void
add_port(struct diff_lab *lab, uint32_t port, uint32_t flags, bool encap)
{
    struct oxdp_attach record, cpu;
    char *name = xasprintf("diff%"PRIu32, port);
    char *peer = xasprintf("peer%"PRIu32, port);
    struct oxdp_link_info info = { .ifindex = 0 };
    struct bpf_devmap_val val;
    int error;

    error = oxdp_veth_create(name, peer, 1, 0, "");
    error = error ? error : oxdp_link_get_by_name(peer, &info);
    error = error ? error : oxdp_link_set_up(info.ifindex, true);
    error = error ? error : oxdp_link_get_by_name(name, &info);
    error = error ? error : oxdp_link_no_ipv6(info.ifindex);
    /* Or the kernel refuses to send large packets. */
    error = error ? error : oxdp_link_set_mtu(info.ifindex, DIFF_MAX_LEN);
    error = error ? error : oxdp_link_set_up(info.ifindex, true);
    if (error) {
        die("cannot create a veth pair", error);
    }
    attach_egress(&record, info.ifindex, lab->record_fd);
    if (encap) {
        if (record.link_fd >= 0) {
            /* tcx runs what comes first first, classic TC what comes last. */
            oxdp_detach(&record);
        }
        attach_egress(&cpu, info.ifindex, lab->bpf->cpu_encap_fd);
        if (!oxdp_attach_is_attached(&record)) {
            attach_egress(&record, info.ifindex, lab->record_fd);
        }
    }
    free(name);
    free(peer);

    lab->port_ifindex[port] = info.ifindex;
    lab->bpf->shared->ports[port].flags = OXDP_PORT_F_PRESENT | flags;
    lab->bpf->shared->ports[port].max_len = DIFF_MAX_LEN;
    lab->bpf->shared->ports[port].ifindex = info.ifindex;
    lab->bpf->shared->ports[port].frames_ifindex = info.ifindex;
    memset(&val, 0, sizeof val);
    val.ifindex = info.ifindex;
    if (bpf_map_update_elem(lab->bpf->devs_fd, &port, &val, 0)) {
        die("cannot redirect to a device", errno);
    }
}

/* Makes the bond of diff-list.h, whose buckets are in no order. */
static void
add_bond(struct diff_lab *lab)
{
    struct oxdp_bond *bond
        = &lab->bpf->shared->bonds[DIFF_BOND % OXDP_MAX_BONDS];

    for (uint32_t i = 0; i < OXDP_BOND_BUCKETS; i++) {
        lab->bond_ports[i] = DIFF_FRAME_PORT + hash_int(i, 0) % 3;
        bond->ports[i] = lab->bond_ports[i];
    }
    bond->id = DIFF_BOND;
}

void
diff_lab_open(struct diff_lab *lab)
{
    struct oxdp_bpf_config config = { .hint_size = 4096 };
    char *error_text;
    int error;

    if (unshare(CLONE_NEWNET)) {
        printf("skipped: cannot make a network namespace (%s)\n",
               ovs_strerror(errno));
        exit(SKIP);
    }

    error = oxdp_bpf_open(&config, &lab->bpf, &error_text);
    if (error) {
        printf("skipped: %s\n", error_text);
        exit(error == EPERM ? SKIP : 1);
    }
    error = fake_reader_open(lab->bpf, UINT32_MAX);
    if (error) {
        die("cannot open AF_XDP sockets", error);
    }
    fake_reader_beat(lab->bpf);
    load_diff_tc(lab);
    add_port(lab, 0, 0, true);       /* The CPU port. */
    lab->bpf->shared->ports[DIFF_IN_PORT].flags = OXDP_PORT_F_PRESENT;
    lab->bpf->shared->ports[DIFF_IN_PORT].ifindex = LOOPBACK;
    add_port(lab, DIFF_FRAME_PORT, OXDP_PORT_F_XMIT | OXDP_PORT_F_XMIT_SG,
             false);
    add_port(lab, DIFF_SKB_PORT, 0, false);
    add_port(lab, DIFF_FRAME_PORT2, OXDP_PORT_F_XMIT | OXDP_PORT_F_XMIT_SG,
             false);
    add_bond(lab);
    lab->bpf->shared->control.cpu_ifindex = lab->port_ifindex[0];
    lab->bpf->shared->ifports[LOOPBACK].ifindex = LOOPBACK;
    lab->bpf->shared->ifports[LOOPBACK].port = DIFF_IN_PORT;
    lab->table = oxdp_table_create(lab->bpf, 1000);
    if (!lab->table) {
        die("cannot create a table", errno);
    }
}
