/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-actions.h"

#include <stdlib.h>

#include "cmap.h"
#include "hash.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "openvswitch/thread.h"
#include "ovs-rcu.h"
#include "util.h"

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
