/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vlan-forward: for vlan-normal.py, which compares oxdp-vlan.h with OVS.
 *
 * Reads lines:
 *   port N MODE TAG TRUNKS CVLANS QINQ-ETHTYPE PRIORITY-TAGS PROTECTED
 *     configures port N; "-" is nothing, lists are separated by commas
 *   packet N DST TPID:TCI TPID:TCI
 *     prints to which ports a packet to DST that comes in on port N with these
 *     tags, in hexadecimal, may go, and with which tags
 */

#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oxdp-bport.h"
#include "oxdp-vlan.h"
#include "packets.h"
#include "util.h"

#define N_PORTS 16

static struct oxdp_bport ports[N_PORTS];

static char *
next_word(void)
{
    char *word = strtok(NULL, " \n");

    if (!word) {
        ovs_fatal(0, "line is too short");
    }
    return strcmp(word, "-") ? word : NULL;
}

static size_t
get_list(char *s, int64_t list[OXDP_VLANS])
{
    size_t n = 0;

    for (; s; s = strchr(s, ',') ? strchr(s, ',') + 1 : NULL) {
        list[n++] = atoi(s);
    }
    return n;
}

static void
configure_port(void)
{
    struct oxdp_bport *port = &ports[atoi(next_word()) % N_PORTS];
    int64_t trunks[OXDP_VLANS], cvlans[OXDP_VLANS];
    struct oxdp_bport_config config = { .bridge_ifindex = 1 };
    char *word;

    config.vlan_mode = next_word();
    word = next_word();
    config.tag = word ? atoi(word) : -1;
    config.trunks = trunks;
    config.n_trunks = get_list(next_word(), trunks);
    config.cvlans = cvlans;
    config.n_cvlans = get_list(next_word(), cvlans);
    config.qinq_ethtype = next_word();
    config.priority_tags = next_word();
    config.protected = next_word() != NULL;
    oxdp_bport_set(port, &config);
}

static void
get_tag(struct oxdp_vlan *v)
{
    unsigned int tpid = 0, tci = 0;

    if (sscanf(next_word(), "%x:%x", &tpid, &tci) != 2) {
        ovs_fatal(0, "bad tag");
    }
    v->tpid = htons(tpid);
    v->tci = tpid ? htons(tci | OXDP_VLAN_CFI) : 0;
}

static void
forward_packet(void)
{
    unsigned int in = atoi(next_word()) % N_PORTS;
    struct eth_addr dst;
    struct oxdp_tags tags;

    if (!eth_addr_from_string(next_word(), &dst)) {
        ovs_fatal(0, "bad address");
    }
    get_tag(&tags.v[0]);
    get_tag(&tags.v[1]);
    for (unsigned int i = 0; i < N_PORTS; i++) {
        struct oxdp_tags out;

        if (i != in && !oxdp_is_reserved(dst.ea)
            && oxdp_vlan_forward(&ports[in], &ports[i], &tags, &out)) {
            printf("%u", i);
            for (int j = 0; j < oxdp_tags_count(&out); j++) {
                printf("/%x:%x", ntohs(out.v[j].tpid),
                       ntohs(out.v[j].tci) & ~OXDP_VLAN_CFI);
            }
            printf(" ");
        }
    }
    printf("\n");
    fflush(stdout);
}

int
main(void)
{
    char line[65536];

    while (fgets(line, sizeof line, stdin)) {
        char *word = strtok(line, " \n");

        if (word && !strcmp(word, "port")) {
            configure_port();
        } else if (word && !strcmp(word, "packet")) {
            forward_packet();
        } else {
            ovs_fatal(0, "bad line");
        }
    }
    return 0;
}
