/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff-list: random lists of actions such as ofproto makes for a packet: a
 * header's fields are set only if the packet has that header.
 */

#ifndef DIFF_LIST_H
#define DIFF_LIST_H 1

#include <stdbool.h>

#include "openvswitch/ofpbuf.h"

struct flow;
struct packet_gen;

/* Datapath ports: where packets come in, two that take frames, and between them
 * one that takes only SKBs. */
#define DIFF_IN_PORT 1
#define DIFF_FRAME_PORT 2
#define DIFF_SKB_PORT 3
#define DIFF_FRAME_PORT2 4
#define DIFF_N_PORTS 5

/* Recirculation ids: a flow with this one plus one of the ports above outputs
 * to that, and one with the other sends packets to userspace. */
#define DIFF_RECIRC 7
#define DIFF_RECIRC_USER 99

/* A bond of the three ports. */
#define DIFF_BOND 1000

struct diff_list {
    struct ofpbuf actions;
    bool user;                  /* BPF is not to execute it. */
    bool skb;                   /* It may take an SKB. */
    bool frame;                 /* It takes a frame. */
    bool output;                /* Has an output or a recirculation. */
    int max_ops;                /* Opcodes that it may take. */
    int n_pushed;               /* VLAN tags, in all branches. */

    bool changed_l2, changed_nw, changed_mpls; /* So far. */
};

/* Makes '*list' one for the packet of '*gen', which flow_extract() makes
 * 'flow' of.  'list->actions' has been initialized. */
void diff_list_make(struct diff_list *list, struct packet_gen *gen,
                    const struct flow *flow);

#endif /* diff-list.h */
