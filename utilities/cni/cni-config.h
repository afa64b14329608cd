/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cni-config: what the container runtime asks for: environment variables, the
 * network configuration on standard input, and the keys that all networks
 * have in common in a file "ovs.conf".
 *
 * Keys are those of k8snetworkplumbingwg/ovs-cni, and some more.
 */

#ifndef CNI_CONFIG_H
#define CNI_CONFIG_H 1

#include <stdbool.h>

#include "cni-error.h"
#include "openvswitch/json.h"
#include "openvswitch/types.h"

/* Versions of the specification, oldest first. */
#define CNI_VERSIONS(X)                         \
    X(CNI_0_1_0, "0.1.0")                       \
    X(CNI_0_2_0, "0.2.0")                       \
    X(CNI_0_3_0, "0.3.0")                       \
    X(CNI_0_3_1, "0.3.1")                       \
    X(CNI_0_4_0, "0.4.0")                       \
    X(CNI_1_0_0, "1.0.0")                       \
    X(CNI_1_1_0, "1.1.0")

enum cni_version {
#define CNI_VERSION_ENUM(NAME, STRING) NAME,
    CNI_VERSIONS(CNI_VERSION_ENUM)
#undef CNI_VERSION_ENUM
    CNI_N_VERSIONS
};

const char *cni_version_to_string(enum cni_version);

/* Commands: name, oldest version that has it, whether the environment has to
 * name the attachment, and its network namespace. */
#define CNI_COMMANDS(X)                         \
    X(ADD, CNI_0_1_0, true, true)               \
    X(DEL, CNI_0_1_0, true, false)              \
    X(CHECK, CNI_0_4_0, true, true)             \
    X(STATUS, CNI_1_1_0, false, false)          \
    X(GC, CNI_1_1_0, false, false)              \
    X(VERSION, CNI_0_1_0, false, false)

enum cni_command {
#define CNI_COMMAND_ENUM(NAME, VERSION, ATTACHMENT, NETNS) CNI_CMD_##NAME,
    CNI_COMMANDS(CNI_COMMAND_ENUM)
#undef CNI_COMMAND_ENUM
    CNI_N_COMMANDS
};

/* What DEL and GC need comes first: these must work with what is left of a
 * configuration. */
struct cni_config {
    /* Of the environment; NULL if not set. */
    enum cni_command command;
    const char *container_id;
    const char *netns;
    const char *ifname;
    const char *path;

    /* Of the configuration.  Strings and JSON are parts of 'json'. */
    char *text;                 /* As it came. */
    struct json *json;          /* With the keys of "ovs.conf". */
    enum cni_version version;
    const char *version_string; /* As it came, for answers. */
    const char *name;           /* Of the network. */
    char *remote;               /* Of ovsdb-server, "unix:..." and the like. */
    const char *ipam_type;      /* NULL for none. */
    const struct json *prev_result;       /* Or NULL. */
    const struct json *valid_attachments; /* Or NULL. */

    /* Of the port. */
    const char *bridge;
    const char *datapath_type;  /* Of the bridge. */
    const char *xdp_mode;       /* other_config:xdp-mode, or NULL. */
    const char *ovn_port;       /* external_ids:iface-id, or NULL. */
    const char *pod_uid;        /* Or NULL. */
    const struct json *dns;     /* Or NULL. */
    int vlan;                   /* VLAN ID of an access port, -1 for none. */
    unsigned long *trunks;      /* VLAN IDs of a trunk, NULL for all. */
    int mtu;                    /* 0 for the default. */
    int ofport_request;         /* 0 for any. */
    int timeout_ms;             /* For Open vSwitch to make the port. */
    bool has_mac;
    struct eth_addr mac;

    char *args;                 /* Copy of CNI_ARGS, cut in pieces. */
};

/* Reads the environment and standard input into 'config', which the caller
 * destroys even after an error.  Checks what the command needs. */
struct cni_error *cni_config_read(struct cni_config *config);
void cni_config_destroy(struct cni_config *);

/* Stores in '*valuep' the string, object or array 'key' of 'object', NULL if
 * it is not there or null. */
struct cni_error *cni_json_get(const struct json *object, const char *key,
                               enum json_type, const struct json **valuep);
struct cni_error *cni_json_get_string(const struct json *object,
                                      const char *key, const char **valuep);

/* The same for an integer from 'min' to 'max'; '*valuep' stays if there is
 * none. */
struct cni_error *cni_json_get_integer(const struct json *object,
                                       const char *key, int min, int max,
                                       int *valuep);

#endif /* cni-config.h */
