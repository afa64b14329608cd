/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-pin.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "bitmap.h"
#include "dirs.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "oxdp-abi.h"
#include "oxdp-compat.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(oxdp_pin);

#define BPF_FILE_SYSTEM "/sys/fs/bpf"
#define NETNS_FILE "/proc/self/ns/net"
#define STATE_NAME "state"
#define MAX_STATES (2 * OXDP_MAX_PORTS)

/* How long to wait for a daemon that is about to end. */
#define OWNER_MS 5000

struct oxdp_pins {
    char *dir;                  /* Or NULL: nothing is pinned. */
    int lock_fd;                /* See lock_namespace(), or -1. */
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

/* Names of instances: "INODE+run+openvswitch". */

static char *
instance_name(void)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct stat st;

    if (stat(NETNS_FILE, &st)) {
        memset(&st, 0, sizeof st);
    }
    ds_put_format(&s, "%"PRIu64, (uint64_t) st.st_ino);
    for (const char *p = ovs_rundir(); *p; p++) {
        if (isalnum((unsigned char) *p) || *p == '-' || *p == '_') {
            ds_put_char(&s, *p);
        } else if (*p == '/') {
            ds_put_char(&s, '+');
        } else {
            /* The BPF file system has no dots in names. */
            ds_put_format(&s, "%%%02x", (unsigned char) *p);
        }
    }
    return ds_steal_cstr(&s);
}

bool
oxdp_pins_parse(const char *instance, uint64_t *netns_inode, char **rundirp)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    unsigned long long int inode;
    int n = 0;

    *rundirp = NULL;
    if (!isdigit((unsigned char) instance[0])
        || !ovs_scan(instance, "%llu%n", &inode, &n) || instance[n] != '+') {
        return false;
    }
    for (const char *p = instance + n; *p; p++) {
        if (*p == '%' && isxdigit((unsigned char) p[1])
            && isxdigit((unsigned char) p[2])) {
            ds_put_char(&s, hexit_value(p[1]) * 16 + hexit_value(p[2]));
            p += 2;
        } else {
            ds_put_char(&s, *p == '+' ? '/' : *p);
        }
    }
    *netns_inode = inode;
    *rundirp = ds_steal_cstr(&s);
    return true;
}

int
oxdp_pins_list(struct sset *names)
{
    DIR *dir = opendir(OXDP_PIN_BASE);
    struct dirent *d;

    if (!dir) {
        return errno;
    }
    while ((d = readdir(dir))) {
        uint64_t inode;
        char *rundir;

        if (oxdp_pins_parse(d->d_name, &inode, &rundir)) {
            sset_add(names, d->d_name);
        }
        free(rundir);
    }
    closedir(dir);
    return 0;
}

/* Who is alive.  A datapath's process has a socket with a name that every
 * network namespace has once, and that ends with it. */

static const struct sockaddr_un lock_address = {
    .sun_family = AF_UNIX,
    .sun_path = "\0ovs-xdp",
};
#define LOCK_ADDRESS_LEN (offsetof(struct sockaddr_un, sun_path) \
                          + sizeof "\0ovs-xdp" - 1)

int
oxdp_pins_owner(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct ucred cred = { .pid = 0 };
    socklen_t len = sizeof cred;

    if (fd < 0) {
        return 0;
    }
    if (connect(fd, (const struct sockaddr *) &lock_address, LOCK_ADDRESS_LEN)
        || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len)
        || cred.uid != geteuid()) {
        /* Anybody could take the name: that does not stop us. */
        cred.pid = 0;
    }
    close(fd);
    return cred.pid;
}

/* Makes this process the one that has a datapath in its network namespace. */
static int
lock_namespace(int *fdp, char **errp)
{
    long long int deadline = time_msec() + OWNER_MS;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int pid;

    *fdp = -1;
    if (fd < 0) {
        *errp = xasprintf("no socket (%s)", ovs_strerror(errno));
        return EMFILE;
    }
    while (bind(fd, (const struct sockaddr *) &lock_address,
                LOCK_ADDRESS_LEN)) {
        pid = oxdp_pins_owner();
        if (!pid || time_msec() > deadline) {
            close(fd);
            if (!pid) {
                return 0;
            }
            *errp = xasprintf("process %d has a datapath of type xdp in this "
                              "network namespace: end that", pid);
            return EBUSY;
        }
        xsleep(1);
    }
    listen(fd, 1);
    *fdp = fd;
    return 0;
}

/* Paths and kinds of pinned objects. */

static char *
pin_path(const struct oxdp_pins *pins, const char *name)
{
    return xasprintf("%s/%s", pins->dir, name);
}

static char *
link_path(const struct oxdp_pins *pins, enum oxdp_point point, int ifindex)
{
    return xasprintf("%s/link-%s-%d", pins->dir, oxdp_point_name(point),
                     ifindex);
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

/* Pinning.  If it does not work, nothing is pinned. */

/* Tells once that the datapath will not outlive the daemon, and why. */
static void
give_up(struct oxdp_pins *pins, const char *what, int error)
{
    VLOG_WARN("cannot pin the datapath in %s (%s): it ends when ovs-vswitchd "
              "does; %s", pins->dir, what ? what : ovs_strerror(error),
              what ? "mount the BPF file system (\"mount -t bpf bpf "
                     BPF_FILE_SYSTEM "\") and restart ovs-vswitchd"
              : error == EROFS ? "mount " BPF_FILE_SYSTEM " read-write and "
                                 "restart ovs-vswitchd"
              : error == ENOSPC || error == ENOMEM || error == EDQUOT
              ? "make room there and restart ovs-vswitchd"
              : error == ENAMETOOLONG ? "use a shorter run directory"
              : "make it writable for ovs-vswitchd and restart that");
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

static int
make_state(struct oxdp_pins *pins)
{
    LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
    char *path = pin_path(pins, STATE_NAME);
    int error = 0;

    if (pins->state_fd < 0) {
        pins->state_fd = bpf_map_create(BPF_MAP_TYPE_HASH, "oxdp_state",
                                        sizeof(uint32_t),
                                        sizeof(struct oxdp_pin_state),
                                        MAX_STATES, &opts);
        error = pins->state_fd < 0 ? -pins->state_fd
                : -bpf_obj_pin(pins->state_fd, path);
    }
    free(path);
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
        give_up(pins, BPF_FILE_SYSTEM " is no BPF file system", 0);
        return false;
    }
    if ((mkdir(OXDP_PIN_BASE, 0700) && errno != EEXIST)
        || (mkdir(pins->dir, 0700) && errno != EEXIST)) {
        error = errno;
    }
    error = error ? error : make_state(pins);
    if (error) {
        give_up(pins, NULL, error);
        return false;
    }
    pins->is_made = true;
    return true;
}

/* Pins 'fd' at 'path', which it frees, in the place of what is there. */
static void
pin(struct oxdp_pins *pins, int fd, char *path)
{
    int error = 0;

    if (unlink(path) && errno != ENOENT) {
        error = errno;
    }
    error = error ? error : -bpf_obj_pin(fd, path);
    if (error) {
        give_up(pins, NULL, error);
    }
    free(path);
}

void
oxdp_pins_add_link(struct oxdp_pins *pins, enum oxdp_point point, int ifindex,
                   int link_fd)
{
    if (make_directory(pins)) {
        pin(pins, link_fd, link_path(pins, point, ifindex));
    }
}

void
oxdp_pins_delete_link(struct oxdp_pins *pins, enum oxdp_point point,
                      int ifindex)
{
    if (pins->dir) {
        char *path = link_path(pins, point, ifindex);

        if (unlink(path) && errno != ENOENT) {
            VLOG_WARN("%s: %s", path, ovs_strerror(errno));
        }
        free(path);
    }
}

void
oxdp_pins_add_object(struct oxdp_pins *pins, const char *kind,
                     const char *name, int fd)
{
    if (make_directory(pins)) {
        pin(pins, fd, xasprintf("%s/%s-%s", pins->dir, kind, name));
    }
}

/* Unpins the object 'name' if it is one that 'kind' says. */
static void
delete_pin(struct oxdp_pins *pins, const char *name, const char *kind)
{
    int fd = open_pin(pins, name, kind);

    if (fd >= 0) {
        char *path = pin_path(pins, name);

        if (unlink(path)) {
            VLOG_WARN("%s: %s", path, ovs_strerror(errno));
        }
        free(path);
        close(fd);
    }
}

/* Calls 'cb' for every name in the directory. */
static void
for_each_pin(struct oxdp_pins *pins,
             void (*cb)(struct oxdp_pins *, const char *name))
{
    DIR *dir = pins->dir ? opendir(pins->dir) : NULL;
    struct sset names = SSET_INITIALIZER(&names);
    struct dirent *d;
    const char *name;

    while (dir && (d = readdir(dir))) {
        if (d->d_name[0] != '.') {
            sset_add(&names, d->d_name);
        }
    }
    if (dir) {
        closedir(dir);
    }
    SSET_FOR_EACH (name, &names) {
        cb(pins, name);
    }
    sset_destroy(&names);
}

static void
delete_object(struct oxdp_pins *pins, const char *name)
{
    if (!strncmp(name, "prog-", 5)) {
        delete_pin(pins, name, "prog");
    } else if (!strncmp(name, "map-", 4)) {
        delete_pin(pins, name, "map");
    }
}

void
oxdp_pins_delete_objects(struct oxdp_pins *pins)
{
    for_each_pin(pins, delete_object);
}

static void
delete_anything(struct oxdp_pins *pins, const char *name)
{
    enum oxdp_point point;
    int ifindex;

    if (!strcmp(name, STATE_NAME)) {
        delete_pin(pins, name, "map");
    } else if (parse_link_name(name, &point, &ifindex)) {
        delete_pin(pins, name, "link");
    } else {
        delete_object(pins, name);
    }
}

void
oxdp_pins_remove(struct oxdp_pins *pins)
{
    for_each_pin(pins, delete_anything);
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
            give_up(pins, NULL, error);
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

uint32_t
oxdp_pins_abi_version(const struct oxdp_pins *pins)
{
    int fd = pins->dir ? open_pin(pins, "map-oxdp_shared", "map") : -1;
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

/* Adds the pinned link 'name' to what was found, or deletes it if its device
 * has gone. */
static void
find_link(struct oxdp_pins *pins, const char *name)
{
    struct bpf_link_info info;
    uint32_t len = sizeof info;
    enum oxdp_point point;
    int ifindex, fd;

    if (!strncmp(name, "prog-", 5) || !strncmp(name, "map-", 4)
        || !strcmp(name, STATE_NAME)) {
        return;
    }
    fd = (parse_link_name(name, &point, &ifindex)
          ? open_pin(pins, name, "link") : -1);
    memset(&info, 0, sizeof info);
    if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len)
        || info.type != (point == OXDP_POINT_XDP ? BPF_LINK_TYPE_XDP
                         : OXDP_BPF_LINK_TYPE_TCX)) {
        VLOG_WARN("%s/%s is not ours: leaving it alone", pins->dir, name);
        if (fd >= 0) {
            close(fd);
        }
    } else if (!info.xdp.ifindex) {
        /* The first member of the union for XDP and for tcx. */
        delete_pin(pins, name, "link");
        close(fd);
    } else {
        found_create(pins, point, ifindex, fd)->prog_id = info.prog_id;
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
        delete_pin(pins, STATE_NAME, "map");
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

/* Opening and closing. */

static struct oxdp_pins *
pins_create(const char *instance)
{
    struct oxdp_pins *pins = xzalloc(sizeof *pins);

    pins->dir = xasprintf(OXDP_PIN_BASE "/%s", instance);
    pins->lock_fd = pins->state_fd = -1;
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
    error = lock_namespace(&lock_fd, errp);
    if (error) {
        return error;
    }
    instance = instance_name();
    *pinsp = pins_create(instance);
    (*pinsp)->lock_fd = lock_fd;
    free(instance);
    return 0;
}

struct oxdp_pins *
oxdp_pins_open_other(const char *instance)
{
    return pins_create(instance);
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
    free(pins);
}
