/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "cni-error.h"

#include <stdarg.h>
#include <stdlib.h>

#include "util.h"

static const char *
code_to_msg(enum cni_errors code)
{
    switch (code) {
#define CNI_ERROR(NAME, NUMBER, MSG) case CNI_##NAME: return MSG;
    CNI_ERRORS(CNI_ERROR)
#undef CNI_ERROR
    }
    OVS_NOT_REACHED();
}

struct cni_error *
cni_error_create(int code, char *msg, char *details)
{
    struct cni_error *error = xmalloc(sizeof *error);

    error->code = code;
    error->msg = msg;
    error->details = details;
    return error;
}

struct cni_error *
cni_error(enum cni_errors code, const char *details, ...)
{
    struct cni_error *error;
    va_list args;

    va_start(args, details);
    error = cni_error_create(code, xstrdup(code_to_msg(code)),
                             xvasprintf(details, args));
    va_end(args);
    return error;
}

void
cni_error_destroy(struct cni_error *error)
{
    if (error) {
        free(error->msg);
        free(error->details);
        free(error);
    }
}

struct cni_error *
cni_error_first(struct cni_error *first, struct cni_error *second)
{
    if (!first) {
        return second;
    }
    cni_error_destroy(second);
    return first;
}
