/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff-actions: what BPF's opcodes make of a packet against what OVS's own
 * odp_execute_actions() makes of it, byte for byte.
 *
 * usage: diff-actions [N_CASES [FIRST] | FILE]
 *
 * FILE is what a failed run has left, and is to be repeated.
 *
 * A case is a random packet and a random list of actions, see diff-list.h, in
 * a flow that matches what says which headers the packet has.  The flow goes
 * through the table, so that it is compiled, and the packet through the
 * datapath's programs of both hooks by BPF_PROG_TEST_RUN: as a frame, and as an
 * SKB, half of the time with its outer VLAN tag beside the frame.
 *
 * Each hook must output, to the same ports and to userspace, exactly the
 * packets that OVS would output, in this order, or hand the packet on as it
 * should be at that point: from XDP to TC, or to userspace.  TC really sends its
 * copies, in a network namespace of our own, where a program at the devices
 * catches them.  If the flow's verdict is "user", all there is to check is that
 * it had to be.
 */

#include <config.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/diff-test.h"
#include "diff-bytes.h"
#include "diff-case.h"
#include "diff-lab.h"
#include "diff-list.h"
#include "dp-packet.h"
#include "netlink.h"
#include "odp-execute.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "oxdp-actions.h"
#include "oxdp-compile.h"
#include "oxdp-format.h"
#include "oxdp-loader.h"
#include "oxdp-table.h"
#include "packet-gen.h"
#include "packets.h"
#include "parse-ref.h"
#include "util.h"

#define SEED 1
#define N_CASES 20000

/* Shorter packets are not run: the kernel does not pop a tag if no Ethernet
 * header would be left, OVS does. */
#define MIN_LEN 34

/* Something that OVS does with a packet. */
struct event {
    enum { EV_OUTPUT, EV_RECIRC, EV_USERSPACE } type;
    uint32_t arg;               /* Port, or recirculation id. */
    uint64_t cookie;
    uint32_t mark, priority, dp_hash;
    struct diff_bytes bytes;
};

#define MAX_EVENTS DIFF_MAX_COPIES

static struct diff_list list;
static struct event events[MAX_EVENTS]; /* That should happen. */
static size_t n_events;

static struct diff_lab lab;

static struct packet_gen gen;
static uint64_t seed, number;
static struct diff_case this_case;
static bool replays;            /* It comes from a file. */
static struct diff_bytes result;

/* Figures. */
static struct {
    uint64_t not_run;           /* Packets that BPF does not parse. */
    uint64_t verdicts[OXDP_N_VERDICTS];
    uint64_t reasons[OXDP_N_REASONS];
    uint64_t ops[32];           /* Executed, by opcode. */
    uint64_t output[OXDP_N_HOOKS], dropped[OXDP_N_HOOKS];
    uint64_t punted[OXDP_N_HOOKS];
    uint64_t to_skb, lookup_skb; /* Passed from XDP to TC. */
    uint64_t copies;            /* Sent by TC. */
    uint64_t broadcasts;        /* By XDP. */
    uint64_t hashes;            /* Compared. */
    uint64_t tags;              /* Packets with a tag beside the frame. */
    uint64_t refused;           /* By the kernel. */
} n;

static void
print_list(void)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    format_odp_actions(&ds, list.actions.data, list.actions.size, NULL);
    printf("  actions: %s\n", ds_cstr(&ds));
    ds_destroy(&ds);
}

static void OVS_NO_RETURN OVS_PRINTF_FORMAT(1, 2)
fail(const char *format, ...)
{
    va_list args;

    printf("FAILED: ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n  seed %"PRIu64", case %"PRIu64", packet of %"PRIuSIZE
           " bytes:\n", seed, number, gen.len);
    packet_gen_dump(gen.data, MIN(gen.len, 256));
    print_list();
    if (!replays) {
        char *file = xasprintf("diff-actions-%"PRIu64"-%"PRIu64".case", seed,
                               number);

        if (!diff_case_write(file, &this_case, gen.data, gen.len,
                             &list.actions)) {
            printf("Repeat with: tests/diff-actions %s\n", file);
        }
    }
    exit(1);
}

/* What OVS does. */

/* Returns the port of the test's bond that OVS chooses for 'packet', as
 * dpif-netdev does. */
static uint32_t
bond_port(struct dp_packet *packet)
{
    return lab.bond_ports[dp_packet_get_rss_hash(packet)
                          & (OXDP_BOND_BUCKETS - 1)];
}

/* Called by odp_execute_actions(), with one packet. */
static void
ref_execute(void *aux OVS_UNUSED, struct dp_packet_batch *batch,
            const struct nlattr *a, bool should_steal)
{
    struct dp_packet *packet = batch->packets[0];
    int type = nl_attr_type(a);

    if (type != OVS_ACTION_ATTR_METER && n_events < MAX_EVENTS) {
        struct event *e = &events[n_events++];

        e->type = (type == OVS_ACTION_ATTR_OUTPUT
                   || type == OVS_ACTION_ATTR_LB_OUTPUT ? EV_OUTPUT
                   : type == OVS_ACTION_ATTR_RECIRC ? EV_RECIRC
                   : EV_USERSPACE);
        e->arg = (e->type == EV_USERSPACE ? 0
                  : type == OVS_ACTION_ATTR_LB_OUTPUT ? bond_port(packet)
                  : nl_attr_get_u32(a));
        e->cookie = oxdp_cookie(a);
        e->mark = packet->md.pkt_mark;
        e->priority = packet->md.skb_priority;
        e->dp_hash = packet->md.dp_hash;
        e->bytes.len = dp_packet_size(packet) - dp_packet_get_cutlen(packet);
        memcpy(e->bytes.data, dp_packet_data(packet), e->bytes.len);
        dp_packet_batch_reset_cutlen(batch);
    }
    if (should_steal) {
        dp_packet_delete_batch(batch, true);
    }
}

/* Executes the list on the packet in 'gen' and stores what happens in
 * 'events'.  If 'csum_ofs', returns what the checksum there becomes. */
static ovs_be16
run_reference(size_t csum_ofs)
{
    struct dp_packet *packet;
    struct dp_packet_batch batch;
    ovs_be16 csum = 0;
    struct flow flow;

    packet = dp_packet_new_with_headroom(gen.len, DIFF_SLACK);
    dp_packet_put(packet, gen.data, gen.len);
    flow_extract(packet, &flow);
    dp_packet_set_rss_hash(packet, flow_hash_5tuple(&flow, 0));
    if (flow.dl_type == htons(ETH_TYPE_IP)
        && flow.nw_frag & FLOW_NW_FRAG_LATER) {
        /* OVS changes the payload of later fragments where it takes a checksum
         * to be; the kernel's datapath does not. */
        packet->l4_ofs = UINT16_MAX;
    }
    dp_packet_batch_init_packet(&batch, packet);
    n_events = 0;
    odp_execute_actions(NULL, &batch, true, list.actions.data,
                        list.actions.size, ref_execute);
    if (csum_ofs && n_events) {
        const struct event *e = &events[n_events - 1];

        csum_ofs += e->bytes.len - gen.len;
        if (csum_ofs + sizeof csum <= e->bytes.len) {
            memcpy(&csum, &e->bytes.data[csum_ofs], sizeof csum);
        }
    }
    return csum;
}

/* Returns where the packet in 'gen' has a checksum that changes, or 0. */
static size_t
find_csum(const struct flow *flow)
{
    struct dp_packet packet;
    struct flow extracted;
    size_t ofs;

    dp_packet_use_const(&packet, gen.data, gen.len);
    flow_extract(&packet, &extracted);
    if (packet.l4_ofs == UINT16_MAX) {
        return 0;
    }
    if (flow->dl_type == htons(ETH_TYPE_IP) && packet_gen_chance(&gen, 40)) {
        return packet.l3_ofs + 10;
    }
    switch (flow->nw_proto) {
    case IPPROTO_TCP:
        ofs = 16;
        break;
    case IPPROTO_UDP:
        ofs = 6;
        break;
    case IPPROTO_ICMPV6:
        ofs = 2;
        break;
    default:
        return 0;
    }
    return ofs + 2 <= dp_packet_l4_size(&packet) ? packet.l4_ofs + ofs : 0;
}

/* Gives the packet in 'gen' a checksum out of the ordinary: zero, its double,
 * or one that becomes something special. */
static void
choose_csum(const struct flow *flow)
{
    size_t ofs = find_csum(flow);
    uint32_t sum = 0;

    if (!ofs) {
        return;
    }
    switch (packet_gen_below(&gen, 8)) {
    case 0:
        sum = 0;
        break;
    case 1:
        sum = 0xffff;
        break;
    case 2: case 3:
        /* It becomes zero, or what takes the most carries to sum up, in either
         * byte order. */
        gen.data[ofs] = 0;
        gen.data[ofs + 1] = 1;
        sum = packet_gen_chance(&gen, 50) ? 0xffff
              : packet_gen_chance(&gen, 50) ? 0xfffe : 0xfeff;
        sum = (sum + 0xffff - (ntohs(run_reference(ofs)) + 0xfffe) % 0xffff)
              % 0xffff;
        break;
    default:
        return;
    }
    gen.data[ofs] = sum >> 8;
    gen.data[ofs + 1] = sum;
}

/* What BPF does. */

/* Puts a flow with 'match' and 'list'. */
static void
put_flow(const struct match *match, uint32_t id,
         const struct ofpbuf *actions)
{
    const ovs_u128 ufid = { .u32 = { id } };
    struct oxdp_put put = {
        .match = match,
        .flow = &match->flow,
        .ufid = &ufid,
        .actions = actions->data,
        .actions_len = actions->size,
        .create = true,
    };
    int error = oxdp_table_put(lab.table, &put);

    if (error) {
        fail("put failed (%s)", ovs_strerror(error));
    }
}

/* Puts the flow of this case for 'flow' and stores it as BPF has it in
 * '*code'. */
static void
put_case(const struct flow *flow, struct oxdp_code *code)
{
    const ovs_u128 ufid = { .u32 = { 1 } };
    struct flow_wildcards wc;
    struct match match;

    flow_wildcards_init_catchall(&wc);
    wc.masks.in_port.odp_port = ODPP_NONE;
    wc.masks.recirc_id = UINT32_MAX;
    wc.masks.dl_type = OVS_BE16_MAX;
    wc.masks.vlans[0].tci = OVS_BE16_MAX;
    if (is_ip_any(flow) || flow->dl_type == htons(ETH_TYPE_ARP)) {
        wc.masks.nw_frag = FLOW_NW_FRAG_MASK;
        wc.masks.nw_proto = UINT8_MAX;
    }
    match_init(&match, flow, &wc);
    put_flow(&match, 1, &list.actions);
    if (!oxdp_megaflow_get_slot(lab.table, oxdp_table_find(lab.table, &ufid),
                                code)) {
        fail("the flow is not in BPF's maps");
    }
}

/* Puts a flow for what was recirculated with 'recirc_id': it outputs to 'port',
 * or sends to userspace if that is 0. */
static void
put_recirc(uint32_t recirc_id, uint32_t port)
{
    struct match match = MATCH_CATCHALL_INITIALIZER;
    struct ofpbuf actions;

    match.flow.in_port.odp_port = u32_to_odp(DIFF_IN_PORT);
    match.wc.masks.in_port.odp_port = ODPP_NONE;
    match.flow.recirc_id = recirc_id;
    match.wc.masks.recirc_id = UINT32_MAX;
    ofpbuf_init(&actions, 64);
    if (port) {
        nl_msg_put_odp_port(&actions, OVS_ACTION_ATTR_OUTPUT,
                            u32_to_odp(port));
    } else {
        nl_msg_put_flag(&actions, OVS_ACTION_ATTR_USERSPACE);
    }
    put_flow(&match, recirc_id, &actions);
    ofpbuf_uninit(&actions);
}

/* Runs program 'fd' on the 'len' bytes at 'data' and stores what it makes of
 * them in 'result' and its return code in '*retvalp'.  Returns false if the
 * kernel does not run programs on such a packet. */
static bool
run(int fd, const void *data, size_t len, uint32_t *retvalp)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = len,
                .data_out = result.data, .data_size_out = sizeof result.data,
                .repeat = 1);

    if (bpf_prog_test_run_opts(fd, &opts)) {
        if (errno == EINVAL || errno == ENOMEM || errno == EMSGSIZE) {
            n.refused++;
            return false;
        }
        fail("program does not run (%s)", ovs_strerror(errno));
    }
    result.len = opts.data_size_out;
    *retvalp = opts.retval;
    return true;
}

/* The header that this CPU's TC program has left for a packet that it
 * redirects to userspace. */
static bool
take_punt(struct oxdp_hdr *hdr)
{
    for (uint32_t i = 0; i < lab.bpf->n_cpus; i++) {
        struct oxdp_cpu_block *block = oxdp_bpf_cpu_block(lab.bpf, i);

        if (block->punt.magic == OXDP_HDR_MAGIC) {
            *hdr = block->punt;
            block->punt.magic = 0;
            return true;
        }
    }
    return false;
}

static void
check_bytes(const char *what, const struct diff_bytes *b, const void *data,
            size_t len)
{
    if (b->len != len || memcmp(b->data, data, len)) {
        printf("%s: %"PRIuSIZE" bytes:\n", what, b->len);
        packet_gen_dump(b->data, MIN(b->len, 256));
        printf("but should be %"PRIuSIZE" bytes:\n", len);
        packet_gen_dump(data, MIN(len, 256));
        fail("%s: the packet differs", what);
    }
}

/* Checks the packet '*b' that a hook sends to userspace at last, instead of
 * event number 'i'.  Returns true if it is the whole packet as it came. */
static bool
check_punt(const char *hook, struct diff_bytes *b, const struct oxdp_hdr *hdr,
           size_t i)
{
    const struct event *e = &events[i];

    if (hdr->port != DIFF_IN_PORT) {
        fail("%s: wrong port in the header", hook);
    }
    if (hdr->reason == OXDP_PUNT_MISS) {
        fail("%s: the flow was not found", hook);
    }
    if (!hdr->recirc_id) {
        if (i) {
            fail("%s: the packet is executed, and then sent up", hook);
        }
        diff_restore_tag(b, hdr, gen.data);
        check_bytes(hook, b, gen.data, gen.len);
        return true;
    }
    if (i != n_events - 1 || e->type != EV_RECIRC
        || e->arg != hdr->recirc_id) {
        fail("%s: unexpected recirculation", hook);
    }
    if (hdr->dp_hash != e->dp_hash) {
        fail("%s: hash %#"PRIx32" and not %#"PRIx32, hook,
             (uint32_t) hdr->dp_hash, e->dp_hash);
    }
    n.hashes += e->dp_hash != 0;
    diff_restore_tag(b, hdr, e->bytes.data);
    check_bytes(hook, b, e->bytes.data, e->bytes.len);
    return false;
}

/* Returns the port that event 'e' outputs to, at last, or 0 if it does not. */
static uint32_t
event_port(const struct event *e)
{
    return (e->type == EV_OUTPUT ? e->arg
            : e->type == EV_RECIRC && e->arg != DIFF_RECIRC_USER
            ? e->arg - DIFF_RECIRC : 0);
}

/* Checks that the map of 'flood' has the devices of all events, which are
 * outputs, each as often as there are. */
static void
check_flood(uint32_t flood)
{
    uint32_t map_id, ifindex, n_devices = 0;
    int fd = -1;

    if (bpf_map_lookup_elem(lab.bpf->floods_fd, &flood, &map_id)
        || (fd = bpf_map_get_fd_by_id(map_id)) < 0) {
        fail("set %"PRIu32" has no map", flood);
    }
    while (!bpf_map_lookup_elem(fd, &n_devices, &ifindex)) {
        int excess = 0;

        for (uint32_t i = 0, other; !bpf_map_lookup_elem(fd, &i, &other);
             i++) {
            excess += other == ifindex;
        }
        for (size_t i = 0; i < n_events; i++) {
            excess -= lab.port_ifindex[events[i].arg] == ifindex;
        }
        if (excess) {
            fail("wrong broadcast to device %"PRIu32, ifindex);
        }
        n_devices++;
    }
    close(fd);
    if (n_devices != n_events) {
        fail("broadcast to %"PRIu32" devices and not %"PRIuSIZE, n_devices,
             n_events);
    }
}

/* Returns true if XDP should broadcast the packet, and then waits until it
 * can. */
static bool
is_broadcast(const struct oxdp_code *code)
{
    const volatile struct oxdp_flood *flood
        = &lab.bpf->shared->floods[code->rest.flood];

    if (code->flow.verdict != OXDP_VERDICT_FLOOD) {
        return false;
    }
    for (size_t i = 0; i < n_events; i++) {
        if (events[i].type != EV_OUTPUT) {
            fail("no broadcast, but verdict flood");
        }
        if (events[i].arg == DIFF_SKB_PORT) {
            if (flood->max_len) {
                fail("broadcast to a port that takes no frames");
            }
            return false;
        }
    }
    for (int i = 0; i < 5000 && !flood->max_len; i++) {
        usleep(1000);
    }
    return gen.len + code->rest.growth <= OXDP_FLOOD_LEN;
}

/* XDP has returned 'retval' and should have broadcast the packet. */
static void
check_broadcast(uint16_t flood, uint32_t retval)
{
    if (retval != XDP_REDIRECT) {
        fail("XDP returns %"PRIu32" and not XDP_REDIRECT", retval);
    }
    for (size_t i = 0; i < n_events; i++) {
        check_bytes("XDP", &result, events[i].bytes.data,
                    events[i].bytes.len);
    }
    check_flood(flood);
    n.broadcasts++;
}

static void
check_xdp(const struct oxdp_code *code)
{
    const struct event *e = &events[0];
    struct oxdp_meta meta;
    bool broadcast = is_broadcast(code);
    struct oxdp_hdr hdr;
    uint32_t retval;

    if (!run(lab.bpf->xdp_port_fd, gen.data, gen.len, &retval)) {
        return;
    }
    if (retval == XDP_REDIRECT && diff_take_header(&result, &hdr)) {
        n.punted[OXDP_HOOK_XDP] += check_punt("XDP", &result, &hdr, 0);
    } else if (broadcast) {
        check_broadcast(code->rest.flood, retval);
    } else if (code->flow.verdict != OXDP_VERDICT_XDP) {
        if (retval != XDP_PASS || !diff_take_meta(&result, &meta)
            || meta.port != OXDP_META_LOOKUP || meta.recirc_id
            || meta.in_port != DIFF_IN_PORT) {
            fail("XDP returns %"PRIu32" and not XDP_PASS", retval);
        }
        check_bytes("XDP", &result, gen.data, gen.len);
        n.lookup_skb++;
    } else if (!n_events) {
        if (retval != XDP_DROP) {
            fail("XDP returns %"PRIu32" and not XDP_DROP", retval);
        }
        n.dropped[OXDP_HOOK_XDP]++;
    } else if (n_events > 1) {
        fail("XDP has executed a list with several outputs");
    } else if (event_port(e) == DIFF_SKB_PORT) {
        if (retval != XDP_PASS || !diff_take_meta(&result, &meta)
            || meta.port != DIFF_SKB_PORT || meta.in_port != DIFF_IN_PORT) {
            fail("XDP returns %"PRIu32" and not XDP_PASS", retval);
        }
        check_bytes("XDP", &result, e->bytes.data, e->bytes.len);
        n.to_skb++;
    } else {
        if (retval != XDP_REDIRECT) {
            fail("XDP returns %"PRIu32" and not XDP_REDIRECT", retval);
        }
        check_bytes("XDP", &result, e->bytes.data, e->bytes.len);
        n.output[OXDP_HOOK_XDP]++;
    }
}

/* Checks copy 'copy' that TC has sent, which should be 'e'. */
static void
check_copy(const struct diff_copy *copy, const struct event *e)
{
    struct oxdp_hdr hdr = { .magic = 0 };
    static struct diff_bytes b;

    b.len = copy->len;
    memcpy(b.data, copy->data, copy->len);
    if (e->type == EV_USERSPACE) {
        if (copy->ifindex != lab.port_ifindex[0] || !diff_take_header(&b, &hdr)
            || hdr.reason != OXDP_PUNT_ACTION || hdr.cookie != e->cookie
            || hdr.port != DIFF_IN_PORT || hdr.skb_mark != e->mark
            || hdr.skb_priority != e->priority || hdr.dp_hash != e->dp_hash) {
            fail("copy for userspace to device %"PRIu32": cookie %#"PRIx64
                 ", mark %#"PRIx32", priority %#"PRIx32", hash %#"PRIx32,
                 (uint32_t) copy->ifindex, (uint64_t) hdr.cookie,
                 (uint32_t) hdr.skb_mark, (uint32_t) hdr.skb_priority,
                 (uint32_t) hdr.dp_hash);
        }
        diff_restore_tag(&b, &hdr, e->bytes.data);
        /* A tag that is still beside the frame does not get there. */
    } else if (e->type != EV_OUTPUT
               || copy->ifindex != lab.port_ifindex[e->arg]) {
        fail("a copy to device %"PRIu32, (uint32_t) copy->ifindex);
    } else if (copy->tagged) {
        diff_insert_tag(&b, copy->tpid, copy->tci);
        b.data[14] ^= (b.data[14] ^ e->bytes.data[14]) & 0x10;
    }
    check_bytes("copy by TC", &b, e->bytes.data, e->bytes.len);
    n.copies++;
}

/* Checks what the TC hook made of the packet when its program returned
 * 'retval' and there is a tag beside the frame if 'tagged'. */
static void
check_tc_result(uint32_t retval, bool tagged)
{
    size_t n_copies = lab.test->n_copies;
    struct oxdp_hdr hdr;

    if (n_copies > n_events) {
        fail("TC sends %"PRIuSIZE" copies and not %"PRIuSIZE, n_copies,
             n_events);
    }
    for (size_t i = 0; i < n_copies; i++) {
        check_copy(&lab.test->copies[i], &events[i]);
    }
    if (tagged) {
        diff_insert_tag(&result, lab.test->out_tpid, lab.test->out_tci);
        n.tags++;
    }
    if (take_punt(&hdr)) {
        if (retval != TC_ACT_REDIRECT) {
            fail("TC returns %"PRIu32" and not TC_ACT_REDIRECT", retval);
        }
        n.punted[OXDP_HOOK_TC] += (check_punt("TC", &result, &hdr, n_copies)
                                   && !list.frame);
    } else if (retval == TC_ACT_SHOT) {
        if (n_copies != n_events) {
            fail("TC sends %"PRIuSIZE" packets and not %"PRIuSIZE, n_copies,
                 n_events);
        }
        n.dropped[OXDP_HOOK_TC] += !n_events;
    } else {
        const struct event *e = &events[n_copies];

        if (retval != TC_ACT_REDIRECT) {
            fail("TC returns %"PRIu32" and not TC_ACT_REDIRECT", retval);
        }
        if (n_copies + 1 != n_events || !event_port(e)) {
            fail("TC sends %"PRIuSIZE" packets and not %"PRIuSIZE,
                 n_copies + 1, n_events);
        }
        check_bytes("TC", &result, e->bytes.data, e->bytes.len);
        n.output[OXDP_HOOK_TC]++;
    }
}

static void
check_tc(void)
{
    static struct diff_bytes skb;
    ovs_be16 tpid, tci;
    bool tagged = false;
    uint32_t retval;

    memcpy(skb.data, gen.data, gen.len);
    skb.len = gen.len;
    if (this_case.tagged) {
        tagged = parse_untag(skb.data, &skb.len, &tpid, &tci);
    }
    lab.test->push_tag = tagged;
    if (tagged) {
        lab.test->tag_tpid = (OVS_FORCE __be16) tpid;
        /* "tci" says CFI in any case, the frame need not. */
        memcpy(&lab.test->tag_tci, &gen.data[14], 2);
    }
    lab.test->n_copies = 0;
    if (run(lab.tc_fd, skb.data, skb.len, &retval)) {
        check_tc_result(retval, lab.test->tagged);
    }

    /* The same with the datapath's own object. */
    lab.test->n_copies = 0;
    if (!tagged && !lab.test->tagged
        && run(lab.bpf->tc_port_fd, gen.data, gen.len, &retval)) {
        check_tc_result(retval, false);
    }
}

/* Cases. */

static void
check_verdict(const struct oxdp_code *code)
{
    const struct oxdp_flow *flow = &code->flow;
    enum oxdp_reason reason = code->rest.reason;
    bool user = flow->verdict == OXDP_VERDICT_USER;
    bool may_be_user
        = ((reason == OXDP_REASON_TOO_LONG
            && (list.max_ops > OXDP_MAX_OPS || list.n_pushed > 2))
           || (reason == OXDP_REASON_USERSPACE && !list.output)
           || (reason == OXDP_REASON_ACTION && list.frame && list.skb));

    if (user != list.user && !(user && may_be_user)) {
        fail("the flow's verdict is \"%s\", reason \"%s\"",
             oxdp_verdict_name(flow->verdict),
             oxdp_reason_name(reason));
    }
    if (flow->verdict != OXDP_VERDICT_XDP && !user && !list.skb) {
        fail("the flow takes an SKB");
    }
    n.verdicts[flow->verdict]++;
    n.reasons[reason]++;
    for (int i = 0; i < flow->n_ops; i++) {
        n.ops[code->ops[i].code]++;
    }
}

/* Checks this case, with the packet in 'gen' and, if it comes from a file, the
 * list. */
static void
check_case(void)
{
    struct parse_metadata md = { .in_port = DIFF_IN_PORT };
    const ovs_u128 ufid = { .u32 = { 1 } };
    struct oxdp_code code;
    struct parse_ref ref;

    lab.bpf->shared->control.vlan_limit = this_case.vlan_limit;
    flow_limit_vlans(this_case.vlan_limit);
    parse_ref_init(&ref, gen.data, gen.len, &md);
    if (gen.len < MIN_LEN || ref.is_complex || ref.need > 1500) {
        n.not_run++;
        return;
    }
    if (!replays) {
        diff_list_make(&list, &gen, &ref.flow);
        if (!list.user) {
            choose_csum(&ref.flow);
        }
    }
    if (!list.user) {
        run_reference(0);
    }
    put_case(&ref.flow, &code);
    if (!replays) {
        check_verdict(&code);
    }
    if (code.flow.verdict != OXDP_VERDICT_USER) {
        check_xdp(&code);
        check_tc();
    }
    if (oxdp_table_delete(lab.table, &ufid, NULL)) {
        fail("the flow cannot be deleted");
    }
    ovsrcu_quiesce();
}

/* Running. */

/* Puts flows with sets of ports that are likely, since a set is made and freed
 * in many milliseconds. */
static void
put_floods(void)
{
    uint32_t id = DIFF_RECIRC_USER;

    for (int n_outputs = 2; n_outputs <= 6; n_outputs++) {
        for (int i = 0; i <= n_outputs; i++) {
            struct match match = MATCH_CATCHALL_INITIALIZER;
            struct ofpbuf actions;

            match.flow.recirc_id = ++id;
            match.wc.masks.recirc_id = UINT32_MAX;
            ofpbuf_init(&actions, 64);
            for (int j = 0; j < n_outputs; j++) {
                nl_msg_put_odp_port(&actions, OVS_ACTION_ATTR_OUTPUT,
                                    u32_to_odp(j < i ? DIFF_FRAME_PORT
                                               : DIFF_FRAME_PORT2));
            }
            put_flow(&match, id, &actions);
            ofpbuf_uninit(&actions);
        }
    }
}

/* Puts the flows that all cases use. */
static void
put_common(void)
{
    put_recirc(DIFF_RECIRC + DIFF_FRAME_PORT, DIFF_FRAME_PORT);
    put_recirc(DIFF_RECIRC + DIFF_SKB_PORT, DIFF_SKB_PORT);
    put_recirc(DIFF_RECIRC + DIFF_FRAME_PORT2, DIFF_FRAME_PORT2);
    put_recirc(DIFF_RECIRC_USER, 0);
    put_floods();
}

static void
print_figures(void)
{
    static const char *names[] = {
        [OXDP_OP_END] = "end",
#define OXDP_OP(ENUM, NAME) [OXDP_OP_##ENUM] = NAME,
        OXDP_OPS
#undef OXDP_OP
    };

    printf("flows:");
    for (int i = 0; i < OXDP_N_VERDICTS; i++) {
        printf(" %s %"PRIu64, oxdp_verdict_name(i), n.verdicts[i]);
    }
    printf("; reasons:");
    for (int i = 1; i < OXDP_N_REASONS; i++) {
        if (n.reasons[i]) {
            printf(" %s %"PRIu64, oxdp_reason_name(i), n.reasons[i]);
        }
    }
    printf("\nopcodes:");
    for (size_t i = 1; i < ARRAY_SIZE(names); i++) {
        printf(" %s %"PRIu64, names[i], n.ops[i]);
    }
    for (int i = 0; i < OXDP_N_HOOKS; i++) {
        printf("\n%s: %"PRIu64" output as by OVS, %"PRIu64" dropped, %"PRIu64
               " sent to userspace as received", i == OXDP_HOOK_XDP ? "XDP" : "TC",
               n.output[i], n.dropped[i], n.punted[i]);
    }
    printf("\n%"PRIu64" copies sent by TC, %"PRIu64" packets broadcast by "
           "XDP, %"PRIu64" passed from XDP "
           "to TC to be output and %"PRIu64" to be executed, %"PRIu64" with a "
           "tag beside the frame, %"PRIu64" hashes compared, %"PRIu64" packets "
           "not run, %"PRIu64" refused by the kernel\n", n.copies,
           n.broadcasts, n.to_skb, n.lookup_skb, n.tags, n.hashes, n.not_run, n.refused);
}

/* Returns the number of figures that are too small, for 'n_cases' cases. */
static int
check_figures(uint64_t n_cases)
{
    int n_short = 0;

#define AT_LEAST(PERMILLE, FIGURE)                                      \
    if (n.FIGURE * 1000 < n_cases * PERMILLE) {                         \
        printf("FAILED: too few: %s\n", #FIGURE);                       \
        n_short++;                                                      \
    }
    AT_LEAST(100, output[OXDP_HOOK_XDP]);
    AT_LEAST(200, output[OXDP_HOOK_TC]);
    AT_LEAST(200, copies);
    AT_LEAST(30, broadcasts);
    AT_LEAST(4, hashes);
    AT_LEAST(100, lookup_skb);
    AT_LEAST(10, dropped[OXDP_HOOK_XDP]);
    AT_LEAST(10, dropped[OXDP_HOOK_TC]);
    AT_LEAST(20, to_skb);
    AT_LEAST(20, tags);
    AT_LEAST(20, reasons[OXDP_REASON_SET_FIELD]);
    AT_LEAST(2, reasons[OXDP_REASON_ACTION]);
    AT_LEAST(2, reasons[OXDP_REASON_CLONE]);
    AT_LEAST(2, reasons[OXDP_REASON_TRUNC]);
    for (size_t i = 1; i < OXDP_N_OPS; i++) {
        AT_LEAST(1, ops[i]);
    }
#undef AT_LEAST
    for (int i = 0; i < OXDP_N_HOOKS; i++) {
        if (n.punted[i] * 10 > n_cases) {
            printf("FAILED: too many packets for userspace\n");
            n_short++;
        }
    }
    return n_short;
}

int
main(int argc, char *argv[])
{
    uint64_t n_cases = argc > 1 ? strtoull(argv[1], NULL, 0) : N_CASES;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;

    replays = argc == 2 && !n_cases;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (geteuid()) {
        printf("skipped: not root\n");
        return SKIP;
    }
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    odp_execute_init();
    diff_lab_open(&lab);
    ofpbuf_init(&list.actions, 1024);
    put_common();

    if (replays) {
        int error = diff_case_read(argv[1], &this_case, gen.data,
                                   sizeof gen.data, &gen.len, &list.actions);

        if (error) {
            printf("%s (%s)\n", argv[1], ovs_strerror(error));
            return 1;
        }
        print_list();
        check_case();
        print_figures();
        return 0;
    }
    seed = packet_gen_seed(SEED);
    printf("seed %"PRIu64", %"PRIu64" cases\n", seed, n_cases);
    for (uint64_t i = 0; i < n_cases; i++) {
        number = first + i;
        packet_gen_start(&gen, seed, number);
        packet_gen_make(&gen);
        if (number % 4 == 0) {
            packet_gen_mutate(&gen);
        }
        if (number % 16) {
            gen.len = MIN(gen.len, 1514);
            packet_gen_fix_length(&gen);
        }
        gen.len = MIN(gen.len, 9018);
        this_case.vlan_limit = 1 + packet_gen_below(&gen, 2);
        this_case.tagged = packet_gen_chance(&gen, 50);
        check_case();
    }
    print_figures();
    return n_cases >= 2000 && check_figures(n_cases) ? 1 : 0;
}
