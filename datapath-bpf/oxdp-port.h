/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * oxdp-port.h: which port a packet came in on, who decides about it there, and
 * that port's budget of packets to userspace.
 */

#ifndef OXDP_PORT_H
#define OXDP_PORT_H 1

#include "oxdp-maps.h"

/* Returns the datapath port of the device 'ifindex', or OXDP_PORT_NONE. */
OXDP_INLINE __u32
oxdp_port_from_ifindex(__u32 ifindex)
{
    union oxdp_ifport ifport;
    int i;

    for (i = 0; i < OXDP_IFPORT_PROBES; i++) {
        __u64 slot = OXDP_BOUND(ifindex + i, OXDP_IFPORT_SLOTS);

        ifport.both = *(volatile __u64 *) &oxdp_shared.ifports[slot].both;
        if (!ifport.ifindex) {
            break;
        }
        if (ifport.ifindex == ifindex) {
            return ifport.port;
        }
    }
    return OXDP_PORT_NONE;
}

/* Returns what tells which program is for packets that come in on 'port_no',
 * which need not be a port: OXDP_PORT_F_MACVLAN and OXDP_PORT_F_TRACED. */
OXDP_INLINE __u32
oxdp_port_flags(__u32 port_no)
{
    const struct oxdp_port *port = oxdp_port_get(port_no);

    return port ? port->flags & (OXDP_PORT_F_MACVLAN | OXDP_PORT_F_TRACED) : 0;
}

/* Returns the program for a port with these 'flags' that is traced. */
OXDP_INLINE enum oxdp_prog
oxdp_trace_prog(__u32 flags)
{
    return flags & OXDP_PORT_F_MACVLAN ? OXDP_PROG_TRACE_MAC : OXDP_PROG_TRACE;
}

/* Takes a packet out of the budget of 'port'.  Returns nonzero if there was
 * one.  All CPUs share the bucket; a race at refill time grants at most one
 * packet more per CPU. */
OXDP_INLINE int
oxdp_port_may_punt(struct oxdp_port *port)
{
    __u64 now, then, grant;
    __s64 level;

    if (!port->punt_rate) {
        return 1;
    }
    now = bpf_ktime_get_ns();
    then = port->tokens_ns;
    if (now > then) {
        grant = now - then;
        if (grant > 1000000000) {
            grant = 1000000000;
        }
        grant = grant * port->punt_rate / 1000000000;
        if (grant && __sync_val_compare_and_swap(&port->tokens_ns, then, now)
                     == then) {
            level = port->tokens;
            if (level < 0) {
                level = 0;
            }
            level += grant;
            if (level > port->punt_burst) {
                level = port->punt_burst;
            }
            port->tokens = level;
        }
    }
    if (port->tokens <= 0) {
        return 0;
    }
    __sync_fetch_and_add(&port->tokens, -1);
    return 1;
}

#endif /* oxdp-port.h */
