/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "cni-config.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bitmap.h"
#include "dirs.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "util.h"

/* The most that is read of a configuration. */
#define MAX_TEXT (4 * 1024 * 1024)

/* How long Open vSwitch may take to make a port, unless the configuration
 * says. */
#define DEFAULT_TIMEOUT_MS 10000

#define MAX_VLAN 4095

const char *
cni_version_to_string(enum cni_version version)
{
    static const char *const names[] = {
#define CNI_VERSION_NAME(NAME, STRING) STRING,
        CNI_VERSIONS(CNI_VERSION_NAME)
#undef CNI_VERSION_NAME
    };

    return names[version];
}

static const struct command {
    const char *name;
    enum cni_version since;
    bool attachment;
    bool netns;
} commands[] = {
#define CNI_COMMAND(NAME, VERSION, ATTACHMENT, NETNS) \
    { #NAME, VERSION, ATTACHMENT, NETNS },
    CNI_COMMANDS(CNI_COMMAND)
#undef CNI_COMMAND
};

/* JSON. */

struct cni_error *
cni_json_get(const struct json *object, const char *key, enum json_type type,
             const struct json **valuep)
{
    const struct json *value = shash_find_data(json_object(object), key);

    *valuep = NULL;
    if (!value || value->type == JSON_NULL) {
        return NULL;
    }
    if (value->type != type) {
        char *text = json_to_string(value, 0);
        struct cni_error *error;

        error = cni_error(CNI_CONFIG, "\"%s\" is %s, but must be of type %s",
                          key, text, json_type_to_string(type));
        free(text);
        return error;
    }
    *valuep = value;
    return NULL;
}

struct cni_error *
cni_json_get_string(const struct json *object, const char *key,
                    const char **valuep)
{
    const struct json *value;
    struct cni_error *error;

    error = cni_json_get(object, key, JSON_STRING, &value);
    *valuep = value && json_string(value)[0] ? json_string(value) : NULL;
    return error;
}

struct cni_error *
cni_json_get_integer(const struct json *object, const char *key, int min,
                     int max, int *valuep)
{
    const struct json *value;
    struct cni_error *error;

    error = cni_json_get(object, key, JSON_INTEGER, &value);
    if (error || !value) {
        return error;
    }
    if (json_integer(value) < min || json_integer(value) > max) {
        return cni_error(CNI_CONFIG, "\"%s\" is %"PRId64", but must be "
                         "from %d to %d", key, json_integer(value), min, max);
    }
    *valuep = json_integer(value);
    return NULL;
}

/* The environment. */

/* Is 's' what the specification allows for names of networks and containers:
 * letters, digits, "_", "." and "-", the first one a letter or digit? */
static bool
is_identifier(const char *s)
{
    return (isalnum((unsigned char) s[0])
            && s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")] == '\0');
}

static struct cni_error *
check_environment(const struct cni_config *config)
{
    const struct command *command = &commands[config->command];

    if (command->attachment) {
        if (!config->container_id || !is_identifier(config->container_id)) {
            return cni_error(CNI_ENVIRONMENT, "CNI_CONTAINERID is \"%s\", but "
                             "must be letters, digits, \"_\", \".\" and \"-\","
                             " and begin with a letter or digit",
                             config->container_id ? config->container_id : "");
        }
        if (!config->ifname || !config->ifname[0]
            || strlen(config->ifname) >= IFNAMSIZ
            || strpbrk(config->ifname, "/: \t\n\v\f\r")
            || !strcmp(config->ifname, ".")
            || !strcmp(config->ifname, "..")) {
            return cni_error(CNI_ENVIRONMENT, "CNI_IFNAME is \"%s\", which is "
                             "no name for a network interface: these have up "
                             "to 15 characters, no \"/\", \":\" or blank",
                             config->ifname ? config->ifname : "");
        }
    }
    if (command->netns && (!config->netns || !config->netns[0])) {
        return cni_error(CNI_ENVIRONMENT, "CNI_NETNS is not set");
    }
    return NULL;
}

static struct cni_error *
read_environment(struct cni_config *config)
{
    const char *name = getenv("CNI_COMMAND");

    config->container_id = getenv("CNI_CONTAINERID");
    config->netns = getenv("CNI_NETNS");
    config->ifname = getenv("CNI_IFNAME");
    config->path = getenv("CNI_PATH");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (name && !strcmp(name, commands[i].name)) {
            config->command = i;
            return check_environment(config);
        }
    }
    return cni_error(CNI_ENVIRONMENT, "CNI_COMMAND is \"%s\", but must be "
                     "ADD, DEL, CHECK, STATUS, GC or VERSION",
                     name ? name : "");
}

/* Goes through CNI_ARGS, KEY=VALUE;KEY=VALUE..., for those of the keys that
 * are for this plugin. */
static struct cni_error *
parse_args(struct cni_config *config, const char **macp)
{
    const char *args = getenv("CNI_ARGS");
    char *save = NULL;

    config->args = xstrdup(args ? args : "");
    for (char *arg = strtok_r(config->args, ";", &save); arg;
         arg = strtok_r(NULL, ";", &save)) {
        char *value = strchr(arg, '=');

        if (!value) {
            return cni_error(CNI_ENVIRONMENT, "CNI_ARGS is \"%s\", but must "
                             "be KEY=VALUE;KEY=VALUE...", args);
        }
        *value++ = '\0';
        if (!value[0]) {
            continue;
        } else if (!strcasecmp(arg, "mac")) {
            *macp = value;
        } else if (!strcasecmp(arg, "ovnPort")) {
            config->ovn_port = value;
        } else if (!strcmp(arg, "K8S_POD_UID")) {
            config->pod_uid = value;
        }
    }
    return NULL;
}

/* Files. */

static struct cni_error *
read_text(int fd, char **textp)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    ssize_t n;

    do {
        ds_reserve(&ds, ds.length + 4096);
        n = read(fd, ds.string + ds.length, 4096);
        if (n > 0) {
            ds.length += n;
        }
    } while ((n > 0 && ds.length < MAX_TEXT) || (n < 0 && errno == EINTR));
    *textp = ds_steal_cstr(&ds);
    if (n) {
        return cni_error(CNI_IO, "cannot read the network configuration from "
                         "standard input: %s",
                         n < 0 ? ovs_strerror(errno) : "it is too long");
    }
    return NULL;
}

/* Adds to 'json' the keys that it does not have of the first file that exists:
 * "configuration_path", and where else ovs-cni looks. */
static struct cni_error *
merge_file(struct json *json)
{
    const char *files[] = {
        NULL,
        "/etc/kubernetes/cni/net.d/ovs.d/ovs.conf",
        "/etc/cni/net.d/ovs.d/ovs.conf",
    };
    struct cni_error *error;
    struct shash_node *node;
    struct json *file;
    size_t i;

    error = cni_json_get_string(json, "configuration_path", &files[0]);
    if (error) {
        return error;
    }
    if (files[0] && access(files[0], R_OK)) {
        return cni_error(CNI_CONFIG, "cannot read \"configuration_path\" %s: "
                         "%s", files[0], ovs_strerror(errno));
    }
    for (i = 0; i < ARRAY_SIZE(files); i++) {
        if (files[i] && !access(files[i], F_OK)) {
            break;
        }
    }
    if (i >= ARRAY_SIZE(files)) {
        return NULL;
    }

    file = json_from_file(files[i]);
    if (file->type != JSON_OBJECT) {
        error = cni_error(CNI_DECODE, "%s is no JSON object: %s", files[i],
                          file->type == JSON_STRING ? json_string(file) : "");
    } else {
        SHASH_FOR_EACH (node, json_object(file)) {
            if (!shash_find(json_object(json), node->name)) {
                json_object_put(json, node->name, json_clone(node->data));
            }
        }
    }
    json_destroy(file);
    return error;
}

/* The configuration. */

static struct cni_error *
parse_version(struct cni_config *config)
{
    const struct command *command = &commands[config->command];
    struct cni_error *error;
    int i;

    error = cni_json_get_string(config->json, "cniVersion",
                                &config->version_string);
    if (error) {
        return error;
    }

    /* The specification had no such key at first. */
    config->version = CNI_0_1_0;
    if (config->version_string) {
        for (i = 0; i < CNI_N_VERSIONS; i++) {
            if (!strcmp(config->version_string, cni_version_to_string(i))) {
                break;
            }
        }
        if (i >= CNI_N_VERSIONS) {
            return (config->command == CNI_CMD_VERSION ? NULL
                    : cni_error(CNI_VERSION, "\"cniVersion\" is \"%s\", but "
                                "this plugin knows 0.1.0, 0.2.0, 0.3.0, "
                                "0.3.1, 0.4.0, 1.0.0 and 1.1.0",
                                config->version_string));
        }
        config->version = i;
    }
    if (config->version < command->since) {
        return cni_error(CNI_VERSION, "\"cniVersion\" is \"%s\", but there "
                         "is CNI_COMMAND=%s only since %s",
                         cni_version_to_string(config->version),
                         command->name, cni_version_to_string(command->since));
    }
    return NULL;
}

/* Sets 'config->remote' from "socket_file". */
static struct cni_error *
parse_remote(struct cni_config *config)
{
    struct cni_error *error;
    const char *socket;

    error = cni_json_get_string(config->json, "socket_file", &socket);
    if (error) {
        return error;
    }
    if (!socket) {
        config->remote = xasprintf("unix:%s/db.sock", ovs_rundir());
    } else if (!strncmp(socket, "unix:", 5) || !strncmp(socket, "tcp:", 4)) {
        config->remote = xstrdup(socket);
    } else if (socket[0] == '/') {
        config->remote = xasprintf("unix:%s", socket);
    } else {
        return cni_error(CNI_FIELD, "\"socket_file\" is \"%s\", but must be "
                         "unix:PATH, PATH or tcp:ADDRESS:PORT", socket);
    }
    return NULL;
}

/* What all commands need. */
static struct cni_error *
parse_network(struct cni_config *config)
{
    const struct json *ipam;
    struct cni_error *error;

    error = cni_json_get_string(config->json, "name", &config->name);
    if (!error && (!config->name || !is_identifier(config->name))) {
        error = cni_error(CNI_CONFIG, "\"name\" of the network is \"%s\", but "
                          "must be letters, digits, \"_\", \".\" and \"-\", "
                          "and begin with a letter or digit",
                          config->name ? config->name : "");
    }
    if (!error) {
        error = merge_file(config->json);
    }
    if (!error) {
        error = parse_remote(config);
    }
    if (!error) {
        error = cni_json_get(config->json, "ipam", JSON_OBJECT, &ipam);
    }
    if (!error && ipam) {
        error = cni_json_get_string(ipam, "type", &config->ipam_type);
    }
    if (!error && config->ipam_type && strchr(config->ipam_type, '/')) {
        error = cni_error(CNI_CONFIG, "\"type\" of \"ipam\" is \"%s\", but "
                          "must be the name of a plugin in CNI_PATH",
                          config->ipam_type);
    }
    if (!error) {
        error = cni_json_get(config->json, "prevResult", JSON_OBJECT,
                             &config->prev_result);
    }
    if (!error) {
        error = cni_json_get(config->json, "cni.dev/valid-attachments",
                             JSON_ARRAY, &config->valid_attachments);
    }
    return error;
}

/* Refuses keys, ovs-cni's and the bridge plugin's, that ask for what this
 * plugin does not do. */
static struct cni_error *
check_unsupported(const struct json *json)
{
    static const struct {
        const char *key;
        const char *why;
    } keys[] = {
        { "deviceID", "there is no offload to virtual functions: leave the "
          "key out, and the pod gets a veth interface" },
        { "mirrors", "make mirrors with ovs-vsctl(8)" },
        { "isGateway", "give the bridge an address with ip-address(8)" },
        { "isDefaultGateway", "give the bridge an address with "
          "ip-address(8), and the IPAM plugin a route" },
        { "ipMasq", "chain a plugin that does NAT, such as firewall or "
          "portmap, or do it with nftables" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const struct json *value = shash_find_data(json_object(json),
                                                   keys[i].key);
        struct cni_error *error;
        char *text;

        if (!value || value->type == JSON_NULL || value->type == JSON_FALSE
            || (value->type == JSON_STRING && !json_string(value)[0])) {
            continue;
        }
        text = json_to_string(value, 0);
        error = cni_error(CNI_FIELD, "\"%s\" is %s, which is not supported: "
                          "%s", keys[i].key, text, keys[i].why);
        free(text);
        return error;
    }
    return NULL;
}

/* Adds the VLAN IDs of one element of "trunk" to 'trunks'. */
static struct cni_error *
parse_trunk(const struct json *element, unsigned long *trunks)
{
    int id = -1, min = -1, max = -1;
    struct cni_error *error;

    if (element->type != JSON_OBJECT) {
        return cni_error(CNI_CONFIG, "elements of \"trunk\" must be objects: "
                         "{\"id\": N} or {\"minID\": N, \"maxID\": N}");
    }
    error = cni_json_get_integer(element, "id", 0, MAX_VLAN, &id);
    if (!error) {
        error = cni_json_get_integer(element, "minID", 0, MAX_VLAN, &min);
    }
    if (!error) {
        error = cni_json_get_integer(element, "maxID", 0, MAX_VLAN, &max);
    }
    if (!error && ((min < 0) != (max < 0) || min > max
                   || (id < 0 && min < 0))) {
        error = cni_error(CNI_CONFIG, "\"trunk\" has neither an \"id\" nor a "
                          "\"minID\" with a \"maxID\" that is not less");
    }
    if (error) {
        return error;
    }
    if (id >= 0) {
        bitmap_set1(trunks, id);
    }
    for (int i = min; i >= 0 && i <= max; i++) {
        bitmap_set1(trunks, i);
    }
    return NULL;
}

/* As ovs-cni understands them: a "trunk" wins over a "vlan". */
static struct cni_error *
parse_vlans(struct cni_config *config)
{
    const struct json *trunk;
    struct cni_error *error;

    error = cni_json_get_integer(config->json, "vlan", 0, MAX_VLAN,
                                 &config->vlan);
    if (!error) {
        error = cni_json_get(config->json, "trunk", JSON_ARRAY, &trunk);
    }
    if (error || !trunk || !json_array(trunk)->n) {
        return error;
    }

    config->vlan = -1;
    config->trunks = bitmap_allocate(MAX_VLAN + 1);
    for (size_t i = 0; i < json_array(trunk)->n && !error; i++) {
        error = parse_trunk(json_array(trunk)->elems[i], config->trunks);
    }
    return error;
}

/* Gets the MAC address: that of "runtimeConfig", else of "args", else 'mac',
 * of CNI_ARGS.  And, of "args" too, "ovnPort". */
static struct cni_error *
parse_dynamic(struct cni_config *config, const char *mac)
{
    const struct json *runtime, *args, *cni = NULL;
    struct cni_error *error;
    struct shash_node *node;

    error = cni_json_get(config->json, "args", JSON_OBJECT, &args);
    if (!error && args) {
        error = cni_json_get(args, "cni", JSON_OBJECT, &cni);
    }
    if (!error) {
        error = cni_json_get(config->json, "runtimeConfig", JSON_OBJECT,
                             &runtime);
    }
    if (error) {
        return error;
    }
    if (cni) {
        SHASH_FOR_EACH (node, json_object(cni)) {
            const struct json *value = node->data;

            if (value->type != JSON_STRING || !json_string(value)[0]) {
                continue;
            } else if (!strcasecmp(node->name, "mac")) {
                mac = json_string(value);
            } else if (!strcasecmp(node->name, "ovnPort")) {
                config->ovn_port = json_string(value);
            }
        }
    }
    if (runtime) {
        const char *runtime_mac;

        error = cni_json_get_string(runtime, "mac", &runtime_mac);
        if (error) {
            return error;
        }
        mac = runtime_mac ? runtime_mac : mac;
    }
    config->has_mac = mac != NULL;
    if (mac && (!eth_addr_from_string(mac, &config->mac)
                || eth_addr_is_multicast(config->mac)
                || eth_addr_is_zero(config->mac))) {
        return cni_error(CNI_CONFIG, "MAC address \"%s\" is not that of an "
                         "interface, such as 0a:58:0a:f4:00:07", mac);
    }
    return NULL;
}

/* Sets 'config->timeout_ms' from what ovs-cni calls retries and interval. */
static struct cni_error *
parse_timeout(struct cni_config *config)
{
    int retries = 0, interval = 0;
    struct cni_error *error;

    error = cni_json_get_integer(config->json, "link_state_check_retries",
                                 0, 1000, &retries);
    if (!error) {
        error = cni_json_get_integer(config->json, "link_state_check_interval",
                                     0, 60000, &interval);
    }
    config->timeout_ms = (retries && interval ? retries * interval
                          : DEFAULT_TIMEOUT_MS);
    return error;
}

static struct cni_error *
parse_bridge(struct cni_config *config)
{
    struct cni_error *error;

    error = cni_json_get_string(config->json, "bridge", &config->bridge);
    if (!error) {
        error = cni_json_get_string(config->json, "datapath_type",
                                    &config->datapath_type);
    }
    if (error) {
        return error;
    }
    if (!config->datapath_type) {
        config->datapath_type = "xdp";
    }
    if (!config->bridge && config->ovn_port) {
        config->bridge = "br-int";
    }
    if (!config->bridge) {
        return cni_error(CNI_CONFIG, "the network configuration has no "
                         "\"bridge\"");
    }
    if (strlen(config->bridge) >= IFNAMSIZ
        || strpbrk(config->bridge, "/ \t\n")) {
        return cni_error(CNI_CONFIG, "\"bridge\" is \"%s\", but names of "
                         "bridges have up to 15 characters, no \"/\" or blank",
                         config->bridge);
    }
    return NULL;
}

/* Everything about the port that ADD makes and CHECK looks at. */
static struct cni_error *
parse_port(struct cni_config *config)
{
    const char *type, *mac = NULL;
    struct cni_error *error;

    error = check_unsupported(config->json);
    if (!error) {
        error = parse_args(config, &mac);
    }
    if (!error) {
        error = parse_dynamic(config, mac);
    }
    if (!error) {
        error = parse_bridge(config);
    }
    if (!error) {
        error = parse_vlans(config);
    }
    if (!error) {
        error = parse_timeout(config);
    }
    if (!error) {
        error = cni_json_get_integer(config->json, "mtu", 0, 65535,
                                     &config->mtu);
    }
    if (!error) {
        error = cni_json_get_integer(config->json, "ofport_request", 0, 65279,
                                     &config->ofport_request);
    }
    if (!error) {
        error = cni_json_get_string(config->json, "xdp_mode",
                                    &config->xdp_mode);
    }
    if (!error) {
        error = cni_json_get(config->json, "dns", JSON_OBJECT, &config->dns);
    }
    if (!error) {
        error = cni_json_get_string(config->json, "interface_type", &type);
    }
    if (!error && type && strcmp(type, "system")) {
        error = cni_error(CNI_FIELD, "\"interface_type\" is \"%s\", but this "
                          "plugin makes veth interfaces, of type \"system\"",
                          type);
    }
    return error;
}

struct cni_error *
cni_config_read(struct cni_config *config)
{
    struct cni_error *error;

    memset(config, 0, sizeof *config);
    config->vlan = -1;
    error = read_environment(config);
    if (!error) {
        error = read_text(STDIN_FILENO, &config->text);
    }
    if (error) {
        return error;
    }

    /* A runtime may ask for the version with nothing to tell. */
    config->json = (config->command == CNI_CMD_VERSION
                    && !config->text[strspn(config->text, " \t\r\n")]
                    ? json_object_create() : json_from_string(config->text));
    if (config->json->type != JSON_OBJECT) {
        return cni_error(CNI_DECODE, "the network configuration on standard "
                         "input is no JSON object: %s",
                         (config->json->type == JSON_STRING
                          ? json_string(config->json) : config->text));
    }
    error = parse_version(config);
    if (!error && config->command != CNI_CMD_VERSION) {
        error = parse_network(config);
    }
    if (!error && (config->command == CNI_CMD_ADD
                   || config->command == CNI_CMD_CHECK
                   || config->command == CNI_CMD_STATUS)) {
        error = parse_port(config);
    }
    return error;
}

void
cni_config_destroy(struct cni_config *config)
{
    json_destroy(config->json);
    bitmap_free(config->trunks);
    free(config->remote);
    free(config->text);
    free(config->args);
}
