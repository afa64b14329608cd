# SPDX-License-Identifier: Apache-2.0
"""The test macvlan."""

import time

from .base import BenchError, run
from .result import Result

# Upper ports; the generator's frames are for the one that h2 is.
MANY = 1000
ADDRESS = "02:00:00:00:00:02"


def open_uplink(bench):
    """A lab in which h1 is behind the lower port and h2 is an upper port."""
    lab = bench.open_lab()
    lab.verb("vsctl", "set", "bridge", "br0", "other_config:xdp-l2=macvlan",
             "other_config:xdp-macvlan-lower=h1",
             "--", "set", "interface", "h2",
             "external_ids:attached-mac=\"%s\"" % ADDRESS)
    path = bench.open_path("eth0")
    check_path(lab, path, 1)
    return lab, path


def check_path(lab, path, n_ports):
    """Raises an exception unless frames arrive by way of XDP and there are so
    many upper ports."""
    deadline = time.monotonic() + 10
    while True:
        before = lab.hits("h1", "xdp")
        rate = path.run(.1)
        hits = lab.hits("h1", "xdp") - before
        show = lab.verb("appctl", "dpif-xdp/macvlan-show")
        if rate and hits and show.count(": bridge, ") == n_ports:
            return
        if time.monotonic() > deadline:
            raise BenchError("expected %d upper ports and frames that arrive "
                             "(%d a second) by XDP (%d hits), but there is:\n%s"
                             % (n_ports, rate, hits, show))


def add_ports(bench, lab, n):
    """Adds so many upper ports."""
    bench.progress("adding %d ports" % n)
    devices = ["u%d" % i for i in range(n)]
    run("ip", "-n", lab.netns("switch"), "-batch", "-", input="".join(
        "link add %s type veth peer name p%s\nlink set %s addrgenmode none up\n"
        "link set p%s addrgenmode none up\n" % (d, d, d, d)
        for d in devices))
    command = ["--timeout=300"]
    for i, device in enumerate(devices):
        command += ["--", "add-port", "br0", device, "--", "set", "interface",
                    device, "external_ids:attached-mac=\"02:01:00:00:%02x:%02x\""
                    % (i >> 8, i & 255)]
    lab.verb("vsctl", *command)


def open_kernel(bench, lab):
    """The same with a macvlan device."""
    lab.add_wire("h1", "y1", "eth2")
    lab.take_frames("switch", "y1")
    switch, netns = lab.netns("switch"), lab.netns("h2")
    run("ip", "-n", switch, "link", "add", "link", "y1", "name", "mv0",
        "address", ADDRESS, "type", "macvlan", "mode", "bridge")
    run("ip", "-n", switch, "link", "set", "mv0", "netns", netns, "name",
        "eth2")
    run("ip", "-n", netns, "link", "set", "eth2", "addrgenmode", "none", "up")
    path = bench.open_path("eth2", "--skb")
    if not path.run(.1):
        raise BenchError("no frame came through the macvlan device")
    return path


def test_macvlan(bench):
    """Unicast from the uplink to an upper port, against a bare XDP redirect, a
    macvlan device of the kernel, and itself with 1,000 upper ports."""
    seconds = bench.options.duration
    n_ports = min(MANY, bench.options.limit or MANY)
    lab, one = open_uplink(bench)
    bare, kernel = bench.open_bare(), open_kernel(bench, lab)
    ours, *theirs = bench.alternate(*(lambda path=path: path.run(seconds)
                                      for path in (one, bare, kernel)))
    check_path(lab, one, 1)
    for name, values in zip(("bare-xdp", "kernel-macvlan"), theirs):
        yield Result("macvlan", "unicast", bench.params(ports=1),
                     "packets/s", name, ours, values)

    lab, many = open_uplink(bench)
    add_ports(bench, lab, n_ports - 1)
    check_path(lab, many, n_ports)
    values = bench.alternate(lambda: many.run(seconds),
                             lambda: one.run(seconds))
    yield Result("macvlan", "unicast", bench.params(ports=n_ports),
                 "packets/s", "one-port", *values)
