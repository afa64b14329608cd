/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-pin: what of the datapath outlives the daemon.
 *
 * An instance is the datapath of one network namespace and one run directory.
 * Its directory in the BPF file system, OXDP_PIN_BASE/INSTANCE, has:
 *
 *   link-POINT-IFINDEX   a program attached to a device, by bpf_link
 *   prog-NAME, map-NAME  what these links run on: for people and tools
 *   state                a map from ifindex to struct oxdp_pin_state
 *
 * Anything else in there is not ours and stays as it is.
 *
 * A daemon that starts finds here what an earlier one has left attached, which
 * goes on forwarding until oxdp_attach_take_over().
 *
 * Not thread-safe; the owner of the datapath serializes.
 */

#ifndef OXDP_PIN_H
#define OXDP_PIN_H 1

#include <stdbool.h>
#include <stdint.h>

#include "openvswitch/list.h"

struct ds;
struct oxdp_attach;
struct oxdp_pins;

#define OXDP_PIN_BASE "/sys/fs/bpf/ovs-xdp"

/* Where on a device a program of ours can be; one in each place. */
#define OXDP_POINTS                             \
    OXDP_POINT(XDP, "xdp")                      \
    OXDP_POINT(INGRESS, "tc-ingress")           \
    OXDP_POINT(EGRESS, "tc-egress")

enum oxdp_point {
#define OXDP_POINT(ENUM, NAME) OXDP_POINT_##ENUM,
    OXDP_POINTS
#undef OXDP_POINT
    OXDP_N_POINTS
};

const char *oxdp_point_name(enum oxdp_point);

/* What a daemon has to know of a device that an earlier one has left, the
 * value of the map "state".  Later versions of ovs-xdp read it: what is here
 * does not change. */
struct oxdp_pin_state {
    uint32_t port_no;           /* Datapath port, 0 if none. */
    uint32_t changed;           /* OXDP_CHANGED_*, see oxdp-netdev.h. */
    struct {                    /* Filters of classic TC, which are no links:
                                 * on ingress and on egress. */
        uint32_t handle;        /* 0 if there is none. */
        uint32_t priority;
        uint32_t prog_id;
    } filters[2];
};

/* A program that an earlier daemon has attached. */
struct oxdp_found {
    struct ovs_list node;       /* In oxdp_pins_found(). */
    enum oxdp_point point;
    int ifindex;
    int link_fd;                /* Or -1: a filter of classic TC. */
    uint32_t tc_handle, tc_priority;
    uint32_t prog_id;           /* The program there. */

    /* See oxdp-attach.h. */
    struct oxdp_attach *attach; /* Who wants it, or NULL. */
    int new_prog_fd;            /* What is to run there then. */
    bool generic;
};

/* Opens the instance of this process, its network namespace and its run
 * directory, and looks for what an earlier daemon has left.  Returns 0 and it
 * in '*pinsp', or a positive errno value and in '*errp' a sentence, to be
 * freed: EBUSY if another daemon has a datapath in this network namespace.
 *
 * That nothing can be pinned is no error, but logged with what to do: the
 * datapath then ends with the process. */
int oxdp_pins_open(struct oxdp_pins **pinsp, char **errp);

/* Opens 'instance', a name from oxdp_instance_list(), for removal.  The caller
 * is in its network namespace. */
struct oxdp_pins *oxdp_pins_open_other(const char *instance);

/* To be called now and then by a process that has oxdp_pins_open()ed. */
void oxdp_pins_run(struct oxdp_pins *);

/* Forgets 'pins'.  What is pinned stays. */
void oxdp_pins_close(struct oxdp_pins *);

/* Unpins everything. */
void oxdp_pins_remove(struct oxdp_pins *);

const char *oxdp_pins_instance(const struct oxdp_pins *);

/* Says where things are pinned, and that is NULL if nothing is. */
const char *oxdp_pins_directory(const struct oxdp_pins *);

/* A list of struct oxdp_found. */
struct ovs_list *oxdp_pins_found(struct oxdp_pins *);
struct oxdp_found *oxdp_pins_find(struct oxdp_pins *, enum oxdp_point,
                                  int ifindex);
void oxdp_found_free(struct oxdp_found *);

/* Pins 'link_fd', and unpins it. */
void oxdp_pins_add_link(struct oxdp_pins *, enum oxdp_point, int ifindex,
                        int link_fd);
void oxdp_pins_delete_link(struct oxdp_pins *, enum oxdp_point, int ifindex);

/* Unpins all programs and maps but "state", and pins one; 'kind' is "prog" or
 * "map". */
void oxdp_pins_delete_objects(struct oxdp_pins *);
void oxdp_pins_add_object(struct oxdp_pins *, const char *kind,
                          const char *name, int fd);

/* The state of device 'ifindex'.  Returns false and zeros if there is none;
 * putting all zeros deletes it. */
bool oxdp_pins_get_state(const struct oxdp_pins *, int ifindex,
                         struct oxdp_pin_state *);
void oxdp_pins_put_state(struct oxdp_pins *, int ifindex,
                         const struct oxdp_pin_state *);

/* Iterates: returns the next device after 'ifindex' that has a state, 0 at the
 * end.  'ifindex' 0 starts. */
int oxdp_pins_next_state(const struct oxdp_pins *, int ifindex);

/* Whether a device that was found had datapath port 'port_no'. */
bool oxdp_pins_is_reserved(const struct oxdp_pins *, uint32_t port_no);

/* Opens the map or the program that is pinned as 'name'.  Returns a file
 * descriptor or -1. */
int oxdp_pins_get_map(const struct oxdp_pins *, const char *name);
int oxdp_pins_get_program(const struct oxdp_pins *, const char *name);

/* Returns the ABI version of the maps that are pinned now, 0 if there are
 * none. */
uint32_t oxdp_pins_abi_version(const struct oxdp_pins *);

/* Appends a line for each thing in the directory, with its numbers for
 * bpftool. */
void oxdp_pins_format(const struct oxdp_pins *, struct ds *);

#endif /* oxdp-pin.h */
