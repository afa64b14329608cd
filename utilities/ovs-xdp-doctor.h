/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ovs-xdp-doctor: what this machine has of what the datapath needs.
 */

#ifndef OVS_XDP_DOCTOR_H
#define OVS_XDP_DOCTOR_H 1

/* Prints what there is to say of the kernel, this process, and each of the
 * 'n' devices 'names' of this network namespace, or all of them if 'n' is 0.
 * Changes nothing; loads the BPF programs and forgets them.  Returns the number
 * of problems, with which bridges of type xdp do not work. */
int ovs_xdp_doctor(char *const names[], int n);

#endif /* ovs-xdp-doctor.h */
