# SPDX-License-Identifier: Apache-2.0
"""The test idle: the daemon without traffic."""

import os
import time

from .base import BenchError
from .result import Result

N_PORTS = 16
N_FLOWS = 10000
SECONDS = 3                     # For each of --duration: work comes in bursts,
MIN_SECONDS = 1                 # of which this long has some.


class IdleSwitch:
    """A daemon with ports and with flows that nothing hits."""

    def __init__(self, bench, datapath_type, n_flows):
        self.lab = bench.open_lab(datapath_type=datapath_type)
        self.lab.add_ports(*("p%d" % i for i in range(3, N_PORTS + 1)))
        self.lab.set_openflow("actions=output:2")
        self.lab.verb("vsctl", "set", "Open_vSwitch", ".",
                      "other_config:max-idle=3600000")
        in_port, out_port = map(self.lab.odp_port, ("h1", "h2"))
        self.lab.set_megaflows([
            ("recirc_id(0),in_port(%d),packet_type(ns=0,id=0),eth(),"
             "eth_type(0x0800),ipv4(dst=10.1.%d.%d,proto=17,frag=no),udp()"
             % (in_port, i >> 8, i & 255), out_port)
            for i in range(n_flows)])
        self.n_flows = n_flows
        self.pid = self.lab.daemon_pid()

    def check(self):
        """Raises an exception unless the flows are still there."""
        n = len(self.lab.verb("appctl", "dpctl/dump-flows").splitlines())
        if n < self.n_flows:
            raise BenchError("of %d flows %d are left" % (self.n_flows, n))

    def cpu_ns(self):
        """What the daemon's threads have used.  They do not end here."""
        ns = 0
        path = "/proc/%d/task" % self.pid
        for task in os.listdir(path):
            with open("%s/%s/schedstat" % (path, task),
                      encoding="ascii") as f:
                ns += int(f.read().split()[0])
        return ns

    def run(self, seconds):
        """Returns percents of a CPU."""
        ns, start = self.cpu_ns(), time.monotonic_ns()
        time.sleep(seconds)
        return 100 * (self.cpu_ns() - ns) / (time.monotonic_ns() - start)


def test_idle(bench):
    """CPU time of a daemon with 16 ports and 10,000 flows, against netdev."""
    n_flows = min(N_FLOWS, bench.options.limit or N_FLOWS)
    switches = [IdleSwitch(bench, t, n_flows) for t in ("xdp", "netdev")]
    seconds = max(MIN_SECONDS, bench.options.duration * SECONDS)
    for switch in switches:
        switch.check()
    # Until what has been installed has been revalidated a few times.
    time.sleep(min(5, 2 * seconds))
    ours, netdev = bench.alternate(
        *(lambda s=switch: s.run(seconds) for switch in switches))
    for switch in switches:
        switch.check()
    yield Result("idle", "daemon",
                 {"ports": N_PORTS, "flows": n_flows,
                  "duration": seconds},
                 "% CPU", "netdev", ours, netdev, is_cost=True)
