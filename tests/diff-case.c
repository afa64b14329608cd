/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "diff-case.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "odp-util.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

static void
write_hex(FILE *f, const char *name, const uint8_t *data, size_t len)
{
    fprintf(f, "%s ", name);
    for (size_t i = 0; i < len; i++) {
        fprintf(f, "%02x", data[i]);
    }
    fputc('\n', f);
}

int
diff_case_write(const char *file, const struct diff_case *c,
                const uint8_t *packet, size_t packet_len,
                const struct ofpbuf *actions)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    FILE *f = fopen(file, "w");

    if (!f) {
        return errno;
    }
    format_odp_actions(&ds, actions->data, actions->size, NULL);
    fprintf(f, "# %s\nvlan_limit %d\ntagged %d\n", ds_cstr(&ds),
            c->vlan_limit, c->tagged);
    ds_destroy(&ds);
    write_hex(f, "packet", packet, packet_len);
    write_hex(f, "actions", actions->data, actions->size);
    return fclose(f) ? errno : 0;
}

/* Appends the bytes in the hexadecimal digits at 's'. */
static void
read_hex(const char *s, struct ofpbuf *b)
{
    bool ok = true;

    ofpbuf_clear(b);
    for (; ok && s[0] && s[1]; s += 2) {
        uint8_t byte = hexits_value(s, 2, &ok);

        if (ok) {
            ofpbuf_put(b, &byte, 1);
        }
    }
}

int
diff_case_read(const char *file, struct diff_case *c, uint8_t *packet,
               size_t size, size_t *packet_len, struct ofpbuf *actions)
{
    struct ds line = DS_EMPTY_INITIALIZER;
    FILE *f = fopen(file, "r");
    struct ofpbuf bytes;

    if (!f) {
        return errno;
    }
    memset(c, 0, sizeof *c);
    *packet_len = 0;
    ofpbuf_clear(actions);
    ofpbuf_init(&bytes, 2048);
    while (!ds_get_line(&line, f)) {
        const char *s = ds_cstr(&line);

        if (!strncmp(s, "vlan_limit ", 11)) {
            c->vlan_limit = atoi(s + 11);
        } else if (!strncmp(s, "tagged ", 7)) {
            c->tagged = atoi(s + 7);
        } else if (!strncmp(s, "packet ", 7)) {
            read_hex(s + 7, &bytes);
            *packet_len = MIN(bytes.size, size);
            memcpy(packet, bytes.data, *packet_len);
        } else if (!strncmp(s, "actions ", 8)) {
            read_hex(s + 8, actions);
        }
    }
    ofpbuf_uninit(&bytes);
    ds_destroy(&line);
    fclose(f);
    return c->vlan_limit && *packet_len ? 0 : EINVAL;
}
