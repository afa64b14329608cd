/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovs-vswitchd has a port traced for as long as somebody asks again and again
 * for what it has seen, dpif-xdp/trace-read.
 */

#include <config.h>

#include "ovs-xdp-trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "openvswitch/json.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/shash.h"
#include "ovs-xdp-client.h"
#include "timeval.h"
#include "util.h"

#define INTERVAL_MS 200

/* More than ovs-vswitchd has of any packet. */
#define SNAPLEN 65535

/* Whoever is told of events. */
struct reader {
    struct jsonrpc *client;
    char **ports;
    int n_ports;
    FILE *file;
    int n;                      /* Events that are left, or -1. */
    void (*cb)(struct reader *, const struct json *event);
};

static const struct json *
member(const struct json *object, const char *name, enum json_type type)
{
    const struct json *json
        = (object->type == JSON_OBJECT
           ? shash_find_data(json_object(object), name) : NULL);

    return json && json->type == type ? json : NULL;
}

static const char *
get_string(const struct json *object, const char *name)
{
    const struct json *json = member(object, name, JSON_STRING);

    return json ? json_string(json) : "";
}

static long long int
get_integer(const struct json *object, const char *name)
{
    const struct json *json = member(object, name, JSON_INTEGER);

    return json ? json_integer(json) : 0;
}

/* Other readers may have had other ports traced. */
static bool
is_wanted(const struct reader *r, const struct json *event)
{
    const char *port = get_string(event, "port");
    bool wanted = !r->n_ports;

    for (int i = 0; i < r->n_ports; i++) {
        wanted |= !strcmp(r->ports[i], port);
    }
    return wanted;
}

/* Asks for what has happened from event number 'from' on, or if that is NULL
 * for nothing, and tells the reader of it.  Returns the number for the next
 * time, to be freed. */
static char *
read_events(struct reader *r, char *from)
{
    char **argv = xcalloc(r->n_ports + 1, sizeof *argv);
    const struct json *events;
    struct json *reply;
    char *text, *next;

    argv[0] = from ? from : "now";
    memcpy(argv + 1, r->ports, r->n_ports * sizeof *argv);
    text = ovs_xdp_client_call(r->client, "dpif-xdp/trace-read",
                               r->n_ports + 1, argv);
    free(argv);
    reply = json_from_string(text);
    free(text);
    events = member(reply, "events", JSON_ARRAY);
    if (!events) {
        ovs_fatal(0, "ovs-vswitchd is of another version");
    }
    for (size_t i = 0; i < json_array(events)->n && r->n; i++) {
        const struct json *event = json_array(events)->elems[i];

        if (is_wanted(r, event)) {
            r->cb(r, event);
            r->n -= r->n > 0;
        }
    }
    fflush(r->file);
    if (ferror(r->file)) {
        ovs_fatal(0, "cannot write the output");
    }
    next = xasprintf("%lld", get_integer(reply, "next"));
    json_destroy(reply);
    return next;
}

static void
read_all(struct reader *r)
{
    char *from = NULL;

    ovs_xdp_client_stop_on_signals();
    do {
        char *next = read_events(r, from);

        free(from);
        from = next;
    } while (r->n && ovs_xdp_client_sleep(time_msec() + INTERVAL_MS));
    free(from);
}

static void
print_event(struct reader *r, const struct json *event)
{
    long long int ns = get_integer(event, "ns");
    time_t seconds = ns / 1000000000;
    char when[16];
    struct tm tm;

    localtime_r(&seconds, &tm);
    strftime(when, sizeof when, "%H:%M:%S", &tm);
    fprintf(r->file, "%s.%06lld %s\n\n", when, ns % 1000000000 / 1000,
            get_string(event, "text"));
}

void
ovs_xdp_monitor(struct jsonrpc *client, char *ports[], int n_ports, int n)
{
    struct reader r = { client, ports, n_ports, stdout, n ? n : -1,
                        print_event };

    read_all(&r);
}

/* Blocks of pcapng. */

#define PCAPNG_SECTION 0x0a0d0d0a
#define PCAPNG_MAGIC 0x1a2b3c4d
#define PCAPNG_INTERFACE 1
#define PCAPNG_PACKET 6
#define PCAPNG_OPT_COMMENT 1    /* Of any block, */
#define PCAPNG_OPT_NAME 2       /* of an interface, */
#define PCAPNG_OPT_RESOLUTION 9
#define PCAPNG_OPT_FLAGS 2      /* of a packet: */
#define PCAPNG_INBOUND 1
#define PCAPNG_OUTBOUND 2

static void
put_u16(struct ofpbuf *b, uint16_t value)
{
    ofpbuf_put(b, &value, sizeof value);
}

static void
put_u32(struct ofpbuf *b, uint32_t value)
{
    ofpbuf_put(b, &value, sizeof value);
}

static void
put_padded(struct ofpbuf *b, const void *data, size_t size)
{
    ofpbuf_put(b, data, size);
    ofpbuf_put_zeros(b, ROUND_UP(size, 4) - size);
}

static void
put_option(struct ofpbuf *b, uint16_t code, const void *data, size_t size)
{
    size = MIN(size, UINT16_MAX - 3);
    put_u16(b, code);
    put_u16(b, size);
    put_padded(b, data, size);
}

/* Writes a block of 'type' with 'body', which it empties. */
static void
write_block(FILE *file, uint32_t type, struct ofpbuf *body)
{
    uint32_t head[2] = { type, body->size + 12 };

    fwrite(head, sizeof head, 1, file);
    fwrite(body->data, body->size, 1, file);
    fwrite(&head[1], sizeof head[1], 1, file);
    ofpbuf_clear(body);
}

/* Interfaces, in their order: two of each hook. */
static const char *const hooks[] = { "xdp", "tc" };

static void
write_header(FILE *file, const char *port)
{
    static const char *const whens[] = { "before", "after" };
    static const uint8_t nanoseconds = 9;
    struct ofpbuf b;

    ofpbuf_init(&b, 0);
    put_u32(&b, PCAPNG_MAGIC);
    put_u16(&b, 1);             /* Version. */
    put_u16(&b, 0);
    put_u32(&b, UINT32_MAX);    /* Length of the section: not known. */
    put_u32(&b, UINT32_MAX);
    write_block(file, PCAPNG_SECTION, &b);
    for (size_t i = 0; i < 2 * ARRAY_SIZE(hooks); i++) {
        char *name = xasprintf("%s %s %s", port, whens[i % 2], hooks[i / 2]);

        put_u16(&b, 1);         /* Ethernet. */
        put_u16(&b, 0);
        put_u32(&b, SNAPLEN);
        put_option(&b, PCAPNG_OPT_NAME, name, strlen(name));
        put_option(&b, PCAPNG_OPT_RESOLUTION, &nanoseconds, 1);
        put_u32(&b, 0);         /* End of options. */
        write_block(file, PCAPNG_INTERFACE, &b);
        free(name);
    }
    ofpbuf_uninit(&b);
}

/* Writes the packet that 'event' has as 'when', if any, on 'interface'. */
static void
write_packet(FILE *file, const struct json *event, const char *when,
             uint32_t interface)
{
    const struct json *packet = member(event, when, JSON_OBJECT);
    uint64_t ns = get_integer(event, "ns");
    uint32_t flags = interface % 2 ? PCAPNG_OUTBOUND : PCAPNG_INBOUND;
    const char *text = get_string(event, "text");
    const char *hex;
    struct ofpbuf b, data;

    if (!packet) {
        return;
    }
    ofpbuf_init(&data, 0);
    hex = get_string(packet, "data");
    ofpbuf_put_hex(&data, hex, NULL);
    ofpbuf_init(&b, 0);
    put_u32(&b, interface);
    put_u32(&b, ns >> 32);
    put_u32(&b, ns);
    put_u32(&b, data.size);
    put_u32(&b, get_integer(packet, "length"));
    put_padded(&b, data.data, data.size);
    put_option(&b, PCAPNG_OPT_COMMENT, text, strlen(text));
    put_option(&b, PCAPNG_OPT_FLAGS, &flags, sizeof flags);
    put_u32(&b, 0);             /* End of options. */
    write_block(file, PCAPNG_PACKET, &b);
    ofpbuf_uninit(&data);
    ofpbuf_uninit(&b);
}

static void
write_event(struct reader *r, const struct json *event)
{
    for (uint32_t i = 0; i < ARRAY_SIZE(hooks); i++) {
        if (!strcmp(get_string(event, "hook"), hooks[i])) {
            write_packet(r->file, event, "before", 2 * i);
            write_packet(r->file, event, "after", 2 * i + 1);
        }
    }
}

void
ovs_xdp_tcpdump(struct jsonrpc *client, char *port, const char *name, int n)
{
    bool to_file = name && strcmp(name, "-");
    struct reader r = { client, &port, 1, stdout, n ? n : -1, write_event };

    if (!to_file && isatty(STDOUT_FILENO)) {
        ovs_fatal(0, "this is for no terminal: use \"-w FILE\", or \"| tcpdump "
                  "-nr -\"");
    }
    if (to_file) {
        r.file = fopen(name, "w");
        if (!r.file) {
            ovs_fatal(errno, "cannot write %s", name);
        }
    }
    write_header(r.file, port);
    fflush(r.file);
    read_all(&r);
    if (to_file && fclose(r.file)) {
        ovs_fatal(errno, "cannot write %s", name);
    }
}
