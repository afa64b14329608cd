/* SPDX-License-Identifier: Apache-2.0 */
/*
 * search-native: which masks BPF's lookup looks at, and what it remembers.
 *
 * That it finds the right flow, table-native says.  Here, flows with masks of
 * their own are put and packets run through the real program by
 * BPF_PROG_TEST_RUN, and counters tell how the flows were found.  Before that,
 * whether keys like those of a real network get on with any seeds.
 */

#include <config.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "ovs-rcu.h"
#include "oxdp-key.h"
#include "oxdp-loader.h"
#include "oxdp-table.h"
#include "packets.h"
#include "random.h"
#include "util.h"

enum { SKIP = 77 };

/* All packets of a test run come in on the loopback device. */
#define LOOPBACK 1

#define N_MASKS 40

static struct oxdp_bpf *bpf;
static struct oxdp_table *table;

/* Two ports that do not share a scope. */
static uint32_t port_a = 1, port_b;

static void OVS_NO_RETURN OVS_PRINTF_FORMAT(1, 2)
fail(const char *format, ...)
{
    va_list args;

    printf("FAILED: ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    exit(1);
}

static void
open_table(uint32_t hint_size)
{
    struct oxdp_bpf_config config = { .hint_size = hint_size };
    char *error_text;
    int error = oxdp_bpf_open(&config, &bpf, &error_text);

    if (error) {
        printf("skipped: %s\n", error_text);
        exit(error == EPERM ? SKIP : 1);
    }
    port_b = port_a + 1;
    while (oxdp_scope(port_b, 0, bpf->seeds)
           == oxdp_scope(port_a, 0, bpf->seeds)) {
        port_b++;
    }
    bpf->shared->ports[port_a].flags = OXDP_PORT_F_PRESENT;
    bpf->shared->ports[port_b].flags = OXDP_PORT_F_PRESENT;
    table = oxdp_table_create(bpf, 1000);
    if (!table) {
        fail("cannot create a table");
    }
}

static void
close_table(void)
{
    oxdp_table_destroy(table);
    oxdp_bpf_close(bpf);
    ovsrcu_quiesce();
}

/* Puts a flow for packets from 'port' to 10.0.0.0 + 'dst' / 24, and to port
 * 'tp_dst' if that is not 0, with a mask that no other 'i' has, that drops
 * them. */
static void
put_service(uint32_t port, uint32_t i, uint32_t dst, uint16_t tp_dst)
{
    ovs_u128 ufid = { .u32 = { port, i } };
    struct match match = MATCH_CATCHALL_INITIALIZER;
    struct oxdp_put put = {
        .match = &match,
        .flow = &match.flow,
        .ufid = &ufid,
        .create = true,
    };

    match_set_in_port(&match, 0);
    match.flow.in_port.odp_port = u32_to_odp(port);
    match.wc.masks.in_port.odp_port = ODPP_NONE;
    match_set_recirc_id(&match, 0);
    match_set_dl_type(&match, htons(ETH_TYPE_IP));
    match_set_nw_frag(&match, 0);
    match_set_nw_proto(&match, IPPROTO_UDP);
    match_set_nw_dst_masked(&match, htonl(0x0a000000 + dst),
                            htonl(0xffffff00));
    match_set_tp_src_masked(&match, 0, htons(i + 1));
    if (tp_dst) {
        match_set_tp_dst(&match, htons(tp_dst));
    }
    if (oxdp_table_put(table, &put)) {
        fail("put failed");
    }
}

/* Puts the flow that has the 'i'th mask, to 10.0.I.0/24. */
static void
put_flow(uint32_t port, uint32_t i)
{
    put_service(port, i, i << 8, 0);
}

/* What has been counted for 'port'. */
static struct oxdp_port_stats
get_stats(uint32_t port)
{
    struct oxdp_port_stats sum = { .misses = 0 };

    for (uint32_t cpu = 0; cpu < bpf->n_cpus; cpu++) {
        const volatile struct oxdp_port_stats *s
            = &oxdp_bpf_cpu_block(bpf, cpu)->ports[port];

        sum.hits[OXDP_HOOK_XDP] += s->hits[OXDP_HOOK_XDP];
        sum.search_hits += s->search_hits;
        sum.misses += s->misses;
        sum.mask_probes += s->mask_probes;
        sum.cut_searches += s->cut_searches;
    }
    return sum;
}

/* Runs a packet from 172.16.0.0 + 'src' to port 'tp_dst' of 10.0.0.0 + 'dst'
 * through the program as if it came in on 'port'.  Returns how many masks were
 * looked at for it. */
static uint64_t
send_to_service(uint32_t port, uint32_t src, uint32_t dst, uint16_t tp_dst)
{
    uint64_t before = get_stats(port).mask_probes;
    struct dp_packet p;
    LIBBPF_OPTS(bpf_test_run_opts, opts, .repeat = 1);

    dp_packet_init(&p, 128);
    memset(eth_compose(&p, eth_addr_broadcast, eth_addr_zero, ETH_TYPE_IP, 46),
           0, 46);
    opts.data_in = dp_packet_data(&p);
    opts.data_size_in = dp_packet_size(&p);

    struct ip_header *ip = dp_packet_l3(&p);

    ip->ip_ihl_ver = IP_IHL_VER(5, 4);
    ip->ip_tot_len = htons(46);
    ip->ip_ttl = 64;
    ip->ip_proto = IPPROTO_UDP;
    put_16aligned_be32(&ip->ip_src, htonl(0xac100000 + src));
    put_16aligned_be32(&ip->ip_dst, htonl(0x0a000000 + dst));
    ((struct udp_header *) (ip + 1))->udp_dst = htons(tp_dst);

    bpf->shared->ifports[LOOPBACK].ifindex = LOOPBACK;
    bpf->shared->ifports[LOOPBACK].port = port;
    if (bpf_prog_test_run_opts(bpf->xdp_port_fd, &opts)) {
        fail("program does not run (%s)", ovs_strerror(errno));
    }
    dp_packet_uninit(&p);
    return get_stats(port).mask_probes - before;
}

static uint64_t
send_packet(uint32_t port, uint32_t src, uint32_t dst)
{
    return send_to_service(port, src, dst, 0);
}

static void
put_flows(uint32_t port)
{
    for (uint32_t i = 0; i < N_MASKS; i++) {
        put_flow(port, i);
    }
}

#define EXPECT(CONDITION, WHAT, VALUE)                                  \
    do {                                                                \
        uint64_t value_ = (VALUE);                                      \
                                                                        \
        printf("%s: %"PRIu64"\n", WHAT, value_);                        \
        if (!(value_ CONDITION)) {                                      \
            fail("%s: should be " #CONDITION, WHAT);                    \
        }                                                               \
    } while (0)

/* Only masks of the packet's own scope are searched, and the predictor knows
 * which one it will be. */
static void
check_masks(void)
{
    const uint32_t last = (N_MASKS - 1) << 8;

    open_table(0);
    bpf->shared->control.vain_limit = UINT32_MAX;
    put_flows(port_a);
    put_flow(port_b, 0);
    EXPECT (== 1, "masks of another port", send_packet(port_b, 1, 9 << 16));
    EXPECT (== N_MASKS, "masks of this one", send_packet(port_a, 1, 9 << 16));
    EXPECT (== N_MASKS, "for a new destination", send_packet(port_a, 1, last));
    EXPECT (== 1, "for a connection to the same",
            send_packet(port_a, 2, last));
    EXPECT (== 1, "for a new destination under the same mask",
            send_packet(port_a, 1, last + 1));
    EXPECT (== 0, "for the next packet", send_packet(port_a, 1, last + 1));
    EXPECT (== 4, "packets found", get_stats(port_a).hits[OXDP_HOOK_XDP]);
    close_table();
}

/* Sends a packet from 'src' to port 'tp_dst' of each of 1000 destinations, whose
 * masks take turns.  Returns how many masks were looked at. */
static uint64_t
send_to_all(uint32_t src, uint16_t tp_dst)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < 1000; i++) {
        sum += send_to_service(port_a, src,
                               (i % N_MASKS) << 8 | i / N_MASKS, tp_dst);
    }
    return sum;
}

/* What is known of many destinations is not mixed up. */
static void
check_predictor(void)
{
    open_table(0);
    bpf->shared->control.vain_limit = UINT32_MAX;
    put_flows(port_a);
    EXPECT (> 1000 * N_MASKS / 4, "masks for 1000 destinations",
            send_to_all(1, 0));
    EXPECT (< 1500, "for new connections to them", send_to_all(2, 0));
    EXPECT (< 1500, "and for others", send_to_all(3, 0));
    EXPECT (< 1500, "and to another port of theirs", send_to_all(4, 9));
    close_table();
}

/* Neither are services of one host that do not have one mask. */
static void
check_services(void)
{
    const uint32_t n_services = 4, n_sources = 100;
    uint64_t sum = 0;

    open_table(0);
    bpf->shared->control.vain_limit = UINT32_MAX;
    for (uint32_t i = 0; i < n_services; i++) {
        put_service(port_a, i, 0, i + 1);
    }
    for (uint32_t i = 0; i < n_sources * n_services; i++) {
        sum += send_to_service(port_a, i, 1, i % n_services + 1);
    }
    EXPECT (< n_sources * n_services * 5 / 4, "masks for services of a host",
            sum);
    close_table();
}

/* Sends packets that need the last two masks, to destinations from 'dst' on, in
 * turns so that they can hardly be predicted.  Returns how many masks were looked at for
 * one. */
static uint64_t
send_for_last(uint32_t dst)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < 100; i++) {
        sum += send_packet(port_a, 1, ((N_MASKS - 1) << 8) + dst + i);
        sum += send_packet(port_a, 1, ((N_MASKS - 2) << 8) + dst + i);
    }
    return sum / 200;
}

/* What finds packets comes first, and stays findable. */
static void
check_order(void)
{
    uint64_t found;

    open_table(0);
    bpf->shared->control.vain_limit = UINT32_MAX;
    put_flows(port_a);
    EXPECT (> N_MASKS / 2, "masks before", send_for_last(0));
    oxdp_table_sort_masks(table);
    EXPECT (< 5, "masks behind", send_for_last(100));
    found = get_stats(port_a).hits[OXDP_HOOK_XDP];
    for (uint32_t i = 0; i < N_MASKS; i++) {
        send_packet(port_a, 2, i << 8);
    }
    EXPECT (== N_MASKS, "flows found behind",
            get_stats(port_a).hits[OXDP_HOOK_XDP] - found);
    close_table();
}

/* Searches in vain have a budget, which belongs to the port. */
static void
check_budget(void)
{
    const uint32_t last = (N_MASKS - 1) << 8;
    uint64_t hits;

    open_table(0);
    bpf->shared->control.vain_limit = 3 * N_MASKS;
    put_flows(port_a);
    put_flows(port_b);
    send_packet(port_a, 1, last);
    for (uint32_t i = 0; i < 1000; i++) {
        send_packet(port_a, i, 9 << 16);
    }
    EXPECT (> 0, "searches that were cut", get_stats(port_a).cut_searches);
    EXPECT (< 1000 * N_MASKS, "masks looked at",
            get_stats(port_a).mask_probes);
    hits = get_stats(port_a).hits[OXDP_HOOK_XDP];
    send_packet(port_a, 1, last);
    EXPECT (== hits + 1, "an old connection's packets are found",
            get_stats(port_a).hits[OXDP_HOOK_XDP]);
    send_packet(port_b, 1, last);
    EXPECT (== 1, "a new one's of another port",
            get_stats(port_b).hits[OXDP_HOOK_XDP]);
    close_table();
}

/* Connections that go on are not pushed out of the hint by new ones, and a flow
 * that changes is remembered in its new place. */
static void
check_hint(void)
{
    uint64_t hits;

    open_table(1);              /* One set. */
    bpf->shared->control.vain_limit = UINT32_MAX;
    put_flow(port_a, 0);
    for (uint32_t i = 0; i < 100; i++) {
        send_packet(port_a, i, 0);
    }
    EXPECT (== 1, "masks for a new connection", send_packet(port_a, 1000, 0));
    EXPECT (== 0, "for its second packet", send_packet(port_a, 1000, 0));
    for (uint32_t i = 100; i < 200; i++) {
        send_packet(port_a, i, 0);
    }
    EXPECT (== 0, "after 100 new ones", send_packet(port_a, 1000, 0));
    EXPECT (== 1, "for one of these", send_packet(port_a, 150, 0));

    oxdp_table_flush(table);
    put_flow(port_a, 0);
    hits = get_stats(port_a).hits[OXDP_HOOK_XDP];
    EXPECT (<= 2, "when the flow is another one",
            send_packet(port_a, 1000, 0));
    EXPECT (== 0, "and after that", send_packet(port_a, 1000, 0));
    EXPECT (== 2, "found", get_stats(port_a).hits[OXDP_HOOK_XDP] - hits);
    close_table();
}

/* Returns how many of the buckets of the smallest table are overfull with 1000
 * keys that differ in a field, from 'start' on. */
static int
n_overfull(const struct oxdp_key *start, int field, const __u64 *seeds)
{
    static const struct oxdp_key exact = {
        .nw_src = OVS_BE32_MAX,
        .nw_dst = OVS_BE32_MAX,
        .eth_dst = { 255, 255, 255, 255, 255, 255 },
        .tp_src = OVS_BE16_MAX,
        .tp_dst = OVS_BE16_MAX,
    };
    uint8_t n_keys[1 << OXDP_MIN_ORDER] = { 0 };
    int n = 0;

    for (int i = 0; i < 1000; i++) {
        struct oxdp_key key = *start;

        switch (field) {
        case 0: key.nw_src = htonl(ntohl(key.nw_src) + i); break;
        case 1: key.nw_dst = htonl(ntohl(key.nw_dst) + i); break;
        case 2: key.tp_src = htons(ntohs(key.tp_src) + i); break;
        case 3: key.tp_dst = htons(ntohs(key.tp_dst) + i); break;
        default: key.eth_dst[4] = i >> 8, key.eth_dst[5] = i; break;
        }

        uint64_t hash = oxdp_hash_masked(&key, &exact, OXDP_KEY_WORDS, 1,
                                         seeds);

        n += ++n_keys[oxdp_hash_bucket(hash, OXDP_MIN_ORDER)]
             == OXDP_BUCKET_SLOTS + 4;
    }
    return n;
}

/* One key for each bucket: that 11 share one happens in one table of 100,000.
 * Addresses in turn differ in the last byte, which is the word's highest. */
static void
check_hash(void)
{
    const struct oxdp_key start = {
        .nw_src = htonl(0x0a000001),
        .nw_dst = htonl(0x0a010000),
        .tp_src = htons(1024),
        .tp_dst = htons(1),
    };

    for (int field = 0; field < 5; field++) {
        int n_bad = 0;

        for (int i = 0; i < 1000; i++) {
            __u64 seeds[OXDP_KEY_WORDS];

            random_bytes(seeds, sizeof seeds);
            n_bad += n_overfull(&start, field, seeds) > 0;
        }
        if (n_bad > 1) {
            fail("keys that differ in field %d crowd with %d of 1000 seeds",
                 field, n_bad);
        }
    }
}

int
main(void)
{
    cpu_set_t cpus;

    check_hash();


    /* Each CPU has a hint and a predictor of its own. */
    CPU_ZERO(&cpus);
    CPU_SET(sched_getcpu(), &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
    check_masks();
    check_predictor();
    check_services();
    check_order();
    check_budget();
    check_hint();
    return 0;
}
