/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dpif-xdp-bridge: what the database says of bridges and their ports.
 *
 * A dpif is not told which bridge a port is in, nor much else.  So this file
 * looks it up in ovs-vswitchd's own copy of the database, which it gets to see
 * by standing in front of a function that bridge_run() calls in every iteration
 * of the main loop.
 */

#include <config.h>

#include <string.h>

#include "dpif-xdp.h"
#include "netdev-xdp.h"
#include "vswitch-idl.h"

/* ovs-vswitchd's copy of the database, or NULL.  Main thread. */
static const struct ovsdb_idl *the_idl;

const struct ovsrec_open_vswitch *__real_ovsrec_open_vswitch_first(
    const struct ovsdb_idl *);
const struct ovsrec_open_vswitch *__wrap_ovsrec_open_vswitch_first(
    const struct ovsdb_idl *);

const struct ovsrec_open_vswitch *
__wrap_ovsrec_open_vswitch_first(const struct ovsdb_idl *idl)
{
    the_idl = idl;
    return __real_ovsrec_open_vswitch_first(idl);
}

bool
xdp_bridge_is_name(const char *name)
{
    const struct ovsrec_bridge *br;

    if (the_idl) {
        OVSREC_BRIDGE_FOR_EACH (br, the_idl) {
            if (!strcmp(br->name, name)) {
                return !strcmp(br->datapath_type, DPIF_XDP_TYPE);
            }
        }
    }
    return false;
}
