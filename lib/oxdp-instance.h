/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oxdp-instance: whose a datapath is, and taking one out of the kernel that no
 * daemon runs.
 *
 * An instance is the datapath of one network namespace and one run directory
 * of Open vSwitch.  Its name is that of its directory (oxdp-pin.h).
 *
 * Functions are about the network namespace of the calling thread and can be
 * called in any thread.
 */

#ifndef OXDP_INSTANCE_H
#define OXDP_INSTANCE_H 1

#include <stdbool.h>
#include <stdint.h>

struct oxdp_pins;
struct sset;

/* Returns the name, to be freed, of the instance of this process. */
char *oxdp_instance_name(void);

/* Takes a name apart.  Returns false if it is none.  '*rundirp' is to be
 * freed. */
bool oxdp_instance_parse(const char *instance, uint64_t *netns_inode,
                         char **rundirp);

/* Adds to 'names' those that have a directory.  Returns 0 or a positive errno
 * value. */
int oxdp_instance_list(struct sset *names);

/* Makes this process the one that has a datapath in its network namespace, as
 * long as '*fdp', which is -1 if it cannot be known, is open.  Returns 0, or
 * EBUSY with a sentence, to be freed, in '*errp' if another process is that;
 * waits five seconds for it to end. */
int oxdp_instance_lock(int *fdp, char **errp);

/* Lets others ask who it is.  To be called now and then. */
void oxdp_instance_run(int lock_fd);

/* Returns true if there is a process that has it.  '*pid' is which, or 0 if
 * that is not known. */
bool oxdp_instance_is_alive(int *pid);

/* Detaches what was found and not adopted.  Devices for which 'is_port', which
 * may be NULL, returns false are left as they were before they were ports. */
void oxdp_instance_release(struct oxdp_pins *,
                           bool (*is_port)(int ifindex, void *aux), void *aux);

/* Detaches and unpins all of 'instance'. */
void oxdp_instance_destroy(const char *instance);

/* Does that to those that other daemons, which are not alive since 'pins' is
 * open, have left in this network namespace. */
void oxdp_instance_destroy_others(const struct oxdp_pins *pins);

/* Deletes all devices that ovs-vswitchd makes. */
void oxdp_instance_delete_devices(void);

#endif /* oxdp-instance.h */
