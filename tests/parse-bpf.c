/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse-bpf: BPF's parser against OVS's flow_extract(), in the kernel.
 *
 * usage: parse-bpf [N_PACKETS [FIRST]]
 *
 * Runs tests/bpf/parse-{xdp,tc}.bpf.o, which parse as the datapath's programs
 * do and export the key, on every packet: as an XDP frame, of several buffers
 * if it is long; as an SKB with its tags in the frame; if there is a tag as an
 * SKB with the outer one outside the frame; and the last two again with only a
 * part of the SKB linear.  BPF_PROG_TEST_RUN runs the programs, except for
 * SKBs that are not linear, which it does not make (before Linux 6.19): these
 * are sent through the loopback device of a network namespace of our own.
 *
 * The outcome must be what parse-fuzz.c demands of the native parser, and the
 * same as the native parser's on as many readable bytes.  Packets shorter than
 * an Ethernet header are left to parse-fuzz, since the kernel refuses to run
 * programs on them.
 */

#include <config.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bpf/parse-test.h"
#include "packet-gen.h"
#include "packets.h"
#include "parse-ref.h"
#include "util.h"

#define N_PACKETS 10000

/* One packet in this many has headers behind the first page, where an XDP
 * frame's second buffer starts. */
#define LONG_EVERY 29

/* What the TC hook pulls into the linear part if the parser needs more. */
#define PULL_BYTES 256

enum { SKIP = 77 };

/* The forms of a packet. */
#define FORMS                                                   \
    FORM(XDP, "XDP frame", 8000)                                \
    FORM(XDP_FRAGS, "XDP frame of several buffers", 200)        \
    FORM(SKB, "SKB", 8000)                                      \
    FORM(SKB_TAG, "SKB with tag", 2000)                         \
    FORM(SKB_PART, "SKB with linear part", 4000)                \
    FORM(SKB_PART_TAG, "SKB with tag and linear part", 1000)
enum form {
#define FORM(ENUM, NAME, MINIMUM) ENUM,
    FORMS
#undef FORM
    N_FORMS
};

static const char *const form_names[] = {
#define FORM(ENUM, NAME, MINIMUM) NAME,
    FORMS
#undef FORM
};

/* Per 10,000 packets. */
static const int form_minima[] = {
#define FORM(ENUM, NAME, MINIMUM) MINIMUM,
    FORMS
#undef FORM
};

/* A loaded object. */
struct program {
    int fd;
    struct parse_test_in *in;
    struct parse_test_out *out;
};

static struct program xdp, tc;

/* A packet socket on the loopback device, on whose egress 'tc' runs, or -1. */
static int loopback = -1;
static struct sockaddr_ll loopback_addr;

static struct packet_gen gen;
static struct parse_census census;
static uint64_t seed, number;
static uint64_t n_results[N_FORMS][OXDP_PARSE_ND + 1];
static uint64_t n_pulls, n_refused;

static void OVS_NO_RETURN
die(int status, const char *what, const char *which, int error)
{
    printf("%s: %s (%s)\n", which, what, strerror(error));
    exit(status);
}

static void *
map_map(struct bpf_object *obj, const char *name, const char *file)
{
    struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
    void *p = MAP_FAILED;

    if (map) {
        p = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED,
                 bpf_map__fd(map), 0);
    }
    if (p == MAP_FAILED) {
        die(1, "cannot map a map", file, errno);
    }
    return p;
}

static void
load(const char *name, struct program *p)
{
    const char *dir = getenv("abs_top_builddir");
    struct bpf_program *prog;
    struct bpf_object *obj;
    char *file;
    int error;

    file = xasprintf("%s/tests/bpf/%s", dir ? dir : ".", name);
    obj = bpf_object__open_file(file, NULL);
    if (!obj) {
        die(1, "cannot be opened", file, errno);
    }
    error = -bpf_object__load(obj);
    if (error) {
        die(error == EPERM || error == ENOSYS ? SKIP : 1,
            "kernel does not load it", file, error);
    }
    prog = bpf_object__find_program_by_name(obj, "parse_test");
    if (!prog) {
        die(1, "has no program parse_test", file, ENOENT);
    }
    p->fd = bpf_program__fd(prog);
    p->in = map_map(obj, "parse_test_in", file);
    p->out = map_map(obj, "parse_test_out", file);
    free(file);
}

/* Runs 'p' on the 'len' bytes at 'data'.  Returns 0 or a positive errno
 * value. */
static int
run(struct program *p, const void *data, size_t len,
    const struct parse_metadata *md)
{
    struct __sk_buff skb = {
        .mark = md->skb_mark,
        .priority = md->skb_priority,
    };
    LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = len,
                .repeat = 1);

    if (p == &tc) {
        opts.ctx_in = &skb;
        opts.ctx_size_in = sizeof skb;
    }
    return bpf_prog_test_run_opts(p->fd, &opts) ? errno : 0;
}

/* Opens 'loopback'.  Returns false if that cannot be done. */
static bool
open_loopback(void)
{
    struct ifreq ifr = { .ifr_name = "lo" };
    LIBBPF_OPTS(bpf_tc_hook, hook, .attach_point = BPF_TC_EGRESS);
    LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = tc.fd);
    int one = 1;

    if (unshare(CLONE_NEWNET)) {
        return false;
    }
    loopback = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (loopback < 0 || ioctl(loopback, SIOCGIFFLAGS, &ifr)) {
        return false;
    }
    ifr.ifr_flags |= IFF_UP;
    hook.ifindex = if_nametoindex("lo");
    loopback_addr.sll_family = AF_PACKET;
    loopback_addr.sll_ifindex = hook.ifindex;
    return !ioctl(loopback, SIOCSIFFLAGS, &ifr)
           && !setsockopt(loopback, SOL_PACKET, PACKET_VNET_HDR, &one,
                          sizeof one)
           && !bpf_tc_hook_create(&hook) && !bpf_tc_attach(&hook, &opts);
}

/* Runs 'tc' on the 'len' bytes at 'data', at least a page, of which 'linear'
 * are to be linear.  Returns 0 or a positive errno value. */
static int
run_part(const void *data, size_t len, size_t linear,
         const struct parse_metadata *md)
{
    struct virtio_net_hdr hdr = { .hdr_len = linear };
    struct iovec iov[] = {
        { &hdr, sizeof hdr }, { CONST_CAST(void *, data), len },
    };
    struct msghdr msg = {
        .msg_name = &loopback_addr, .msg_namelen = sizeof loopback_addr,
        .msg_iov = iov, .msg_iovlen = ARRAY_SIZE(iov),
    };

    if (setsockopt(loopback, SOL_SOCKET, SO_MARK, &md->skb_mark,
                   sizeof md->skb_mark)
        || setsockopt(loopback, SOL_SOCKET, SO_PRIORITY, &md->skb_priority,
                      sizeof md->skb_priority)) {
        return errno;
    }
    /* The program drops the packet, for which we get ENOBUFS. */
    return sendmsg(loopback, &msg, 0) < 0 && errno != ENOBUFS ? errno : 0;
}

static void OVS_NO_RETURN
fail(const char *why, enum form form, const struct parse_ref *ref,
     const struct parse_test_out *out, const uint8_t *data, size_t len)
{
    printf("FAILED: %s\n"
           "  seed %"PRIu64", packet %"PRIu64", as %s of %"PRIuSIZE" bytes, "
           "%"PRIu32" readable, at first %"PRIu32"\n"
           "  result %"PRIu32", n_words %"PRIu32"\n", why, seed, number,
           form_names[form], len, out->linear, out->first_linear, out->result,
           out->n_words);
    parse_print_diff(&ref->key, &out->key);
    printf("  frame:\n");
    packet_gen_dump(data, len);
    printf("Repeat with: OXDP_TEST_SEED=%"PRIu64" parse-bpf 1 %"PRIu64"\n",
           seed, number);
    exit(1);
}

/* Parses the 'len' bytes at 'data' in the kernel, 'linear' of them linear (0:
 * as many as it likes), and compares with 'ref' and with the native parser. */
static void
check_form(enum form form, const struct parse_ref *ref, const uint8_t *data,
           size_t len, size_t linear, ovs_be16 tpid, ovs_be16 tci,
           const struct parse_metadata *md)
{
    struct program *p = form == XDP || form == XDP_FRAGS ? &xdp : &tc;
    struct parse_result r = { .common = false }, native;
    size_t cut = tci ? 4 : 0;
    const char *why;
    int error;

    p->in->in_port = md->in_port;
    p->in->recirc_id = md->recirc_id;
    p->in->vlan_limit = flow_vlan_limit;
    p->in->push_tag = tci != 0;
    p->in->tag_tpid = (OVS_FORCE __be16) tpid;
    p->in->tag_tci = (OVS_FORCE __be16)
        (packet_gen_chance(&gen, 50) ? tci : tci & ~htons(VLAN_CFI));

    memset(p->out, 0xcc, sizeof *p->out);
    p->out->runs = 0;
    error = linear ? run_part(data, len, linear, md) : run(p, data, len, md);
    if (!linear
        && (error == EINVAL || error == ENOMEM || error == EMSGSIZE)) {
        n_refused++;
        return;
    }
    if (error || p->out->runs != 1) {
        fail(error ? ovs_strerror(error) : "program did not run once", form,
             ref, p->out, data, len);
    }

    r.result = p->out->result;
    r.n_words = p->out->n_words;
    r.key = p->out->key;
    if (p->out->linear < len && form == XDP) {
        form = XDP_FRAGS;
    }
    if (r.result > OXDP_PARSE_ND) {
        fail("unknown result", form, ref, p->out, data, len);
    }
    why = parse_compare(ref, &r, p->out->linear, len, cut);
    if (why) {
        fail(why, form, ref, p->out, data, len);
    }
    if (p == &tc && r.result == OXDP_PARSE_MORE
        && p->out->linear < MIN(len, PULL_BYTES)) {
        fail("needs more and did not pull it", form, ref, p->out, data, len);
    }
    if (p->out->tagged != (tci != 0)) {
        fail("tag is not where it should be", form, ref, p->out, data, len);
    }
    if (linear && p->out->first_linear != linear) {
        fail("linear part is not as asked for", form, ref, p->out, data, len);
    }

    parse_native(&native, data, MIN(p->out->linear, len), len,
                 flow_vlan_limit, tpid, tci, md);
    if (native.result != r.result
        || (r.result == OXDP_PARSE_OK && native.n_words != r.n_words)) {
        fail("not the same as native", form, ref, p->out, data, len);
    }
    n_pulls += p->out->linear != p->out->first_linear;
    n_results[form][r.result]++;
}

/* Checks the 'len' bytes at 'frame' as SKBs of which a part is linear.  As
 * sockets make them only from a page on, the frame is padded. */
static void
check_parts(const uint8_t *frame, size_t len, const struct parse_metadata *md)
{
    static uint8_t data[PACKET_GEN_MAX];
    struct parse_ref ref;
    ovs_be16 tpid, tci;
    size_t linear;

    memcpy(data, frame, len);
    if (len < 4100) {
        memset(&data[len], 0, 4100 - len);
        len = 4100;
    }
    parse_ref_init(&ref, data, len, md);
    linear = 14 + packet_gen_below(&gen, MIN(ref.need, len - 13));
    check_form(SKB_PART, &ref, data, len, linear, 0, 0, md);

    if (parse_untag(data, &len, &tpid, &tci)) {
        linear = 14 + packet_gen_below(&gen, MIN(ref.need, len - 13));
        check_form(SKB_PART_TAG, &ref, data, len, linear, tpid, tci, md);
    }
}

static void
check_packet(void)
{
    struct parse_metadata md = {
        .in_port = packet_gen_below(&gen, OXDP_MAX_PORTS),
        .recirc_id = packet_gen_random(&gen),
    };
    static uint8_t skb[PACKET_GEN_MAX];
    size_t len = gen.len;
    struct parse_ref ref;
    ovs_be16 tpid, tci;

    if (len < 14) {
        n_refused++;
        return;
    }
    flow_limit_vlans(1 + packet_gen_below(&gen, 2));
    parse_ref_init(&ref, gen.data, len, &md);
    parse_census_add(&census, &ref, len);
    check_form(XDP, &ref, gen.data, len, 0, 0, 0, &md);

    md.skb_mark = packet_gen_random(&gen);
    md.skb_priority = packet_gen_random(&gen);
    parse_ref_init(&ref, gen.data, len, &md);
    check_form(SKB, &ref, gen.data, len, 0, 0, 0, &md);
    memcpy(skb, gen.data, len);
    if (parse_untag(skb, &len, &tpid, &tci)) {
        check_form(SKB_TAG, &ref, skb, len, 0, tpid, tci, &md);
    }
    if (loopback >= 0 && gen.len <= 60000) {
        check_parts(gen.data, gen.len, &md);
    }
}

static int
print_results(uint64_t n)
{
    int n_short = 0;

    for (int i = 0; i < N_FORMS; i++) {
        const uint64_t *r = n_results[i];
        bool enough = (i >= SKB_PART && loopback < 0)
                      || r[OXDP_PARSE_OK] * 10000 >= form_minima[i] * n;

        printf("%s: %"PRIu64" same key, %"PRIu64" too complex, %"PRIu64
               " need more%s\n", form_names[i], r[OXDP_PARSE_OK],
               r[OXDP_PARSE_COMPLEX], r[OXDP_PARSE_MORE],
               enough ? "" : "  <-- too few");
        n_short += !enough;
    }
    printf("%"PRIu64" pulls, %"PRIu64" packets the kernel does not run "
           "programs on\n", n_pulls, n_refused);
    return n_short;
}

int
main(int argc, char *argv[])
{
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 0) : N_PACKETS;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;
    int n_short;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (geteuid()) {
        printf("skipped: not root\n");
        return SKIP;
    }
    load("parse-xdp.bpf.o", &xdp);
    load("parse-tc.bpf.o", &tc);
    if (!open_loopback()) {
        printf("no clsact on lo (%s): skipping SKBs that are not linear\n",
               ovs_strerror(errno));
        loopback = -1;
    }

    seed = packet_gen_seed(1);
    printf("seed %"PRIu64", %"PRIu64" packets\n", seed, n);
    for (uint64_t i = 0; i < n; i++) {
        number = first + i;
        packet_gen_start(&gen, seed, number);
        if (number % LONG_EVERY == 0) {
            packet_gen_make_long(&gen);
        } else {
            packet_gen_make(&gen);
        }
        if (number % 8) {
            packet_gen_mutate(&gen);
        }
        check_packet();
    }

    n_short = print_results(n);
    n_short += parse_census_print(&census);
    if (n >= 2000 && (n_short || !n_results[XDP_FRAGS][OXDP_PARSE_MORE])) {
        printf("FAILED: too few packets of some kind\n");
        return 1;
    }
    return 0;
}
