/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "cni-result.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/shash.h"
#include "packets.h"
#include "util.h"

/* Parsing. */

static bool
parse_prefix(const char *s, struct cni_prefix *prefix)
{
    char addr[INET6_ADDRSTRLEN];
    const char *slash = strchr(s, '/');

    if (!slash || slash - s >= sizeof addr
        || !str_to_int(slash + 1, 10, &prefix->plen)) {
        return false;
    }
    ovs_strzcpy(addr, s, slash - s + 1);
    addr[slash - s] = '\0';
    memset(prefix->addr, 0, sizeof prefix->addr);
    prefix->family = strchr(addr, ':') ? AF_INET6 : AF_INET;
    return (inet_pton(prefix->family, addr, prefix->addr) == 1
            && prefix->plen >= 0
            && prefix->plen <= (prefix->family == AF_INET ? 32 : 128));
}

/* Gets the required string 'key', with a prefix. */
static struct cni_error *
get_prefix(const struct json *object, const char *key, const char **textp,
           struct cni_prefix *prefix)
{
    struct cni_error *error = cni_json_get_string(object, key, textp);

    if (!error && (!*textp || !parse_prefix(*textp, prefix))) {
        error = cni_error(CNI_DECODE, "\"%s\" is \"%s\", but must be an "
                          "address with the length of its prefix", key,
                          *textp ? *textp : "");
    }
    return error;
}

/* Gets the optional string 'key', an address of 'family'. */
static struct cni_error *
get_address(const struct json *object, const char *key, int family,
            const char **textp)
{
    struct cni_error *error = cni_json_get_string(object, key, textp);
    uint8_t addr[16];

    if (!error && *textp && inet_pton(family, *textp, addr) != 1) {
        error = cni_error(CNI_DECODE, "\"%s\" is \"%s\", which is no IPv%d "
                          "address", key, *textp, family == AF_INET ? 4 : 6);
    }
    return error;
}

/* 'key' is "address", or "ip" of versions before 0.3.0. */
static struct cni_error *
parse_ip(const struct json *object, const char *key, struct cni_result *result)
{
    struct cni_ip *ip = &result->ips[result->n_ips++];
    struct cni_error *error;

    ip->gateway = NULL;
    ip->interface = -1;
    error = get_prefix(object, key, &ip->address, &ip->prefix);
    if (!error) {
        error = get_address(object, "gateway", ip->prefix.family,
                            &ip->gateway);
    }
    if (!error) {
        error = cni_json_get_integer(object, "interface", 0, INT_MAX,
                                     &ip->interface);
    }
    return error;
}

static struct cni_error *
parse_route(const struct json *object, struct cni_result *result)
{
    struct cni_route *route = &result->routes[result->n_routes++];
    const struct {
        const char *key;
        int *valuep;
    } numbers[] = {
        { "mtu", &route->mtu },
        { "advmss", &route->advmss },
        { "priority", &route->priority },
        { "table", &route->table },
        { "scope", &route->scope },
    };
    struct cni_error *error;

    route->gw = NULL;
    error = get_prefix(object, "dst", &route->dst_text, &route->dst);
    if (!error) {
        error = get_address(object, "gw", route->dst.family, &route->gw);
    }
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        *numbers[i].valuep = -1;
        if (!error) {
            error = cni_json_get_integer(object, numbers[i].key, 0, INT_MAX,
                                         numbers[i].valuep);
        }
    }
    return error;
}

/* Gets the objects in array 'key' of 'object', maybe none. */
static struct cni_error *
get_objects(const struct json *object, const char *key,
            const struct json_array **arrayp)
{
    static const struct json_array empty;
    const struct json *array;
    struct cni_error *error = cni_json_get(object, key, JSON_ARRAY, &array);

    *arrayp = array ? json_array(array) : &empty;
    for (size_t i = 0; i < (*arrayp)->n && !error; i++) {
        if ((*arrayp)->elems[i]->type != JSON_OBJECT) {
            error = cni_error(CNI_DECODE, "elements of \"%s\" must be objects",
                              key);
        }
    }
    return error;
}

static struct cni_error *
parse_routes(const struct json *object, struct cni_result *result)
{
    const struct json_array *routes;
    struct cni_error *error = get_objects(object, "routes", &routes);

    result->routes = xrealloc(result->routes, (result->n_routes + routes->n)
                                              * sizeof *result->routes);
    for (size_t i = 0; i < routes->n && !error; i++) {
        error = parse_route(routes->elems[i], result);
    }
    return error;
}

/* Of versions before 0.3.0: one address of each family, with its routes. */
static struct cni_error *
parse_old(const struct json *json, struct cni_result *result)
{
    static const char *const keys[] = { "ip4", "ip6" };
    struct cni_error *error = NULL;

    result->ips = xmalloc(ARRAY_SIZE(keys) * sizeof *result->ips);
    for (size_t i = 0; i < ARRAY_SIZE(keys) && !error; i++) {
        const struct json *object;

        error = cni_json_get(json, keys[i], JSON_OBJECT, &object);
        if (!error && object) {
            error = parse_ip(object, "ip", result);
            if (!error) {
                error = parse_routes(object, result);
            }
        }
    }
    return error;
}

static struct cni_error *
parse_new(const struct json *json, struct cni_result *result)
{
    const struct json_array *ips;
    struct cni_error *error;

    error = get_objects(json, "ips", &ips);
    result->ips = xmalloc(ips->n * sizeof *result->ips);
    for (size_t i = 0; i < ips->n && !error; i++) {
        error = parse_ip(ips->elems[i], "address", result);
    }
    return error ? error : parse_routes(json, result);
}

struct cni_error *
cni_result_parse(const struct json *json, enum cni_version version,
                 const char *origin, struct cni_result *result)
{
    struct cni_error *error;

    memset(result, 0, sizeof *result);
    error = (version < CNI_0_3_0
             ? parse_old(json, result) : parse_new(json, result));
    if (!error) {
        error = cni_json_get(json, "dns", JSON_OBJECT, &result->dns);
    }
    if (error) {
        char *details = xasprintf("%s: %s", origin, error->details);

        free(error->details);
        error->details = details;
        error->code = CNI_DECODE;
    }
    return error;
}

void
cni_result_destroy(struct cni_result *result)
{
    free(result->ips);
    free(result->routes);
}

const char *
cni_result_gateway(const struct cni_result *result, int family)
{
    for (size_t i = 0; i < result->n_ips; i++) {
        if (result->ips[i].prefix.family == family && result->ips[i].gateway) {
            return result->ips[i].gateway;
        }
    }
    return NULL;
}

/* Formatting. */

static struct json *
route_to_json(const struct cni_route *route, enum cni_version version)
{
    struct json *json = json_object_create();
    const struct {
        const char *key;
        int value;
    } numbers[] = {
        { "mtu", route->mtu },
        { "advmss", route->advmss },
        { "priority", route->priority },
        { "table", route->table },
        { "scope", route->scope },
    };

    json_object_put_string(json, "dst", route->dst_text);
    if (route->gw) {
        json_object_put_string(json, "gw", route->gw);
    }
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (version >= CNI_1_1_0 && numbers[i].value >= 0) {
            json_object_put(json, numbers[i].key,
                            json_integer_create(numbers[i].value));
        }
    }
    return json;
}

static struct json *
ip_to_json(const struct cni_ip *ip, int interface, enum cni_version version)
{
    struct json *json = json_object_create();

    json_object_put_string(json, version < CNI_0_3_0 ? "ip" : "address",
                           ip->address);
    if (ip->gateway) {
        json_object_put_string(json, "gateway", ip->gateway);
    }
    if (version >= CNI_0_3_0) {
        json_object_put(json, "interface", json_integer_create(interface));
    }
    if (version >= CNI_0_3_0 && version < CNI_1_0_0) {
        json_object_put_string(json, "version",
                               ip->prefix.family == AF_INET ? "4" : "6");
    }
    return json;
}

static struct json *
interface_to_json(const struct cni_interface *interface,
                  enum cni_version version)
{
    struct json *json = json_object_create();

    json_object_put_string(json, "name", interface->name);
    json_object_put_format(json, "mac", ETH_ADDR_FMT,
                           ETH_ADDR_ARGS(interface->mac));
    if (interface->sandbox) {
        json_object_put_string(json, "sandbox", interface->sandbox);
    }
    if (version >= CNI_1_1_0) {
        json_object_put(json, "mtu", json_integer_create(interface->mtu));
    }
    return json;
}

/* Before version 0.3.0: the first address of each family with its routes. */
static void
put_old(struct json *json, const struct cni_result *result,
        enum cni_version version)
{
    static const int families[] = { AF_INET, AF_INET6 };

    for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
        for (size_t i = 0; i < result->n_ips; i++) {
            const struct cni_ip *ip = &result->ips[i];
            struct json *object, *routes;

            if (ip->prefix.family != families[f]) {
                continue;
            }
            object = ip_to_json(ip, 0, version);
            routes = json_array_create_empty();
            for (size_t j = 0; j < result->n_routes; j++) {
                if (result->routes[j].dst.family == families[f]) {
                    json_array_add(routes, route_to_json(&result->routes[j],
                                                         version));
                }
            }
            json_object_put(object, "routes", routes);
            json_object_put(json, families[f] == AF_INET ? "ip4" : "ip6",
                            object);
            break;
        }
    }
}

/* Returns a new array with what array 'key' of 'prev' has. */
static struct json *
copy_array(const struct json *prev, const char *key)
{
    struct json *array = json_array_create_empty();
    const struct json *old = prev ? shash_find_data(json_object(prev), key)
                                  : NULL;

    if (old && old->type == JSON_ARRAY) {
        for (size_t i = 0; i < json_array(old)->n; i++) {
            json_array_add(array, json_clone(json_array(old)->elems[i]));
        }
    }
    return array;
}

struct json *
cni_result_to_json(const struct cni_result *result,
                   const struct cni_interface *host,
                   const struct cni_interface *pod,
                   const struct cni_config *config)
{
    const struct json *dns = (config->dns ? config->dns
                              : result->dns ? result->dns : NULL);
    enum cni_version version = config->version;
    struct json *json = json_object_create();
    struct json *interfaces, *ips, *routes;

    json_object_put_string(json, "cniVersion", cni_version_to_string(version));
    json_object_put(json, "dns", dns ? json_clone(dns) : json_object_create());
    if (version < CNI_0_3_0) {
        put_old(json, result, version);
        return json;
    }

    interfaces = copy_array(config->prev_result, "interfaces");
    json_array_add(interfaces, interface_to_json(host, version));
    json_array_add(interfaces, interface_to_json(pod, version));
    ips = copy_array(config->prev_result, "ips");
    for (size_t i = 0; i < result->n_ips; i++) {
        json_array_add(ips, ip_to_json(&result->ips[i],
                                       json_array(interfaces)->n - 1,
                                       version));
    }
    routes = copy_array(config->prev_result, "routes");
    for (size_t i = 0; i < result->n_routes; i++) {
        json_array_add(routes, route_to_json(&result->routes[i], version));
    }
    json_object_put(json, "interfaces", interfaces);
    json_object_put(json, "ips", ips);
    json_object_put(json, "routes", routes);
    return json;
}
