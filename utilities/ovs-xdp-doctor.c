/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>

#include "ovs-xdp-doctor.h"

#include <errno.h>
#include <linux/magic.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "openvswitch/vlog.h"
#include "oxdp-bridge.h"
#include "oxdp-compat.h"
#include "oxdp-loader.h"
#include "oxdp-netdev.h"
#include "oxdp-pin.h"
#include "timeval.h"
#include "util.h"

static int n_problems;

static void OVS_PRINTF_FORMAT(2, 3)
say(const char *how, const char *format, ...)
{
    va_list args;

    printf("%-8s ", how);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

#define ok(...) say("ok", __VA_ARGS__)
#define note(...) say("note", __VA_ARGS__)
#define problem(...) (n_problems++, say("problem", __VA_ARGS__))

static void
check_kernel(void)
{
    unsigned int major, minor;
    struct utsname uts;

    if (uname(&uts)
        || sscanf(uts.release, "%u.%u", &major, &minor) != 2) {
        note("cannot tell the kernel's version");
        return;
    }
    if (major < 6 || (major == 6 && minor < 1)) {
        problem("Linux %s: 6.1 or later is needed", uts.release);
    } else if (major == 6 && minor < 3) {
        note("Linux %s: XDP output to a veth goes through TC, and packets "
             "above 4000 bytes cannot go through ovs-vswitchd; with 6.6 or "
             "later they can", uts.release);
    } else if (major == 6 && minor < 6) {
        note("Linux %s: packets above 4000 bytes cannot go through "
             "ovs-vswitchd; with 6.6 or later they can", uts.release);
    } else {
        ok("Linux %s: has all that is used", uts.release);
    }
}

static void
check_jit(void)
{
    FILE *file = fopen("/proc/sys/net/core/bpf_jit_enable", "r");
    int on;

    if (file && fscanf(file, "%d", &on) == 1 && !on) {
        problem("the kernel interprets BPF programs, which is slow: \"sysctl "
                "-w net.core.bpf_jit_enable=1\"");
    } else if (file) {
        ok("the kernel compiles BPF programs");
    }
    if (file) {
        fclose(file);
    }
}

/* Capabilities, AF_XDP and what the kernel's verifier thinks. */
static void
check_programs(void)
{
    struct oxdp_bpf_config config = { .hint_size = 1 };
    long long int start = time_msec();
    struct oxdp_bpf *bpf;
    char *why = NULL;
    int error;

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    error = oxdp_bpf_open(&config, &bpf, &why);
    if (error) {
        problem("%s", why ? why : ovs_strerror(error));
    } else {
        ok("the kernel accepts the BPF programs, in %lld ms",
           time_msec() - start);
        oxdp_bpf_close(bpf);
    }
    free(why);
}

static void
check_bpffs(void)
{
    struct statfs fs;

    if (statfs("/sys/fs/bpf", &fs) || fs.f_type != BPF_FS_MAGIC) {
        note("/sys/fs/bpf is no BPF file system: the datapath ends when "
             "ovs-vswitchd does; \"mount -t bpf bpf /sys/fs/bpf\"");
    } else if (access("/sys/fs/bpf", W_OK | X_OK)) {
        note("/sys/fs/bpf cannot be written (%s): the datapath ends when "
             "ovs-vswitchd does", ovs_strerror(errno));
    } else {
        ok(OXDP_PIN_BASE " can be there: the datapath outlives ovs-vswitchd");
    }
}

/* The datapath has made the device. */
static bool
is_ours(const struct oxdp_link_info *link)
{
    return (!strncmp(link->alias, OXDP_ALIAS, strlen(OXDP_ALIAS))
            || oxdp_bridge_is_ours(link));
}

/* What stands in the way of native XDP on 'link', a NIC whose driver has it. */
static void
check_native(const struct oxdp_link_info *link, uint64_t features)
{
    if (link->mtu > 3498 && features
        && !(features & OXDP_NETDEV_XDP_ACT_RX_SG)) {
        note("%s: its driver's XDP is for frames in one buffer, and may refuse "
             "an MTU of %d: lower that, or the port works in TC", link->name,
             link->mtu);
    }
    if (features && !(features & OXDP_NETDEV_XDP_ACT_NDO_XMIT)) {
        note("%s: its driver sends no frames of other devices before it has an "
             "XDP program, or at all: then they go through TC", link->name);
    }
}

/* 'link' is in a bridge, a bond or the like. */
static void
check_member(const struct oxdp_link_info *link, const char *driver)
{
    struct oxdp_link_info master;

    if (oxdp_link_get(link->master_ifindex, &master)) {
        return;                 /* It has just gone. */
    }
    if (is_ours(&master)) {
        ok("%s (%s): is a port of %s already", link->name, driver,
           master.name);
    } else {
        note("%s (%s): belongs to %s, so it cannot be a port: \"ip link set "
             "%s nomaster\"", link->name, driver, master.name, link->name);
    }
}

static void
check_device(const char *name)
{
    struct oxdp_link_info link;
    char driver[32], *why;
    uint64_t features;
    int error = oxdp_link_get_by_name(name, &link);

    if (error) {
        problem("%s: %s", name, ovs_strerror(error));
        return;
    }
    if (oxdp_xdp_features(link.ifindex, &features)) {
        features = 0;
    }
    if (link.kind[0] || oxdp_ethtool_driver(name, driver)) {
        ovs_strlcpy(driver, link.kind[0] ? link.kind : "no driver", 32);
    }
    if (link.master_ifindex) {
        check_member(&link, driver);
        return;
    }
    why = oxdp_why_no_native(link.kind, features);
    if (why) {
        ok("%s (%s): a port with it works in TC (%s)", name, driver, why);
        free(why);
        return;
    }
    if (link.xdp_prog_id) {
        note("%s (%s): has an XDP program, number %"PRIu32": with that a port "
             "works in TC; \"ip link set dev %s xdp off\" removes it", name,
             driver, link.xdp_prog_id, name);
        return;
    }
    ok("%s (%s): a port with it works in XDP%s", name, driver,
       features ? "" : ", if its driver has that, or else in TC");
    check_native(&link, features);
}

int
ovs_xdp_doctor(char *const names[], int n)
{
    check_kernel();
    check_jit();
    check_programs();
    check_bpffs();
    for (int i = 0; i < n; i++) {
        check_device(names[i]);
    }
    if (!n) {
        struct if_nameindex *all = if_nameindex();

        for (struct if_nameindex *i = all; i && i->if_index; i++) {
            struct oxdp_link_info link;

            if (strcmp(i->if_name, "lo")
                && !oxdp_link_get(i->if_index, &link) && !is_ours(&link)) {
                check_device(i->if_name);
            }
        }
        if_freenameindex(all);
    }
    return n_problems;
}
