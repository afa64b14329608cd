/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "cni-ovsdb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "jsonrpc.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "stream.h"
#include "timeval.h"
#include "util.h"

/* How long the database may take to answer. */
#define ANSWER_MS 10000

/* How often to start again because another has made, or deleted, the bridge
 * at the same time. */
#define TRIES 20

/* external_ids:owner of ports and bridges. */
#define OWNER "ovs-xdp-cni"

struct cni_db {
    const struct cni_config *config;
    struct jsonrpc *rpc;
    struct json *reply;         /* To the last transaction, or NULL. */
    bool new_bridge;            /* The port came with its bridge. */
    char iface[37];             /* UUIDs of what was added; "" for nothing. */
    char port[37];
    char bridge[37];
};

struct cni_error *
cni_db_open(const struct cni_config *config, struct cni_db **dbp)
{
    struct stream *stream;
    int error;

    *dbp = NULL;
    error = stream_open_block(jsonrpc_stream_open(config->remote, &stream,
                                                  DSCP_DEFAULT),
                              ANSWER_MS, &stream);
    if (error) {
        return cni_error((config->command == CNI_CMD_STATUS
                          ? CNI_UNAVAILABLE : CNI_AGAIN),
                         "cannot connect to Open vSwitch's database %s: %s: "
                         "is ovsdb-server running, is \"socket_file\" right?",
                         config->remote, ovs_strerror(error));
    }
    *dbp = xzalloc(sizeof **dbp);
    (*dbp)->config = config;
    (*dbp)->rpc = jsonrpc_open(stream);
    return NULL;
}

void
cni_db_close(struct cni_db *db)
{
    if (db) {
        jsonrpc_close(db->rpc);
        json_destroy(db->reply);
        free(db);
    }
}

/* JSON of OVSDB, RFC 7047.  Functions take their arguments over. */

static struct json *
pair(const char *tag, struct json *value)
{
    return json_array_create_2(json_string_create(tag), value);
}

static struct json *
uuid(const char *s)
{
    return pair("uuid", json_string_create(s));
}

static struct json *
named(const char *s)
{
    return pair("named-uuid", json_string_create(s));
}

static struct json *
set(struct json *elements)
{
    return pair("set", elements);
}

static void
map_put(struct json *map, const char *key, const char *value)
{
    if (value) {
        json_array_add(map, pair(key, json_string_create(value)));
    }
}

/* The one condition or mutation of an operation: 'column' 'function' 'value'.
 */
static struct json *
clause(const char *column, const char *function, struct json *value)
{
    return json_array_create_1(json_array_create_3(
        json_string_create(column), json_string_create(function), value));
}

static struct json *
operation(const char *op, const char *table, struct json *where)
{
    struct json *json = json_object_create();

    json_object_put_string(json, "op", op);
    json_object_put_string(json, "table", table);
    if (where) {
        json_object_put(json, "where", where);
    }
    return json;
}

static struct json *
op_insert(const char *table, const char *name, struct json *row)
{
    struct json *json = operation("insert", table, NULL);

    json_object_put_string(json, "uuid-name", name);
    json_object_put(json, "row", row);
    return json;
}

static struct json *
op_mutate(const char *table, struct json *where, struct json *mutations)
{
    struct json *json = operation("mutate", table, where);

    json_object_put(json, "mutations", mutations);
    return json;
}

/* 'columns' is null-terminated. */
static struct json *
op_select(const char *table, struct json *where, const char *const *columns)
{
    struct json *json = operation("select", table, where);
    struct json *array = json_array_create_empty();

    for (; *columns; columns++) {
        json_array_add(array, json_string_create(*columns));
    }
    json_object_put(json, "columns", array);
    return json;
}

/* Waits until the rows 'where' have 'value' in 'column', or ("!=") have
 * something else; there are to be no such rows if 'value' is null. */
static struct json *
op_wait(const char *table, struct json *where, const char *column,
        const char *until, struct json *value, int timeout_ms)
{
    struct json *json = operation("wait", table, where);
    struct json *rows = json_array_create_empty();

    json_object_put(json, "timeout", json_integer_create(timeout_ms));
    json_object_put(json, "columns",
                    json_array_create_1(json_string_create(column)));
    json_object_put_string(json, "until", until);
    if (value) {
        struct json *row = json_object_create();

        json_object_put(row, column, value);
        json_array_add(rows, row);
    }
    json_object_put(json, "rows", rows);
    return json;
}

/* Transactions. */

static struct json *
new_transaction(void)
{
    return json_array_create_1(json_string_create("Open_vSwitch"));
}

/* Sends 'msg' and waits up to 'timeout_ms' for the reply with its ID. */
static int
wait_for_reply(struct jsonrpc *rpc, struct jsonrpc_msg *msg, int timeout_ms,
               struct jsonrpc_msg **replyp)
{
    long long int deadline = time_msec() + timeout_ms;
    struct json *id = json_clone(msg->id);
    int error;

    error = jsonrpc_send(rpc, msg);
    while (!error) {
        struct jsonrpc_msg *reply;

        jsonrpc_run(rpc);
        error = jsonrpc_recv(rpc, &reply);
        if (!error) {
            if ((reply->type == JSONRPC_REPLY || reply->type == JSONRPC_ERROR)
                && json_equal(reply->id, id)) {
                *replyp = reply;
                break;
            }
            jsonrpc_msg_destroy(reply);
        } else if (error == EAGAIN) {
            if (time_msec() >= deadline) {
                error = ETIMEDOUT;
                break;
            }
            error = 0;
            jsonrpc_wait(rpc);
            jsonrpc_recv_wait(rpc);
            poll_timer_wait_until(deadline);
            poll_block();
        }
    }
    json_destroy(id);
    return error;
}

/* Returns the error that one of the operations, or the transaction as a whole,
 * has run into, or null. */
static const struct json *
find_error(const struct json *results)
{
    for (size_t i = 0; i < json_array(results)->n; i++) {
        const struct json *result = json_array(results)->elems[i];

        if (result->type == JSON_OBJECT
            && shash_find(json_object(result), "error")) {
            return result;
        }
    }
    return NULL;
}

static const char *
string_member(const struct json *object, const char *key)
{
    const struct json *value = shash_find_data(json_object(object), key);

    return value && value->type == JSON_STRING ? json_string(value) : "";
}

/* Executes the transaction 'params', which it takes over, with answers within
 * 'timeout_ms', and keeps the results in 'db->reply'.  If 'timed_outp' is
 * nonnull, a "wait" in vain is no error, but is stored there. */
static struct cni_error *
transact(struct cni_db *db, struct json *params, int timeout_ms,
         bool *timed_outp)
{
    struct jsonrpc_msg *reply = NULL;
    const struct json *failed;
    int error;

    if (timed_outp) {
        *timed_outp = false;
    }
    json_destroy(db->reply);
    db->reply = NULL;
    error = wait_for_reply(db->rpc,
                           jsonrpc_create_request("transact", params, NULL),
                           timeout_ms, &reply);
    if (error) {
        return cni_error(CNI_AGAIN, "no answer from Open vSwitch's database "
                         "%s: %s", db->config->remote,
                         ovs_retval_to_string(error));
    }
    if (reply->type == JSONRPC_REPLY && reply->result->type == JSON_ARRAY) {
        db->reply = json_clone(reply->result);
    } else {
        db->reply = json_array_create_1(reply->error
                                        ? json_clone(reply->error)
                                        : json_object_create());
        if (json_array(db->reply)->elems[0]->type != JSON_OBJECT) {
            json_destroy(db->reply);
            db->reply = json_array_create_empty();
        }
    }
    jsonrpc_msg_destroy(reply);

    failed = find_error(db->reply);
    if (!failed) {
        return (json_array(db->reply)->n ? NULL
                : cni_error(CNI_OVS, "%s is no database of Open vSwitch",
                            db->config->remote));
    }
    if (timed_outp && !strcmp(string_member(failed, "error"), "timed out")) {
        *timed_outp = true;
        return NULL;
    }
    return cni_error(CNI_OVS, "Open vSwitch's database: %s: %s",
                     string_member(failed, "error"),
                     string_member(failed, "details"));
}

/* Returns row 'i' that operation 'op' of the last transaction has selected, or
 * null. */
static const struct json *
selected(const struct cni_db *db, size_t op, size_t i)
{
    const struct json_array *results = json_array(db->reply);
    const struct json *rows;

    if (op >= results->n || results->elems[op]->type != JSON_OBJECT) {
        return NULL;
    }
    rows = shash_find_data(json_object(results->elems[op]), "rows");
    return (rows && rows->type == JSON_ARRAY && i < json_array(rows)->n
            && json_array(rows)->elems[i]->type == JSON_OBJECT
            ? json_array(rows)->elems[i] : NULL);
}

/* Copies the UUID in 'json', ["uuid", "..."], to 's'. */
static void
copy_uuid(const struct json *json, char s[37])
{
    const char *text = "";

    if (json && json->type == JSON_ARRAY && json_array(json)->n == 2
        && json_array(json)->elems[1]->type == JSON_STRING) {
        text = json_string(json_array(json)->elems[1]);
    }
    ovs_strlcpy(s, text, 37);
}

/* The UUID of what operation 'op' of the last transaction has inserted. */
static void
inserted(const struct cni_db *db, size_t op, char s[37])
{
    const struct json_array *results = json_array(db->reply);

    copy_uuid(op < results->n && results->elems[op]->type == JSON_OBJECT
              ? shash_find_data(json_object(results->elems[op]), "uuid")
              : NULL, s);
}

/* The value of 'key' in map 'column' of 'row', or null. */
static const char *
map_get(const struct json *row, const char *column, const char *key)
{
    const struct json *map = shash_find_data(json_object(row), column);
    const struct json *pairs;

    if (!map || map->type != JSON_ARRAY || json_array(map)->n != 2) {
        return NULL;
    }
    pairs = json_array(map)->elems[1];
    for (size_t i = 0; pairs->type == JSON_ARRAY && i < json_array(pairs)->n;
         i++) {
        const struct json_array *p = json_array(json_array(pairs)->elems[i]);

        if (p->n == 2 && !strcmp(json_string(p->elems[0]), key)) {
            return json_string(p->elems[1]);
        }
    }
    return NULL;
}

/* Adding a port. */

static struct json *
interface_row(const struct cni_config *config, const char *name,
              const struct eth_addr *mac)
{
    struct json *ids = json_array_create_empty();
    struct json *row = json_object_create();

    json_object_put_string(row, "name", name);
    if (config->ovn_port) {
        char *text = xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(*mac));

        map_put(ids, "iface-id", config->ovn_port);
        map_put(ids, "iface-id-ver", config->pod_uid);
        map_put(ids, "attached-mac", text);
        free(text);
    }
    json_object_put(row, "external_ids", pair("map", ids));
    if (config->ofport_request) {
        json_object_put(row, "ofport_request",
                        json_integer_create(config->ofport_request));
    }
    if (config->xdp_mode) {
        struct json *other = json_array_create_empty();

        map_put(other, "xdp-mode", config->xdp_mode);
        json_object_put(row, "other_config", pair("map", other));
    }
    return row;
}

/* Columns tag, trunks and vlan_mode, as far as 'config' is about them. */
static void
put_vlans(struct json *row, const struct cni_config *config)
{
    struct json *tags = json_array_create_empty();
    struct json *trunks = json_array_create_empty();
    size_t vid;

    if (config->vlan >= 0) {
        json_array_add(tags, json_integer_create(config->vlan));
    }
    if (config->trunks) {
        BITMAP_FOR_EACH_1 (vid, 4096, config->trunks) {
            json_array_add(trunks, json_integer_create(vid));
        }
    }
    json_object_put(row, "tag", set(tags));
    json_object_put(row, "trunks", set(trunks));
    json_object_put_string(row, "vlan_mode",
                           config->vlan >= 0 ? "access" : "trunk");
}

static struct json *
port_row(const struct cni_config *config, const char *name)
{
    struct json *ids = json_array_create_empty();
    struct json *row = json_object_create();

    map_put(ids, "owner", OWNER);
    map_put(ids, "contNetwork", config->name);
    map_put(ids, "contId", config->container_id);
    map_put(ids, "contIface", config->ifname);
    map_put(ids, "contNetns", config->netns);
    map_put(ids, "contPodUid", config->pod_uid);
    json_object_put_string(row, "name", name);
    json_object_put(row, "interfaces", named("iface"));
    json_object_put(row, "external_ids", pair("map", ids));
    put_vlans(row, config);
    return row;
}

/* Adds to transaction 'ops' a bridge with its local port and the port "port",
 * if there is no such bridge yet. */
static void
put_new_bridge(struct json *ops, const struct cni_config *config)
{
    struct json *row, *ids;

    json_array_add(ops, op_wait("Bridge", clause("name", "==",
                                        json_string_create(config->bridge)),
                                "name", "==", NULL, 0));

    row = json_object_create();
    json_object_put_string(row, "name", config->bridge);
    json_object_put_string(row, "type", "internal");
    json_array_add(ops, op_insert("Interface", "local_iface", row));

    row = json_object_create();
    json_object_put_string(row, "name", config->bridge);
    json_object_put(row, "interfaces", named("local_iface"));
    json_array_add(ops, op_insert("Port", "local_port", row));

    ids = json_array_create_empty();
    map_put(ids, "owner", OWNER);
    row = json_object_create();
    json_object_put_string(row, "name", config->bridge);
    json_object_put_string(row, "datapath_type", config->datapath_type);
    json_object_put(row, "external_ids", pair("map", ids));
    json_object_put(row, "ports",
                    set(json_array_create_2(named("local_port"),
                                            named("port"))));
    json_array_add(ops, op_insert("Bridge", "bridge", row));
    json_array_add(ops, op_mutate("Open_vSwitch", json_array_create_empty(),
                                  clause("bridges", "insert",
                                         named("bridge"))));
}

/* Is 'type' in the set "datapath_types" of Open_vSwitch row 'row', or does
 * Open vSwitch not say? */
static bool
has_datapath_type(const struct json *row, const char *type)
{
    const struct json *types = shash_find_data(json_object(row),
                                               "datapath_types");

    if (types && types->type == JSON_STRING) {
        return !strcmp(json_string(types), type);
    }
    if (!types || types->type != JSON_ARRAY || json_array(types)->n != 2) {
        return true;
    }
    types = json_array(types)->elems[1];
    for (size_t i = 0; i < json_array(types)->n; i++) {
        if (!strcmp(json_string(json_array(types)->elems[i]), type)) {
            return true;
        }
    }
    return !json_array(types)->n;
}

static struct cni_error *
check_datapath_type(const struct cni_db *db, const struct json *row)
{
    const char *type = db->config->datapath_type;

    return (row && has_datapath_type(row, type) ? NULL
            : cni_error(CNI_UNAVAILABLE, "ovs-vswitchd does not know datapath "
                        "type \"%s\": \"update-alternatives --config "
                        "ovs-vswitchd\" chooses the one that does", type));
}

/* Stores the UUID of the bridge in 's', "" if there is none yet.  There is an
 * error if it is of another type or Open vSwitch does not have that type. */
static struct cni_error *
find_bridge(struct cni_db *db, char s[37])
{
    static const char *const global_columns[] = { "datapath_types", NULL };
    static const char *const columns[] = { "_uuid", "datapath_type", NULL };
    const struct cni_config *config = db->config;
    struct json *ops = new_transaction();
    const struct json *row;
    struct cni_error *error;

    json_array_add(ops, op_select("Open_vSwitch", json_array_create_empty(),
                                  global_columns));
    json_array_add(ops, op_select("Bridge",
                                  clause("name", "==",
                                         json_string_create(config->bridge)),
                                  columns));
    error = transact(db, ops, ANSWER_MS, NULL);
    if (!error) {
        error = check_datapath_type(db, selected(db, 0, 0));
    }
    if (error) {
        return error;
    }
    s[0] = '\0';
    row = selected(db, 1, 0);
    if (!row) {
        return NULL;
    }
    if (strcmp(string_member(row, "datapath_type"), config->datapath_type)) {
        return cni_error(CNI_CONFIG, "bridge \"%s\" has datapath_type \"%s\", "
                         "not \"%s\": \"ovs-vsctl set Bridge %s datapath_type="
                         "%s\" changes that", config->bridge,
                         string_member(row, "datapath_type"),
                         config->datapath_type, config->bridge,
                         config->datapath_type);
    }
    copy_uuid(shash_find_data(json_object(row), "_uuid"), s);
    return NULL;
}

/* Tries to add the port.  Stores in '*donep' whether the bridge was still what
 * find_bridge() saw. */
static struct cni_error *
try_add_port(struct cni_db *db, const char *name, const struct eth_addr *mac,
             bool *donep)
{
    const struct cni_config *config = db->config;
    struct json *ops = new_transaction();
    bool is_new = !db->bridge[0];
    struct cni_error *error;
    bool timed_out;

    if (is_new) {
        put_new_bridge(ops, config);
    } else {
        json_array_add(ops, op_wait("Bridge",
                                    clause("_uuid", "==", uuid(db->bridge)),
                                    "name", "==",
                                    json_string_create(config->bridge), 0));
        json_array_add(ops, op_mutate("Bridge",
                                      clause("_uuid", "==", uuid(db->bridge)),
                                      clause("ports", "insert",
                                             named("port"))));
    }
    json_array_add(ops, op_insert("Interface", "iface",
                                  interface_row(config, name, mac)));
    json_array_add(ops, op_insert("Port", "port", port_row(config, name)));
    error = transact(db, ops, ANSWER_MS, &timed_out);
    *donep = !error && !timed_out;
    if (*donep) {
        size_t n = is_new ? 5 : 2;      /* Operations before. */

        inserted(db, n, db->iface);
        inserted(db, n + 1, db->port);
        if (is_new) {
            inserted(db, 3, db->bridge);
        }
        db->new_bridge = is_new;
    }
    return error;
}

struct cni_error *
cni_db_add_port(struct cni_db *db, const char *name,
                const struct eth_addr *mac)
{
    struct cni_error *error;

    for (int i = 0; i < TRIES; i++) {
        bool done = false;

        error = find_bridge(db, db->bridge);
        if (!error) {
            error = try_add_port(db, name, mac, &done);
        }
        if (error || done) {
            return error;
        }
    }
    return cni_error(CNI_AGAIN, "bridge \"%s\" comes and goes",
                     db->config->bridge);
}

/* 'row' is that of an Interface. */
static struct cni_error *
check_interface(const struct cni_db *db, const struct json *row,
                enum cni_errors code)
{
    const struct json *ofport = shash_find_data(json_object(row), "ofport");
    int request = db->config->ofport_request;
    const char *text = string_member(row, "error");

    if (text[0]) {
        return cni_error(code, "%s", text);
    }
    if (!ofport || ofport->type != JSON_INTEGER || json_integer(ofport) < 0) {
        return cni_error(code, "the port has no OpenFlow port number: "
                         "ovs-vswitchd's log says why");
    }
    if (request && json_integer(ofport) != request) {
        return cni_error(code, "OpenFlow port %d, \"ofport_request\", is in "
                         "use on bridge \"%s\"", request, db->config->bridge);
    }
    return NULL;
}

struct cni_error *
cni_db_wait(struct cni_db *db)
{
    static const char *const columns[] = { "ofport", "error", NULL };
    int timeout = db->config->timeout_ms;
    struct json *ops = new_transaction();
    const struct json *row;
    struct cni_error *error;
    bool timed_out;

    json_array_add(ops, op_wait("Interface",
                                clause("_uuid", "==", uuid(db->iface)),
                                "ofport", "!=",
                                set(json_array_create_empty()), timeout));
    json_array_add(ops, op_select("Interface",
                                  clause("_uuid", "==", uuid(db->iface)),
                                  columns));
    error = transact(db, ops, timeout + ANSWER_MS, &timed_out);
    if (error) {
        return error;
    }
    if (timed_out) {
        return cni_error(CNI_AGAIN, "ovs-vswitchd has not made the port in %d "
                         "ms: is it running?", timeout);
    }
    row = selected(db, 1, 0);
    return (row ? check_interface(db, row, CNI_OVS)
            : cni_error(CNI_OVS, "somebody has deleted the port"));
}

/* Deleting ports. */

static struct json *
op_del_port(const char *port)
{
    return op_mutate("Bridge", clause("ports", "includes", uuid(port)),
                     clause("ports", "delete", uuid(port)));
}

/* If the bridge, which was new, has nothing but its local port now: deletes
 * it. */
static struct cni_error *
del_unused_bridge(struct cni_db *db)
{
    static const char *const columns[] = { "_uuid", NULL };
    struct json *ops = new_transaction();
    struct cni_error *error;
    const struct json *row;
    bool timed_out;
    char local[37];

    json_array_add(ops, op_select("Port", clause("name", "==",
                                    json_string_create(db->config->bridge)),
                                  columns));
    error = transact(db, ops, ANSWER_MS, NULL);
    row = error ? NULL : selected(db, 0, 0);
    if (!row) {
        return error;
    }
    copy_uuid(shash_find_data(json_object(row), "_uuid"), local);

    ops = new_transaction();
    json_array_add(ops, op_wait("Bridge",
                                clause("_uuid", "==", uuid(db->bridge)),
                                "ports", "==", uuid(local), 0));
    json_array_add(ops, op_mutate("Open_vSwitch", json_array_create_empty(),
                                  clause("bridges", "delete",
                                         uuid(db->bridge))));
    return transact(db, ops, ANSWER_MS, &timed_out);
}

struct cni_error *
cni_db_undo(struct cni_db *db)
{
    struct json *ops;
    struct cni_error *error;

    if (!db->port[0]) {
        return NULL;
    }
    ops = new_transaction();
    json_array_add(ops, op_del_port(db->port));
    error = transact(db, ops, ANSWER_MS, NULL);
    return error || !db->new_bridge ? error : del_unused_bridge(db);
}

struct cni_error *
cni_db_find_ports(struct cni_db *db, bool all, struct cni_port **portsp,
                  size_t *np)
{
    static const char *const columns[] = {
        "_uuid", "name", "external_ids", NULL
    };
    struct json *ids = json_array_create_empty();
    struct json *ops = new_transaction();
    struct cni_error *error;
    const struct json *row;

    *portsp = NULL;
    *np = 0;
    map_put(ids, "owner", OWNER);
    map_put(ids, "contNetwork", db->config->name);
    if (!all) {
        map_put(ids, "contId", db->config->container_id);
        map_put(ids, "contIface", db->config->ifname);
    }
    json_array_add(ops, op_select("Port", clause("external_ids", "includes",
                                                 pair("map", ids)), columns));
    error = transact(db, ops, ANSWER_MS, NULL);
    while (!error && (row = selected(db, 0, *np)) != NULL) {
        struct cni_port *port;

        *portsp = xrealloc(*portsp, (*np + 1) * sizeof **portsp);
        port = &(*portsp)[(*np)++];
        copy_uuid(shash_find_data(json_object(row), "_uuid"), port->uuid);
        ovs_strlcpy(port->name, string_member(row, "name"), sizeof port->name);
        port->container_id = map_get(row, "external_ids", "contId");
        port->ifname = map_get(row, "external_ids", "contIface");
    }
    return error;
}

struct cni_error *
cni_db_del_port(struct cni_db *db, const struct cni_port *port)
{
    struct json *ops = new_transaction();

    json_array_add(ops, op_del_port(port->uuid));
    return transact(db, ops, ANSWER_MS, NULL);
}

/* Looking at them. */

struct cni_error *
cni_db_check_port(struct cni_db *db, const struct cni_port *port)
{
    static const char *const columns[] = { "ofport", "error", NULL };
    static const char *const bridge_columns[] = { "name", NULL };
    static const char *const vlan_columns[] = {
        "tag", "trunks", "vlan_mode"
    };
    struct json *wanted = json_object_create();
    struct json *ops = new_transaction();
    const struct json *row;
    struct cni_error *error;
    bool different;

    json_array_add(ops, op_select("Bridge", clause("ports", "includes",
                                                   uuid(port->uuid)),
                                  bridge_columns));
    json_array_add(ops, op_select("Interface",
                                  clause("name", "==",
                                         json_string_create(port->name)),
                                  columns));
    put_vlans(wanted, db->config);
    for (size_t i = 0; i < ARRAY_SIZE(vlan_columns); i++) {
        const char *column = vlan_columns[i];

        json_array_add(ops, op_wait(
            "Port", clause("_uuid", "==", uuid(port->uuid)), column, "==",
            json_clone(shash_find_data(json_object(wanted), column)), 0));
    }
    json_destroy(wanted);
    error = transact(db, ops, ANSWER_MS, &different);
    if (error) {
        return error;
    }
    row = selected(db, 0, 0);
    if (!row || strcmp(string_member(row, "name"), db->config->bridge)) {
        return cni_error(CNI_CHECK, "port \"%s\" is not on bridge \"%s\"",
                         port->name, db->config->bridge);
    }
    if (different) {
        return cni_error(CNI_CHECK, "port \"%s\" has other VLANs: see columns "
                         "tag, trunks and vlan_mode of table Port",
                         port->name);
    }
    row = selected(db, 1, 0);
    return (row ? check_interface(db, row, CNI_CHECK)
            : cni_error(CNI_CHECK, "port \"%s\" is gone", port->name));
}

/* Has ovs-vswitchd do nothing, and waits until it has done it. */
static struct cni_error *
ping_vswitchd(struct cni_db *db)
{
    static const char *const columns[] = { "cur_cfg", NULL };
    struct json *ops = new_transaction();
    const struct json *row, *cur_cfg;
    struct cni_error *error;
    bool timed_out;

    json_array_add(ops, op_select("Open_vSwitch", json_array_create_empty(),
                                  columns));
    json_array_add(ops, op_mutate("Open_vSwitch", json_array_create_empty(),
                                  clause("next_cfg", "+=",
                                         json_integer_create(1))));
    error = transact(db, ops, ANSWER_MS, NULL);
    row = error ? NULL : selected(db, 0, 0);
    cur_cfg = row ? shash_find_data(json_object(row), "cur_cfg") : NULL;
    if (!cur_cfg) {
        return error;
    }

    ops = new_transaction();
    json_array_add(ops, op_wait("Open_vSwitch", json_array_create_empty(),
                                "cur_cfg", "!=", json_clone(cur_cfg),
                                db->config->timeout_ms));
    error = transact(db, ops, db->config->timeout_ms + ANSWER_MS, &timed_out);
    return (error || !timed_out ? error
            : cni_error(CNI_UNAVAILABLE, "ovs-vswitchd does not answer"));
}

struct cni_error *
cni_db_status(struct cni_db *db)
{
    struct cni_error *error = ping_vswitchd(db);
    char bridge[37];

    return error ? error : find_bridge(db, bridge);
}
