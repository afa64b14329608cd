/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cni-ipam: runs the IPAM plugin of a network.
 */

#ifndef CNI_IPAM_H
#define CNI_IPAM_H 1

#include "cni-config.h"

/* Runs the IPAM plugin of 'config' with CNI_COMMAND 'command' and, apart from
 * that, with this program's environment and input, until it ends.  If 'jsonp'
 * is nonnull, stores there the JSON object that it prints, for the caller to
 * destroy; NULL after an error.  An error that the plugin reports is returned
 * with its own code. */
struct cni_error *cni_ipam_run(const struct cni_config *config,
                               const char *command, struct json **jsonp);

#endif /* cni-ipam.h */
