/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse-ref: what OVS makes of a frame, to compare BPF's parser with.
 */

#ifndef PARSE_REF_H
#define PARSE_REF_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow.h"
#include "oxdp-abi.h"
#include "oxdp-parse.h"
#include "packet-gen.h"

/* What is to be found out about a frame. */
struct parse_ref {
    struct flow flow;           /* By flow_extract(). */
    struct oxdp_key key;        /* The same. */

    /* By a walk of our own from the offsets that flow_extract() found. */
    bool is_complex;            /* Has more headers than BPF walks. */
    size_t need;                /* No header is behind this many bytes. */
    int n_ext_hdrs;             /* IPv6 extension headers. */
    int n_nd_opts;              /* ND options, -1 if not ND. */
    bool nd_invalid;            /* Link-layer address given twice. */
    bool malformed;             /* IP, but OVS does not believe it. */
};

/* Metadata that a frame can come with. */
struct parse_metadata {
    uint32_t in_port;
    uint32_t recirc_id;
    uint32_t dp_hash;
    uint32_t skb_mark;
    uint32_t skb_priority;
};

/* Fills in '*ref' for the 'len' bytes at 'data'. */
void parse_ref_init(struct parse_ref *ref, const void *data, size_t len,
                    const struct parse_metadata *);

/* What the parser made of a frame. */
struct parse_result {
    int result;                 /* enum oxdp_parse_result. */
    uint32_t n_words;
    struct oxdp_key key;
    bool common;                /* oxdp_parse_common() parses it, */
    bool common_is_wrong;       /* and not as oxdp_parse(). */
};

/* Parses a frame of 'len' bytes of which the 'linear' bytes at 'data' are
 * readable, with the tag 'tpid' and 'tci' (0: none) outside it. */
void parse_native(struct parse_result *, const void *data, size_t linear,
                  size_t len, int vlan_limit, ovs_be16 tpid, ovs_be16 tci,
                  const struct parse_metadata *);

/* Compares '*result', for a frame of which 'linear' bytes of 'len' were
 * readable, with 'ref'; 'cut' bytes of the frame that 'ref' is about were
 * outside it.  Returns NULL if it is right, otherwise what is wrong. */
const char *parse_compare(const struct parse_ref *ref,
                          const struct parse_result *result,
                          size_t linear, size_t len, size_t cut);

/* Prints the words in which 'a' and 'b' differ. */
void parse_print_diff(const struct oxdp_key *a, const struct oxdp_key *b);

/* Moves a VLAN tag that OVS would see out of the frame in '*data' and '*len',
 * as the kernel does on the way into an SKB.  Returns false if there is
 * none. */
bool parse_untag(uint8_t *data, size_t *len, ovs_be16 *tpid, ovs_be16 *tci);

/* Kinds of packets, for the figures that show that a test was not vacuous:
 * name, condition on a struct parse_ref 'r' and a length 'len', and the
 * smallest number per 10,000 packets that will do. */
#define PARSE_KINDS                                                         \
    KIND("shorter than Ethernet", len < 14, 0)                              \
    KIND("up to 60 bytes", len >= 14 && len <= 60, 500)                     \
    KIND("up to 1,518 bytes", len > 60 && len <= 1518, 1000)                \
    KIND("up to 9,018 bytes", len > 1518 && len <= 9018, 100)               \
    KIND("longer", len > 9018, 5)                                           \
    KIND("no VLAN tag", !r->flow.vlans[0].tci, 1000)                        \
    KIND("VLAN tag 802.1Q", r->flow.vlans[0].tpid == htons(0x8100), 300)    \
    KIND("VLAN tag 802.1ad", r->flow.vlans[0].tpid == htons(0x88a8), 100)   \
    KIND("two VLAN tags", r->flow.vlans[1].tci, 100)                        \
    KIND("tag behind those",                                                \
         r->flow.dl_type == htons(0x8100)                                   \
         || r->flow.dl_type == htons(0x88a8), 100)                          \
    KIND("802.2", r->flow.dl_type == htons(FLOW_DL_TYPE_NONE), 30)          \
    KIND("IPv4", is_ipv4(r) && !r->malformed, 500)                          \
    KIND("IPv4 malformed", is_ipv4(r) && r->malformed, 100)                 \
    KIND("IPv4 first fragment", is_ipv4(r) && r->flow.nw_frag == 1, 30)     \
    KIND("IPv4 later fragment", is_ipv4(r) && r->flow.nw_frag == 3, 50)     \
    KIND("IPv6", is_ipv6(r) && !r->malformed, 500)                          \
    KIND("IPv6 malformed", is_ipv6(r) && r->malformed, 100)                 \
    KIND("IPv6 first fragment", is_ipv6(r) && r->flow.nw_frag == 1, 20)     \
    KIND("IPv6 later fragment", is_ipv6(r) && r->flow.nw_frag == 3, 20)     \
    KIND("1 extension header", r->n_ext_hdrs == 1, 100)                     \
    KIND("2 extension headers", r->n_ext_hdrs == 2, 100)                    \
    KIND("3 to 6 extension headers",                                        \
         r->n_ext_hdrs > 2 && r->n_ext_hdrs <= 6, 100)                      \
    KIND("too many of them", r->n_ext_hdrs > 6, 10)                         \
    KIND("TCP", is_l4(r, 6) && r->flow.tp_dst, 200)                         \
    KIND("TCP truncated", is_l4(r, 6) && !r->flow.tp_dst, 10)               \
    KIND("UDP", is_l4(r, 17) && r->flow.tp_dst, 100)                        \
    KIND("UDP truncated", is_l4(r, 17) && !r->flow.tp_dst, 5)               \
    KIND("SCTP", is_l4(r, 132) && r->flow.tp_dst, 50)                      \
    KIND("SCTP truncated", is_l4(r, 132) && !r->flow.tp_dst, 2)             \
    KIND("ICMP", is_l4(r, 1) && r->flow.tp_src, 50)                        \
    KIND("IGMP", is_l4(r, 2) && r->flow.igmp_group_ip4, 50)                 \
    KIND("ICMPv6 other than ND",                                            \
         is_l4(r, 58) && r->n_nd_opts < 0 && r->flow.tp_src, 50)            \
    KIND("ND", r->n_nd_opts >= 0, 100)                                      \
    KIND("ND over IPv4", is_ipv4(r) && r->n_nd_opts >= 0, 5)                \
    KIND("ND source address",                                               \
         r->n_nd_opts > 0 && !eth_addr_is_zero(r->flow.arp_sha), 30)        \
    KIND("ND target address",                                               \
         r->n_nd_opts > 0 && !eth_addr_is_zero(r->flow.arp_tha), 30)        \
    KIND("ND duplicate address", r->nd_invalid, 10)                         \
    KIND("ND too many options",                                             \
         r->n_nd_opts > OXDP_MAX_ND_OPTS, 5)                                \
    KIND("ARP", is_arp_type(r, 0x0806) && r->flow.nw_src, 50)               \
    KIND("ARP other opcode",                                                \
         is_arp_type(r, 0x0806) && r->flow.nw_src && !r->flow.nw_proto, 2)  \
    KIND("ARP malformed", is_arp_type(r, 0x0806) && !r->flow.nw_src, 10)    \
    KIND("RARP", is_arp_type(r, 0x8035) && r->flow.nw_src, 10)              \
    KIND("MPLS", eth_type_mpls(r->flow.dl_type), 50)                        \
    KIND("NSH", r->flow.dl_type == htons(0x894f), 50)

struct parse_census {
    uint64_t n;
    uint64_t kinds[64];
};

/* Counts a packet of 'len' bytes. */
void parse_census_add(struct parse_census *, const struct parse_ref *,
                      size_t len);

/* Prints the numbers.  Returns the number of those that are too small. */
int parse_census_print(const struct parse_census *);

#endif /* parse-ref.h */
