/* SPDX-License-Identifier: Apache-2.0 */
/*
 * full-bpffs: runs a command for which the BPF file system gets full.
 *
 *   full-bpffs N COMMAND [ARGUMENT]...
 *
 * The first N objects that the command and its children pin are pinned, all
 * further ones get ENOSPC.  A BPF file system has no size that could be set: a
 * child process answers in the place of the kernel, by seccomp, as long as
 * there are any such processes.
 */

#undef NDEBUG
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util.h"

/* Lets the one who has the file descriptor that it returns answer all
 * BPF_OBJ_PIN of this process. */
static int
filter_pins(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, BPF_OBJ_PIN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = { ARRAY_SIZE(filter), filter };
    int fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                     SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);

    if (fd < 0) {
        ovs_fatal(errno, "seccomp");
    }
    return fd;
}

/* Answers what comes in on 'fd' until there is nobody left to ask. */
static void
answer(int fd, int n)
{
    struct pollfd pfd = { .fd = fd, .events = POLLIN };

    while (poll(&pfd, 1, -1) > 0 && pfd.revents & POLLIN) {
        struct seccomp_notif_resp resp = { .error = 0 };
        struct seccomp_notif notif;

        memset(&notif, 0, sizeof notif);
        if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &notif)) {
            continue;
        }
        resp.id = notif.id;
        if (n > 0) {
            n--;
            resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        } else {
            resp.error = -ENOSPC;
        }
        ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &resp);
    }
}

/* Reads from 'pipe_fd' the number of a file descriptor of process 'pid', which
 * it takes, and writes to that one, in 'answered_fd', that it has. */
static int
take_fd(int pid, int pipe_fd, int answered_fd)
{
    int pidfd = syscall(SYS_pidfd_open, pid, 0);
    int theirs, fd;

    if (pidfd < 0 || read(pipe_fd, &theirs, sizeof theirs) != sizeof theirs) {
        exit(EXIT_FAILURE);
    }
    fd = syscall(SYS_pidfd_getfd, pidfd, theirs, 0);
    if (fd < 0 || write(answered_fd, &fd, sizeof fd) != sizeof fd) {
        exit(EXIT_FAILURE);
    }
    return fd;
}

int
main(int argc, char *argv[])
{
    int to_child[2], to_parent[2];
    int pid = getpid();
    int fd;

    set_program_name(argv[0]);
    if (argc < 3) {
        ovs_fatal(0, "usage: %s N COMMAND [ARGUMENT]...", argv[0]);
    }
    if (pipe2(to_child, O_CLOEXEC) || pipe2(to_parent, O_CLOEXEC)) {
        ovs_fatal(errno, "pipe");
    }
    if (!fork()) {
        /* Does not keep whoever waits for the end of the command's output. */
        fd = open("/dev/null", O_RDWR);
        for (int i = 0; i < 3; i++) {
            dup2(fd, i);
        }
        close(to_parent[0]);
        close(to_child[1]);
        answer(take_fd(pid, to_child[0], to_parent[1]), atoi(argv[1]));
        return 0;
    }
    close(to_parent[1]);
    fd = filter_pins();
    if (write(to_child[1], &fd, sizeof fd) != sizeof fd
        || read(to_parent[0], &fd, sizeof fd) != sizeof fd) {
        ovs_fatal(0, "nobody answers");
    }
    execvp(argv[2], argv + 2);
    ovs_fatal(errno, "%s", argv[2]);
}
