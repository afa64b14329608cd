/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-netdev: what the datapath asks of network devices, by rtnetlink, the
 * generic netlink family "netdev" and ethtool, in the network namespace of the
 * calling thread.
 *
 * Every function may be called from any thread and blocks for the time of a
 * system call.  Those that return int return 0 or a positive errno value.
 */

#ifndef OXDP_NETDEV_H
#define OXDP_NETDEV_H 1

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

/* Carrier is up; <net/if.h> lacks it and excludes <linux/if.h>. */
#define OXDP_IFF_LOWER_UP 0x10000u

/* How IFLA_IFALIAS of a device begins that is ours to reuse and delete. */
#define OXDP_ALIAS "ovs-xdp "

/* A bridge forwards for this member; <linux/if_bridge.h> excludes
 * <netinet/in.h>. */
#define OXDP_BR_STATE_FORWARDING 3

/* What one RTM_GETLINK tells about a device. */
struct oxdp_link_info {
    char name[IFNAMSIZ];
    char kind[16];              /* IFLA_INFO_KIND, "" for hardware. */
    char alias[64];             /* IFLA_IFALIAS, "" if none. */
    char qdisc[16];             /* Kind of the root qdisc. */
    uint8_t mac[6];             /* All zeros if it has no Ethernet address. */
    int ifindex;
    int peer_ifindex;           /* IFLA_LINK, 0 if none. */
    int master_ifindex;         /* Bridge, bond... it is in, 0 if none. */
    uint8_t bridge_state;       /* BR_STATE_*, if that is a bridge. */
    uint32_t group;             /* IFLA_GROUP. */
    bool peer_other_netns;      /* Peer is in another network namespace... */
    int peer_nsid;              /* ...which has this number in ours. */
    unsigned int flags;         /* IFF_*. */
    int promiscuity;            /* How many want all packets. */
    int mtu;
    uint32_t xdp_prog_id;       /* Attached XDP program, 0 if none. */
    bool xdp_generic;           /* It is attached in generic mode. */
    int n_rxq, n_txq;
};

int oxdp_link_get(int ifindex, struct oxdp_link_info *);
int oxdp_link_get_by_name(const char *name, struct oxdp_link_info *);

/* The same in the network namespace that 'sock', of NETLINK_ROUTE, was created
 * in. */
struct nl_sock;
int oxdp_link_get_by_sock(struct nl_sock *sock, const char *name,
                          struct oxdp_link_info *);

/* Gets the peer, in whatever namespace it is. */
int oxdp_link_get_peer(const struct oxdp_link_info *,
                       struct oxdp_link_info *peer);

/* Creates the veth pair 'name' and 'peer' with 'n_queues' receive and transmit
 * queues at both ends, 'mtu' (0 for the default) and IFLA_IFALIAS 'alias' on
 * both, both down.  EEXIST if a device of one of the names exists. */
int oxdp_veth_create(const char *name, const char *peer, int n_queues,
                     int mtu, const char *alias);

/* Creates the veth pair 'name', in the caller's network namespace, and 'peer',
 * in that of descriptor 'netns_fd' and with the address 'mac' unless that is
 * null, with 'mtu' (0 for the default), both down.  EEXIST if a device of one
 * of the names exists. */
int oxdp_veth_create_into(const char *name, const char *peer, int netns_fd,
                          int mtu, const uint8_t *mac);
int oxdp_link_delete(int ifindex);
int oxdp_link_set_alias(int ifindex, const char *alias);
int oxdp_link_set_up(int ifindex, bool up);
int oxdp_link_set_mtu(int ifindex, int mtu);
int oxdp_link_set_promisc(int ifindex, bool promisc);

/* What we change on a device and have to change back: bits of a mask. */
#define OXDP_CHANGED_PROMISC 1u /* Made it promiscuous. */
#define OXDP_CHANGED_RXVLAN 2u  /* Switched rxvlan off. */

/* Undoes 'changed'. */
void oxdp_link_restore(int ifindex, uint32_t changed);

/* Makes the device a member of the bridge, bond... 'master_ifindex', and no
 * longer of another one; 0 for none. */
int oxdp_link_set_master(int ifindex, int master_ifindex);

/* Keeps IPv6 autoconfiguration off the device (addr_gen_mode none, by
 * netlink). */
int oxdp_link_no_ipv6(int ifindex);

/* Switches a classic ethtool offload; 'cmd' is ETHTOOL_STXCSUM, ETHTOOL_SGRO
 * and the like.  Or asks for one, with ETHTOOL_GTXCSUM and so on. */
int oxdp_ethtool_set(const char *name, uint32_t cmd, bool on);
int oxdp_ethtool_get(const char *name, uint32_t cmd, bool *on);

/* Makes the device take VLAN tags out of frames that it receives, or keep them
 * in, and stores in '*was_on' whether it took them out before. */
int oxdp_ethtool_rxvlan(const char *name, bool on, bool *was_on);

/* Reads the driver's name into 'driver' (at least 32 bytes). */
int oxdp_ethtool_driver(const char *name, char driver[32]);

/* Stores the device's NETDEV_XDP_ACT_* bits in '*features'.  EOPNOTSUPP if
 * the kernel cannot tell (before 6.3). */
int oxdp_xdp_features(int ifindex, uint64_t *features);

/* Returns why a device of 'kind', as in struct oxdp_link_info, and with XDP
 * 'features', 0 if not known, has no native XDP, or what it has would be no use:
 * a few words, to be freed.  Returns NULL if it may have. */
char *oxdp_why_no_native(const char *kind, uint64_t features);

/* For other requests: starts in 'request' a message of 'type' about device
 * 'ifindex', and sends it, which frees 'request'. */
struct ofpbuf;
void oxdp_link_request(struct ofpbuf *request, uint16_t type, uint16_t flags,
                       int ifindex);
int oxdp_link_transact(struct ofpbuf *request);

/* Sends 'request', which it frees, by 'sock', in the network namespace that
 * this was created in, and waits for the answer.  If 'replyp' is nonnull,
 * stores there the answer, which the caller deletes, unless it returns an
 * error.  If 'textp' is nonnull, stores there what the kernel says beside the
 * error, to be freed, or NULL. */
int oxdp_nl_transact(struct nl_sock *sock, struct ofpbuf *request,
                     struct ofpbuf **replyp, char **textp);

/* Notifications of changed XDP features.  oxdp_features_sock_create() returns
 * a nonblocking netlink socket in '*sockp' or an error, EOPNOTSUPP if the
 * kernel has none.  oxdp_features_recv() stores the ifindex of a device that
 * changed and its new features, or returns EAGAIN if there is no more, ENOBUFS
 * if notifications were lost and every device should be asked again. */
int oxdp_features_sock_create(struct nl_sock **sockp);
int oxdp_features_recv(struct nl_sock *, int *ifindex, uint64_t *features);

#endif /* oxdp-netdev.h */
