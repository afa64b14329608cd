/* SPDX-License-Identifier: Apache-2.0 */
/*
 * netdev-xdp: the netdev class of internal ports, LOCAL among them.
 *
 * An internal port NAME is a veth pair: the host uses NAME, the datapath's
 * programs are attached to the other end.  The class is OVS's netdev_linux
 * class with its own type, which creates the pair when a device is opened that
 * does not exist.  The pair is deleted when the port leaves the datapath,
 * never when a netdev is closed: OVS does not delete internal ports when it
 * exits.
 */

#ifndef NETDEV_XDP_H
#define NETDEV_XDP_H 1

/* The type that internal ports of our datapath are opened with. */
#define NETDEV_XDP_TYPE "xdp-internal"

/* IFLA_IFALIAS of devices that are ours to reuse and delete: of the host's
 * end, and, with the port's name behind it, of the datapath's end. */
#define NETDEV_XDP_ALIAS "ovs-xdp internal port"
#define NETDEV_XDP_DP_ALIAS "ovs-xdp datapath end of "

struct netdev;

/* Registers the class.  To be called once, from the constructor. */
void netdev_xdp_register(void);

/* Returns the ifindex of the datapath's end of internal port 'netdev', or a
 * negative errno value. */
int netdev_xdp_dp_ifindex(const struct netdev *netdev);

/* Deletes the veth pair behind internal port 'name' if it is ours. */
void netdev_xdp_delete(const char *name);

#endif /* netdev-xdp.h */
