# SPDX-License-Identifier: Apache-2.0
"""The same frames and OpenFlow rules through other switches.

Two rates, for each of them:

frames   per second of all CPU time: of the generator, the switch and the sink,
         on whatever CPU each of them has run.
cpu      per second of the switch's CPU time: of what "frames" counts less what
         the same number of frames takes over a wire, from the generator to
         the sink without a switch.

A switch that polls uses its CPU whether there are frames or not, and that
counts.  One that reads from a queue loses what does not fit in, so that it is
offered no more than a window of frames on the way; of some windows and none,
it gets the one that it is best with."""

import glob
import os
import shutil
import statistics
import sys

from .base import BenchError
from .frames import check_in_xdp
from .result import Result
from .uml import NoGuest, measure

# Frames on the way; 0 is as many as there may be.
WINDOWS = 0, 512, 1500


class Skipped(Exception):
    """Why something cannot be measured here, and what to install."""


def peer_path(*parts):
    """A file of a Debian package: OVS_XDP_PEERS says where packages are
    unpacked that are not installed.  Parts may be patterns; None if there is
    nothing."""
    found = sorted(glob.glob(os.path.join(
        os.environ.get("OVS_XDP_PEERS", "/"), *parts)))
    return found[-1] if found else None


class Peer:
    """A switch between the hosts of a lab, with what is open of it."""

    def __init__(self, name, path, charged=None, polls=False):
        self.name = name
        self.path = path
        self.polls = polls
        self.window = 0
        if charged:
            path.charge(*charged)

    def tune(self, own):
        """Finds the best window; 'own' is a Path over a wire."""
        if self.polls:
            def rate(window):
                self.window = window
                return self.measure(.1, own)[1]
            self.window = max(WINDOWS, key=rate)

    def measure(self, seconds, own):
        """Returns both rates."""
        for path in own, self.path:
            path.set_window(self.window)
        _, sent, ns = own.count(seconds / 2)
        wire = ns / sent
        arrived, sent, ns = self.path.count(seconds)
        if not arrived:
            raise BenchError("no frame came through " + self.name)
        # A wire is the least that a switch can be.
        return (arrived * 1e9 / ns,
                arrived * 1e9 / max(ns - sent * wire, ns * .001))


def pin_daemon(lab, cpu):
    """Keeps what has no CPU of its own yet on 'cpu'.  Returns what to charge
    for."""
    pid = lab.daemon_pid()
    for tid in os.listdir("/proc/%d/task" % pid):
        try:
            if len(os.sched_getaffinity(int(tid))) > 1:
                os.sched_setaffinity(int(tid), {cpu})
        except ProcessLookupError:
            pass
    return pid, cpu


def open_switch(bench, **kwargs):
    """A lab with the rule that all peers have."""
    lab = bench.open_lab(**kwargs)
    lab.set_openflow("in_port=1,actions=output:2")
    return lab


def open_ours(bench):
    lab = open_switch(bench)
    peer = Peer("ovs-xdp", bench.open_path("eth0"),
                pin_daemon(lab, bench.other_cpu))
    check_in_xdp(lab, peer.path, "h1")
    return peer


def open_bridge(bench):
    """Beside ours."""
    lab = bench.lab
    for host in "h1", "h2":
        lab.add_wire(host, host.replace("h", "y"), "eth2")
        lab.verb("exec", host, "ethtool", "-K", "eth2", "tx", "off", "txvlan",
                 "off", "gro", "on")
    lab.add_bridge("y1", "y2")
    lab.take_frames("switch", "y1")
    return Peer("bridge", bench.open_path("eth2"))


def open_netdev(bench):
    lab = open_switch(bench, datapath_type="netdev")
    lab.take_frames("switch", "h1")
    return Peer("netdev", bench.open_path("eth0"),
                pin_daemon(lab, bench.other_cpu), polls=True)


def set_ports(lab, kind, options):
    """Makes the ports of a netdev switch another kind."""
    for i, option in enumerate(options, 1):
        lab.verb("vsctl", "--timeout=60", "set", "Interface", "h%d" % i,
                 "type=" + kind, "options:" + option)
        error = lab.verb("vsctl", "get", "Interface", "h%d" % i,
                         "error").strip()
        if error != "[]":
            raise BenchError("port h%d of type %s: %s" % (i, kind, error))


def find_afxdp():
    """An ovs-vswitchd with AF_XDP ports."""
    for place in "usr/lib/openvswitch-switch/ovs-vswitchd", \
                 "usr/sbin/ovs-vswitchd":
        program = peer_path(place)
        if program:
            with open(program, "rb") as f:
                if b"afxdp-nonpmd" in f.read():
                    return program
    raise Skipped("needs an ovs-vswitchd with AF_XDP, of Debian package "
                  "openvswitch-switch")


def open_afxdp(bench):
    """AF_XDP ports in the best mode that their driver has."""
    program = find_afxdp()
    lab = open_switch(bench, datapath_type="netdev", program=program)
    lab.verb("vsctl", "set", "Open_vSwitch", ".",
             "other_config:pmd-cpu-mask=%#x" % (1 << bench.other_cpu))
    set_ports(lab, "afxdp", ["xdp-mode=best-effort"] * 2)
    return Peer("netdev-afxdp", bench.open_path("eth0"),
                pin_daemon(lab, bench.other_cpu), polls=True)


def find_dpdk():
    """An ovs-vswitchd with DPDK, and the drivers that it needs."""
    program = peer_path("usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk")
    drivers = [peer_path("usr/lib/*/dpdk/pmds-*/librte_%s.so.*[0-9]" % name)
               for name in ("mempool_ring", "net_af_xdp")]
    if not program or not all(drivers):
        raise Skipped("needs Debian packages openvswitch-switch-dpdk, "
                      "librte-net-af-xdp23 and librte-mempool-ring23")
    return program, drivers


def open_dpdk(bench):
    """Without huge pages, which not every machine has to give."""
    program, drivers = find_dpdk()
    libs = os.path.dirname(os.path.dirname(os.path.dirname(drivers[0])))
    lab = open_switch(bench, datapath_type="netdev", program=program,
                      libraries=libs)
    lab.verb("vsctl", "set", "Open_vSwitch", ".",
             "other_config:pmd-cpu-mask=%#x" % (1 << bench.other_cpu),
             "other_config:dpdk-extra=--no-huge -m 1024 --legacy-mem --no-pci "
             "--no-telemetry --no-shconf -d %s -d %s" % tuple(drivers))
    lab.verb("vsctl", "--timeout=60", "set", "Open_vSwitch", ".",
             "other_config:dpdk-init=true")
    set_ports(lab, "dpdk", ["dpdk-devargs=net_af_xdp%d,iface=h%d" % (i, i)
                            for i in (1, 2)])
    return Peer("dpdk-afxdp", bench.open_path("eth0"),
                pin_daemon(lab, bench.other_cpu), polls=True)


def open_bare(bench):
    return Peer("bare-xdp", bench.open_bare())


def compare(bench, ours, own, peer):
    """Yields the results of both rates."""
    seconds = bench.options.duration
    peer.tune(own)
    values = bench.alternate(lambda: ours.measure(seconds, own),
                             lambda: peer.measure(seconds, own))
    params = bench.params(flows=1, masks=1, peer_window=peer.window)
    for i, variant in enumerate(("frames", "cpu")):
        yield Result("peers", variant, params, "packets/s", peer.name,
                     *([pair[i] for pair in v] for v in values))


def skip(test, what, why):
    print("ovs-xdp-bench: %s: skipped %s: %s" % (test, what, why),
          file=sys.stderr)


# In this order; the first two are beside ours in its lab.
PEERS = {"bare-xdp": open_bare, "bridge": open_bridge, "netdev": open_netdev,
         "netdev-afxdp": open_afxdp, "dpdk-afxdp": open_dpdk}


def find_uml(lab):
    """A user-mode Linux, its modules, and PATH to what it runs."""
    program = peer_path("usr/bin/linux.uml")
    module = peer_path("usr/lib/uml/modules/*/kernel/net/openvswitch/"
                       "openvswitch.ko*")
    if not program or not module:
        raise Skipped("needs Debian package user-mode-linux")
    path = lab.env["PATH"]
    if not shutil.which("ovs-dpctl", path=path):
        raise Skipped("needs ovs-dpctl, of Debian package "
                      "openvswitch-switch")
    return program, module[:module.index("/modules/") + 8], path


def chain(bench, bridge):
    """Yields what the ratios to openvswitch.ko are if it is to the bridge on
    this machine as it is in user-mode Linux.  'bridge' has the results of the
    comparison with the bridge here."""
    bench.progress("in user-mode Linux")
    try:
        release, faster = measure(*find_uml(bench.lab), bench)
    except NoGuest as e:
        raise Skipped("user-mode Linux does not run here: %s" % e) from e
    for i, result in enumerate(bridge):
        ratios = [pair[i] for pair in faster]
        params = {**result.params, "chained": "bridge",
                  "guest": "user-mode Linux " + release,
                  "guest_ratio": round(statistics.median(ratios), 3),
                  "guest_ratio_min": round(min(ratios), 3),
                  "guest_ratio_max": round(max(ratios), 3)}
        yield Result("peers", result.variant, params, result.unit,
                     "openvswitch-ko", result.ours,
                     [value * ratio for value, ratio
                      in zip(result.theirs, ratios)])


def test_peers(bench):
    """One flow, against other switches; "cpu" is per second of the switch's
    CPU time."""
    ours = open_ours(bench)
    bench.lab.connect("h1", "h2", "eth3")
    own = bench.open_path("eth3")
    for name, opener in PEERS.items():
        with bench.closing_later():
            try:
                peer = opener(bench)
            except Skipped as e:
                skip("peers", name, e)
                continue
            results = list(compare(bench, ours, own, peer))
            yield from results
            if name == "bridge":
                bridge = results
    try:
        yield from chain(bench, bridge)
    except Skipped as e:
        skip("peers", "openvswitch-ko", e)
