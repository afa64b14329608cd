/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-pin.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "bitmap.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "oxdp-abi.h"
#include "oxdp-compat.h"
#include "oxdp-instance.h"
#include "oxdp-netdev.h"
#include "svec.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(oxdp_pin);

#define BPF_FILE_SYSTEM "/sys/fs/bpf"
#define STATE_NAME "state"
#define MAX_STATES (2 * OXDP_MAX_PORTS)

struct oxdp_pins {
    char *instance;             /* Its name. */
    char *dir;                  /* Or NULL: nothing is pinned. */
    int lock_fd;                /* See oxdp_instance_lock(), or -1. */
    int state_fd;               /* Map "state", or -1. */
    struct ovs_list found;      /* Of struct oxdp_found. */
    unsigned long *reserved;    /* Bitmap of datapath ports. */
    bool is_made;               /* 'dir' exists. */
};

const char *
oxdp_point_name(enum oxdp_point point)
{
    static const char *const names[] = {
#define OXDP_POINT(ENUM, NAME) [OXDP_POINT_##ENUM] = NAME,
        OXDP_POINTS
#undef OXDP_POINT
    };

    return names[point];
}

/* Paths and kinds of pinned objects. */

static char *
pin_path(const struct oxdp_pins *pins, const char *name)
{
    return xasprintf("%s/%s", pins->dir, name);
}

static char *
link_name(enum oxdp_point point, int ifindex)
{
    return xasprintf("link-%s-%d", oxdp_point_name(point), ifindex);
}

/* Opens the object pinned as 'name'.  Returns its file descriptor, or -1 if it
 * is none of 'kind', "link", "map" or "prog". */
static int
open_pin(const struct oxdp_pins *pins, const char *name, const char *kind)
{
    char *path = pin_path(pins, name);
    char what[64] = "", proc[32];
    int fd = bpf_obj_get(path);

    free(path);
    if (fd < 0) {
        return -1;
    }
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
    /* "anon_inode:bpf-map", "anon_inode:bpf_link". */
    if (readlink(proc, what, sizeof what - 1) <= 0
        || strlen(what) < strlen(kind)
        || strcmp(what + strlen(what) - strlen(kind), kind)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Parses a name of the form link-POINT-IFINDEX. */
static bool
parse_link_name(const char *name, enum oxdp_point *point, int *ifindex)
{
    for (int i = 0; i < OXDP_N_POINTS; i++) {
        char *prefix = xasprintf("link-%s-", oxdp_point_name(i));
        bool match = (!strncmp(name, prefix, strlen(prefix))
                      && str_to_int(name + strlen(prefix), 10, ifindex)
                      && *ifindex > 0);

        free(prefix);
        if (match) {
            *point = i;
            return true;
        }
    }
    return false;
}

/* Returns what kind of object of ours can have this name. */
static const char *
kind_of_name(const char *name)
{
    enum oxdp_point point;
    int ifindex;

    return (!strcmp(name, STATE_NAME) || !strncmp(name, "map-", 4) ? "map"
            : !strncmp(name, "prog-", 5) ? "prog"
            : parse_link_name(name, &point, &ifindex) ? "link" : NULL);
}

/* Opens the object pinned as 'name'.  Returns its file descriptor, or -1 if it
 * is not ours. */
static int
open_ours(const struct oxdp_pins *pins, const char *name)
{
    const char *kind = kind_of_name(name);

    return pins->dir && kind ? open_pin(pins, name, kind) : -1;
}

/* Unpins the object 'name' if it is ours. */
static void
delete_pin(struct oxdp_pins *pins, const char *name)
{
    int fd = open_ours(pins, name);

    if (fd >= 0) {
        char *path = pin_path(pins, name);

        if (unlink(path)) {
            VLOG_WARN("%s: %s", path, ovs_strerror(errno));
        }
        free(path);
        close(fd);
    }
}

/* Pinning.  If it does not work, nothing is pinned. */

/* Tells once that the datapath will not outlive the daemon, and why: 'error'
 * is the trouble with 'name'. */
static void
give_up(struct oxdp_pins *pins, const char *name, int error)
{
    VLOG_WARN("cannot pin %s in %s (%s): the datapath ends when ovs-vswitchd "
              "does; %s and restart ovs-vswitchd", name, pins->dir,
              error == ENOTSUP ? BPF_FILE_SYSTEM " is no BPF file system"
              : ovs_strerror(error),
              error == ENOTSUP ? "mount it (\"mount -t bpf bpf "
                                 BPF_FILE_SYSTEM "\")"
              : error == EROFS ? "mount " BPF_FILE_SYSTEM " read-write"
              : error == EEXIST ? "remove what is there and not of ovs-xdp"
              : error == ENOSPC || error == ENOMEM || error == EDQUOT
              ? "make room there"
              : error == ENAMETOOLONG ? "give it a shorter run directory"
              : "let ovs-vswitchd write there");
    oxdp_pins_remove(pins);
    free(pins->dir);
    pins->dir = NULL;
}

static bool
is_bpf_file_system(void)
{
    struct statfs st;

    return !statfs(BPF_FILE_SYSTEM, &st) && st.f_type == BPF_FS_MAGIC;
}

/* Pins 'fd' as 'name' in the place of what is there, unless that is not ours.
 * Returns 0 or a positive errno value. */
static int
replace_pin(struct oxdp_pins *pins, const char *name, int fd)
{
    char *path = pin_path(pins, name);
    int error;

    delete_pin(pins, name);
    error = -bpf_obj_pin(fd, path);
    free(path);
    return error;
}

static int
make_state(struct oxdp_pins *pins)
{
    LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
    int error = 0;

    if (pins->state_fd < 0) {
        pins->state_fd = bpf_map_create(BPF_MAP_TYPE_HASH, "oxdp_state",
                                        sizeof(uint32_t),
                                        sizeof(struct oxdp_pin_state),
                                        MAX_STATES, &opts);
        error = pins->state_fd < 0 ? -pins->state_fd
                : replace_pin(pins, STATE_NAME, pins->state_fd);
    }
    return error;
}

/* Makes the directory, with map "state", unless it is there. */
static bool
make_directory(struct oxdp_pins *pins)
{
    int error = 0;

    if (!pins->dir) {
        return false;
    }
    if (pins->is_made) {
        return true;
    }
    if (!is_bpf_file_system()) {
        error = ENOTSUP;
    } else if ((mkdir(OXDP_PIN_BASE, 0700) && errno != EEXIST)
               || (mkdir(pins->dir, 0700) && errno != EEXIST)) {
        error = errno;
    }
    error = error ? error : make_state(pins);
    if (error) {
        give_up(pins, STATE_NAME, error);
        return false;
    }
    pins->is_made = true;
    return true;
}

/* Pins 'fd' as 'name', which it frees. */
static void
pin(struct oxdp_pins *pins, int fd, char *name)
{
    int error = make_directory(pins) ? replace_pin(pins, name, fd) : 0;

    if (error) {
        give_up(pins, name, error);
    }
    free(name);
}

void
oxdp_pins_add_link(struct oxdp_pins *pins, enum oxdp_point point, int ifindex,
                   int link_fd)
{
    pin(pins, link_fd, link_name(point, ifindex));
}

void
oxdp_pins_delete_link(struct oxdp_pins *pins, enum oxdp_point point,
                      int ifindex)
{
    char *name = link_name(point, ifindex);

    delete_pin(pins, name);
    free(name);
}

void
oxdp_pins_add_object(struct oxdp_pins *pins, const char *kind,
                     const char *name, int fd)
{
    pin(pins, fd, xasprintf("%s-%s", kind, name));
}

/* Adds the names of what is in the directory to 'names', sorted. */
static void
list_pins(const struct oxdp_pins *pins, struct svec *names)
{
    DIR *dir = pins->dir ? opendir(pins->dir) : NULL;
    struct dirent *d;

    while (dir && (d = readdir(dir))) {
        if (d->d_name[0] != '.') {
            svec_add(names, d->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    svec_sort(names);
}

/* Calls 'cb' for all of them. */
static void
for_each_pin(struct oxdp_pins *pins,
             void (*cb)(struct oxdp_pins *, const char *name))
{
    struct svec names = SVEC_EMPTY_INITIALIZER;
    const char *name;
    size_t i;

    list_pins(pins, &names);
    SVEC_FOR_EACH (i, name, &names) {
        cb(pins, name);
    }
    svec_destroy(&names);
}

static void
delete_object(struct oxdp_pins *pins, const char *name)
{
    if (!strncmp(name, "prog-", 5) || !strncmp(name, "map-", 4)) {
        delete_pin(pins, name);
    }
}

void
oxdp_pins_delete_objects(struct oxdp_pins *pins)
{
    for_each_pin(pins, delete_object);
}

void
oxdp_pins_remove(struct oxdp_pins *pins)
{
    for_each_pin(pins, delete_pin);
    if (pins->dir && rmdir(pins->dir) && errno == ENOTEMPTY) {
        VLOG_INFO("%s is not empty and stays", pins->dir);
    }
    /* If it was the last one. */
    rmdir(OXDP_PIN_BASE);
    pins->is_made = false;
    if (pins->state_fd >= 0) {
        close(pins->state_fd);
        pins->state_fd = -1;
    }
}

const char *
oxdp_pins_instance(const struct oxdp_pins *pins)
{
    return pins->instance;
}

const char *
oxdp_pins_directory(const struct oxdp_pins *pins)
{
    return pins->dir;
}

/* State of devices. */

bool
oxdp_pins_get_state(const struct oxdp_pins *pins, int ifindex,
                    struct oxdp_pin_state *state)
{
    uint32_t key = ifindex;

    memset(state, 0, sizeof *state);
    return (pins->state_fd >= 0
            && !bpf_map_lookup_elem(pins->state_fd, &key, state));
}

void
oxdp_pins_put_state(struct oxdp_pins *pins, int ifindex,
                    const struct oxdp_pin_state *state)
{
    uint32_t key = ifindex;

    if (is_all_zeros(state, sizeof *state)) {
        if (pins->state_fd >= 0) {
            bpf_map_delete_elem(pins->state_fd, &key);
        }
    } else if (make_directory(pins)) {
        int error = -bpf_map_update_elem(pins->state_fd, &key, state,
                                         BPF_ANY);
        if (error) {
            give_up(pins, STATE_NAME, error);
        }
    }
}

int
oxdp_pins_next_state(const struct oxdp_pins *pins, int ifindex)
{
    uint32_t key = ifindex, next;

    return (pins->state_fd >= 0
            && !bpf_map_get_next_key(pins->state_fd, ifindex ? &key : NULL,
                                     &next) ? next : 0);
}

bool
oxdp_pins_is_reserved(const struct oxdp_pins *pins, uint32_t port_no)
{
    return bitmap_is_set(pins->reserved, port_no);
}

/* Opens the object that is pinned as 'kind'-'name'. */
static int
get_object(const struct oxdp_pins *pins, const char *kind, const char *name)
{
    char *s = xasprintf("%s-%s", kind, name);
    int fd = open_ours(pins, s);

    free(s);
    return fd;
}

int
oxdp_pins_get_map(const struct oxdp_pins *pins, const char *name)
{
    return get_object(pins, "map", name);
}

int
oxdp_pins_get_program(const struct oxdp_pins *pins, const char *name)
{
    return get_object(pins, "prog", name);
}

uint32_t
oxdp_pins_abi_version(const struct oxdp_pins *pins)
{
    int fd = oxdp_pins_get_map(pins, "oxdp_shared");
    uint32_t version = 0;

    if (fd >= 0) {
        /* The first thing in there, in every version. */
        const struct oxdp_control *control
            = mmap(NULL, sizeof *control, PROT_READ, MAP_SHARED, fd, 0);

        if (control != MAP_FAILED) {
            version = control->abi_version;
            munmap((void *) control, sizeof *control);
        }
        close(fd);
    }
    return version;
}

/* What was found. */

struct ovs_list *
oxdp_pins_found(struct oxdp_pins *pins)
{
    return &pins->found;
}

struct oxdp_found *
oxdp_pins_find(struct oxdp_pins *pins, enum oxdp_point point, int ifindex)
{
    struct oxdp_found *found;

    LIST_FOR_EACH (found, node, &pins->found) {
        if (found->point == point && found->ifindex == ifindex) {
            return found;
        }
    }
    return NULL;
}

static struct oxdp_found *
found_create(struct oxdp_pins *pins, enum oxdp_point point, int ifindex,
             int link_fd)
{
    struct oxdp_found *found = xzalloc(sizeof *found);

    found->point = point;
    found->ifindex = ifindex;
    found->link_fd = link_fd;
    found->new_prog_fd = -1;
    ovs_list_push_back(&pins->found, &found->node);
    return found;
}

void
oxdp_found_free(struct oxdp_found *found)
{
    ovs_list_remove(&found->node);
    free(found);
}

/* Adds the object 'name', if it is a link, to what was found. */
static void
find_link(struct oxdp_pins *pins, const char *name)
{
    struct bpf_link_info info;
    uint32_t len = sizeof info;
    enum oxdp_point point;
    int ifindex;
    int fd = open_ours(pins, name);

    memset(&info, 0, sizeof info);
    if (fd < 0) {
        VLOG(pins->lock_fd >= 0 ? VLL_WARN : VLL_DBG,
             "%s/%s is not ours: leaving it alone", pins->dir, name);
    } else if (parse_link_name(name, &point, &ifindex)
               && !bpf_obj_get_info_by_fd(fd, &info, &len)) {
        found_create(pins, point, ifindex, fd)->prog_id = info.prog_id;
    } else {
        close(fd);
    }
}

/* Adds the filters of classic TC. */
static void
find_filters(struct oxdp_pins *pins, int ifindex,
             const struct oxdp_pin_state *state)
{
    for (int i = 0; i < 2; i++) {
        if (state->filters[i].handle) {
            struct oxdp_found *found;

            found = found_create(pins, i ? OXDP_POINT_EGRESS
                                         : OXDP_POINT_INGRESS, ifindex, -1);
            found->tc_handle = state->filters[i].handle;
            found->tc_priority = state->filters[i].priority;
            found->prog_id = state->filters[i].prog_id;
        }
    }
}

static void
find_all(struct oxdp_pins *pins)
{
    struct bpf_map_info info;
    uint32_t len = sizeof info;
    int ifindex = 0;

    pins->state_fd = open_pin(pins, STATE_NAME, "map");
    memset(&info, 0, sizeof info);
    if (pins->state_fd >= 0
        && (bpf_obj_get_info_by_fd(pins->state_fd, &info, &len)
            || info.key_size != sizeof(uint32_t)
            || info.value_size != sizeof(struct oxdp_pin_state))) {
        VLOG_WARN("%s/" STATE_NAME " has another form: starting afresh",
                  pins->dir);
        close(pins->state_fd);
        pins->state_fd = -1;
    }
    for_each_pin(pins, find_link);
    while ((ifindex = oxdp_pins_next_state(pins, ifindex))) {
        struct oxdp_pin_state state;

        oxdp_pins_get_state(pins, ifindex, &state);
        find_filters(pins, ifindex, &state);
        if (state.port_no < OXDP_MAX_PORTS) {
            bitmap_set1(pins->reserved, state.port_no);
        }
    }
}

/* For people. */

/* Appends to 's' what 'name' is, which 'fd' refers to. */
static void
format_link(const char *name, int fd, struct ds *s)
{
    struct bpf_link_info info;
    uint32_t len = sizeof info;
    enum oxdp_point point;
    struct oxdp_link_info link;
    int ifindex;

    memset(&info, 0, sizeof info);
    if (!parse_link_name(name, &point, &ifindex)
        || bpf_obj_get_info_by_fd(fd, &info, &len)) {
        return;
    }
    ds_put_format(s, "  %s (", name);
    if (!info.xdp.ifindex) {
        ds_put_cstr(s, "device is gone");
    } else if (oxdp_link_get(ifindex, &link)) {
        ds_put_cstr(s, "device is in another network namespace");
    } else {
        ds_put_cstr(s, link.name);
    }
    ds_put_format(s, "): link %"PRIu32" program %"PRIu32"\n", info.id,
                  info.prog_id);
}

static void
format_object(const char *name, int fd, struct ds *s)
{
    union {
        struct bpf_prog_info prog;
        struct bpf_map_info map;
    } info;
    uint32_t len;

    memset(&info, 0, sizeof info);
    if (!strcmp(kind_of_name(name), "prog")) {
        len = sizeof info.prog;
        bpf_obj_get_info_by_fd(fd, &info.prog, &len);
        ds_put_format(s, "  %s: program %"PRIu32"\n", name, info.prog.id);
    } else {
        len = sizeof info.map;
        bpf_obj_get_info_by_fd(fd, &info.map, &len);
        ds_put_format(s, "  %s: map %"PRIu32"\n", name, info.map.id);
    }
}

void
oxdp_pins_format(const struct oxdp_pins *pins, struct ds *s)
{
    struct svec names = SVEC_EMPTY_INITIALIZER;
    const char *name;
    size_t i;

    list_pins(pins, &names);
    SVEC_FOR_EACH (i, name, &names) {
        int fd = open_ours(pins, name);

        if (fd < 0) {
            ds_put_format(s, "  %s: not of ovs-xdp\n", name);
        } else if (!strcmp(kind_of_name(name), "link")) {
            format_link(name, fd, s);
        } else {
            format_object(name, fd, s);
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    svec_destroy(&names);
}

/* Opening and closing. */

static struct oxdp_pins *
pins_create(const char *instance, int lock_fd)
{
    struct oxdp_pins *pins = xzalloc(sizeof *pins);

    pins->instance = xstrdup(instance);
    pins->dir = xasprintf(OXDP_PIN_BASE "/%s", instance);
    pins->lock_fd = lock_fd;
    pins->state_fd = -1;
    ovs_list_init(&pins->found);
    pins->reserved = bitmap_allocate(OXDP_MAX_PORTS);
    find_all(pins);
    return pins;
}

int
oxdp_pins_open(struct oxdp_pins **pinsp, char **errp)
{
    char *instance;
    int lock_fd;
    int error;

    *pinsp = NULL;
    error = oxdp_instance_lock(&lock_fd, errp);
    if (error) {
        return error;
    }
    instance = oxdp_instance_name();
    *pinsp = pins_create(instance, lock_fd);
    free(instance);
    return 0;
}

struct oxdp_pins *
oxdp_pins_open_other(const char *instance)
{
    return pins_create(instance, -1);
}

void
oxdp_pins_run(struct oxdp_pins *pins)
{
    oxdp_instance_run(pins->lock_fd);
}

void
oxdp_pins_close(struct oxdp_pins *pins)
{
    struct oxdp_found *found;

    if (!pins) {
        return;
    }
    LIST_FOR_EACH_SAFE (found, node, &pins->found) {
        if (found->link_fd >= 0 && !found->attach) {
            close(found->link_fd);
        }
        oxdp_found_free(found);
    }
    if (pins->state_fd >= 0) {
        close(pins->state_fd);
    }
    if (pins->lock_fd >= 0) {
        close(pins->lock_fd);
    }
    bitmap_free(pins->reserved);
    free(pins->dir);
    free(pins->instance);
    free(pins);
}
