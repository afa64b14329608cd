/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mask-gen: random masks and frames for tests of whatever matches frames.
 */

#ifndef MASK_GEN_H
#define MASK_GEN_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flow;
struct flow_wildcards;
struct packet_gen;
struct parse_metadata;

/* Sets random bits, most often all, of the 'size' bytes at 'mask'. */
void mask_gen_bits(struct packet_gen *, void *mask, size_t size);

/* Makes a mask of the kind that OVS makes: in_port, recirc_id and nearly
 * always the Ethernet type are exact, of the rest 'percent' are there,
 * addresses by prefix, and 'hidden' percent of the fields that BPF cannot
 * see.  With 'n_words', one of OXDP_KEY_WORDS_*, none that need more words of
 * a key. */
void mask_gen_make(struct packet_gen *, struct flow_wildcards *,
                   uint32_t percent, uint32_t hidden, int n_words);

/* Returns what 'mask' leaves of 'flow'. */
struct flow mask_gen_apply(const struct flow *flow, const struct flow *mask);

/* Makes frame number 'i' of 'seed', or what is nearly it if 'change', in the
 * generator, and its flow with 'md'.  Returns false if the kernel or BPF's
 * parser does not take it. */
bool mask_gen_frame(struct packet_gen *, uint64_t seed, uint32_t i,
                    bool change, const struct parse_metadata *md,
                    struct flow *flow);

#endif /* mask-gen.h */
