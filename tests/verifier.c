/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verifier: what the BPF programs take of the kernel's limits, against what
 * tests/verifier-budget allows, so that growth is seen where it begins and not
 * on the kernel that refuses it.
 *
 * verifier PRINT prints the budget that would just do.
 */

#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "oxdp-loader.h"
#include "util.h"

#define SKIP 77

/* Of a program and the functions that it calls one from the other.  The limit
 * is the kernel's; before Linux 6.9 it rounds each up to 32 bytes. */
#define STACK_LIMIT 512
#define STACK_ROUND 32

/* Functions of ours do not call each other deeper than this, a program
 * included: program, oxdp_pass(), and a third. */
#define MAX_DEPTH 3

struct program {
    char name[64];
    uint64_t insns;             /* Instructions that the verifier processed. */
    uint32_t stack;             /* At most that many bytes. */
};

/* Reads "264+144+48": the program, then its functions, in no order that tells
 * who calls whom.  So returns the program plus the largest others, which is
 * what MAX_DEPTH allows at worst. */
static uint32_t
read_stack(const char *s)
{
    uint32_t largest[MAX_DEPTH - 1] = { 0, 0 };
    uint32_t main_depth = ROUND_UP(atoi(s), STACK_ROUND);

    while ((s = strchr(s, '+')) != NULL) {
        uint32_t depth = ROUND_UP(atoi(++s), STACK_ROUND);

        if (depth > largest[0]) {
            largest[1] = largest[0];
            largest[0] = depth;
        } else if (depth > largest[1]) {
            largest[1] = depth;
        }
    }
    return main_depth + largest[0] + largest[1];
}

/* Takes the next program out of the log.  Returns false if there is none. */
static bool
next_program(char **log, struct program *p)
{
    char *line;

    memset(p, 0, sizeof *p);
    while ((line = strsep(log, "\n")) != NULL) {
        if (!ovs_scan(line, "program %63s", p->name)) {
            if (!strncmp(line, "stack depth ", 12)) {
                p->stack = read_stack(line + 12);
            } else if (ovs_scan(line, "processed %"SCNu64" insns",
                                &p->insns)) {
                return true;
            }
        }
    }
    return false;
}

/* Finds the budget of program 'name' in 'file'. */
static bool
find_budget(FILE *file, const char *name, uint64_t *insns)
{
    char line[128], found[64];

    rewind(file);
    while (fgets(line, sizeof line, file)) {
        if (line[0] != '#' && ovs_scan(line, "%63s %"SCNu64, found, insns)
            && !strcmp(found, name)) {
            return true;
        }
    }
    return false;
}

static int
check(const struct program *p, FILE *budgets)
{
    uint64_t budget;
    int n_bad = 0;

    printf("%-20s %6"PRIu64" instructions, %3"PRIu32" bytes of stack\n",
           p->name, p->insns, p->stack);
    if (!find_budget(budgets, p->name, &budget)) {
        printf("FAILED: tests/verifier-budget does not have %s\n", p->name);
        n_bad++;
    } else if (p->insns > budget) {
        printf("FAILED: %s may have %"PRIu64" instructions processed: see "
               "why it takes more, then change tests/verifier-budget\n",
               p->name, budget);
        n_bad++;
    }
    if (p->stack > STACK_LIMIT) {
        printf("FAILED: %s may need %"PRIu32" bytes of stack, Linux before "
               "6.9 has %d\n", p->name, p->stack, STACK_LIMIT);
        n_bad++;
    }
    return n_bad;
}

int
main(int argc, char *argv[] OVS_UNUSED)
{
    struct ds log = DS_EMPTY_INITIALIZER;
    struct oxdp_bpf_config config = {
        .hint_size = 4096,
        .verifier_log = &log,
    };
    char *path = xasprintf("%s/tests/verifier-budget",
                           getenv("abs_top_srcdir"));
    FILE *budgets = fopen(path, "r");
    int n_programs = 0, n_bad = 0;
    struct oxdp_bpf *bpf;
    struct program p;
    char *error_text;
    char *next;
    int error;

    if (!budgets) {
        ovs_fatal(errno, "%s", path);
    }
    error = oxdp_bpf_open(&config, &bpf, &error_text);
    if (error) {
        printf("skipped: %s\n", error_text);
        return error == EPERM && !log.length ? SKIP : 1;
    }
    error = oxdp_bpf_load_trace(bpf, &log);
    if (error) {
        ovs_fatal(error, "the programs that trace cannot be loaded");
    }

    next = ds_cstr(&log);
    while (next_program(&next, &p)) {
        n_programs++;
        if (argc > 1) {
            /* Kernels differ by that much. */
            printf("%-20s %"PRIu64"\n", p.name,
                   ROUND_UP(p.insns * 3 / 2, 100));
        } else {
            n_bad += check(&p, budgets);
        }
    }
    if (n_programs < 7) {
        printf("FAILED: the verifier told of %d programs only\n", n_programs);
        n_bad++;
    }
    oxdp_bpf_close(bpf);
    ds_destroy(&log);
    fclose(budgets);
    free(path);
    return n_bad ? 1 : 0;
}
