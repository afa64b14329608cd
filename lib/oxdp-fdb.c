/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-fdb.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink-socket.h"
#include "netlink.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

/* Operations per nl_transact_multiple(), for their memory. */
#define BATCH 64

static void
compose(const struct oxdp_fdb_op *op, struct ofpbuf *request)
{
    struct ndmsg ndm = {
        .ndm_family = AF_BRIDGE,
        .ndm_ifindex = op->ifindex,
        .ndm_state = op->self ? NUD_PERMANENT : NUD_REACHABLE,
        .ndm_flags = op->self ? NTF_SELF : NTF_MASTER | NTF_EXT_LEARNED,
    };

    ofpbuf_init(request, 64);
    nl_msg_put_nlmsghdr(request, sizeof ndm,
                        op->add ? RTM_NEWNEIGH : RTM_DELNEIGH,
                        NLM_F_REQUEST | NLM_F_ACK
                        | (!op->add ? 0 : op->self ? NLM_F_CREATE
                           : NLM_F_CREATE | NLM_F_REPLACE));
    nl_msg_put(request, &ndm, sizeof ndm);
    nl_msg_put_unspec(request, NDA_LLADDR, &op->mac, sizeof op->mac);
}

void
oxdp_fdb_execute(struct oxdp_fdb_op *ops, size_t n)
{
    while (n) {
        struct nl_transaction transactions[BATCH], *pointers[BATCH];
        struct ofpbuf requests[BATCH];
        size_t n_batch = MIN(n, BATCH);

        for (size_t i = 0; i < n_batch; i++) {
            compose(&ops[i], &requests[i]);
            transactions[i] = (struct nl_transaction) {
                .request = &requests[i],
            };
            pointers[i] = &transactions[i];
        }
        nl_transact_multiple(NETLINK_ROUTE, pointers, n_batch);
        for (size_t i = 0; i < n_batch; i++) {
            ops[i].error = transactions[i].error;
            ofpbuf_uninit(&requests[i]);
        }
        ops += n_batch;
        n -= n_batch;
    }
}

void
oxdp_fdb_dump(int bridge_ifindex,
              void (*cb)(struct eth_addr, int ifindex, void *aux), void *aux)
{
    static const struct nl_policy policy[] = {
        [NDA_LLADDR] = { .type = NL_A_UNSPEC, .min_len = ETH_ADDR_LEN,
                         .max_len = ETH_ADDR_LEN },
        [NDA_MASTER] = { .type = NL_A_U32, .optional = true },
    };
    struct ndmsg ndm = { .ndm_family = AF_BRIDGE };
    struct ofpbuf request, reply, buffer;
    struct nl_dump dump;

    ofpbuf_init(&request, 64);
    nl_msg_put_nlmsghdr(&request, sizeof ndm, RTM_GETNEIGH, NLM_F_REQUEST);
    nl_msg_put(&request, &ndm, sizeof ndm);
    nl_dump_start(&dump, NETLINK_ROUTE, &request);
    ofpbuf_uninit(&request);

    ofpbuf_init(&buffer, NL_DUMP_BUFSIZE);
    while (nl_dump_next(&dump, &reply, &buffer)) {
        const struct ndmsg *entry = ofpbuf_at(&reply, NLMSG_HDRLEN,
                                              sizeof *entry);
        struct nlattr *attrs[ARRAY_SIZE(policy)];

        /* It tells of all bridges. */
        if (entry && entry->ndm_flags & NTF_EXT_LEARNED
            && nl_policy_parse(&reply, NLMSG_HDRLEN + sizeof *entry, policy,
                               attrs, ARRAY_SIZE(policy))
            && attrs[NDA_MASTER]
            && nl_attr_get_u32(attrs[NDA_MASTER]) == bridge_ifindex) {
            cb(nl_attr_get_eth_addr(attrs[NDA_LLADDR]), entry->ndm_ifindex,
               aux);
        }
    }
    ofpbuf_uninit(&buffer);
    nl_dump_done(&dump);
}
