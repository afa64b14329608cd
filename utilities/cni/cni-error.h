/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cni-error: what went wrong, as the CNI specification wants it told.
 *
 * Functions of the plugin that can fail return a "struct cni_error *", NULL
 * for success.  Whoever gets one passes it on or destroys it.
 */

#ifndef CNI_ERROR_H
#define CNI_ERROR_H 1

#include "compiler.h"

/* Each kind of error: its name here, its number (those below 100 are the
 * specification's), and its "msg". */
#define CNI_ERRORS(X)                                                   \
    X(VERSION, 1, "incompatible CNI version")                           \
    X(FIELD, 2, "unsupported field in network configuration")           \
    X(ENVIRONMENT, 4, "invalid environment variable")                   \
    X(IO, 5, "I/O failure")                                             \
    X(DECODE, 6, "failed to decode content")                            \
    X(CONFIG, 7, "invalid network configuration")                       \
    X(AGAIN, 11, "try again later")                                     \
    X(UNAVAILABLE, 50, "plugin not available")                          \
    X(DEVICE, 100, "cannot set up the network interface")               \
    X(OVS, 101, "Open vSwitch did not accept the port")                 \
    X(IPAM, 102, "IPAM plugin failed")                                  \
    X(CHECK, 103, "attachment is not as it was added")

enum cni_errors {
#define CNI_ERROR(NAME, NUMBER, MSG) CNI_##NAME = NUMBER,
    CNI_ERRORS(CNI_ERROR)
#undef CNI_ERROR
};

struct cni_error {
    int code;                   /* CNI_*, or an IPAM plugin's own. */
    char *msg;                  /* A few words. */
    char *details;              /* A sentence, maybe with what to do. */
};

/* Returns a new error of 'code' with its "msg" and the given "details". */
struct cni_error *cni_error(enum cni_errors code, const char *details, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* Returns a new error of any 'code', which takes 'msg' and 'details' over. */
struct cni_error *cni_error_create(int code, char *msg, char *details);

/* Does nothing if the error is null. */
void cni_error_destroy(struct cni_error *);

/* Keeps the first of several errors: returns 'first' and destroys 'second', or
 * returns 'second' if 'first' is null. */
struct cni_error *cni_error_first(struct cni_error *first,
                                  struct cni_error *second);

#endif /* cni-error.h */
