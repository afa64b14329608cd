# SPDX-License-Identifier: Apache-2.0
"""The test tcp."""

from .base import BenchError, run
from .result import Result


def tcp_result(variant, ratio_to, seconds, ours, theirs):
    return Result("tcp", variant, {"streams": 1, "duration": seconds},
                  "bits/s", ratio_to, ours, theirs)


def tcp_local(bench, seconds):
    """Between the host, whose address is on LOCAL or on the Linux bridge, and a
    container."""
    lab = bench.lab
    switch = lab.netns("switch")
    for i, device in enumerate(("br0", "bridge")):
        run("ip", "-n", switch, "addr", "add", "10.%d.0.254/24" % i, "dev",
            device)
        run("ip", "-n", switch, "link", "set", device, "up")
    iperf = bench.open_iperf("switch", "h2")
    iperf.wait_ready("10.0.0.2")
    for variant, options in ("to-container", []), ("from-container", ["-R"]):
        for address in "10.0.0.2", "10.1.0.2":
            iperf.run(address, 1, *options)
        before = lab.hits("br0", "tc")
        values = bench.alternate(
            *(lambda address=a: iperf.run(address, seconds, *options)
              for a in ("10.0.0.2", "10.1.0.2")))
        if lab.hits("br0", "tc") == before:
            raise BenchError("port br0 counted no TC hits:\n"
                             + lab.verb("appctl", "dpif-xdp/show"))
        yield tcp_result("host-" + variant, "bridge", seconds, *values)


def test_tcp(bench):
    """TCP between two containers, against a Linux bridge and a wire, and
    between the host and a container."""
    lab = bench.open_lab(mode="auto")
    for i in "1", "2":
        lab.add_wire("h" + i, "x" + i, "eth1")
    lab.add_bridge("x1", "x2")
    lab.connect("h1", "h2", "eth2")
    for i in "1", "2":
        for j, iface in enumerate(("eth1", "eth2"), 1):
            run("ip", "-n", lab.netns("h" + i), "addr", "add",
                "10.%d.0.%s/24" % (j, i), "dev", iface)
    iperf = bench.open_iperf("h1", "h2")
    iperf.wait_ready("10.0.0.2")
    for address in "10.1.0.2", "10.2.0.2":
        iperf.run(address, 1)

    seconds = max(1, round(bench.options.duration))
    before = lab.hits("h1", "tc")
    ours, bridge, wire = bench.alternate(
        *(lambda address=a: iperf.run(address, seconds)
          for a in ("10.0.0.2", "10.1.0.2", "10.2.0.2")))
    if lab.hits("h1", "tc") == before:
        raise BenchError("port h1 counted no TC hits:\n"
                         + lab.verb("appctl", "dpif-xdp/show"))
    for ratio_to, theirs in ("bridge", bridge), ("wire", wire):
        yield tcp_result("veth", ratio_to, seconds, ours, theirs)
    iperf.close()
    yield from tcp_local(bench, seconds)
