/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match-native: the translation of OVS's matches to keys and masks, and hashing
 * and comparing keys, without BPF and without a table.
 */

#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "mask-gen.h"
#include "openvswitch/match.h"
#include "oxdp-key.h"
#include "oxdp-match.h"
#include "packet-gen.h"
#include "parse-ref.h"
#include "util.h"

#define SEED 1
#define N_MATCHES 200000

static struct packet_gen gen;
static uint64_t seed;

static void OVS_NO_RETURN OVS_PRINTF_FORMAT(1, 2)
fail(const char *format, ...)
{
    va_list args;

    printf("FAILED, seed %"PRIu64": ", seed);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    exit(1);
}

/* Checks that a frame matches the key and mask that oxdp_key_from_match()
 * makes of a match exactly if it matches the match, with frames that differ in
 * few bits from the one that the match was made of. */
static void
check_matches(void)
{
    const struct parse_metadata md = { .in_port = 1 };
    uint64_t n_yes = 0, n_no = 0, n_untranslated = 0;

    packet_gen_start(&gen, seed, 1);
    for (int i = 0; i < N_MATCHES; i++) {
        uint32_t frame = packet_gen_random(&gen);
        struct oxdp_key key, mask, other_key;
        struct oxdp_flow_rest slot_rest;
        struct flow flow, other, masked;
        struct oxdp_flow slot;
        struct flow_wildcards wc;
        struct match match;

        mask_gen_frame(&gen, seed, frame, false, &md, &flow);
        mask_gen_make(&gen, &wc, packet_gen_below(&gen, 80), 20, 0);
        match_init(&match, &flow, &wc);
        if (!oxdp_key_from_match(&match, &key, &mask)) {
            n_untranslated++;
            continue;
        }
        oxdp_flow_set_key(&slot, &slot_rest, &key);
        for (int j = 0; j < 4; j++) {
            bool matches;

            mask_gen_frame(&gen, seed, j ? frame : frame + 1, j > 1, &md,
                           &other);
            masked = mask_gen_apply(&other, &wc.masks);
            matches = !memcmp(&masked, &match.flow, sizeof masked);
            oxdp_key_from_flow(&other, &other_key);
            if (matches != !!oxdp_key_matches(&other_key, &mask, &slot,
                                              &slot_rest,
                                              oxdp_mask_words(&mask),
                                              OXDP_KEY_WORDS)) {
                packet_gen_dump(gen.data, gen.len);
                fail("this frame does%s match, but its key does%s",
                     matches ? "" : " not", matches ? " not" : "");
            }
            *(matches ? &n_yes : &n_no) += 1;
        }
    }
    printf("matches: %"PRIu64" times the same, %"PRIu64" times other than the "
           "frame; %"PRIu64" matches left to userspace\n", n_yes, n_no,
           n_untranslated);
    if (n_yes < N_MATCHES || n_no < N_MATCHES / 2
        || n_untranslated < N_MATCHES / 100) {
        fail("too few of a kind");
    }
}

/* Checks that each bit under the mask, and no other, makes a difference for
 * comparing and for hashing keys. */
static void
check_keys(void)
{
    static const uint32_t sizes[] = {
        OXDP_KEY_WORDS_MIN, OXDP_KEY_WORDS_ETH, OXDP_KEY_WORDS_IPV4,
        OXDP_KEY_WORDS_IPV6, OXDP_KEY_WORDS,
    };
    union {
        struct oxdp_key key;
        uint64_t words[OXDP_KEY_WORDS];
    } mask, key, masked;
    struct oxdp_flow_rest rest;
    struct oxdp_flow flow;
    __u64 seeds[OXDP_KEY_WORDS];

    packet_gen_start(&gen, seed, 2);
    for (int i = 0; i < 300; i++) {
        uint32_t n_words = sizes[i % ARRAY_SIZE(sizes)];
        uint64_t hash;

        memset(&mask, 0, sizeof mask);
        mask_gen_bits(&gen, &mask, n_words * 8);
        for (int j = 0; j < OXDP_KEY_WORDS; j++) {
            key.words[j] = packet_gen_random(&gen)
                           | (uint64_t) packet_gen_random(&gen) << 32;
            seeds[j] = packet_gen_random(&gen)
                       | (uint64_t) packet_gen_random(&gen) << 32;
            masked.words[j] = key.words[j] & mask.words[j];
        }
        oxdp_flow_set_key(&flow, &rest, &masked.key);
        hash = oxdp_hash_masked(&masked.key, &mask.key, n_words, i, seeds);
        for (int bit = -1; bit < OXDP_KEY_WORDS * 64; bit++) {
            uint64_t x = bit < 0 ? 0 : UINT64_C(1) << bit % 64;
            bool same = !(mask.words[MAX(bit, 0) / 64] & x);

            key.words[MAX(bit, 0) / 64] ^= x;
            if (same != !!oxdp_key_matches(&key.key, &mask.key, &flow,
                                           &rest, n_words, OXDP_KEY_WORDS)
                || (n_words <= OXDP_KEY_WORDS_IPV4
                    && same != !!oxdp_key_matches(&key.key, &mask.key,
                                                  &flow, &rest, n_words,
                                                  OXDP_KEY_WORDS_IPV4))) {
                fail("bit %d of %"PRIu32" words compares wrong", bit, n_words);
            }
            if (same != (oxdp_hash_masked(&key.key, &mask.key, n_words, i,
                                          seeds) == hash)) {
                fail("bit %d of %"PRIu32" words hashes wrong", bit, n_words);
            }
            key.words[MAX(bit, 0) / 64] ^= x;
        }
    }
}

int
main(void)
{
    seed = packet_gen_seed(SEED);
    printf("seed %"PRIu64"\n", seed);
    check_keys();
    check_matches();
    return 0;
}
