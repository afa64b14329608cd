/* SPDX-License-Identifier: Apache-2.0 */
/*
 * udp-gaps: sends numbered datagrams at a steady rate, and says which of them
 * are missing at the other end, and when they were sent.
 *
 *   udp-gaps send ADDRESS PORT RATE SECONDS
 *   udp-gaps receive PORT
 *
 * Both print "ready" when they are.  The receiver stops at the sender's last
 * datagram, of which there are several, or after ten seconds without any.  It
 * prints a line "lost COUNT FROM TO" for every gap, the times in microseconds
 * of CLOCK_REALTIME, and at the end "sent N received N twice N".
 */

#undef NDEBUG
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "util.h"

#define SEND_BUFFER (8 << 20)
#define RECEIVE_BUFFER (64 << 20)
#define IDLE_MS 10000
#define N_LAST 20               /* Copies of the last datagram. */

struct datagram {
    uint32_t seq;
    uint32_t n;                 /* How many there are if it is the last one,
                                 * else 0. */
    int64_t time;               /* When it was to be sent. */
};

static int64_t
now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

static void
sleep_until(int64_t us)
{
    struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

    while (clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts,
                           NULL) == EINTR) {
        continue;
    }
}

static int
open_socket(int option, int size)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, option, &size, sizeof size)) {
        ovs_fatal(errno, "socket");
    }
    return fd;
}

static void
put(int fd, const struct datagram *d)
{
    /* A full queue on the way is no reason to lose one here. */
    while (send(fd, d, sizeof *d, 0) < 0) {
        if (errno != ENOBUFS && errno != EAGAIN && errno != ECONNREFUSED) {
            ovs_fatal(errno, "send");
        }
    }
}

static void
run_sender(const char *address, int port, int rate, int seconds)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
    };
    int fd = open_socket(SO_SNDBUFFORCE, SEND_BUFFER);
    uint32_t n = rate * seconds;
    struct datagram d;
    int64_t start;

    if (inet_pton(AF_INET, address, &sin.sin_addr) != 1
        || connect(fd, (struct sockaddr *) &sin, sizeof sin)) {
        ovs_fatal(errno, "%s", address);
    }
    printf("ready\n");
    fflush(stdout);
    start = now_us();
    for (uint32_t i = 0; i < n; i++) {
        d = (struct datagram) {
            .seq = i,
            .time = start + (int64_t) i * 1000000 / rate,
        };
        if (d.time > now_us() + 1000) {
            sleep_until(d.time);
        }
        put(fd, &d);
    }
    for (int i = 0; i < N_LAST; i++) {
        sleep_until(now_us() + 50000);
        d = (struct datagram) { .n = n };
        put(fd, &d);
    }
}

static void
report(const int64_t *times, uint32_t n, uint64_t twice)
{
    uint32_t received = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t first = i;

        while (i < n && !times[i]) {
            i++;
        }
        if (i > first) {
            printf("lost %"PRIu32" %"PRId64" %"PRId64"\n", i - first,
                   first ? times[first - 1] : 0, i < n ? times[i] : INT64_MAX);
        }
        received += i < n;
    }
    printf("sent %"PRIu32" received %"PRIu32" twice %"PRIu64"\n", n, received,
           twice);
}

static void
run_receiver(int port)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
    };
    int fd = open_socket(SO_RCVBUFFORCE, RECEIVE_BUFFER);
    struct pollfd pfd = { .fd = fd, .events = POLLIN };
    int64_t *times = NULL;
    uint32_t allocated = 0, n = 0, end = 0;
    uint64_t twice = 0;
    struct datagram d;

    if (bind(fd, (struct sockaddr *) &sin, sizeof sin)) {
        ovs_fatal(errno, "bind");
    }
    printf("ready\n");
    fflush(stdout);
    while (!end && poll(&pfd, 1, IDLE_MS) > 0) {
        if (recv(fd, &d, sizeof d, 0) != sizeof d) {
            continue;
        }
        end = d.n;
        if (end) {
            break;
        }
        while (d.seq >= allocated) {
            uint32_t old = allocated;

            allocated = MAX(1u << 20, 2 * allocated);
            times = xrealloc(times, allocated * sizeof *times);
            memset(times + old, 0, (allocated - old) * sizeof *times);
        }
        twice += times[d.seq] != 0;
        times[d.seq] = d.time;
        n = MAX(n, d.seq + 1);
    }
    report(times, MIN(MAX(n, end), allocated), twice);
}

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    if (argc == 6 && !strcmp(argv[1], "send")) {
        run_sender(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
    } else if (argc == 3 && !strcmp(argv[1], "receive")) {
        run_receiver(atoi(argv[2]));
    } else {
        ovs_fatal(0, "usage: %s send ADDRESS PORT RATE SECONDS | receive PORT",
                  argv[0]);
    }
    return 0;
}
