/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovs-xdp-cni: connects pods to bridges of type xdp, as a plugin of the
 * Container Network Interface, https://www.cni.dev/docs/spec/.
 *
 * The runtime starts it once for each command, with what the command is about
 * in environment variables and on standard input: cni-config.h.  It keeps
 * nothing of its own: what there is stands in Open vSwitch's database.
 */

#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cni-config.h"
#include "cni-error.h"
#include "cni-ipam.h"
#include "cni-link.h"
#include "cni-ovsdb.h"
#include "cni-result.h"
#include "fatal-signal.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

static void
print_json(const struct json *json)
{
    char *text = json_to_string(json, JSSF_PRETTY | JSSF_SORT);

    puts(text);
    free(text);
}

/* ADD. */

/* An attachment that is being made, and how far. */
struct attachment {
    const struct cni_config *config;
    struct cni_pod pod;
    struct cni_db *db;
    char host[IFNAMSIZ];        /* "" before there is the veth pair. */
    bool ipam;                  /* The IPAM plugin was called. */
    struct json *ipam_json;
    struct cni_result result;
};

/* Undoes what was done. */
static void
undo(struct attachment *a)
{
    if (a->ipam) {
        cni_error_destroy(cni_ipam_run(a->config, "DEL", NULL));
    }
    if (a->db) {
        cni_error_destroy(cni_db_undo(a->db));
    }
    if (a->host[0]) {
        cni_error_destroy(cni_veth_delete(a->host));
    }
}

/* Has the IPAM plugin, if there is one, choose the addresses. */
static struct cni_error *
add_ipam(struct attachment *a)
{
    const struct cni_config *config = a->config;
    struct cni_error *error;

    if (!config->ipam_type) {
        return NULL;
    }
    a->ipam = true;
    error = cni_ipam_run(config, "ADD", &a->ipam_json);
    if (!error) {
        error = cni_result_parse(a->ipam_json, config->version,
                                 "result of the IPAM plugin", &a->result);
    }
    if (!error && !a->result.n_ips) {
        error = cni_error(CNI_IPAM, "IPAM plugin \"%s\" returned no address",
                          config->ipam_type);
    }
    return error;
}

/* Open vSwitch makes the port while the IPAM plugin chooses the address. */
static struct cni_error *
add_port(struct attachment *a, struct cni_interface *pod)
{
    const struct cni_config *config = a->config;
    struct cni_error *error;

    error = cni_veth_create(&a->pod, config, a->host);
    if (error) {
        return error;
    }
    error = cni_link_get(&a->pod, config->ifname, pod);
    if (!error) {
        error = cni_db_add_port(a->db, a->host, &pod->mac);
    }
    if (!error) {
        error = add_ipam(a);
    }
    if (!error) {
        error = cni_pod_configure(&a->pod, config->ifname, &a->result);
    }
    return error ? error : cni_db_wait(a->db);
}

static struct cni_error *
cmd_add(const struct cni_config *config)
{
    struct cni_interface host = { .name = NULL }, pod = { .name = NULL };
    struct attachment a = { .config = config, .pod.fd = -1 };
    struct cni_error *error;

    error = cni_pod_open(config->netns, &a.pod);
    if (!error) {
        error = cni_db_open(config, &a.db);
    }
    if (!error) {
        error = add_port(&a, &pod);
    }
    if (!error) {
        error = cni_link_get(NULL, a.host, &host);
    }
    if (error) {
        undo(&a);
    } else {
        struct json *json;

        host.name = a.host;
        pod.name = config->ifname;
        pod.sandbox = config->netns;
        json = cni_result_to_json(&a.result, &host, &pod, config);
        print_json(json);
        json_destroy(json);
    }
    cni_pod_close(&a.pod);
    cni_db_close(a.db);
    cni_result_destroy(&a.result);
    json_destroy(a.ipam_json);
    return error;
}

/* DEL and GC. */

/* Deletes a port and its veth pair. */
static struct cni_error *
del_port(struct cni_db *db, const struct cni_port *port)
{
    struct cni_error *error = cni_db_del_port(db, port);

    return error ? error : cni_veth_delete(port->name);
}

/* Deletes the ports of the attachment. */
static struct cni_error *
del_ports(const struct cni_config *config)
{
    struct cni_error *error;
    struct cni_port *ports;
    struct cni_db *db;
    size_t n;

    error = cni_db_open(config, &db);
    if (error) {
        return error;
    }
    error = cni_db_find_ports(db, false, &ports, &n);
    for (size_t i = 0; i < n; i++) {
        error = cni_error_first(error, del_port(db, &ports[i]));
    }
    free(ports);
    cni_db_close(db);
    return error;
}

/* Does as much as it can, whatever is missing. */
static struct cni_error *
cmd_del(const struct cni_config *config)
{
    struct cni_error *error = NULL;
    struct cni_pod pod;

    if (config->ipam_type) {
        error = cni_ipam_run(config, "DEL", NULL);
    }
    error = cni_error_first(error, del_ports(config));
    if (config->netns && config->netns[0]) {
        /* The interface, should its port be gone; the pod may be. */
        struct cni_error *pod_error = cni_pod_open(config->netns, &pod);

        if (pod_error) {
            cni_error_destroy(pod_error);
        } else {
            error = cni_error_first(error,
                                    cni_pod_delete_veth(&pod, config->ifname));
            cni_pod_close(&pod);
        }
    }
    return error;
}

/* Is the port one of 'attachments', the valid ones? */
static bool
is_valid(const struct json *attachments, const struct cni_port *port)
{
    for (size_t i = 0; i < json_array(attachments)->n; i++) {
        const struct json *attachment = json_array(attachments)->elems[i];
        const char *container_id, *ifname;

        if (attachment->type != JSON_OBJECT) {
            continue;
        }
        cni_error_destroy(cni_json_get_string(attachment, "containerID",
                                              &container_id));
        cni_error_destroy(cni_json_get_string(attachment, "ifname", &ifname));
        if (container_id && ifname && port->container_id && port->ifname
            && !strcmp(container_id, port->container_id)
            && !strcmp(ifname, port->ifname)) {
            return true;
        }
    }
    return false;
}

static struct cni_error *
cmd_gc(const struct cni_config *config)
{
    struct cni_error *error = NULL;
    struct cni_port *ports;
    struct cni_db *db;
    size_t n, n_stale = 0;

    if (!config->valid_attachments) {
        return cni_error(CNI_CONFIG, "the network configuration has no "
                         "\"cni.dev/valid-attachments\"");
    }
    if (config->ipam_type) {
        error = cni_ipam_run(config, "GC", NULL);
    }
    error = cni_error_first(error, cni_db_open(config, &db));
    if (!db) {
        return error;
    }
    error = cni_error_first(error, cni_db_find_ports(db, true, &ports, &n));
    for (size_t i = 0; i < n; i++) {
        if (!is_valid(config->valid_attachments, &ports[i])) {
            ports[n_stale++] = ports[i];
        }
    }
    for (size_t i = 0; i < n_stale; i++) {
        error = cni_error_first(error, del_port(db, &ports[i]));
    }
    free(ports);
    cni_db_close(db);
    return error;
}

/* CHECK. */

/* Looks whether the pod's interface in "prevResult" is the one there is. */
static struct cni_error *
check_interfaces(const struct cni_config *config,
                 const struct cni_interface *pod)
{
    const struct json *interfaces;
    struct cni_error *error;

    error = cni_json_get(config->prev_result, "interfaces", JSON_ARRAY,
                         &interfaces);
    for (size_t i = 0; !error && interfaces && i < json_array(interfaces)->n;
         i++) {
        const struct json *interface = json_array(interfaces)->elems[i];
        const char *name, *mac, *sandbox;
        struct eth_addr ea;

        if (interface->type != JSON_OBJECT) {
            continue;
        }
        cni_error_destroy(cni_json_get_string(interface, "name", &name));
        cni_error_destroy(cni_json_get_string(interface, "mac", &mac));
        cni_error_destroy(cni_json_get_string(interface, "sandbox", &sandbox));
        if (name && sandbox && !strcmp(name, config->ifname)) {
            return (!mac || (eth_addr_from_string(mac, &ea)
                             && eth_addr_equals(ea, pod->mac)) ? NULL
                    : cni_error(CNI_CHECK, "MAC address of %s is "ETH_ADDR_FMT
                                ", not %s", name, ETH_ADDR_ARGS(pod->mac),
                                mac));
        }
    }
    return (error ? error
            : cni_error(CNI_CONFIG, "\"prevResult\" has no interface \"%s\"",
                        config->ifname));
}

static struct cni_error *
check_pod(const struct cni_config *config)
{
    struct cni_interface interface;
    struct cni_result result;
    struct cni_error *error;
    struct cni_pod pod;

    error = cni_pod_open(config->netns, &pod);
    if (error) {
        return error;
    }
    error = cni_result_parse(config->prev_result, config->version,
                             "\"prevResult\"", &result);
    if (!error) {
        error = cni_pod_check(&pod, config->ifname, &result, &interface);
    }
    if (!error) {
        error = check_interfaces(config, &interface);
    }
    cni_result_destroy(&result);
    cni_pod_close(&pod);
    return error;
}

static struct cni_error *
check_port(const struct cni_config *config)
{
    struct cni_error *error;
    struct cni_port *ports;
    struct cni_db *db;
    size_t n;

    error = cni_db_open(config, &db);
    if (error) {
        return error;
    }
    error = cni_db_find_ports(db, false, &ports, &n);
    if (!error) {
        error = (n == 1 ? cni_db_check_port(db, &ports[0])
                 : cni_error(CNI_CHECK, "Open vSwitch has no port for "
                             "container %s, interface %s",
                             config->container_id, config->ifname));
    }
    free(ports);
    cni_db_close(db);
    return error;
}

static struct cni_error *
cmd_check(const struct cni_config *config)
{
    struct cni_error *error = NULL;

    if (!config->prev_result) {
        return cni_error(CNI_CONFIG, "the network configuration has no "
                         "\"prevResult\"");
    }
    if (config->ipam_type) {
        error = cni_ipam_run(config, "CHECK", NULL);
    }
    if (!error) {
        error = check_pod(config);
    }
    return error ? error : check_port(config);
}

/* STATUS and VERSION. */

static struct cni_error *
cmd_status(const struct cni_config *config)
{
    struct cni_error *error;
    struct cni_db *db;

    error = cni_db_open(config, &db);
    if (!error) {
        error = cni_db_status(db);
        cni_db_close(db);
    }
    if (!error && config->ipam_type) {
        error = cni_ipam_run(config, "STATUS", NULL);
    }
    return error;
}

static struct cni_error *
cmd_version(const struct cni_config *config)
{
    struct json *versions = json_array_create_empty();
    struct json *json = json_object_create();

    for (int i = 0; i < CNI_N_VERSIONS; i++) {
        json_array_add(versions,
                       json_string_create(cni_version_to_string(i)));
    }
    json_object_put_string(json, "cniVersion",
                           (config->version_string ? config->version_string
                            : cni_version_to_string(CNI_N_VERSIONS - 1)));
    json_object_put(json, "supportedVersions", versions);
    print_json(json);
    json_destroy(json);
    return NULL;
}

static struct cni_error *
run(const struct cni_config *config)
{
    switch (config->command) {
    case CNI_CMD_ADD: return cmd_add(config);
    case CNI_CMD_DEL: return cmd_del(config);
    case CNI_CMD_CHECK: return cmd_check(config);
    case CNI_CMD_STATUS: return cmd_status(config);
    case CNI_CMD_GC: return cmd_gc(config);
    case CNI_CMD_VERSION: return cmd_version(config);
    case CNI_N_COMMANDS: break;
    }
    OVS_NOT_REACHED();
}

/* Tells the runtime. */
static void
print_error(const struct cni_config *config, const struct cni_error *error)
{
    struct json *json = json_object_create();

    json_object_put_string(json, "cniVersion",
                           (config->version_string ? config->version_string
                            : cni_version_to_string(CNI_N_VERSIONS - 1)));
    json_object_put(json, "code", json_integer_create(error->code));
    json_object_put_string(json, "msg", error->msg);
    json_object_put_string(json, "details", error->details);
    print_json(json);
    json_destroy(json);
}

int
main(int argc, char *argv[])
{
    struct cni_config config;
    struct cni_error *error;
    bool failed;

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_ERR);
    vlog_set_levels(NULL, VLF_SYSLOG, VLL_OFF);
    fatal_ignore_sigpipe();
    if (argc > 1 || !getenv("CNI_COMMAND")) {
        printf("%s (ovs-xdp) %s: a CNI plugin, for container runtimes to run: "
               "see ovs-xdp-cni(8)\n", program_name, OXDP_VERSION);
        return argc > 1 && !strcmp(argv[1], "--version") ? 0 : EXIT_FAILURE;
    }

    error = cni_config_read(&config);
    if (!error) {
        error = run(&config);
    }
    failed = error != NULL;
    if (error) {
        print_error(&config, error);
    }
    cni_error_destroy(error);
    cni_config_destroy(&config);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
