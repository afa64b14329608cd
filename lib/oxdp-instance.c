/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "oxdp-instance.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "dirs.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "oxdp-attach.h"
#include "oxdp-bridge.h"
#include "oxdp-netdev.h"
#include "oxdp-pin.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(oxdp_instance);

#define NETNS_FILE "/proc/self/ns/net"

/* How long to wait for a daemon that is about to end. */
#define OWNER_MS 5000

/* Names of instances: "INODE+run+openvswitch". */

char *
oxdp_instance_name(void)
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
oxdp_instance_parse(const char *instance, uint64_t *netns_inode,
                    char **rundirp)
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
oxdp_instance_list(struct sset *names)
{
    DIR *dir = opendir(OXDP_PIN_BASE);
    struct dirent *d;

    if (!dir) {
        return errno;
    }
    while ((d = readdir(dir))) {
        uint64_t inode;
        char *rundir;

        if (oxdp_instance_parse(d->d_name, &inode, &rundir)) {
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

bool
oxdp_instance_is_alive(int *pid)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct ucred cred = { .pid = 0 };
    socklen_t len = sizeof cred;
    bool alive;

    *pid = 0;
    if (fd < 0) {
        return false;
    }
    if (!connect(fd, (const struct sockaddr *) &lock_address,
                 LOCK_ADDRESS_LEN)) {
        /* Anybody could take the name: that does not stop us. */
        alive = (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len)
                 && cred.uid == geteuid());
        *pid = alive ? cred.pid : 0;
    } else {
        /* Too many have asked already. */
        alive = errno == EAGAIN;
    }
    close(fd);
    return alive;
}

void
oxdp_instance_run(int lock_fd)
{
    int fd;

    while (lock_fd >= 0 && (fd = accept(lock_fd, NULL, NULL)) >= 0) {
        close(fd);
    }
}

int
oxdp_instance_lock(int *fdp, char **errp)
{
    long long int deadline = time_msec() + OWNER_MS;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int pid;

    *fdp = -1;
    if (fd < 0) {
        *errp = xasprintf("no socket (%s)", ovs_strerror(errno));
        return EMFILE;
    }
    while (bind(fd, (const struct sockaddr *) &lock_address,
                LOCK_ADDRESS_LEN)) {
        bool alive = oxdp_instance_is_alive(&pid);

        if (!alive || time_msec() > deadline) {
            close(fd);
            if (!alive) {
                return 0;
            }
            *errp = xasprintf("process %d has a datapath of type xdp in this "
                              "network namespace: end that", pid);
            return EBUSY;
        }
        xsleep(1);
    }
    listen(fd, 128);
    *fdp = fd;
    return 0;
}

/* Removal. */

/* Forgets about 'ifindex', which is no port, and with 'undo' leaves the device
 * as it was before it was one. */
static void
forget(struct oxdp_pins *pins, int ifindex, bool undo)
{
    struct oxdp_pin_state state;

    oxdp_pins_get_state(pins, ifindex, &state);
    if (undo) {
        oxdp_link_restore(ifindex, state.changed);
    }
    state.port_no = state.changed = 0;
    oxdp_pins_put_state(pins, ifindex, &state);
}

void
oxdp_instance_release(struct oxdp_pins *pins,
                      bool (*is_port)(int ifindex, void *aux), void *aux)
{
    struct oxdp_found *found;
    int ifindex, next;

    LIST_FOR_EACH (found, node, oxdp_pins_found(pins)) {
        /* Every port has a program in TC. */
        if (found->point != OXDP_POINT_XDP
            && (!is_port || !is_port(found->ifindex, aux))
            && oxdp_found_is_here(found)) {
            /* The bridge must not see what comes in without a program in front
             * of it. */
            oxdp_bridge_release(found->ifindex);
            forget(pins, found->ifindex, true);
        }
    }
    LIST_FOR_EACH_SAFE (found, node, oxdp_pins_found(pins)) {
        if (!found->attach) {
            oxdp_detach_found(pins, found);
        }
    }
    /* Devices that have gone. */
    next = oxdp_pins_next_state(pins, 0);
    while ((ifindex = next)) {
        next = oxdp_pins_next_state(pins, ifindex);
        if (!is_port || !is_port(ifindex, aux)) {
            forget(pins, ifindex, false);
        }
    }
}

void
oxdp_instance_destroy(const char *instance)
{
    struct oxdp_pins *pins = oxdp_pins_open_other(instance);

    oxdp_instance_release(pins, NULL, NULL);
    oxdp_pins_remove(pins);
    oxdp_pins_close(pins);
}

void
oxdp_instance_destroy_others(const struct oxdp_pins *pins)
{
    struct sset names = SSET_INITIALIZER(&names);
    uint64_t ours, inode;
    const char *name;
    char *rundir;

    oxdp_instance_list(&names);
    oxdp_instance_parse(oxdp_pins_instance(pins), &ours, &rundir);
    free(rundir);
    SSET_FOR_EACH (name, &names) {
        if (oxdp_instance_parse(name, &inode, &rundir) && inode == ours
            && strcmp(name, oxdp_pins_instance(pins))) {
            VLOG_WARN("removing from this network namespace what the "
                      "ovs-vswitchd of run directory %s has left", rundir);
            oxdp_instance_destroy(name);
        }
        free(rundir);
    }
    sset_destroy(&names);
}

void
oxdp_instance_delete_devices(void)
{
    struct if_nameindex *names = if_nameindex();

    for (struct if_nameindex *i = names; i && i->if_name; i++) {
        struct oxdp_link_info info;

        /* Deleting one end of a pair deletes the other one. */
        if (!oxdp_link_get(i->if_index, &info)
            && (oxdp_bridge_is_ours(&info)
                || !strncmp(info.alias, OXDP_ALIAS, strlen(OXDP_ALIAS)))) {
            int error = oxdp_link_delete(info.ifindex);

            if (error) {
                VLOG_WARN("cannot delete %s (%s)", info.name,
                          ovs_strerror(error));
            }
        }
    }
    if_freenameindex(names);
}
