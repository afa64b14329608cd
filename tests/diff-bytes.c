/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "diff-bytes.h"

#include <string.h>

void
diff_insert_tag(struct diff_bytes *b, __be16 tpid, __be16 tci)
{
    memmove(&b->data[16], &b->data[12], b->len - 12);
    memcpy(&b->data[12], &tpid, 2);
    memcpy(&b->data[14], &tci, 2);
    b->len += 4;
}

bool
diff_take_header(struct diff_bytes *b, struct oxdp_hdr *hdr)
{
    if (b->len < sizeof *hdr) {
        return false;
    }
    memcpy(hdr, b->data, sizeof *hdr);
    if (hdr->magic != OXDP_HDR_MAGIC) {
        return false;
    }
    b->len -= sizeof *hdr;
    memmove(b->data, &b->data[sizeof *hdr], b->len);
    return true;
}

bool
diff_take_meta(struct diff_bytes *b, struct oxdp_meta *meta)
{
    if (b->len < sizeof *meta) {
        return false;
    }
    memcpy(meta, b->data, sizeof *meta);
    if (meta->magic != OXDP_HDR_MAGIC) {
        return false;
    }
    b->len -= sizeof *meta;
    memmove(b->data, &b->data[sizeof *meta], b->len);
    return true;
}

void
diff_restore_tag(struct diff_bytes *b, const struct oxdp_hdr *hdr,
                 const uint8_t *data)
{
    if (hdr->vlan_tci) {
        diff_insert_tag(b, hdr->vlan_tpid, hdr->vlan_tci);
        /* The header has no room for the drop eligible bit. */
        b->data[14] ^= (b->data[14] ^ data[14]) & 0x10;
    }
}
