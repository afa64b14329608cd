/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-actions.h"

#include <stdlib.h>

#include "cmap.h"
#include "hash.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "openvswitch/thread.h"
#include "ovs-rcu.h"
#include "util.h"

/* Lists in lists, as in the kernel's datapath. */
#define MAX_DEPTH 16

/* Returns how long an action of 'type' is: -1 if that varies, or if some
 * version of OVS does not know it. */
static int
action_size(uint16_t type)
{
    switch ((enum ovs_action_attr) type) {
    case OVS_ACTION_ATTR_OUTPUT:
    case OVS_ACTION_ATTR_RECIRC:
    case OVS_ACTION_ATTR_METER:
    case OVS_ACTION_ATTR_TUNNEL_POP:
    case OVS_ACTION_ATTR_LB_OUTPUT:
    case OVS_ACTION_ATTR_DROP:
        return sizeof(uint32_t);
    case OVS_ACTION_ATTR_TRUNC:
        return sizeof(struct ovs_action_trunc);
    case OVS_ACTION_ATTR_HASH:
        return sizeof(struct ovs_action_hash);
    case OVS_ACTION_ATTR_PUSH_VLAN:
        return sizeof(struct ovs_action_push_vlan);
    case OVS_ACTION_ATTR_PUSH_MPLS:
        return sizeof(struct ovs_action_push_mpls);
    case OVS_ACTION_ATTR_ADD_MPLS:
        return sizeof(struct ovs_action_add_mpls);
    case OVS_ACTION_ATTR_POP_MPLS:
        return sizeof(ovs_be16);
    case OVS_ACTION_ATTR_PUSH_ETH:
        return sizeof(struct ovs_action_push_eth);
    case OVS_ACTION_ATTR_POP_VLAN:
    case OVS_ACTION_ATTR_POP_ETH:
    case OVS_ACTION_ATTR_POP_NSH:
    case OVS_ACTION_ATTR_CT_CLEAR:
        return 0;
    default:
        return -1;
    }
}

/* Returns true if odp_execute_actions() can set a field of 'type'.  It aborts on
 * others. */
static bool
is_settable(uint16_t type, bool masked)
{
    switch ((int) type) {
    case OVS_KEY_ATTR_PRIORITY:
    case OVS_KEY_ATTR_SKB_MARK:
    case OVS_KEY_ATTR_ETHERNET:
    case OVS_KEY_ATTR_NSH:
    case OVS_KEY_ATTR_IPV4:
    case OVS_KEY_ATTR_IPV6:
    case OVS_KEY_ATTR_TCP:
    case OVS_KEY_ATTR_UDP:
    case OVS_KEY_ATTR_SCTP:
    case OVS_KEY_ATTR_MPLS:
    case OVS_KEY_ATTR_ARP:
    case OVS_KEY_ATTR_ND:
    case OVS_KEY_ATTR_ND_EXTENSIONS:
    case OVS_KEY_ATTR_DP_HASH:
    case OVS_KEY_ATTR_RECIRC_ID:
        return true;
    case OVS_KEY_ATTR_TUNNEL:
    case OVS_KEY_ATTR_ICMP:
    case OVS_KEY_ATTR_ICMPV6:
        return !masked;
    default:
        return false;
    }
}

static bool
set_is_valid(const struct nlattr *a, bool masked)
{
    const struct nlattr *key = nl_attr_get(a);
    size_t size = nl_attr_get_size(a);
    uint16_t type;
    int wanted;

    if (size < NLA_HDRLEN || !nl_attr_is_valid(key, size)
        || NLA_ALIGN(key->nla_len) < size) {
        return false;
    }
    type = nl_attr_type(key);
    if (type > OVS_KEY_ATTR_MAX || !is_settable(type, masked)) {
        return false;
    }
    wanted = (type == OVS_KEY_ATTR_MPLS ? (int) sizeof(struct ovs_key_mpls)
              : ovs_flow_key_attr_lens[type].len);
    return (wanted < 0
            || nl_attr_get_size(key) == (masked ? 2 : 1) * (size_t) wanted);
}

static bool list_is_valid(const struct nlattr *, size_t size, int depth);

/* A member of sample() or check_pkt_len(). */
static bool
member_is_valid(const struct nlattr *a, bool is_list, size_t size, int depth)
{
    return (is_list
            ? list_is_valid(nl_attr_get(a), nl_attr_get_size(a), depth + 1)
            : nl_attr_get_size(a) == size);
}

/* Returns true if 'a' has all members from 1 to 'n'. */
static bool
has_members(const struct nlattr *a, int n)
{
    for (int i = 1; i <= n; i++) {
        if (!nl_attr_find_nested(a, i)) {
            return false;
        }
    }
    return true;
}

static bool
hash_is_valid(const struct ovs_action_hash *hash)
{
    return (hash->hash_alg == OVS_HASH_ALG_L4
            || hash->hash_alg == OVS_HASH_ALG_SYM_L4);
}

/* Its end is left out. */
static bool
tunnel_push_is_valid(const struct nlattr *a)
{
    const struct ovs_action_push_tnl *push = nl_attr_get(a);
    size_t size = nl_attr_get_size(a);

    return (size >= offsetof(struct ovs_action_push_tnl, header)
            && size == offsetof(struct ovs_action_push_tnl, header)
                       + push->header_len
            && push->header_len <= sizeof push->header);
}

static bool
action_is_valid(const struct nlattr *a, int depth)
{
    const struct nlattr *b;
    size_t left;
    int size = action_size(nl_attr_type(a));

    if (size >= 0) {
        return (nl_attr_get_size(a) == size
                && (nl_attr_type(a) != OVS_ACTION_ATTR_HASH
                    || hash_is_valid(nl_attr_get(a))));
    }
    switch ((int) nl_attr_type(a)) {
    case OVS_ACTION_ATTR_SET:
        return set_is_valid(a, false);
    case OVS_ACTION_ATTR_SET_MASKED:
        return set_is_valid(a, true);
    case OVS_ACTION_ATTR_TUNNEL_PUSH:
        return tunnel_push_is_valid(a);
    case OVS_ACTION_ATTR_CLONE:
        return list_is_valid(nl_attr_get(a), nl_attr_get_size(a), depth + 1);
    case OVS_ACTION_ATTR_SAMPLE:
        NL_NESTED_FOR_EACH (b, left, a) {
            if (!member_is_valid(b,
                                 nl_attr_type(b) == OVS_SAMPLE_ATTR_ACTIONS,
                                 sizeof(uint32_t), depth)) {
                return false;
            }
        }
        return !left && has_members(a, OVS_SAMPLE_ATTR_MAX);
    case OVS_ACTION_ATTR_CHECK_PKT_LEN:
        NL_NESTED_FOR_EACH (b, left, a) {
            if (!member_is_valid(b, nl_attr_type(b)
                                    != OVS_CHECK_PKT_LEN_ATTR_PKT_LEN,
                                 sizeof(uint16_t), depth)) {
                return false;
            }
        }
        return !left && has_members(a, OVS_CHECK_PKT_LEN_ATTR_MAX);
    case OVS_ACTION_ATTR_USERSPACE:
    case OVS_ACTION_ATTR_CT:
        NL_NESTED_FOR_EACH (b, left, a) {
            continue;
        }
        return !left;
    default:
        return true;
    }
}

static bool
list_is_valid(const struct nlattr *actions, size_t size, int depth)
{
    const struct nlattr *a;
    size_t left;

    if (depth > MAX_DEPTH) {
        return false;
    }
    NL_ATTR_FOR_EACH (a, left, actions, size) {
        if (!action_is_valid(a, depth)) {
            return false;
        }
    }
    return !left;
}

bool
oxdp_actions_are_valid(const struct nlattr *actions, size_t size)
{
    return list_is_valid(actions, size, 0);
}

struct entry {
    struct cmap_node node;      /* In 'entries', by the low half of 'cookie'. */
    uint64_t cookie;
    unsigned int n_refs;        /* Under 'mutex'. */
    struct nlattr *action;
};

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct cmap entries = CMAP_INITIALIZER;  /* Changed under 'mutex'. */

uint64_t
oxdp_cookie(const struct nlattr *a)
{
    ovs_u128 hash;

    hash_bytes128(a, a->nla_len, 0, &hash);
    return hash.u64.lo;
}

static struct entry *
entry_find(uint64_t cookie)
{
    struct entry *e;

    CMAP_FOR_EACH_WITH_HASH (e, node, (uint32_t) cookie, &entries) {
        if (e->cookie == cookie) {
            return e;
        }
    }
    return NULL;
}

static void
entry_free(struct entry *e)
{
    free(e->action);
    free(e);
}

static void
ref(const struct nlattr *a)
    OVS_REQUIRES(mutex)
{
    uint64_t cookie = oxdp_cookie(a);
    struct entry *e = entry_find(cookie);

    if (!e) {
        e = xzalloc(sizeof *e);
        e->cookie = cookie;
        e->action = xmemdup(a, NLA_ALIGN(a->nla_len));
        cmap_insert(&entries, &e->node, (uint32_t) cookie);
    }
    e->n_refs++;
}

static void
unref(const struct nlattr *a)
    OVS_REQUIRES(mutex)
{
    uint64_t cookie = oxdp_cookie(a);
    struct entry *e = entry_find(cookie);

    if (!--e->n_refs) {
        cmap_remove(&entries, &e->node, (uint32_t) cookie);
        ovsrcu_postpone(entry_free, e);
    }
}

/* Calls 'f' for every "userspace" action in the list, however deep. */
static void
for_each(const struct nlattr *actions, size_t actions_len,
         void (*f)(const struct nlattr *))
{
    const struct nlattr *a, *b;
    size_t left, left2;

    NL_ATTR_FOR_EACH_UNSAFE (a, left, actions, actions_len) {
        switch ((enum ovs_action_attr) nl_attr_type(a)) {
        case OVS_ACTION_ATTR_USERSPACE:
            f(a);
            break;

        case OVS_ACTION_ATTR_CLONE:
            for_each(nl_attr_get(a), nl_attr_get_size(a), f);
            break;

        case OVS_ACTION_ATTR_SAMPLE:
            NL_NESTED_FOR_EACH_UNSAFE (b, left2, a) {
                if (nl_attr_type(b) == OVS_SAMPLE_ATTR_ACTIONS) {
                    for_each(nl_attr_get(b), nl_attr_get_size(b), f);
                }
            }
            break;

        case OVS_ACTION_ATTR_CHECK_PKT_LEN:
            NL_NESTED_FOR_EACH_UNSAFE (b, left2, a) {
                if (nl_attr_type(b) != OVS_CHECK_PKT_LEN_ATTR_PKT_LEN) {
                    for_each(nl_attr_get(b), nl_attr_get_size(b), f);
                }
            }
            break;

        default:
            break;
        }
    }
}

struct oxdp_actions *
oxdp_actions_clone(const struct nlattr *actions, size_t size)
{
    struct oxdp_actions *a = xmalloc(sizeof *a + size);

    a->size = size;
    nullable_memcpy(a->actions, actions, size);
    ovs_mutex_lock(&mutex);
    for_each(a->actions, size, ref);
    ovs_mutex_unlock(&mutex);
    return a;
}

void
oxdp_actions_free(struct oxdp_actions *a)
{
    ovs_mutex_lock(&mutex);
    for_each(a->actions, a->size, unref);
    ovs_mutex_unlock(&mutex);
    free(a);
}

const struct nlattr *
oxdp_cookie_find(uint64_t cookie)
{
    const struct entry *e = entry_find(cookie);

    return e ? e->action : NULL;
}
