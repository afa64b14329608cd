/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovs-xdp-trace: what becomes of packets of ports, live.
 */

#ifndef OVS_XDP_TRACE_H
#define OVS_XDP_TRACE_H 1

struct jsonrpc;

/* Prints what becomes of packets that come in on the 'n_ports' 'ports', which
 * are traced meanwhile, or if there are none, on those that are traced anyway;
 * after 'n' packets, unless that is 0, or a signal it returns. */
void ovs_xdp_monitor(struct jsonrpc *client, char *ports[], int n_ports,
                     int n);

/* Writes the packets that come in on 'port' to 'file', as pcapng, or to standard
 * output if that is NULL or "-"; returns likewise. */
void ovs_xdp_tcpdump(struct jsonrpc *client, char *port, const char *file,
                     int n);

#endif /* ovs-xdp-trace.h */
