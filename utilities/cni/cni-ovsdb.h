/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cni-ovsdb: ports in Open vSwitch's database.
 *
 * A port is one transaction, which creates its bridge with it if there is
 * none.  What an attachment is about stands in external_ids of its Port, by
 * which DEL, CHECK and GC find it; the keys that start with "cont" are also
 * ovs-cni's.
 */

#ifndef CNI_OVSDB_H
#define CNI_OVSDB_H 1

#include <net/if.h>

#include "cni-config.h"

struct cni_db;

/* Connects to the database of 'config'.  The caller closes '*dbp', which is
 * null after an error. */
struct cni_error *cni_db_open(const struct cni_config *config,
                              struct cni_db **dbp);
void cni_db_close(struct cni_db *);

/* Adds the port 'name' that 'config' describes to its bridge, which may be
 * new.  'mac' is the pod's.  cni_db_wait() has to follow. */
struct cni_error *cni_db_add_port(struct cni_db *, const char *name,
                                  const struct eth_addr *mac);

/* Waits until Open vSwitch has made the port of cni_db_add_port(). */
struct cni_error *cni_db_wait(struct cni_db *);

/* Takes back what cni_db_add_port() did, and the bridge if that was new and
 * nobody else has used it since. */
struct cni_error *cni_db_undo(struct cni_db *);

/* A port that was found. */
struct cni_port {
    char uuid[37];
    char name[IFNAMSIZ];
    const char *container_id;   /* Parts of the database's answer... */
    const char *ifname;         /* ...until the next call. */
};

/* Finds all ports of the attachment that 'config' names, or, if 'all', of its
 * network.  The caller frees '*portsp'. */
struct cni_error *cni_db_find_ports(struct cni_db *, bool all,
                                    struct cni_port **portsp, size_t *np);

/* Deletes a port that was found. */
struct cni_error *cni_db_del_port(struct cni_db *, const struct cni_port *);

/* Looks whether the port is what 'config' describes, and works. */
struct cni_error *cni_db_check_port(struct cni_db *, const struct cni_port *);

/* Looks whether Open vSwitch is there to make ports. */
struct cni_error *cni_db_status(struct cni_db *);

#endif /* cni-ovsdb.h */
