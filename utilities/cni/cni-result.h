/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cni-result: addresses, routes and DNS servers of an attachment, as IPAM
 * plugins return them, as "prevResult" has them, and as this plugin returns
 * them, in all versions of the specification.
 */

#ifndef CNI_RESULT_H
#define CNI_RESULT_H 1

#include <stddef.h>
#include <stdint.h>

#include "cni-config.h"

/* An address and the length of its prefix; or a network. */
struct cni_prefix {
    int family;                 /* AF_INET or AF_INET6. */
    int plen;
    uint8_t addr[16];           /* In network byte order; 4 or 16 bytes. */
};

struct cni_ip {
    struct cni_prefix prefix;
    const char *address;        /* The same as text. */
    const char *gateway;        /* Or NULL. */
    int interface;              /* Index in "interfaces", -1 for none. */
};

struct cni_route {
    struct cni_prefix dst;
    const char *dst_text;
    const char *gw;             /* NULL for that of an address. */
    int mtu, advmss, priority, table, scope; /* -1 if not given. */
};

/* Texts are parts of the JSON that it was read from. */
struct cni_result {
    struct cni_ip *ips;
    size_t n_ips;
    struct cni_route *routes;
    size_t n_routes;
    const struct json *dns;     /* Or NULL. */
};

/* An interface in a result. */
struct cni_interface {
    const char *name;
    struct eth_addr mac;
    int mtu;
    const char *sandbox;        /* NULL on the host. */
};

/* Reads into 'result', which the caller destroys even after an error, the JSON
 * object of 'version', of which "msg" calls the origin 'origin'. */
struct cni_error *cni_result_parse(const struct json *, enum cni_version,
                                   const char *origin,
                                   struct cni_result *result);
void cni_result_destroy(struct cni_result *);

/* Returns what ADD prints: 'result' with the interfaces 'host' and 'pod',
 * which has the addresses, after what "prevResult" in 'config' has. */
struct json *cni_result_to_json(const struct cni_result *,
                                const struct cni_interface *host,
                                const struct cni_interface *pod,
                                const struct cni_config *config);

/* The gateway of the first address of 'family', or NULL. */
const char *cni_result_gateway(const struct cni_result *, int family);

#endif /* cni-result.h */
