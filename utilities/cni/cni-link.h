/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cni-link: the veth pair of an attachment, and addresses and routes of its
 * end in the pod.
 */

#ifndef CNI_LINK_H
#define CNI_LINK_H 1

#include <net/if.h>

#include "cni-config.h"
#include "cni-result.h"

/* A pod's network namespace. */
struct cni_pod {
    int fd;
    struct nl_sock *sock;       /* Of NETLINK_ROUTE, inside of it. */
};

/* Opens the network namespace at path 'netns', for cni_pod_close(). */
struct cni_error *cni_pod_open(const char *netns, struct cni_pod *pod);
void cni_pod_close(struct cni_pod *);

/* Creates a veth pair: here one of a name that it makes up and stores in
 * 'host', up and without addresses; in 'pod' the one that 'config' describes,
 * down. */
struct cni_error *cni_veth_create(const struct cni_pod *pod,
                                  const struct cni_config *config,
                                  char host[IFNAMSIZ]);

/* Deletes the veth interface 'host', and so its peer.  No error if it is none
 * of cni_veth_create(). */
struct cni_error *cni_veth_delete(const char *host);

/* Deletes the veth interface 'ifname' in 'pod', likewise. */
struct cni_error *cni_pod_delete_veth(const struct cni_pod *pod,
                                      const char *ifname);

/* Gives 'ifname' in 'pod' the addresses and routes of 'result', and sets it
 * up. */
struct cni_error *cni_pod_configure(const struct cni_pod *pod,
                                    const char *ifname,
                                    const struct cni_result *result);

/* Looks whether 'ifname' in 'pod', of cni_veth_create(), is up and has those
 * addresses and routes.  Stores what there is in '*interface', except its
 * name. */
struct cni_error *cni_pod_check(const struct cni_pod *pod, const char *ifname,
                                const struct cni_result *result,
                                struct cni_interface *interface);

/* Stores MAC address and MTU of 'ifname', in 'pod' or, if that is null, here,
 * in '*interface'. */
struct cni_error *cni_link_get(const struct cni_pod *pod, const char *ifname,
                               struct cni_interface *interface);

#endif /* cni-link.h */
