/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse-fuzz: BPF's parser against OVS's flow_extract(), natively.
 *
 * usage: parse-fuzz [N_PACKETS [FIRST]]
 *
 * Every packet is parsed as XDP sees it, with its tags in the frame, and if
 * there is a tag as TC sees it, with the outer one in the SKB; each complete
 * and with the readable part cut short; each with both limits on tags.  The
 * key must be flow_extract()'s, or the parser must say that it needs more
 * bytes or gives up, in exactly those cases in which it has to.
 *
 * Packets lie in front of a page that cannot be read, or in a buffer of
 * exactly their length if there is an address sanitizer.  Environment variable
 * OXDP_TEST_SEED overrides the seed.
 */

#include <config.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "packet-gen.h"
#include "packets.h"
#include "parse-ref.h"
#include "util.h"

#define N_PACKETS 400000

static struct packet_gen gen;
static struct parse_census census;

/* What is being tested, for the message if it fails. */
static uint64_t seed, number;
static const char *form;

static uint64_t n_frames;       /* Packets, and what they were cut to. */
static uint64_t n_parses[2];    /* XDP, SKB. */
static uint64_t n_common;
static uint64_t n_results[2][OXDP_PARSE_ND + 1]; /* Complete, cut. */

/* Memory of which each byte past the end is out of bounds. */

#ifdef __SANITIZE_ADDRESS__
#define HAVE_ASAN true
#else
#define HAVE_ASAN false
#endif

struct exact {
    uint8_t *data;
    uint8_t *guard;             /* Not readable from here on. */
};

static void
exact_init(struct exact *e)
{
    size_t page = getpagesize();
    size_t size = ROUND_UP(PACKET_GEN_MAX, page);
    uint8_t *p;

    e->data = NULL;
    e->guard = NULL;
    if (!HAVE_ASAN) {
        p = mmap(NULL, size + page, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ovs_assert(p != MAP_FAILED);
        e->guard = p + size;
        ovs_assert(!mprotect(e->guard, page, PROT_NONE));
    }
}

/* Returns a copy of the 'n' bytes at 'data', valid until the next call.  It
 * starts at an even address, as every frame does. */
static uint8_t *
exact_copy(struct exact *e, const void *data, size_t n)
{
    if (HAVE_ASAN) {
        free(e->data);
        e->data = xmalloc(n);
    } else {
        e->data = e->guard - ROUND_UP(n, 2);
    }
    memcpy(e->data, data, n);
    return e->data;
}

static struct exact whole, untagged, part;

static void
print_repeat(void)
{
    printf("Repeat with: OXDP_TEST_SEED=%"PRIu64" parse-fuzz 1 %"PRIu64"\n",
           seed, number);
}

static void OVS_NO_RETURN
on_sigsegv(int signo OVS_UNUSED)
{
    printf("FAILED: read past the end of packet %"PRIu64" as %s\n", number,
           form);
    print_repeat();
    fflush(stdout);
    _exit(1);
}

static void OVS_NO_RETURN
fail(const char *why, const struct parse_ref *ref,
     const struct parse_result *r, const uint8_t *data, size_t linear,
     size_t len, int vlan_limit)
{
    printf("FAILED: %s\n"
           "  seed %"PRIu64", packet %"PRIu64", as %s of %"PRIuSIZE" bytes, "
           "%"PRIuSIZE" readable, up to %d VLAN tags\n"
           "  result %d, n_words %"PRIu32"\n", why, seed, number, form, len,
           linear, vlan_limit, r->result, r->n_words);
    parse_print_diff(&ref->key, &r->key);
    printf("  frame:\n");
    packet_gen_dump(data, linear);
    print_repeat();
    exit(1);
}

/* Parses the 'len' bytes at 'data', complete and cut, and compares with
 * 'ref'. */
static void
check_form(const struct parse_ref *ref, const uint8_t *data, size_t len,
           int vlan_limit, ovs_be16 tpid, ovs_be16 tci,
           const struct parse_metadata *md)
{
    size_t cut = tci ? 4 : 0;
    const uint8_t *from = data;
    struct parse_result r;
    size_t linear = len;

    form = tci ? "an SKB" : "an XDP frame";
    for (int i = 0; i < 3; i++) {
        const char *why;

        parse_native(&r, data, linear, len, vlan_limit, tpid, tci, md);
        why = parse_compare(ref, &r, linear, len, cut);
        if (why) {
            fail(why, ref, &r, data, linear, len, vlan_limit);
        }
        n_parses[tci != 0]++;
        n_results[i > 0][r.result]++;
        n_common += r.common;

        linear = packet_gen_below(&gen, MIN(len, i ? ref->need + 2 : len) + 1);
        data = exact_copy(&part, from, linear);
    }
}

static void
check_frame(const uint8_t *frame, size_t len)
{
    struct parse_metadata md = {
        .in_port = packet_gen_below(&gen, OXDP_MAX_PORTS),
        .recirc_id = packet_gen_random(&gen),
    };
    const uint8_t *data = exact_copy(&whole, frame, len);

    /* Half without, as it makes all words of the key count. */
    if (packet_gen_chance(&gen, 50)) {
        md.dp_hash = packet_gen_random(&gen);
        md.skb_mark = packet_gen_random(&gen) & 0xff00;
        md.skb_priority = packet_gen_random(&gen) & 0xff;
    }
    n_frames++;
    for (int vlan_limit = 1; vlan_limit <= 2; vlan_limit++) {
        struct parse_ref ref;
        ovs_be16 tpid, tci;
        size_t skb_len = len;
        uint8_t *skb;

        flow_limit_vlans(vlan_limit);
        parse_ref_init(&ref, data, len, &md);
        parse_census_add(&census, &ref, len);
        check_form(&ref, data, len, vlan_limit, 0, 0, &md);

        /* Without a tag both forms are the same. */
        if (len >= 14 && eth_type_vlan(*(const ovs_be16 *) &data[12])) {
            skb = exact_copy(&part, data, len);
            if (parse_untag(skb, &skb_len, &tpid, &tci)) {
                skb = exact_copy(&untagged, skb, skb_len);
                check_form(&ref, skb, skb_len, vlan_limit, tpid, tci, &md);
            }
        }
    }
}

int
main(int argc, char *argv[])
{
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 0) : N_PACKETS;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
    int n_short = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!HAVE_ASAN) {
        signal(SIGSEGV, on_sigsegv);
    }
    seed = packet_gen_seed(1);
    printf("seed %"PRIu64", %"PRIu64" packets\n", seed, n);
    exact_init(&whole);
    exact_init(&untagged);
    exact_init(&part);

    for (uint64_t i = 0; i < n; i++) {
        number = first + i;
        packet_gen_start(&gen, seed, number);
        if (number % 251) {
            packet_gen_make(&gen);
        } else {
            packet_gen_make_long(&gen);
        }
        if (number % 256 == 0) {
            /* Ending after every byte, from the end, since that of the IP
             * header's length is lost on the way. */
            for (gen.len = MIN(gen.len, MIN(gen.headers_len + 16, 512));
                 gen.len > 0; gen.len--) {
                check_frame(gen.data, gen.len);
                packet_gen_fix_length(&gen);
                check_frame(gen.data, gen.len);
            }
        } else if (number % 8) {
            packet_gen_mutate(&gen);
        }
        check_frame(gen.data, gen.len);
    }

    printf("%"PRIu64" frames, each with up to 1 and 2 VLAN tags: parsed "
           "%"PRIu64" times as XDP frames, %"PRIu64" times as SKBs\n",
           n_frames, n_parses[0], n_parses[1]);
    printf("complete: %"PRIu64" same key, %"PRIu64" too complex\n",
           n_results[0][OXDP_PARSE_OK], n_results[0][OXDP_PARSE_COMPLEX]);
    printf("cut: %"PRIu64" same key, %"PRIu64" too complex, %"PRIu64
           " need more\n", n_results[1][OXDP_PARSE_OK],
           n_results[1][OXDP_PARSE_COMPLEX], n_results[1][OXDP_PARSE_MORE]);
    printf("of the common kind: %"PRIu64"\n", n_common);
    n_short = parse_census_print(&census);
    if (n >= 10000
        && (n_short || n_parses[1] < n || n_common < n / 20 || !census.kinds[0]
            || !n_results[0][OXDP_PARSE_COMPLEX]
            || n_results[1][OXDP_PARSE_MORE] < n
            || n_results[1][OXDP_PARSE_OK] < n)) {
        printf("FAILED: too few packets of some kind\n");
        return 1;
    }
    return 0;
}
