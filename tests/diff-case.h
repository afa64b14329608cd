/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diff-case: a case of diff-actions as a file, which stays the same when the
 * generators of packets and lists change.
 */

#ifndef DIFF_CASE_H
#define DIFF_CASE_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofpbuf;

struct diff_case {
    int vlan_limit;             /* Tags that OVS parses. */
    bool tagged;                /* The SKB has its tag beside the frame. */
};

/* Writes the case to 'file', in lines of text.  Returns 0 or a positive errno
 * value. */
int diff_case_write(const char *file, const struct diff_case *,
                    const uint8_t *packet, size_t packet_len,
                    const struct ofpbuf *actions);

/* Reads it back: at most 'size' bytes to 'packet', and the list to '*actions',
 * which has been initialized. */
int diff_case_read(const char *file, struct diff_case *, uint8_t *packet,
                   size_t size, size_t *packet_len, struct ofpbuf *actions);

#endif /* diff-case.h */
