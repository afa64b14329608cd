/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "parse-ref.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dp-packet.h"
#include "oxdp-match.h"
#include "packets.h"
#include "util.h"

static bool
is_ipv4(const struct parse_ref *r)
{
    return r->flow.dl_type == htons(0x0800);
}

static bool
is_ipv6(const struct parse_ref *r)
{
    return r->flow.dl_type == htons(0x86dd);
}

static bool
is_arp_type(const struct parse_ref *r, uint16_t type)
{
    return r->flow.dl_type == htons(type);
}

/* Layer 4 is 'proto' and should be there. */
static bool
is_l4(const struct parse_ref *r, uint8_t proto)
{
    return (is_ipv4(r) || is_ipv6(r)) && !r->malformed
           && r->flow.nw_proto == proto
           && !(r->flow.nw_frag & FLOW_NW_FRAG_LATER);
}

static uint32_t
get_u16(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static bool
is_ext_hdr(uint8_t type)
{
    return type == 0 || type == 43 || type == 44 || type == 51 || type == 60;
}

/* Counts the extension headers of the IPv6 packet that starts at 'ofs'. */
static void
survey_ipv6(struct parse_ref *ref, const uint8_t *data, size_t len, size_t ofs)
{
    size_t end;
    uint8_t next;

    ref->need = ofs + 40;
    if (len - ofs < 40) {
        return;
    }
    next = data[ofs + 6];
    end = ofs + 40 + get_u16(&data[ofs + 4]);
    if (end > len || len - end > UINT16_MAX) {
        return;
    }

    for (ofs += 40; is_ext_hdr(next); ) {
        size_t hdr_len;

        if (ref->n_ext_hdrs == OXDP_MAX_EXT_HDRS) {
            ref->is_complex = true;
        }
        ref->n_ext_hdrs++;
        if (end - ofs < 8) {
            break;
        }
        ref->need = ofs + 8;
        hdr_len = next == 44 ? 8
                  : next == 51 ? 8 + data[ofs + 1] * 4
                  : 8 + data[ofs + 1] * 8;
        if (hdr_len > end - ofs
            || (next == 44 && get_u16(&data[ofs + 2]) & 0xfff8)) {
            break;
        }
        next = data[ofs];
        ofs += hdr_len;
    }
}

/* Counts the options of the ND message of 'size' bytes at 'ofs'. */
static void
survey_nd(struct parse_ref *ref, const uint8_t *data, size_t ofs, size_t size)
{
    bool seen[3] = { false, false, false };
    size_t end = ofs + size;

    ref->n_nd_opts = 0;
    if (size < 24) {
        return;
    }
    ref->need = ofs + 24;
    for (ofs += 24; end - ofs >= 8; ) {
        size_t opt_len = data[ofs + 1] * 8;
        uint8_t type = data[ofs];

        if (ref->n_nd_opts == OXDP_MAX_ND_OPTS) {
            ref->is_complex = true;
        }
        ref->need = ofs + 8;
        if (!opt_len || opt_len > end - ofs) {
            /* It takes a look to see that there is no more. */
            ref->n_nd_opts += ref->is_complex;
            break;
        }
        ref->n_nd_opts++;
        if ((type == 1 || type == 2) && opt_len == 8) {
            if (seen[type]) {
                ref->nd_invalid = true;
                break;
            }
            seen[type] = !is_all_zeros(&data[ofs + 2], 6);
        }
        ofs += opt_len;
    }
}

static void
survey(struct parse_ref *ref, const struct dp_packet *packet)
{
    const uint8_t *data = dp_packet_data(packet);
    size_t len = dp_packet_size(packet);
    size_t l4_size;

    ref->n_nd_opts = -1;
    if (len < 14) {
        return;
    }

    /* Past the Ethernet type OVS looks for LLC and SNAP. */
    ref->need = packet->l3_ofs + 8;
    if (is_ipv4(ref)) {
        ref->need = packet->l3_ofs + 20;
    } else if (is_ipv6(ref)) {
        survey_ipv6(ref, data, len, packet->l3_ofs);
    } else if (is_arp_type(ref, 0x0806) || is_arp_type(ref, 0x8035)) {
        ref->need = packet->l3_ofs + 28;
    } else if (eth_type_mpls(ref->flow.dl_type)) {
        ref->need = packet->l3_ofs + 12;
    }
    ref->malformed = packet->l4_ofs == UINT16_MAX;
    if ((!is_ipv4(ref) && !is_ipv6(ref)) || ref->malformed
        || ref->flow.nw_frag & FLOW_NW_FRAG_LATER) {
        return;
    }

    l4_size = dp_packet_l4_size(packet);
    ref->need = MAX(ref->need, packet->l4_ofs);
    switch (ref->flow.nw_proto) {
    case 6:
        ref->need = packet->l4_ofs + 20;
        break;
    case 17: case 132:
        ref->need = packet->l4_ofs + 4;
        break;
    case 1: case 2: case 58:
        ref->need = packet->l4_ofs + 8;
        break;
    }
    if (ref->flow.nw_proto == 58 && l4_size >= 8) {
        const uint8_t *icmp = &data[packet->l4_ofs];

        if ((icmp[0] == 135 || icmp[0] == 136) && !icmp[1]) {
            survey_nd(ref, data, packet->l4_ofs, l4_size);
        }
    }
}

void
parse_ref_init(struct parse_ref *ref, const void *data, size_t len,
               const struct parse_metadata *md)
{
    struct dp_packet packet;

    memset(ref, 0, sizeof *ref);
    dp_packet_use_const(&packet, data, len);
    pkt_metadata_init(&packet.md, u32_to_odp(md->in_port));
    packet.md.recirc_id = md->recirc_id;
    packet.md.dp_hash = md->dp_hash;
    packet.md.pkt_mark = md->skb_mark;
    packet.md.skb_priority = md->skb_priority;
    flow_extract(&packet, &ref->flow);
    oxdp_key_from_flow(&ref->flow, &ref->key);
    survey(ref, &packet);
    ref->need = MIN(ref->need, len);
}

void
parse_native(struct parse_result *r, const void *data, size_t linear,
             size_t len, int vlan_limit, ovs_be16 tpid, ovs_be16 tci,
             const struct parse_metadata *md)
{
    struct oxdp_pos pos;
    struct oxdp_pkt pkt;

    /* What the parser does not set shall be seen. */
    memset(&pkt, 0xcc, sizeof pkt);
    memset(&pos, 0xcc, sizeof pos);
    pkt.pos = &pos;
    pkt.data = data;
    pkt.end = pkt.data + linear;
    pkt.len = len;
    pkt.vlan_limit = vlan_limit;
    pkt.vlan_tpid = (OVS_FORCE __be16) tpid;
    pkt.vlan_tci = (OVS_FORCE __be16) tci;

    memset(&r->key, 0, sizeof r->key);
    pkt.where = oxdp_key_where(md->in_port, md->recirc_id);
    r->key.dp_hash = md->dp_hash;
    r->key.skb_mark = md->skb_mark;
    r->key.skb_priority = md->skb_priority;
    r->result = oxdp_parse(&pkt, &r->key);
    if (r->result == OXDP_PARSE_EXT) {
        r->result = oxdp_parse_ext(&pkt, &r->key);
    }
    if (r->result == OXDP_PARSE_ND) {
        r->result = oxdp_parse_nd(&pkt, &r->key);
    }
    r->n_words = (md->dp_hash || md->skb_mark || md->skb_priority
                  ? OXDP_KEY_WORDS : pkt.n_words);

    /* The short cut sets the same words and no other. */
    struct oxdp_key common, expected;

    memset(&common, 0xcc, sizeof common);
    expected = common;
    memcpy(&expected, &r->key, OXDP_KEY_WORDS_IPV4 * 8);
    r->common = oxdp_parse_common(&pkt, &common) == OXDP_PARSE_OK;
    r->common_is_wrong = (r->common
                          && (r->result != OXDP_PARSE_OK
                              || pkt.n_words != OXDP_KEY_WORDS_IPV4
                              || memcmp(&common, &expected, sizeof common)));
}

const char *
parse_compare(const struct parse_ref *ref, const struct parse_result *r,
              size_t linear, size_t len, size_t cut)
{
    const uint8_t *key = (const uint8_t *) &r->key;

    if (r->common_is_wrong) {
        return "key is different in the common case";
    }
    switch (r->result) {
    case OXDP_PARSE_OK:
        if (memcmp(&r->key, &ref->key, sizeof r->key)) {
            return "key is different";
        }
        if (ref->is_complex) {
            return "key is right, but walked further than it should";
        }
        if (r->n_words != OXDP_KEY_WORDS_IPV4
            && r->n_words != OXDP_KEY_WORDS_IPV6
            && r->n_words != OXDP_KEY_WORDS) {
            return "n_words is none of the three";
        }
        if (!is_all_zeros(&key[r->n_words * 8],
                          sizeof r->key - r->n_words * 8)) {
            return "key is not zero behind n_words";
        }
        return NULL;

    case OXDP_PARSE_MORE:
        if (linear >= len) {
            return "wants more than there is";
        }
        if (linear + cut >= ref->need && !ref->is_complex) {
            return "wants more than it needs";
        }
        return NULL;

    case OXDP_PARSE_COMPLEX:
        return ref->is_complex ? NULL : "gives up without need";

    default:
        return "unknown result";
    }
}

void
parse_print_diff(const struct oxdp_key *a, const struct oxdp_key *b)
{
    for (int i = 0; i < OXDP_KEY_WORDS; i++) {
        const uint8_t *p = (const uint8_t *) a + i * 8;
        const uint8_t *q = (const uint8_t *) b + i * 8;

        if (memcmp(p, q, 8)) {
            printf("  word %2d: OVS  ", i);
            packet_gen_dump(p, 8);
            printf("           BPF  ");
            packet_gen_dump(q, 8);
        }
    }
}

bool
parse_untag(uint8_t *data, size_t *len, ovs_be16 *tpid, ovs_be16 *tci)
{
    if (*len < 18 || (get_u16(&data[12]) != 0x8100
                      && get_u16(&data[12]) != 0x88a8)) {
        *tpid = *tci = 0;
        return false;
    }
    *tpid = htons(get_u16(&data[12]));
    *tci = htons(get_u16(&data[14]) | VLAN_CFI);
    memmove(&data[12], &data[16], *len - 16);
    *len -= 4;
    return true;
}

void
parse_census_add(struct parse_census *c, const struct parse_ref *r, size_t len)
{
    size_t i = 0;

    c->n++;
#define KIND(NAME, CONDITION, MINIMUM) c->kinds[i++] += !!(CONDITION);
    PARSE_KINDS
#undef KIND
    ovs_assert(i <= ARRAY_SIZE(c->kinds));
}

int
parse_census_print(const struct parse_census *c)
{
    int n_short = 0;
    size_t i = 0;

#define KIND(NAME, CONDITION, MINIMUM)                                  \
    {                                                                   \
        bool enough = c->kinds[i] * 10000 >= (MINIMUM) * c->n;          \
                                                                        \
        printf("%10"PRIu64" %s%s\n", c->kinds[i], NAME,                 \
               enough ? "" : "  <-- too few");                          \
        n_short += !enough;                                             \
        i++;                                                            \
    }
    PARSE_KINDS
#undef KIND
    return n_short;
}
