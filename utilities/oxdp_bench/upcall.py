# SPDX-License-Identifier: Apache-2.0
"""What takes the way through userspace.

punt          frames whose flow only ovs-vswitchd can execute, against a
              program that reads bare frames from AF_XDP and counts them
setup         new flows that ofproto sets up, against the userspace datapath
first-packet  how long the first packet of a flow takes, against the same, if
              threads for upcalls poll as they do by default, or always

The first two are what the slower one of two CPUs can do in a second of its
time: the generator's, where the kernel's part is done as well and frames that
are too many are dropped, and the daemon's.  For setup, there is only a window
of frames on the way, so that none is lost and each frame is a flow."""

import contextlib
import glob
import os
import re
import signal
import subprocess

from .base import BenchError, find_program
from .peers import Skipped, open_afxdp, open_netdev, open_switch, pin_daemon, \
    skip
from .result import Result

# Looks at the ports of each packet, so that each pair of them is a flow.
EACH_A_FLOW = ("in_port=1,udp,actions=move:NXM_OF_UDP_SRC[]->NXM_NX_REG0[0..15]"
               ",move:NXM_OF_UDP_DST[]->NXM_NX_REG1[0..15],output:2")

# Of a flow that userspace executes, and which ends there.
USER_ACTION = ("push_nsh(flags=0,ttl=63,mdtype=1,np=3,spi=0x3000,si=255,c1=0x0,"
               "c2=0x0,c3=0x0,c4=0x0)")

# Flows that are new, until the table is emptied, so many times per second of a
# run: ofproto begins with a limit of 10,000.
BURST = 6000
BURSTS = 10
SETUP_WINDOW = 128

# The same number of latencies per second of a run.
LATENCIES = 500

# How long threads for upcalls may poll, in us: the default, and always as the
# peer, with AF_XDP ports, does.
POLLS = 200, 10000


class Punts:
    """Frames that go to ovs-vswitchd and no further."""

    def __init__(self, bench, lab):
        self.lab = lab
        lab.verb("vsctl", "set", "Open_vSwitch", ".",
                 "other_config:xdp-upcall-rate=0")
        # No OpenFlow rule makes such a flow, and revalidators would remove it.
        lab.verb("appctl", "revalidator/pause")
        lab.verb("appctl", "dpctl/del-flows")
        lab.verb("appctl", "dpctl/add-flow", "recirc_id(0),in_port(h1),eth(),"
                 "eth_type(0x0800),ipv4(frag=no)", USER_ACTION)
        self.path = bench.open_path("eth0")
        self.pid, _ = pin_daemon(lab, bench.other_cpu)

    def count(self):
        show = self.lab.verb("appctl", "dpif-xdp/show")
        return int(re.search(r"AF_XDP received (\d+)", show).group(1))


class RawPunts:
    """Frames that go to a reader of ours over a CPU port like the datapath's,
    beside the switch."""

    def __init__(self, bench, lab):
        switch = lab.netns("switch")
        for host in "h1", "h2":
            lab.add_wire(host, host.replace("h", "x"), "eth1")
        lab.verb("exec", "h1", "ethtool", "-K", "eth1", "tx", "off", "txvlan",
                 "off")
        lab.connect("switch", "switch", "u0", "u1")
        self.reader = subprocess.Popen(
            [find_program("oxdp-bench-gen"), "--cpu", str(bench.other_cpu),
             "--read", switch + ":x1:u0:u1"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        bench.keep(self)
        if self.reader.stdout.readline() != "ready\n":
            raise BenchError("the reader did not start")
        self.path = bench.open_path("eth1")
        self.pid = self.reader.pid

    def count(self):
        self.reader.stdin.write("count\n")
        self.reader.stdin.flush()
        return int(self.reader.stdout.readline())

    def close(self):
        self.reader.stdin.close()
        self.reader.wait()


def cpu_ns(pid):
    """What all threads of a process have had of CPUs."""
    return sum(int(read_file(path).split()[0])
               for path in glob.glob("/proc/%d/task/*/schedstat" % pid))


def read_file(path):
    with open(path, encoding="ascii") as f:
        return f.read()


def punt_rate(punts, seconds):
    punted, reader_ns = -punts.count(), -cpu_ns(punts.pid)
    sent, _, _, generator_ns, _ = punts.path.load(seconds)
    reader_ns += cpu_ns(punts.pid)
    punted += punts.count()
    if not punted:
        raise BenchError("no frame came to userspace")
    return 1e9 / max(generator_ns / sent, reader_ns / punted)


def compare_punts(bench):
    with bench.closing_later():
        lab = open_switch(bench)
        ours, raw = Punts(bench, lab), RawPunts(bench, lab)
        seconds = bench.options.duration
        # The first frames find memory that nobody has touched.
        for punts in ours, raw:
            punt_rate(punts, .1)
        values = bench.alternate(lambda: punt_rate(ours, seconds),
                                 lambda: punt_rate(raw, seconds))
        if "dp:user" not in lab.megaflow("h1"):
            raise BenchError("the flow does not go to userspace:\n"
                             + lab.megaflow("h1"))
        yield Result("upcall", "punt", bench.params(), "packets/s", "raw-punt",
                     *values)


class Setups:
    """A switch where each frame is a new flow."""

    def __init__(self, lab, path):
        self.lab = lab
        self.path = path
        lab.set_openflow(EACH_A_FLOW)
        for port in "dport", "sport":
            path.order("field", port, 0, "count", 1 << 16)
        path.set_window(SETUP_WINDOW)

    def empty(self):
        """Has ofproto remove all flows, so that nothing of them remains."""
        self.lab.verb("appctl", "revalidator/purge")

    def n_flows(self):
        show = self.lab.verb("appctl", "dpctl/show")
        return int(re.search(r"flows: (\d+)", show).group(1))

    def rate(self, seconds):
        """Flows per second.  Empties the table before it is full."""
        arrived = busy_ns = 0
        for _ in range(max(1, round(seconds * BURSTS))):
            self.empty()
            _, n, _, cpu_ns, own_ns = self.path.burst(BURST)
            arrived += n
            busy_ns += max(own_ns, cpu_ns - own_ns)
        flows = self.n_flows()
        if not arrived or flows < n * .9:
            raise BenchError("%d first packets of a flow arrived, and of the "
                             "last %d there are %d flows"
                             % (arrived, n, flows))
        return arrived * 1e9 / busy_ns

    def latency(self, seconds):
        """Median and 99th percentile, in ns."""
        self.empty()
        n = max(20, round(seconds * LATENCIES))
        arrived, *percentiles = self.path.ask_numbers("latency %d" % n)
        if arrived < n * .9:
            raise BenchError("of %d first packets %d arrived" % (n, arrived))
        return percentiles


@contextlib.contextmanager
def stopped(pid):
    """Has a process stand still meanwhile: one that polls would take half of
    the CPU that another one is pinned to."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def compare_setups(bench, ratio_to, theirs):
    their_pid = theirs.lab.daemon_pid()

    def without_them(function):
        with stopped(their_pid):
            return function(seconds)

    lab = open_switch(bench)
    path = bench.open_path("eth0")
    path.charge(*pin_daemon(lab, bench.other_cpu))
    ours = Setups(lab, path)
    seconds = bench.options.duration
    values = bench.alternate(lambda: without_them(ours.rate),
                             lambda: theirs.rate(seconds))
    yield Result("upcall", "setup", bench.params(window=SETUP_WINDOW),
                 "flows/s", ratio_to, *values)

    for switch in ours, theirs:
        switch.path.set_window(0)
    for poll_us in POLLS:
        lab.verb("vsctl", "set", "Open_vSwitch", ".",
                 "other_config:xdp-upcall-poll-us=%d" % poll_us)
        values = bench.alternate(lambda: without_them(ours.latency),
                                 lambda: theirs.latency(seconds))
        for i, percentile in enumerate((50, 99)):
            yield Result("upcall", "first-packet",
                         bench.params(percentile=percentile, poll_us=poll_us),
                         "ns", ratio_to,
                         *([pair[i] for pair in v] for v in values),
                         is_cost=True)


def test_upcall(bench):
    """Frames to userspace against a bare AF_XDP reader; flow set-ups and
    latency of first packets against AF_XDP ports of OVS's userspace datapath,
    or plain ones if there are none."""
    yield from compare_punts(bench)
    try:
        peer = open_afxdp(bench)
    except Skipped as e:
        skip("upcall", "netdev-afxdp", e)
        peer = open_netdev(bench)
    theirs = Setups(bench.lab, peer.path)
    yield from compare_setups(bench, peer.name, theirs)
