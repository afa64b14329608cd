/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "packet-gen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Numbers. */

/* Splitmix64: one word of state, and any seed is as good as another. */
static uint64_t
mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

uint64_t
packet_gen_seed(uint64_t seed)
{
    const char *s = getenv("OXDP_TEST_SEED");

    return s && *s ? strtoull(s, NULL, 0) : seed;
}

void
packet_gen_start(struct packet_gen *g, uint64_t seed, uint64_t i)
{
    g->random = mix(seed) + mix(i + 0x632be59bd9b4e019);
    g->len = 0;
}

uint32_t
packet_gen_random(struct packet_gen *g)
{
    g->random += 0x9e3779b97f4a7c15;
    return mix(g->random) >> 32;
}

uint32_t
packet_gen_below(struct packet_gen *g, uint32_t n)
{
    return ((uint64_t) packet_gen_random(g) * n) >> 32;
}

bool
packet_gen_chance(struct packet_gen *g, uint32_t percent)
{
    return packet_gen_below(g, 100) < percent;
}

#define PICK(G, ARRAY) ((ARRAY)[packet_gen_below(G, ARRAY_SIZE(ARRAY))])

/* Bytes.  What does not fit is left out, as if the packet had been cut. */

static void
put_u8(struct packet_gen *g, uint8_t x)
{
    if (g->len < PACKET_GEN_MAX) {
        g->data[g->len++] = x;
    }
}

static void
put_u16(struct packet_gen *g, uint16_t x)
{
    put_u8(g, x >> 8);
    put_u8(g, x);
}

static void
put_u32(struct packet_gen *g, uint32_t x)
{
    put_u16(g, x >> 16);
    put_u16(g, x);
}

static void
put_random(struct packet_gen *g, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_u8(g, packet_gen_random(g));
    }
}

/* Few different values, so that flows repeat and tests for "zero" matter. */
static void
put_mac(struct packet_gen *g)
{
    switch (packet_gen_below(g, 8)) {
    case 0:
        put_u16(g, 0);
        put_u32(g, 0);
        break;
    case 1:
        put_u16(g, 0xffff);
        put_u32(g, 0xffffffff);
        break;
    case 2:
        put_u16(g, 0x3333);
        put_u32(g, packet_gen_below(g, 4));
        break;
    default:
        put_u16(g, 0x0200);
        put_u32(g, packet_gen_random(g));
        break;
    }
}

static void
set_u16(struct packet_gen *g, size_t ofs, uint16_t x)
{
    if (ofs + 2 <= g->len) {
        g->data[ofs] = x >> 8;
        g->data[ofs + 1] = x;
    }
}

/* Remembers that the next field is a length. */
static void
mark_length(struct packet_gen *g, uint32_t width)
{
    if (g->n_lengths < ARRAY_SIZE(g->lengths)) {
        g->lengths[g->n_lengths].ofs = g->len;
        g->lengths[g->n_lengths++].width = width;
    }
}

void
packet_gen_fix_length(struct packet_gen *g)
{
    size_t size = g->len - g->ip_ofs;

    if (!g->ip_ofs || g->ip_ofs > g->len) {
        return;
    }
    if (g->ip_version == 4) {
        set_u16(g, g->ip_ofs + 2, MIN(size, UINT16_MAX));
    } else if (size >= 40) {
        set_u16(g, g->ip_ofs + 4, MIN(size - 40, UINT16_MAX));
    }
}

/* Layers. */

static void
put_payload(struct packet_gen *g)
{
    uint32_t max;

    g->headers_len = g->len;
    switch (packet_gen_below(g, 32)) {
    case 0:
        max = 9000;
        break;
    case 1: case 2:
        max = 1500;
        break;
    default:
        max = 48;
        break;
    }
    put_random(g, packet_gen_below(g, max));
}

static void
put_tcp(struct packet_gen *g)
{
    uint32_t words = packet_gen_chance(g, 60) ? 5
                     : 5 + packet_gen_below(g, 11);

    put_random(g, 12);
    mark_length(g, 0);
    put_u8(g, words << 4 | packet_gen_below(g, 16));
    put_random(g, 7 + (words - 5) * 4);
    put_payload(g);
}

static void
put_nd(struct packet_gen *g, uint8_t type)
{
    uint32_t n = packet_gen_below(g, packet_gen_chance(g, 70) ? 4 : 8);

    put_u8(g, type);
    put_u8(g, packet_gen_chance(g, 95) ? 0 : packet_gen_random(g));
    put_u16(g, packet_gen_random(g));
    put_u32(g, packet_gen_random(g));
    put_random(g, 16);
    while (n--) {
        static const uint8_t types[] = { 1, 1, 1, 2, 2, 2, 3, 5, 14, 24, 0 };
        uint32_t len = packet_gen_chance(g, 85) ? 1
                       : packet_gen_chance(g, 80) ? 1 + packet_gen_below(g, 4)
                       : packet_gen_below(g, 256);

        put_u8(g, PICK(g, types));
        mark_length(g, 1);
        put_u8(g, len);
        put_mac(g);
        put_random(g, len ? (len - 1) * 8 : 0);
    }
    /* Data behind the options would be one more. */
    g->headers_len = g->len;
    if (packet_gen_chance(g, 10)) {
        put_random(g, packet_gen_below(g, 16));
    }
}

static void
put_icmpv6(struct packet_gen *g)
{
    if (packet_gen_chance(g, 70)) {
        put_nd(g, 135 + packet_gen_below(g, 2));
    } else {
        put_u8(g, packet_gen_chance(g, 50) ? 128 : packet_gen_random(g));
        put_random(g, 7);
        put_payload(g);
    }
}

static void
put_l4(struct packet_gen *g, uint8_t proto)
{
    switch (proto) {
    case 6:
        put_tcp(g);
        break;
    case 17:
        put_random(g, 4);
        mark_length(g, 2);
        put_random(g, 4);
        put_payload(g);
        break;
    case 132:
        put_random(g, 12);
        put_payload(g);
        break;
    case 1: case 2:
        put_random(g, 8);
        put_payload(g);
        break;
    case 58:
        put_icmpv6(g);
        break;
    default:
        put_payload(g);
        break;
    }
}

static void
put_ipv4(struct packet_gen *g)
{
    static const uint8_t protos[] = {
        6, 6, 6, 17, 17, 132, 1, 1, 2, 58, 0, 43, 44, 51, 60, 47, 255,
    };
    static const uint16_t frags[] = {
        0, 0, 0, 0, 0x4000, 0x4000, 0x8000, 0x2000, 0x2001, 0x0001, 0x00b9,
        0x1fff, 0x20b9,
    };
    uint32_t words = packet_gen_chance(g, 70) ? 5
                     : 5 + packet_gen_below(g, 11);
    uint8_t proto = PICK(g, protos);
    size_t start = g->len;

    g->ip_ofs = start;
    g->ip_version = 4;
    mark_length(g, 0);
    put_u8(g, 0x40 | words);
    put_u8(g, packet_gen_random(g));
    mark_length(g, 2);
    put_u16(g, 0);
    put_u16(g, packet_gen_random(g));
    put_u16(g, PICK(g, frags));
    put_u8(g, packet_gen_random(g));
    put_u8(g, proto);
    put_u16(g, packet_gen_random(g));
    put_random(g, 8 + (words - 5) * 4);
    put_l4(g, proto);
    packet_gen_fix_length(g);
}

/* Appends an extension header of type 'type' before one of type 'next'. */
static void
put_ext_hdr(struct packet_gen *g, uint8_t type, uint8_t next)
{
    static const uint16_t frags[] = {
        0, 0, 0, 1, 1, 0x0006, 0x0008, 0x0009, 0xfff8,
    };
    uint32_t len = g->long_headers ? 128 + packet_gen_below(g, 128)
                   : packet_gen_chance(g, 80) ? packet_gen_below(g, 3)
                   : packet_gen_chance(g, 80) ? packet_gen_below(g, 16)
                   : packet_gen_below(g, 256);

    put_u8(g, next);
    mark_length(g, 1);
    if (type == 44) {
        put_u8(g, packet_gen_random(g));
        put_u16(g, PICK(g, frags));
        put_u32(g, packet_gen_random(g));
    } else {
        put_u8(g, len);
        put_random(g, (type == 51 ? (len + 2) * 4 : (len + 1) * 8) - 2);
    }
}

static void
put_ipv6(struct packet_gen *g)
{
    static const uint8_t protos[] = {
        6, 6, 6, 17, 17, 132, 1, 2, 58, 58, 58, 58, 59, 50, 135, 255,
    };
    static const uint8_t ext_hdrs[] = { 0, 0, 43, 43, 60, 60, 51, 51, 44 };
    uint8_t chain[9];
    size_t start = g->len;
    uint32_t n;

    n = g->long_headers ? 2 + packet_gen_below(g, 5)
        : packet_gen_chance(g, 40) ? 0
        : packet_gen_chance(g, 50) ? 1 + packet_gen_below(g, 2)
        : packet_gen_below(g, 9);
    for (uint32_t i = 0; i < n; i++) {
        chain[i] = PICK(g, ext_hdrs);
    }
    chain[n] = PICK(g, protos);

    g->ip_ofs = start;
    g->ip_version = 6;
    put_u32(g, 0x60000000 | packet_gen_random(g) >> 4);
    mark_length(g, 2);
    put_u16(g, 0);
    put_u8(g, chain[0]);
    put_random(g, 33);
    for (uint32_t i = 0; i < n; i++) {
        put_ext_hdr(g, chain[i], chain[i + 1]);
    }
    put_l4(g, chain[n]);
    packet_gen_fix_length(g);
}

static void
put_arp(struct packet_gen *g)
{
    put_u16(g, packet_gen_chance(g, 95) ? 1 : packet_gen_random(g));
    put_u16(g, packet_gen_chance(g, 95) ? 0x0800 : packet_gen_random(g));
    mark_length(g, 1);
    put_u8(g, packet_gen_chance(g, 95) ? 6 : packet_gen_random(g));
    mark_length(g, 1);
    put_u8(g, packet_gen_chance(g, 95) ? 4 : packet_gen_random(g));
    put_u16(g, packet_gen_chance(g, 80) ? 1 + packet_gen_below(g, 4)
               : packet_gen_random(g) >> packet_gen_below(g, 32));
    put_mac(g);
    put_u32(g, packet_gen_random(g));
    put_mac(g);
    put_u32(g, packet_gen_random(g));
    g->headers_len = g->len;
}

static void
put_mpls(struct packet_gen *g)
{
    uint32_t n = packet_gen_below(g, 5);

    for (uint32_t i = 0; i <= n; i++) {
        put_u32(g, (packet_gen_random(g) & ~0x100u) | (i == n ? 0x100 : 0));
    }
    put_ipv4(g);
}

static void
put_nsh(struct packet_gen *g)
{
    uint32_t md = packet_gen_chance(g, 70) ? 1 : 2;
    uint32_t words = md == 1 ? 6 : 2 + packet_gen_below(g, 60);

    mark_length(g, 2);
    put_u16(g, packet_gen_below(g, 64) << 6 | words);
    put_u8(g, md);
    put_u8(g, packet_gen_below(g, 6));
    put_random(g, (words - 1) * 4);
    put_payload(g);
}

/* Appends an Ethernet type and what belongs to it. */
static void
put_l3(struct packet_gen *g)
{
    static const uint16_t others[] = {
        0x0600, 0x05ff, 0x86de, 0x0801, 0x8863, 0x88cc, 0x9100, 0xffff,
    };

    switch (g->long_headers ? 7 : packet_gen_below(g, 20)) {
    case 0: case 1: case 2: case 3: case 4: case 5: case 6:
        put_u16(g, 0x0800);
        put_ipv4(g);
        break;
    case 7: case 8: case 9: case 10: case 11: case 12: case 13: case 14:
        put_u16(g, 0x86dd);
        put_ipv6(g);
        break;
    case 15:
        put_u16(g, 0x0806);
        put_arp(g);
        break;
    case 16:
        put_u16(g, packet_gen_chance(g, 50) ? 0x8035 : 0x0806);
        put_arp(g);
        break;
    case 17:
        put_u16(g, packet_gen_chance(g, 50) ? 0x8847 : 0x8848);
        put_mpls(g);
        break;
    case 18:
        put_u16(g, 0x894f);
        put_nsh(g);
        break;
    case 19:
        put_u16(g, packet_gen_chance(g, 50) ? PICK(g, others)
                   : packet_gen_random(g));
        put_payload(g);
        break;
    }
}

/* Appends an IEEE 802.3 length, LLC, and perhaps SNAP and what belongs to
 * it. */
static void
put_llc(struct packet_gen *g)
{
    size_t start = g->len;

    put_u16(g, 0);
    if (packet_gen_chance(g, 70)) {
        put_u16(g, 0xaaaa);
        put_u8(g, packet_gen_chance(g, 95) ? 3 : packet_gen_random(g));
        put_u8(g, packet_gen_chance(g, 95) ? 0 : packet_gen_random(g));
        put_u16(g, packet_gen_chance(g, 95) ? 0 : packet_gen_random(g));
        if (packet_gen_chance(g, 10)) {
            put_u16(g, packet_gen_below(g, 0x700));
            put_payload(g);
        } else {
            put_l3(g);
        }
    } else {
        put_u16(g, packet_gen_chance(g, 50) ? 0x4242 : packet_gen_random(g));
        put_u8(g, packet_gen_random(g));
        put_payload(g);
    }
    set_u16(g, start, MIN(g->len - start - 2, 0x5ff));
}

void
packet_gen_make(struct packet_gen *g)
{
    uint32_t n_tags = packet_gen_chance(g, 50) ? 0 : packet_gen_below(g, 4);

    g->len = g->headers_len = g->n_lengths = g->ip_ofs = 0;
    put_mac(g);
    put_mac(g);
    while (n_tags--) {
        put_u16(g, packet_gen_chance(g, 70) ? 0x8100 : 0x88a8);
        put_u16(g, packet_gen_chance(g, 90) ? packet_gen_random(g) : 0);
    }
    if (packet_gen_chance(g, 8)) {
        put_llc(g);
    } else {
        put_l3(g);
    }
    if (packet_gen_chance(g, 20)) {
        put_random(g, 1 + packet_gen_below(g, 46));
    }
}

void
packet_gen_make_long(struct packet_gen *g)
{
    g->long_headers = true;
    packet_gen_make(g);
    g->long_headers = false;
}

/* Mutations. */

static void
corrupt_length(struct packet_gen *g)
{
    static const int deltas[] = { -8, -4, -2, -1, 1, 2, 4, 8, 20, -20, 40 };
    uint32_t i, ofs, width, x;

    if (!g->n_lengths) {
        return;
    }
    i = packet_gen_below(g, g->n_lengths);
    ofs = g->lengths[i].ofs;
    width = g->lengths[i].width;
    if (ofs + MAX(width, 1) > g->len) {
        return;
    }

    x = width == 2 ? g->data[ofs] << 8 | g->data[ofs + 1] : g->data[ofs];
    if (width == 0) {
        /* TCP has its length in the high nibble, IPv4 in the low one. */
        x = packet_gen_chance(g, 50)
            ? (x & 0x0f) | packet_gen_below(g, 16) << 4
            : (x & 0xf0) | packet_gen_below(g, 16);
    } else if (packet_gen_chance(g, 60)) {
        x += PICK(g, deltas);
    } else {
        switch (packet_gen_below(g, 4)) {
        case 0:
            x = 0;
            break;
        case 1:
            x = UINT16_MAX;
            break;
        case 2:                 /* About what is left of the packet. */
            x = g->len - ofs + packet_gen_below(g, 8) - 4;
            break;
        case 3:
            x = packet_gen_random(g);
            break;
        }
    }
    if (width == 2) {
        set_u16(g, ofs, x);
    } else {
        g->data[ofs] = x;
    }
}

/* Returns where to change something, most often in a header. */
static size_t
pick_ofs(struct packet_gen *g)
{
    size_t n = packet_gen_chance(g, 90) ? MIN(g->headers_len + 8, g->len)
               : g->len;

    return packet_gen_below(g, MAX(n, 1));
}

static void
splice(struct packet_gen *g)
{
    size_t from = pick_ofs(g);
    size_t to = pick_ofs(g);
    size_t n = 1 + packet_gen_below(g, packet_gen_chance(g, 50) ? 4 : 32);

    n = MIN(n, g->len - MAX(from, to));
    memmove(&g->data[to], &g->data[from], n);
}

/* Takes bytes out, or puts some in, so that what follows is displaced. */
static void
displace(struct packet_gen *g)
{
    size_t ofs = pick_ofs(g);
    size_t n = 1 + packet_gen_below(g, 20);

    if (packet_gen_chance(g, 50)) {
        n = MIN(n, g->len - ofs);
        memmove(&g->data[ofs], &g->data[ofs + n], g->len - ofs - n);
        g->len -= n;
    } else if (g->len + n <= PACKET_GEN_MAX) {
        memmove(&g->data[ofs + n], &g->data[ofs], g->len - ofs);
        g->len += n;
    }
}

static void
set_byte(struct packet_gen *g)
{
    /* What parsers compare with. */
    static const uint8_t values[] = {
        0, 1, 2, 3, 4, 5, 6, 7, 8, 14, 17, 20, 40, 43, 44, 51, 58, 60, 132,
        135, 136, 0x40, 0x45, 0x60, 0x81, 0x88, 0xa8, 0x86, 0xdd, 0xaa, 0xff,
    };

    g->data[pick_ofs(g)] = PICK(g, values);
}

/* Changes the length of the packet. */
static void
resize(struct packet_gen *g)
{
    size_t len;

    switch (packet_gen_below(g, 64)) {
    case 0:
        len = packet_gen_below(g, 9001);
        break;
    case 1:
        len = 65500 + packet_gen_below(g, 6000);
        break;
    case 2: case 3: case 4: case 5: case 6: case 7: case 8: case 9:
        len = g->len + packet_gen_below(g, 64);
        break;
    default:
        /* Rarely so short that nobody looks further. */
        len = packet_gen_below(g, MIN(g->headers_len + 16, g->len) + 1);
        if (len < 14 && packet_gen_chance(g, 80)) {
            len = MIN(g->len, 14 + len);
        }
        break;
    }
    len = MIN(len, PACKET_GEN_MAX);
    if (len > g->len) {
        /* Long padding of zeros, since random bytes take time. */
        memset(&g->data[g->len], 0, len - g->len);
    }
    g->len = len;
}

void
packet_gen_mutate(struct packet_gen *g)
{
    uint32_t n = 1 + packet_gen_below(g, packet_gen_chance(g, 60) ? 1 : 4);

    while (n-- && g->len) {
        switch (packet_gen_below(g, 8)) {
        case 0: case 1:
            corrupt_length(g);
            break;
        case 2:
            g->data[pick_ofs(g)] ^= 1 << packet_gen_below(g, 8);
            break;
        case 3:
            splice(g);
            break;
        case 4:
            displace(g);
            break;
        case 5:
            set_byte(g);
            break;
        default:
            resize(g);
            if (packet_gen_chance(g, 70)) {
                packet_gen_fix_length(g);
            }
            break;
        }
    }
}

void
packet_gen_dump(const void *data_, size_t len)
{
    const uint8_t *data = data_;

    for (size_t i = 0; i < len; i++) {
        printf("%s%02x", i % 16 ? " " : i ? "\n    " : "    ", data[i]);
    }
    printf("\n");
}
