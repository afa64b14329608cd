/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upcall-native: which packets BPF sends to userspace, what it does with those
 * that it cannot send there, and what it lets the kernel bridge do.
 *
 * Runs the programs on one CPU, with packets that no flow matches.
 */

#include <config.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake-reader.h"
#include "odp-util.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "oxdp-abi.h"
#include "oxdp-bport.h"
#include "oxdp-loader.h"
#include "oxdp-queue.h"
#include "oxdp-table.h"
#include "packets.h"
#include "util.h"

#define SKIP 77
#define LOOPBACK 1              /* ifindex of the device of test runs. */
#define LIMIT 720               /* Packets that may wait. */
#define SHARE 80                /* A port's: 80 = (720 - 80) / 8. */
#define N_PORTS 30

static struct oxdp_bpf *bpf;
static struct oxdp_queues *queues;
static struct oxdp_cpu_block *block;    /* Of the CPU that runs all this. */
static uint32_t cpu;

static uint8_t packet[64] = {
    0x50, 0x54, 0, 0, 0, 1, 0x50, 0x54, 0, 0, 0, 2, 0x12, 0x34,
};

/* In front of the type. */
#define TYPE_OFS 12

static void OVS_PRINTF_FORMAT(2, 3)
check(bool ok, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf(ok ? "ok - " : "FAILED: ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
    if (!ok) {
        exit(1);
    }
}

/* Makes the device of test runs port 'port'. */
static void
use_port(uint32_t port)
{
    bpf->shared->ifports[LOOPBACK].ifindex = LOOPBACK;
    bpf->shared->ifports[LOOPBACK].port = port;
}

/* Runs program 'fd' on 'packet', whose 'ctx', if not null, it may read and
 * write, and returns what it returns. */
static int
run(int fd, struct __sk_buff *ctx)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet,
                .data_size_in = sizeof packet, .repeat = 1, .ctx_in = ctx,
                .ctx_size_in = ctx ? sizeof *ctx : 0, .ctx_out = ctx,
                .ctx_size_out = ctx ? sizeof *ctx : 0);

    if (bpf_prog_test_run_opts(fd, &opts)) {
        check(false, "program does not run (%s)", ovs_strerror(errno));
    }
    return opts.retval;
}

static int
receive(uint32_t port)
{
    struct __sk_buff ctx = { .mark = 0 };

    use_port(port);
    return run(bpf->tc_port_fd, &ctx);
}

static uint64_t
drops(uint32_t port, enum oxdp_drop drop)
{
    return block->ports[port].drops[drop];
}

/* Sends packets from 'port' until one is refused, for 'drop', and returns how
 * many were not.  The last one's header is in block->punt. */
static int
fill(uint32_t port, enum oxdp_drop drop)
{
    uint64_t before = drops(port, drop);
    int n = 0;

    while (receive(port) == TC_ACT_REDIRECT) {
        n++;
    }
    check(drops(port, drop) == before + 1, "port %"PRIu32" may send %d", port,
          n);
    return n;
}

static void
beat(void)
{
    for (uint32_t i = 0; i < bpf->n_queues; i++) {
        oxdp_queues_beat(queues, i);
    }
}

static void
test_away(void)
{
    check(receive(1) == TC_ACT_SHOT && drops(1, OXDP_DROP_NO_DAEMON) == 1,
          "there is no socket");
    int error = fake_reader_open(bpf, 0);
    check(!error, "sockets (%s)", error ? ovs_strerror(error) : "opened");
    queues = oxdp_queues_create(bpf, LIMIT * DIV_ROUND_UP(bpf->n_cpus,
                                                          bpf->n_queues));
    check(receive(1) == TC_ACT_SHOT && drops(1, OXDP_DROP_NO_HANDLER) == 1,
          "nobody reads the socket");
    beat();
    check(receive(1) == TC_ACT_REDIRECT && block->punt.seq == 1
          && block->punt.port_seq == 1 && block->punt.cpu == cpu
          && block->punt.port == 1, "somebody does");
    block->queue.beat -= OXDP_STALE_NS + OXDP_STALE_NS / 10;
    check(receive(1) == TC_ACT_SHOT && drops(1, OXDP_DROP_STALE) == 1,
          "he has stopped");
    check(block->queue.refused == 3, "three packets are counted as refused");
    check(oxdp_queues_beat(queues, block->queue.socket)
          && !oxdp_queues_beat(queues, block->queue.socket),
          "which the reader gets to know once");
    oxdp_queues_stop(queues);
    check(receive(1) == TC_ACT_SHOT && drops(1, OXDP_DROP_NO_HANDLER) == 2,
          "he has gone");
}

static void
test_shares(void)
{
    struct oxdp_hdr last, other;
    int n, sum = 0;

    beat();
    oxdp_queues_read(queues, block->queue.socket, &block->punt, 1);
    n = fill(1, OXDP_DROP_UPCALL_QUEUE);
    check(n >= SHARE - 1 && n <= SHARE + 1, "that is its share");
    last = block->punt;
    check(receive(1) == TC_ACT_SHOT, "it may not go on");
    check(fill(2, OXDP_DROP_UPCALL_QUEUE) > SHARE / 2,
          "another port has a share as well");
    other = block->punt;
    for (uint32_t port = 1; port < N_PORTS; port++) {
        n = fill(port, OXDP_DROP_UPCALL_QUEUE);
        check(port < 3 || n, "there always is something left");
        sum += n;
    }
    check(sum < LIMIT && block->queue.sent - block->queue.read < LIMIT,
          "the queue never is full");

    /* Not before what it has sent since then. */
    oxdp_queues_read(queues, block->queue.socket, &last, 1);
    check(block->port_queues[1].read == last.port_seq
          && block->queue.read == last.seq, "its first packets are read");
    check(receive(1) == TC_ACT_REDIRECT, "it may go on");
    other = block->punt;
    oxdp_queues_read(queues, block->queue.socket, &other, 1);
    check(block->queue.sent == block->queue.read, "everything is read");
    n = fill(3, OXDP_DROP_UPCALL_QUEUE);
    check(n >= SHARE - 1 && n <= SHARE + 1,
          "what was read for others is no packet of this one");

    /* Nonsense, or out of order. */
    last.seq = block->queue.read - 1;
    oxdp_queues_read(queues, block->queue.socket, &last, 1);
    last.cpu = UINT16_MAX;
    last.seq = block->queue.sent;
    oxdp_queues_read(queues, block->queue.socket, &last, 1);
    last.cpu = cpu;
    last.port = UINT32_MAX;
    oxdp_queues_read(queues, block->queue.socket, &last, 1);
    check(block->queue.read == other.seq, "it takes nonsense for nothing");
}

static void
test_losses(void)
{
    uint32_t socket = block->queue.socket;
    long long int again;
    int n;

    check(receive(3) == TC_ACT_SHOT, "the port's share is used up");
    again = oxdp_queues_empty(queues, socket, 1000);
    check(again > 1000 && again < 1100 && block->queue.read
          != block->queue.sent, "the queue is empty, packets may be underway");
    check(oxdp_queues_empty(queues, socket, again - 1) == again
          && block->queue.read != block->queue.sent, "they may still be");
    check(oxdp_queues_empty(queues, socket, again) == LLONG_MAX
          && block->queue.read == block->queue.sent, "they have got lost");
    n = fill(3, OXDP_DROP_UPCALL_QUEUE);
    check(n >= SHARE - 1 && n <= SHARE + 1, "the port has its share again");

    again = oxdp_queues_empty(queues, socket, 2000);
    check(receive(4) == TC_ACT_REDIRECT, "another one is sent");
    check(oxdp_queues_empty(queues, socket, again) > again
          && block->queue.read == block->queue.sent - 1,
          "it is underway, others got lost");

    block->queue.limit = 1;
    check(receive(5) == TC_ACT_SHOT && drops(5, OXDP_DROP_QUEUE_FULL) == 1,
          "the queue is full");
    block->queue.limit = LIMIT;
}

/* What the queue may hold follows how fast it is read. */
static void
test_speed(void)
{
    struct oxdp_hdr hdr = block->punt;

    check(block->queue.upcall_limit == LIMIT, "at first there is room");
    for (int i = 0; i < 260; i++) {
        usleep(500);
        hdr.seq++;
        oxdp_queues_read(queues, block->queue.socket, &hdr, 1);
    }
    check(block->queue.upcall_limit < LIMIT / 2,
          "a slow reader has a shorter queue, of %u",
          block->queue.upcall_limit);
    block->queue.sent = hdr.seq;
    for (int i = 0; i < 10; i++) {
        hdr.seq = ++block->queue.sent;
        oxdp_queues_read(queues, block->queue.socket, &hdr, 1);
        oxdp_queues_empty(queues, block->queue.socket, 3000 + i);
    }
    check(block->queue.upcall_limit == LIMIT,
          "it gets longer if nothing waits");
}

static void
test_fallback(void)
{
    struct oxdp_bport_config config = { .bridge_ifindex = 10, .tag = 7 };
    struct oxdp_port_stats *stats = &block->ports[1];
    struct __sk_buff ctx = { .mark = 0 };

    memset(stats, 0, sizeof *stats);
    oxdp_bport_set(&bpf->shared->bports[1], &config);
    fake_reader_close();
    check(receive(1) == TC_ACT_SHOT && stats->drops[OXDP_DROP_NO_DAEMON] == 1,
          "ports have no fallback by default");
    bpf->shared->ports[1].flags |= OXDP_PORT_F_FALLBACK;
    use_port(1);
    check(run(bpf->tc_port_fd, &ctx) == TC_ACT_OK
          && ctx.mark == (OXDP_MARK_BRIDGE | 1)
          && stats->fallbacks[OXDP_AWAY_NO_DAEMON] == 1,
          "the kernel bridge gets the packet");
    check(stats->misses == 2 && stats->drops[OXDP_DROP_NO_DAEMON] == 1,
          "which is not counted as lost");

    memcpy(packet, "\x01\x80\xc2\x00\x00\x0e", ETH_ADDR_LEN);
    check(receive(1) == TC_ACT_SHOT && stats->drops[OXDP_DROP_FALLBACK_IN] == 1,
          "but not if its address is reserved");
    memcpy(packet, "\x50\x54\x00\x00\x00\x01", ETH_ADDR_LEN);
    memcpy(&packet[TYPE_OFS], "\x81\x00\x00\x08\x12\x34", 6);
    check(receive(1) == TC_ACT_SHOT && stats->drops[OXDP_DROP_FALLBACK_IN] == 2,
          "nor if it has a VLAN that the port does not take");
    memcpy(&packet[TYPE_OFS], "\x12\x34\x00\x00\x00\x00", 6);
    check(receive(2) == TC_ACT_SHOT && drops(2, OXDP_DROP_NO_DAEMON) == 1,
          "nor from another port");
    check(run(bpf->xdp_port_fd, NULL) == XDP_DROP, "nor in XDP");
    use_port(1);
    check(run(bpf->xdp_port_fd, NULL) == XDP_PASS
          && stats->fallbacks[OXDP_AWAY_NO_DAEMON] == 4,
          "XDP passes it on to TC");
}

/* A flow that takes userspace. */
static void
test_user_flow(struct oxdp_table *table)
{
    const ovs_u128 ufid = { .u32 = { 1 } };
    uint64_t actions_stub[64];
    struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(actions_stub);
    struct oxdp_put put = { .ufid = &ufid, .create = true };
    struct match match;

    nl_msg_end_nested(&actions, nl_msg_start_nested(&actions,
                                                    OVS_ACTION_ATTR_CT));
    match_init_catchall(&match);
    match.flow.in_port.odp_port = u32_to_odp(1);
    match.wc.masks.in_port.odp_port = ODPP_NONE;
    put.match = &match;
    put.flow = &match.flow;
    put.actions = actions.data;
    put.actions_len = actions.size;
    check(!oxdp_table_put(table, &put), "a flow for ovs-vswitchd");
    check(receive(1) == TC_ACT_SHOT && drops(1, OXDP_DROP_USER_FLOW) == 1
          && block->ports[1].fallbacks[OXDP_AWAY_NO_DAEMON] == 4,
          "the kernel bridge does not get its packets");
    ofpbuf_uninit(&actions);
}

/* Packets that the kernel bridge sends out of port 2. */
static void
test_gate(void)
{
    struct oxdp_bport_config config = { .bridge_ifindex = 10, .tag = 7 };
    struct __sk_buff ctx = { .mark = OXDP_MARK_BRIDGE | 1 };

    use_port(2);
    check(run(bpf->tc_gate_fd, &ctx) == TC_ACT_SHOT
          && drops(1, OXDP_DROP_FALLBACK_OUT) == 1,
          "the port is no member of the bridge");
    oxdp_bport_set(&bpf->shared->bports[2], &config);
    check(run(bpf->tc_gate_fd, &ctx) == TC_ACT_UNSPEC && !ctx.mark,
          "it is one, in the same VLAN");
    check(run(bpf->tc_gate_fd, &ctx) == TC_ACT_UNSPEC,
          "the host may send packets");
    check(run(bpf->tc_host_fd, &ctx) == TC_ACT_SHOT
          && drops(2, OXDP_DROP_GATE) == 1,
          "it may not receive what we did not give the bridge");
    ctx.mark = OXDP_MARK_BRIDGE | 1;
    check(run(bpf->tc_host_fd, &ctx) == TC_ACT_UNSPEC && !ctx.mark,
          "it may receive what we did");

    ctx.ingress_ifindex = LOOPBACK;
    check(run(bpf->tc_gate_fd, &ctx) == TC_ACT_SHOT
          && drops(2, OXDP_DROP_GATE) == 2,
          "the bridge may not forward what we did not give it");
    bpf->shared->ports[2].flags |= OXDP_PORT_F_LOCAL;
    check(run(bpf->tc_gate_fd, &ctx) == TC_ACT_UNSPEC,
          "unless it comes from the host");

    config.tag = 8;
    oxdp_bport_set(&bpf->shared->bports[2], &config);
    ctx.mark = OXDP_MARK_BRIDGE | 1;
    check(run(bpf->tc_gate_fd, &ctx) == TC_ACT_SHOT
          && drops(1, OXDP_DROP_FALLBACK_OUT) == 2, "or goes to another VLAN");
}

int
main(void)
{
    struct oxdp_bpf_config config = { .hint_size = 64 };
    struct oxdp_table *table;
    char *error_text;
    cpu_set_t cpus;
    int error;

    error = oxdp_bpf_open(&config, &bpf, &error_text);
    if (error) {
        printf("skipped: %s\n", error_text);
        return error == EPERM ? SKIP : 1;
    }
    cpu = sched_getcpu();
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
    block = oxdp_bpf_cpu_block(bpf, cpu);
    table = oxdp_table_create(bpf, 1000);
    check(table != NULL, "table");
    for (uint32_t port = 1; port <= N_PORTS; port++) {
        bpf->shared->ports[port].flags = OXDP_PORT_F_PRESENT;
    }

    test_away();
    test_shares();
    test_losses();
    test_speed();
    test_fallback();
    test_user_flow(table);
    test_gate();
    oxdp_queues_destroy(queues);
    oxdp_table_destroy(table);
    oxdp_bpf_close(bpf);
    return 0;
}
