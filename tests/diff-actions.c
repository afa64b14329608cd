/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff-actions: what BPF's opcodes make of a packet against what OVS's own
 * odp_execute_actions() makes of it, byte for byte.
 *
 * usage: diff-actions [N_CASES [FIRST]]
 *
 * A case is a random packet and a random list of actions such as ofproto makes
 * for such a packet: a header's fields are set only if the packet has that
 * header, and the flow matches what says so.  The flow goes through the table,
 * so that it is compiled, and the packet through the datapath's programs of
 * both hooks by BPF_PROG_TEST_RUN: as a frame, and as an SKB, half of the time
 * with its outer VLAN tag beside the frame.
 *
 * If the flow's verdict is "bpf", each hook must output exactly the packet
 * that OVS would output, or hand the packet on as it should be at that point:
 * from XDP to TC, or to userspace.  If it is "user", all there is to check is
 * that it had to be.
 */

#include <config.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/diff-test.h"
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
#include "oxdp-compile.h"
#include "oxdp-loader.h"
#include "oxdp-tc.skel.h"
#include "oxdp-table.h"
#include "packet-gen.h"
#include "packets.h"
#include "parse-ref.h"
#include "util.h"

enum { SKIP = 77 };

#define SEED 1
#define N_CASES 20000

/* Datapath ports: where packets come in, one that takes frames, and one that
 * takes only SKBs.  All are the loopback device. */
#define IN_PORT 1
#define FRAME_PORT 2
#define SKB_PORT 3
#define LOOPBACK 1

/* A flow with this recirculation id outputs what was recirculated. */
#define RECIRC_ID 7

/* Shorter packets are not run: the kernel does not pop a tag if no Ethernet
 * header would be left, OVS does. */
#define MIN_LEN 34

/* No more than this many bytes are made longer by anything. */
#define SLACK 256

/* The fields that BPF sets. */
#define BPF_SETS (1u << OVS_KEY_ATTR_ETHERNET | 1u << OVS_KEY_ATTR_IPV4 \
                  | 1u << OVS_KEY_ATTR_IPV6 | 1u << OVS_KEY_ATTR_TCP     \
                  | 1u << OVS_KEY_ATTR_UDP)

/* A packet as bytes. */
struct bytes {
    size_t len;
    uint8_t data[PACKET_GEN_MAX + SLACK];
};

/* A list of actions. */
static struct ofpbuf actions;
static bool user;               /* BPF is not to execute it. */
static uint32_t out_port;       /* Where the packet goes, 0 if nowhere. */
static bool recirc;             /* By way of a recirculation, */
static bool changes;            /* and changed before. */
static int max_ops;             /* Opcodes that the list may take. */

static struct oxdp_bpf *bpf;
static struct oxdp_table *table;
static struct diff_test *diff_test;
static int diff_tc_fd;

static struct packet_gen gen;
static uint64_t seed, number;
static struct bytes expected, result;

/* Figures. */
static struct {
    uint64_t not_run;           /* Packets that BPF does not parse. */
    uint64_t verdicts[OXDP_N_VERDICTS];
    uint64_t reasons[OXDP_N_REASONS];
    uint64_t ops[32];           /* Executed, by opcode. */
    uint64_t output[OXDP_N_HOOKS], dropped[OXDP_N_HOOKS];
    uint64_t punted[OXDP_N_HOOKS];
    uint64_t to_skb;            /* Passed from XDP to TC. */
    uint64_t tags;              /* Packets with a tag beside the frame. */
    uint64_t refused;           /* By the kernel. */
} n;

static void
print_list(void)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    format_odp_actions(&ds, actions.data, actions.size, NULL);
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
    printf("Repeat with: OXDP_TEST_SEED=%"PRIu64" tests/diff-actions 1 %"PRIu64
           "\n", seed, number);
    exit(1);
}

/* Actions. */

/* Makes a value for a field of 'size' bytes at 'value' that has the value
 * 'now', and a mask for it, all ones if 'whole'. */
static void
random_field(void *value_, void *mask_, const void *now_, size_t size,
             bool whole)
{
    uint8_t *value = value_, *mask = mask_;
    const uint8_t *now = now_;
    bool is_set = whole || packet_gen_chance(&gen, 50);
    bool partly = is_set && !whole && packet_gen_chance(&gen, 20);
    bool same = packet_gen_chance(&gen, 20);

    for (size_t i = 0; i < size; i++) {
        mask[i] = partly ? packet_gen_random(&gen) : is_set ? 0xff : 0;
        value[i] = same ? now[i] : packet_gen_random(&gen);
        value[i] &= mask[i];
    }
}

/* Appends the setting of a field 'type' of 'size' bytes. */
static void
put_set(enum ovs_key_attr type, const void *value, const void *mask,
        size_t size, bool whole)
{
    size_t start = nl_msg_start_nested(&actions,
                                       whole ? OVS_ACTION_ATTR_SET
                                       : OVS_ACTION_ATTR_SET_MASKED);
    uint8_t *p = nl_msg_put_unspec_uninit(&actions, type,
                                          whole ? size : 2 * size);

    memcpy(p, value, size);
    if (!whole) {
        memcpy(p + size, mask, size);
    }
    nl_msg_end_nested(&actions, start);
    if (!whole && is_all_zeros(mask, size)) {
        return;
    }
    user |= !(BPF_SETS & 1u << type);
    changes = true;
    max_ops += type == OVS_KEY_ATTR_IPV6 ? 4 : 1;
}

/* Declares a field's structure with 'value' and 'mask', and 'whole'. */
#define SET_VARS(TYPE, CHANCE)                          \
    bool whole = packet_gen_chance(&gen, CHANCE);       \
    TYPE value, mask;                                   \
                                                        \
    memset(&value, 0, sizeof value);                    \
    memset(&mask, 0, sizeof mask)
#define SET_FIELD(FIELD, NOW)                                           \
    random_field(&value.FIELD, &mask.FIELD, NOW, sizeof value.FIELD, whole)

static void
put_set_eth(const struct flow *flow)
{
    SET_VARS(struct ovs_key_ethernet, 30);

    SET_FIELD(eth_dst, &flow->dl_dst);
    SET_FIELD(eth_src, &flow->dl_src);
    put_set(OVS_KEY_ATTR_ETHERNET, &value, &mask, sizeof value, whole);
}

static void
put_set_ipv4(const struct flow *flow)
{
    SET_VARS(struct ovs_key_ipv4, 30);

    SET_FIELD(ipv4_src, &flow->nw_src);
    SET_FIELD(ipv4_dst, &flow->nw_dst);
    SET_FIELD(ipv4_tos, &flow->nw_tos);
    SET_FIELD(ipv4_ttl, &flow->nw_ttl);
    value.ipv4_proto = flow->nw_proto;
    put_set(OVS_KEY_ATTR_IPV4, &value, &mask, sizeof value, whole);
}

static void
put_set_ipv6(const struct flow *flow)
{
    SET_VARS(struct ovs_key_ipv6, 30);

    SET_FIELD(ipv6_src, &flow->ipv6_src);
    SET_FIELD(ipv6_dst, &flow->ipv6_dst);
    SET_FIELD(ipv6_label, &flow->ipv6_label);
    SET_FIELD(ipv6_tclass, &flow->nw_tos);
    SET_FIELD(ipv6_hlimit, &flow->nw_ttl);
    value.ipv6_label &= htonl(0xfffff);
    mask.ipv6_label &= htonl(0xfffff);
    value.ipv6_proto = flow->nw_proto;
    put_set(OVS_KEY_ATTR_IPV6, &value, &mask, sizeof value, whole);
}

/* All with ports have the same structure. */
static void
put_set_ports(const struct flow *flow, enum ovs_key_attr type)
{
    SET_VARS(struct ovs_key_tcp, 30);

    SET_FIELD(tcp_src, &flow->tp_src);
    SET_FIELD(tcp_dst, &flow->tp_dst);
    put_set(type, &value, &mask, sizeof value, whole);
}

static void
put_set_icmp(enum ovs_key_attr type)
{
    struct ovs_key_icmp value = {
        .icmp_type = packet_gen_random(&gen),
        .icmp_code = packet_gen_random(&gen),
    };

    put_set(type, &value, NULL, sizeof value, true);
}

static void
put_set_arp(const struct flow *flow)
{
    SET_VARS(struct ovs_key_arp, 30);

    SET_FIELD(arp_sip, &flow->nw_src);
    SET_FIELD(arp_tip, &flow->nw_dst);
    SET_FIELD(arp_sha, &flow->arp_sha);
    SET_FIELD(arp_tha, &flow->arp_tha);
    put_set(OVS_KEY_ATTR_ARP, &value, &mask, sizeof value, whole);
}

static void
put_set_metadata(enum ovs_key_attr type)
{
    bool whole = packet_gen_chance(&gen, 60);
    uint32_t value, mask, zero = 0;

    random_field(&value, &mask, &zero, sizeof value, whole);
    put_set(type, &value, &mask, sizeof value, whole);
}

static bool
has_l4(const struct flow *flow, uint8_t proto)
{
    return is_ip_any(flow) && flow->nw_proto == proto
           && !(flow->nw_frag & FLOW_NW_FRAG_LATER);
}

/* Appends the setting of a field of layer 3 or 4 that 'flow' has, if any. */
static void
put_set_nw(const struct flow *flow)
{
    bool l4 = packet_gen_chance(&gen, 40);

    if (!flow->nw_proto) {
        return;
    } else if (l4 && has_l4(flow, IPPROTO_TCP)) {
        put_set_ports(flow, OVS_KEY_ATTR_TCP);
    } else if (l4 && has_l4(flow, IPPROTO_UDP)) {
        put_set_ports(flow, OVS_KEY_ATTR_UDP);
    } else if (l4 && has_l4(flow, IPPROTO_SCTP)) {
        put_set_ports(flow, OVS_KEY_ATTR_SCTP);
    } else if (l4 && is_icmpv4(flow, NULL)) {
        put_set_icmp(OVS_KEY_ATTR_ICMP);
    } else if (l4 && is_icmpv6(flow, NULL)) {
        put_set_icmp(OVS_KEY_ATTR_ICMPV6);
    } else if (flow->dl_type == htons(ETH_TYPE_IP)) {
        put_set_ipv4(flow);
    } else if (flow->dl_type == htons(ETH_TYPE_IPV6)) {
        put_set_ipv6(flow);
    } else if (flow->dl_type == htons(ETH_TYPE_ARP)) {
        put_set_arp(flow);
    }
}

static void
put_push_vlan(void)
{
    struct ovs_action_push_vlan vlan = {
        .vlan_tpid = htons(packet_gen_chance(&gen, 70) ? ETH_TYPE_VLAN_8021Q
                           : ETH_TYPE_VLAN_8021AD),
        .vlan_tci = htons(packet_gen_random(&gen) | VLAN_CFI),
    };

    nl_msg_put_unspec(&actions, OVS_ACTION_ATTR_PUSH_VLAN, &vlan,
                      sizeof vlan);
    changes = true;
    max_ops++;
}

/* Appends what BPF does not do at all. */
static void
put_unsupported(void)
{
    user = true;
    switch (packet_gen_below(&gen, 4)) {
    case 0:
        nl_msg_put_odp_port(&actions, OVS_ACTION_ATTR_OUTPUT,
                            u32_to_odp(FRAME_PORT));
        nl_msg_put_flag(&actions, OVS_ACTION_ATTR_POP_VLAN);
        break;
    case 1: {
        struct ovs_action_trunc trunc = { .max_len = 100 };

        nl_msg_put_unspec(&actions, OVS_ACTION_ATTR_TRUNC, &trunc,
                          sizeof trunc);
        break;
    }
    case 2:
        nl_msg_put_unspec_zero(&actions, OVS_ACTION_ATTR_USERSPACE, 0);
        break;
    case 3: {
        struct ovs_action_push_mpls mpls = {
            .mpls_ethertype = htons(ETH_TYPE_MPLS),
        };

        nl_msg_put_unspec(&actions, OVS_ACTION_ATTR_PUSH_MPLS, &mpls,
                          sizeof mpls);
        break;
    }
    }
}

/* Makes a list for a packet with 'flow'. */
static void
make_actions(const struct flow *flow)
{
    uint32_t n_actions = packet_gen_chance(&gen, 80)
                         ? packet_gen_below(&gen, 4)
                         : packet_gen_below(&gen, 9);

    ofpbuf_clear(&actions);
    user = changes = recirc = false;
    out_port = 0;
    max_ops = 1;
    while (n_actions--) {
        switch (packet_gen_below(&gen, 40)) {
        case 0: case 1: case 2: case 3: case 4: case 5:
            put_set_eth(flow);
            break;
        case 6: case 7: case 8: case 9: case 10:
            put_push_vlan();
            break;
        case 11: case 12: case 13: case 14: case 15:
            nl_msg_put_flag(&actions, OVS_ACTION_ATTR_POP_VLAN);
            changes = true;
            max_ops++;
            break;
        case 16:
            put_set_metadata(OVS_KEY_ATTR_PRIORITY);
            break;
        case 17:
            put_set_metadata(OVS_KEY_ATTR_SKB_MARK);
            break;
        case 18:
            put_unsupported();
            break;
        default:
            put_set_nw(flow);
            break;
        }
    }
    if (packet_gen_chance(&gen, 5)) {
        return;
    }
    out_port = packet_gen_chance(&gen, 85) ? FRAME_PORT : SKB_PORT;
    recirc = packet_gen_chance(&gen, 15);
    if (recirc) {
        nl_msg_put_u32(&actions, OVS_ACTION_ATTR_RECIRC,
                       RECIRC_ID + out_port);
    } else {
        nl_msg_put_odp_port(&actions, OVS_ACTION_ATTR_OUTPUT,
                            u32_to_odp(out_port));
    }
}

/* What OVS does. */

static void
ref_output(void *aux OVS_UNUSED, struct dp_packet_batch *batch,
           const struct nlattr *a OVS_UNUSED, bool should_steal OVS_UNUSED)
{
    struct dp_packet *packet = batch->packets[0];

    expected.len = dp_packet_size(packet);
    memcpy(expected.data, dp_packet_data(packet), expected.len);
}

/* Executes the list on the packet in 'gen' and stores what is output in
 * 'expected'.  If 'csum_ofs', returns what the checksum there has become. */
static ovs_be16
run_reference(size_t csum_ofs)
{
    struct dp_packet *packet;
    struct dp_packet_batch batch;
    ovs_be16 csum = 0;
    struct flow flow;

    packet = dp_packet_new_with_headroom(gen.len, SLACK);
    dp_packet_put(packet, gen.data, gen.len);
    flow_extract(packet, &flow);
    if (flow.dl_type == htons(ETH_TYPE_IP)
        && flow.nw_frag & FLOW_NW_FRAG_LATER) {
        /* OVS changes the payload of later fragments where it takes a checksum
         * to be; the kernel's datapath does not. */
        packet->l4_ofs = UINT16_MAX;
    }
    dp_packet_batch_init_packet(&batch, packet);
    expected.len = 0;
    odp_execute_actions(NULL, &batch, false, actions.data, actions.size,
                        ref_output);
    if (csum_ofs) {
        const uint8_t *p = dp_packet_data(packet);

        csum_ofs += dp_packet_size(packet) - gen.len;
        memcpy(&csum, &p[csum_ofs], sizeof csum);
    }
    dp_packet_delete(packet);
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
put_flow(const struct match *match, uint32_t id, const struct ofpbuf *list)
{
    const ovs_u128 ufid = { .u32 = { id } };
    struct oxdp_put put = {
        .match = match,
        .flow = &match->flow,
        .ufid = &ufid,
        .actions = list->data,
        .actions_len = list->size,
        .create = true,
    };
    int error = oxdp_table_put(table, &put);

    if (error) {
        fail("put failed (%s)", ovs_strerror(error));
    }
}

/* Puts the flow of this case for 'flow' and stores it as BPF has it in
 * '*bpf_flow'. */
static void
put_case(const struct flow *flow, struct oxdp_flow *bpf_flow)
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
    put_flow(&match, 1, &actions);
    if (!oxdp_megaflow_get_slot(table, oxdp_table_find(table, &ufid),
                                bpf_flow)) {
        fail("the flow is not in BPF's maps");
    }
}

/* Puts the flows that output what was recirculated. */
static void
put_recirc(uint32_t port)
{
    struct match match = MATCH_CATCHALL_INITIALIZER;
    struct ofpbuf list;

    match.flow.in_port.odp_port = u32_to_odp(IN_PORT);
    match.wc.masks.in_port.odp_port = ODPP_NONE;
    match.flow.recirc_id = RECIRC_ID + port;
    match.wc.masks.recirc_id = UINT32_MAX;
    ofpbuf_init(&list, 64);
    nl_msg_put_odp_port(&list, OVS_ACTION_ATTR_OUTPUT, u32_to_odp(port));
    put_flow(&match, 1 + port, &list);
    ofpbuf_uninit(&list);
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

/* Puts a tag into the frame in 'result'. */
static void
insert_tag(ovs_be16 tpid, ovs_be16 tci)
{
    memmove(&result.data[16], &result.data[12], result.len - 12);
    memcpy(&result.data[12], &tpid, 2);
    memcpy(&result.data[14], &tci, 2);
    result.len += 4;
}

/* If 'result' is a packet for userspace, takes its header off and stores it in
 * '*hdr'. */
static bool
is_punt(struct oxdp_hdr *hdr)
{
    if (result.len < sizeof *hdr) {
        return false;
    }
    memcpy(hdr, result.data, sizeof *hdr);
    if (hdr->magic != OXDP_HDR_MAGIC) {
        return false;
    }
    result.len -= sizeof *hdr;
    memmove(result.data, &result.data[sizeof *hdr], result.len);
    return true;
}

static void
check_bytes(const char *hook, const void *data, size_t len)
{
    if (result.len != len || memcmp(result.data, data, len)) {
        printf("%s hook: %"PRIuSIZE" bytes:\n", hook, result.len);
        packet_gen_dump(result.data, MIN(result.len, 256));
        printf("but should be %"PRIuSIZE" bytes:\n", len);
        packet_gen_dump(data, MIN(len, 256));
        fail("%s hook: the packet differs", hook);
    }
}

/* Checks a packet that a hook sent to userspace. */
static void
check_punt(const char *hook, const struct oxdp_hdr *hdr, bool tagged)
{
    bool again = hdr->recirc_id != 0;

    if (hdr->port != IN_PORT
        || (again && (!recirc || hdr->recirc_id != RECIRC_ID + out_port))) {
        fail("%s hook: wrong header of a packet for userspace", hook);
    }
    if (hdr->reason == OXDP_PUNT_MISS) {
        fail("%s hook: the flow was not found", hook);
    }
    if (!tagged) {
        const struct bytes *b = again ? &expected : NULL;
        const uint8_t *data = b ? b->data : gen.data;

        if (hdr->vlan_tci) {
            /* The header has no room for the drop eligible bit. */
            insert_tag((OVS_FORCE ovs_be16) hdr->vlan_tpid,
                       (OVS_FORCE ovs_be16) hdr->vlan_tci);
            result.data[14] ^= (result.data[14] ^ data[14]) & 0x10;
        }
        check_bytes(hook, data, b ? b->len : gen.len);
    }
}

static void
check_xdp(void)
{
    struct oxdp_hdr hdr;
    uint32_t retval;

    if (!run(bpf->xdp_port_fd, gen.data, gen.len, &retval)) {
        return;
    }
    if (retval == XDP_REDIRECT && is_punt(&hdr)) {
        check_punt("XDP", &hdr, false);
        n.punted[OXDP_HOOK_XDP]++;
    } else if (!out_port) {
        if (retval != XDP_DROP) {
            fail("XDP returns %"PRIu32" and not XDP_DROP", retval);
        }
        n.dropped[OXDP_HOOK_XDP]++;
    } else if (out_port == SKB_PORT && !(recirc && changes)) {
        if (retval != XDP_PASS) {
            fail("XDP returns %"PRIu32" and not XDP_PASS", retval);
        }
        check_bytes("XDP", gen.data, gen.len);
        n.to_skb++;
    } else {
        if (retval != XDP_REDIRECT || out_port == SKB_PORT) {
            fail("XDP returns %"PRIu32" and not XDP_REDIRECT", retval);
        }
        check_bytes("XDP", expected.data, expected.len);
        n.output[OXDP_HOOK_XDP]++;
    }
}

/* Checks what the TC hook made of a packet, with 'tagged' if it had a tag
 * beside the frame, when its program returned 'retval'. */
static void
check_tc_result(uint32_t retval, bool tagged)
{
    struct oxdp_hdr hdr;

    if (retval == TC_ACT_REDIRECT && is_punt(&hdr)) {
        check_punt("TC", &hdr, tagged);
        n.punted[OXDP_HOOK_TC]++;
    } else if (!out_port) {
        if (retval != TC_ACT_SHOT) {
            fail("TC returns %"PRIu32" and not TC_ACT_SHOT", retval);
        }
        n.dropped[OXDP_HOOK_TC]++;
    } else {
        if (retval != TC_ACT_REDIRECT) {
            fail("TC returns %"PRIu32" and not TC_ACT_REDIRECT", retval);
        }
        if (diff_test->tagged) {
            insert_tag((OVS_FORCE ovs_be16) diff_test->out_tpid,
                       (OVS_FORCE ovs_be16) diff_test->out_tci);
            n.tags++;
        }
        check_bytes("TC", expected.data, expected.len);
        n.output[OXDP_HOOK_TC]++;
    }
}

static void
check_tc(void)
{
    static struct bytes skb, first;
    uint32_t retval, real_retval;
    ovs_be16 tpid, tci;
    bool tagged = false;

    memcpy(skb.data, gen.data, gen.len);
    skb.len = gen.len;
    if (packet_gen_chance(&gen, 50)) {
        tagged = parse_untag(skb.data, &skb.len, &tpid, &tci);
    }
    diff_test->push_tag = tagged;
    if (tagged) {
        diff_test->tag_tpid = (OVS_FORCE __be16) tpid;
        /* "tci" says CFI in any case, the frame need not. */
        memcpy(&diff_test->tag_tci, &gen.data[14], 2);
    }
    if (!run(diff_tc_fd, skb.data, skb.len, &retval)) {
        return;
    }
    first.len = result.len;
    memcpy(first.data, result.data, result.len);
    check_tc_result(retval, tagged);

    /* The same with the datapath's own object. */
    if (!tagged && run(bpf->tc_port_fd, gen.data, gen.len, &real_retval)) {
        if (real_retval != retval) {
            fail("TC returns %"PRIu32" and then %"PRIu32, retval,
                 real_retval);
        }
        check_bytes("second TC", first.data, first.len);
    }
}

/* Cases. */

static void
check_verdict(const struct oxdp_flow *flow)
{
    bool too_long = (flow->reason == OXDP_REASON_TOO_LONG
                     && max_ops > OXDP_MAX_OPS);

    if ((flow->verdict == OXDP_VERDICT_BPF) == (user || too_long)) {
        fail("the flow's verdict is \"%s\", reason \"%s\"",
             oxdp_verdict_name(flow->verdict),
             oxdp_reason_name(flow->reason));
    }
    n.verdicts[flow->verdict]++;
    n.reasons[flow->reason]++;
    for (int i = 0; i < flow->n_ops; i++) {
        n.ops[flow->ops[i].code]++;
    }
}

static void
check_case(void)
{
    struct parse_metadata md = { .in_port = IN_PORT };
    const ovs_u128 ufid = { .u32 = { 1 } };
    uint32_t vlan_limit = 1 + packet_gen_below(&gen, 2);
    struct oxdp_flow flow;
    struct parse_ref ref;

    bpf->shared->control.vlan_limit = vlan_limit;
    flow_limit_vlans(vlan_limit);
    parse_ref_init(&ref, gen.data, gen.len, &md);
    if (gen.len < MIN_LEN || ref.is_complex || ref.need > 1500) {
        n.not_run++;
        return;
    }
    make_actions(&ref.flow);
    if (!user) {
        choose_csum(&ref.flow);
        run_reference(0);
    }
    put_case(&ref.flow, &flow);
    check_verdict(&flow);
    if (flow.verdict == OXDP_VERDICT_BPF) {
        check_xdp();
        check_tc();
    }
    if (oxdp_table_delete(table, &ufid, NULL)) {
        fail("the flow cannot be deleted");
    }
    ovsrcu_quiesce();
}

/* Setting up. */

static void OVS_NO_RETURN
die(const char *what, int error)
{
    printf("%s (%s)\n", what, ovs_strerror(error));
    exit(1);
}

/* Loads tests/bpf/diff-tc.bpf.o over the maps of 'bpf'. */
static void
load_diff_tc(void)
{
    const char *dir = getenv("abs_top_builddir");
    char *file = xasprintf("%s/tests/bpf/diff-tc.bpf.o", dir ? dir : ".");
    struct bpf_object *obj = bpf_object__open_file(file, NULL);
    struct bpf_object *tc = bpf->tc->obj;
    struct bpf_map *map;

    if (!obj) {
        die(file, errno);
    }
    bpf_object__for_each_map (map, obj) {
        const char *suffix = strchr(bpf_map__name(map), '.');
        struct bpf_map *other;

        if (suffix && !strcmp(suffix, ".rodata")) {
            if (bpf_map__set_initial_value(map, bpf->tc->rodata,
                                           sizeof *bpf->tc->rodata)) {
                die("constants differ", EINVAL);
            }
            continue;
        }
        other = suffix ? bpf->tc->maps.bss
                : bpf_object__find_map_by_name(tc, bpf_map__name(map));
        if (other && bpf_map__reuse_fd(map, bpf_map__fd(other))) {
            die(bpf_map__name(map), errno);
        }
    }
    if (bpf_object__load(obj)) {
        die(file, errno);
    }
    map = bpf_object__find_map_by_name(obj, "diff_test");
    diff_test = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED,
                     bpf_map__fd(map), 0);
    if (diff_test == MAP_FAILED) {
        die("cannot map a map", errno);
    }
    diff_tc_fd = bpf_program__fd(
        bpf_object__find_program_by_name(obj, "diff_tc"));
    free(file);
}

/* Makes the loopback device 'port', which takes what 'flags' says. */
static void
add_port(uint32_t port, uint32_t flags)
{
    struct bpf_devmap_val val = { .ifindex = LOOPBACK };

    bpf->shared->ports[port].flags = OXDP_PORT_F_PRESENT | flags;
    bpf->shared->ports[port].ifindex = LOOPBACK;
    if (bpf_map_update_elem(bpf->devs_fd, &port, &val, 0)) {
        die("cannot redirect to the loopback device", errno);
    }
}

static void
set_up(void)
{
    struct oxdp_bpf_config config = { .hint_size = 4096 };
    char *error_text;
    int error;

    error = oxdp_bpf_open(&config, &bpf, &error_text);
    if (error) {
        printf("skipped: %s\n", error_text);
        exit(error == EPERM ? SKIP : 1);
    }
    load_diff_tc();
    add_port(0, 0);             /* The CPU port. */
    add_port(IN_PORT, 0);
    add_port(FRAME_PORT, OXDP_PORT_F_XMIT | OXDP_PORT_F_XMIT_SG);
    add_port(SKB_PORT, 0);
    bpf->shared->control.cpu_ifindex = LOOPBACK;
    bpf->shared->ifports[LOOPBACK].ifindex = LOOPBACK;
    bpf->shared->ifports[LOOPBACK].port = IN_PORT;
    table = oxdp_table_create(bpf, 1000);
    if (!table) {
        die("cannot create a table", errno);
    }
    ofpbuf_init(&actions, 1024);
    put_recirc(FRAME_PORT);
    put_recirc(SKB_PORT);
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

    printf("%"PRIu64" flows in BPF, %"PRIu64" in userspace:",
           n.verdicts[OXDP_VERDICT_BPF], n.verdicts[OXDP_VERDICT_USER]);
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
               " sent to userspace", i == OXDP_HOOK_XDP ? "XDP" : "TC",
               n.output[i], n.dropped[i], n.punted[i]);
    }
    printf("\n%"PRIu64" passed from XDP to TC, %"PRIu64" with a tag beside "
           "the frame, %"PRIu64" packets not run, %"PRIu64" refused by the "
           "kernel\n", n.to_skb, n.tags, n.not_run, n.refused);
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
    AT_LEAST(200, output[OXDP_HOOK_XDP]);
    AT_LEAST(200, output[OXDP_HOOK_TC]);
    AT_LEAST(10, dropped[OXDP_HOOK_XDP]);
    AT_LEAST(10, dropped[OXDP_HOOK_TC]);
    AT_LEAST(20, to_skb);
    AT_LEAST(20, tags);
    AT_LEAST(20, reasons[OXDP_REASON_SET_FIELD]);
    AT_LEAST(5, reasons[OXDP_REASON_ACTION]);
    AT_LEAST(5, reasons[OXDP_REASON_MULTI_OUTPUT]);
    for (size_t i = 1; i <= OXDP_OP_SET_UDP; i++) {
        AT_LEAST(10, ops[i]);
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

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (geteuid()) {
        printf("skipped: not root\n");
        return SKIP;
    }
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    odp_execute_init();
    set_up();

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
        check_case();
    }
    print_figures();
    return n_cases >= 2000 && check_figures(n_cases) ? 1 : 0;
}
