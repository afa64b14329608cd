/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "mask-gen.h"

#include <string.h>

#include "flow.h"
#include "odp-util.h"
#include "openvswitch/match.h"
#include "oxdp-abi.h"
#include "packet-gen.h"
#include "packets.h"
#include "parse-ref.h"
#include "util.h"

void
mask_gen_bits(struct packet_gen *gen, void *mask, size_t size)
{
    uint8_t *p = mask;

    if (packet_gen_chance(gen, 60)) {
        memset(p, 0xff, size);
    } else if (packet_gen_chance(gen, 30)) {
        p[packet_gen_below(gen, size)] |= 1 << packet_gen_below(gen, 8);
    } else {
        for (size_t i = 0; i < size; i++) {
            p[i] = packet_gen_random(gen);
        }
    }
}

void
mask_gen_make(struct packet_gen *gen, struct flow_wildcards *wc,
              uint32_t percent, uint32_t hidden, int n_words)
{
    struct flow *m = &wc->masks;

    flow_wildcards_init_catchall(wc);
    m->in_port.odp_port = ODPP_NONE;
    m->recirc_id = UINT32_MAX;
    if (packet_gen_chance(gen, 90)) {
        m->dl_type = OVS_BE16_MAX;
    }
    if (packet_gen_chance(gen, 95)) {
        m->vlans[0].tci = packet_gen_chance(gen, 50) ? OVS_BE16_MAX
                          : htons(VLAN_VID_MASK | VLAN_CFI);
    }
    if (packet_gen_chance(gen, 80)) {
        m->nw_frag = FLOW_NW_FRAG_MASK;
    }

#define MAYBE(FIELD)                                    \
    if (packet_gen_chance(gen, percent)) {             \
        mask_gen_bits(gen, &m->FIELD, sizeof m->FIELD);        \
    }
    MAYBE(dl_src);
    MAYBE(dl_dst);
    MAYBE(vlans[0].tpid);
    MAYBE(vlans[1].tpid);
    MAYBE(vlans[1].tci);
    MAYBE(nw_proto);
    MAYBE(nw_tos);
    MAYBE(nw_ttl);
    MAYBE(ipv6_label);
    MAYBE(tp_src);
    MAYBE(tp_dst);
    MAYBE(tcp_flags);
    if (packet_gen_chance(gen, percent)) {
        m->nw_src = be32_prefix_mask(packet_gen_below(gen, 33));
        m->ipv6_src = ipv6_create_mask(packet_gen_below(gen, 129));
    }
    if (packet_gen_chance(gen, percent)) {
        m->nw_dst = be32_prefix_mask(packet_gen_below(gen, 33));
        m->ipv6_dst = ipv6_create_mask(packet_gen_below(gen, 129));
    }
    percent /= 4;
    MAYBE(nd_target);
    MAYBE(arp_sha);
    MAYBE(arp_tha);
    MAYBE(igmp_group_ip4);
    MAYBE(mpls_lse);
    percent = hidden;
    MAYBE(dp_hash);
    MAYBE(pkt_mark);
    MAYBE(skb_priority);
    MAYBE(ct_state);
    MAYBE(ct_zone);
    MAYBE(tunnel.tun_id);
    MAYBE(nsh.path_hdr);
#undef MAYBE
#define CLEAR(FIELD) memset(&m->FIELD, 0, sizeof m->FIELD)
    switch (n_words) {
    case OXDP_KEY_WORDS_MIN:
        CLEAR(dl_src);
        CLEAR(dl_dst);
        CLEAR(vlans[1]);
        /* Fall through. */
    case OXDP_KEY_WORDS_ETH:
        CLEAR(tp_src);
        CLEAR(tp_dst);
        CLEAR(tcp_flags);
        CLEAR(nw_src);
        CLEAR(nw_dst);
        /* Fall through. */
    case OXDP_KEY_WORDS_IPV4:
        CLEAR(ipv6_src);
        CLEAR(ipv6_dst);
        CLEAR(ipv6_label);
        CLEAR(mpls_lse);
        CLEAR(igmp_group_ip4);
        /* Fall through. */
    case OXDP_KEY_WORDS_IPV6:
        CLEAR(nd_target);
        CLEAR(arp_sha);
        CLEAR(arp_tha);
        CLEAR(dp_hash);
        CLEAR(pkt_mark);
        CLEAR(skb_priority);
    }
#undef CLEAR
}

struct flow
mask_gen_apply(const struct flow *flow, const struct flow *mask)
{
    struct flow masked = *flow;
    uint64_t *w = (uint64_t *) &masked;
    const uint64_t *m = (const uint64_t *) mask;

    for (size_t i = 0; i < FLOW_U64S; i++) {
        w[i] &= m[i];
    }
    return masked;
}

bool
mask_gen_frame(struct packet_gen *gen, uint64_t seed, uint32_t i, bool change,
               const struct parse_metadata *md, struct flow *flow)
{
    struct packet_gen frame;
    struct parse_ref ref;

    packet_gen_start(&frame, seed, i);
    frame.long_headers = false;
    packet_gen_make(&frame);
    frame.len = MIN(frame.len, 1514);
    if (change) {
        for (int j = packet_gen_below(gen, 3); j >= 0; j--) {
            size_t end = MIN(frame.headers_len, frame.len);

            frame.data[packet_gen_below(gen, end)]
                ^= 1 << packet_gen_below(gen, 8);
        }
    }
    memcpy(gen->data, frame.data, frame.len);
    gen->len = frame.len;

    parse_ref_init(&ref, gen->data, gen->len, md);
    *flow = ref.flow;
    return gen->len > 14 && !ref.is_complex && ref.need < 1514;
}
