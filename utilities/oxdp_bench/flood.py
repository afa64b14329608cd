# SPDX-License-Identifier: Apache-2.0
"""The test flood."""

import time

from .base import BenchError
from .result import Result


# How the switch floods: mode of the ports' hook, and what their flow says.
ENGINES = {
    "broadcast": ("native", "dp:xdp", "dp-extra-info:flood"),
    "clone": ("tc", "dp:tc", "dp-extra-info:multi-output"),
    "bridge": ("tc", "dp:tc", "dp-extra-info:bridge"),
}


def check_engine(lab, path, engine):
    """Raises an exception unless frames from h1 take it."""
    mode, *words = ENGINES[engine]
    hook = "tc" if mode == "tc" else "xdp"
    deadline = time.monotonic() + 10
    while True:
        before = lab.hits("h1", hook)
        rate = path.run(.1)
        hits = lab.hits("h1", hook) - before
        flow = lab.megaflow("h1")
        if rate and hits and all(word in flow for word in words):
            break
        if time.monotonic() > deadline:
            raise BenchError("expected %s, and %s hits of h1 (%d) and frames "
                             "that arrive (%d a second), but there is:\n%s"
                             % (" ".join(words), hook, hits, rate, flow))


def flood(bench, engine, n_ports):
    """From h1 to that many others."""
    hosts = ["h%d" % i for i in range(1, n_ports + 2)]
    lab = bench.open_lab(len(hosts), ENGINES[engine][0])
    # LOCAL is down, and part of the flood nevertheless.
    lab.set_openflow("in_port=1,actions=NORMAL")
    if engine == "bridge":
        lab.verb("vsctl", "set", "bridge", "br0",
                 "other_config:xdp-flood=bridge")
    for host in hosts:
        lab.add_wire(host, host.replace("h", "x"), "eth1")
    wires = [host.replace("h", "x") for host in hosts]
    lab.add_bridge(*wires)
    options = ["--broadcast"]
    if engine == "broadcast":
        lab.take_frames("switch", "h1", "x1")
    else:
        options += ["--skb", "--socket"]
    bridge = bench.open_path("eth1", *options, hosts=hosts)
    ours = bench.open_path("eth0", *options, hosts=hosts)
    if not bridge.run(.1):
        raise BenchError("no frame came through the Linux bridge")
    check_engine(lab, ours, engine)

    seconds = bench.options.duration
    values = bench.alternate(lambda: ours.run(seconds),
                             lambda: bridge.run(seconds))
    check_engine(lab, ours, engine)
    result = Result("flood", engine, bench.params(ports=n_ports), "packets/s",
                    "bridge", *values)
    bench.close()
    return result


def test_flood(bench):
    """Broadcasts to 2 and 8 ports, against a Linux bridge."""
    for engine in ENGINES:
        for n_ports in 2, 8:
            yield flood(bench, engine, n_ports)
