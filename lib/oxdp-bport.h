/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-bport: what OVSDB says of a port, as the BPF side's struct oxdp_bport.
 *
 * The values are those of a Port's columns; what they mean is said by
 * port_configure() in OVS's bridge.c and by bundle_set() in ofproto-dpif.c.
 */

#ifndef OXDP_BPORT_H
#define OXDP_BPORT_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oxdp_bport;

/* A Port's settings.  Pointers are the caller's, and may be null where there
 * is nothing. */
struct oxdp_bport_config {
    int bridge_ifindex;         /* Of the kernel bridge that the port's device
                                 * is a member of, or is; 0 if none. */
    const char *vlan_mode;      /* Port:vlan_mode, or NULL. */
    int tag;                    /* Port:tag, or -1. */
    const int64_t *trunks;      /* Port:trunks. */
    size_t n_trunks;
    const int64_t *cvlans;      /* Port:cvlans. */
    size_t n_cvlans;
    const char *qinq_ethtype;   /* other_config:qinq-ethtype, or NULL. */
    const char *priority_tags;  /* other_config:priority-tags, or NULL. */
    bool protected;             /* Port:protected. */
    bool blocked;               /* Nothing goes in or out. */
    bool flood;                 /* The kernel bridge is to flood. */
};

/* Stores '*config' in '*bport', which BPF may be reading.  Not thread-safe. */
void oxdp_bport_set(struct oxdp_bport *, const struct oxdp_bport_config *);

/* Makes '*bport' a port that is in no bridge. */
void oxdp_bport_clear(struct oxdp_bport *);

/* Returns the name of an enum oxdp_vlan_mode, as in OVSDB. */
const char *oxdp_vlan_mode_name(uint8_t vlan_mode);

#endif /* oxdp-bport.h */
