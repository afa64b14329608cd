/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compile-fuzz: damaged lists of actions are refused, and what is not refused
 * can be compiled, formatted and looked through for cookies.
 *
 * usage: compile-fuzz [N_CASES]
 *
 * Lists end where their memory ends, so that "valgrind" or a sanitizer finds
 * what reads on.
 */

#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff-list.h"
#include "flow.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/dynamic-string.h"
#include "oxdp-abi.h"
#include "oxdp-actions.h"
#include "oxdp-compile.h"
#include "oxdp-format.h"
#include "ovs-rcu.h"
#include "packet-gen.h"
#include "parse-ref.h"
#include "util.h"

#define SEED 1
#define N_CASES 200000

static struct packet_gen gen;
static uint64_t seed, number;

static void OVS_NO_RETURN
fail(const char *what)
{
    printf("FAILED: %s, seed %"PRIu64", case %"PRIu64"\n", what, seed, number);
    exit(1);
}

/* Does with a valid list what the datapath does. */
static void
use_list(const struct nlattr *actions, size_t size)
{
    struct oxdp_actions *a = oxdp_actions_clone(actions, size);
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct oxdp_code code;
    const struct oxdp_flow *flow = &code.flow;

    memset(&code, 0, sizeof code);
    oxdp_compile_actions(a->actions, a->size, &code);
    if (flow->verdict >= OXDP_N_VERDICTS || code.rest.reason >= OXDP_N_REASONS
        || flow->n_ops > OXDP_MAX_OPS
        || (flow->verdict != OXDP_VERDICT_XDP) != !!code.rest.reason
        || (flow->verdict == OXDP_VERDICT_USER && flow->n_ops)) {
        fail("a flow makes no sense");
    }
    for (int i = 0; i < flow->n_ops; i++) {
        const struct oxdp_op *op = &code.ops[i];

        if (op->code == OXDP_OP_USERSPACE
            && !oxdp_cookie_find(op->user.cookie)) {
            fail("nobody knows a cookie");
        }
        if (op->code == OXDP_OP_COPY && op->arg32 > OXDP_COPY_PORTS) {
            fail("too many copies");
        }
    }
    oxdp_format_ops(&code, &ds);
    ds_destroy(&ds);
    oxdp_actions_free(a);
}

/* Changes a length or another byte, or cuts the list. */
static size_t
damage(uint8_t *data, size_t size)
{
    switch (packet_gen_below(&gen, 3)) {
    case 0:
        return packet_gen_below(&gen, size);
    case 1:
        data[packet_gen_below(&gen, size / 4) * 4]
            += packet_gen_below(&gen, 16) - 8;
        return size;
    default:
        data[packet_gen_below(&gen, size)] = packet_gen_random(&gen);
        return size;
    }
}

int
main(int argc, char *argv[])
{
    uint64_t n_cases = argc > 1 ? strtoull(argv[1], NULL, 0) : N_CASES;
    struct parse_metadata md = { .in_port = DIFF_IN_PORT };
    uint64_t n_valid = 0, n_refused = 0;
    struct diff_list list;

    seed = packet_gen_seed(SEED);
    printf("seed %"PRIu64"\n", seed);
    ofpbuf_init(&list.actions, 1024);
    for (number = 0; number < n_cases; number++) {
        struct parse_ref ref;
        uint8_t *copy;
        size_t size;

        packet_gen_start(&gen, seed, number);
        packet_gen_make(&gen);
        parse_ref_init(&ref, gen.data, gen.len, &md);
        diff_list_make(&list, &gen, &ref.flow);
        if (!oxdp_actions_are_valid(list.actions.data, list.actions.size)) {
            fail("a list is refused");
        }
        if (!list.actions.size) {
            continue;
        }
        copy = xmemdup(list.actions.data, list.actions.size);
        size = damage(copy, list.actions.size);
        copy = xrealloc(copy, MAX(size, 1));
        if (oxdp_actions_are_valid((struct nlattr *) (void *) copy, size)) {
            use_list((struct nlattr *) (void *) copy, size);
            n_valid++;
        } else {
            n_refused++;
        }
        free(copy);
        ovsrcu_quiesce();
    }
    printf("%"PRIu64" damaged lists refused, %"PRIu64" compiled\n", n_refused,
           n_valid);
    if (n_refused < n_cases / 5 || n_valid < n_cases / 5) {
        fail("too few of a kind");
    }
    ofpbuf_uninit(&list.actions);
    return 0;
}
