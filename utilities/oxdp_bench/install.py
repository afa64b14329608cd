# SPDX-License-Identifier: Apache-2.0
"""The test install: what putting flows into the table takes.

Nothing else runs: oxdp-bench-flows is the datapath's process.
"""

import os
import subprocess
import tempfile

from .base import BenchError, find_program, run
from .result import Result

N_FLOWS = 200000

# Variant: key in the answer, unit, whether more is worse.
RESULTS = {
    "put": ("put", "flows/s", False),
    "del": ("del", "flows/s", False),
    "dump": ("dump", "flows/s", False),
    "dump-time": ("dump", "ms", True),
    "memory": ("bytes", "bytes/flow", True),
}


class Process:
    """A namespace with two devices, for one datapath after the other."""

    def __init__(self, cpu, n_flows):
        self.netns = "bench%dflows" % os.getpid()
        self.cpu = cpu
        self.n_flows = n_flows
        self.program = find_program("oxdp-bench-flows")
        run("ip", "netns", "add", self.netns)
        self.rundir = tempfile.TemporaryDirectory(prefix="ovs-xdp-bench.")

    def add_ports(self):
        for port in "p1", "p2":
            run("ip", "-n", self.netns, "link", "add", port, "type", "veth",
                "peer", "name", port + "-peer")
            run("ip", "-n", self.netns, "link", "set", port, "up")

    def close(self):
        run("ip", "netns", "del", self.netns)
        self.rundir.cleanup()

    def measure(self, datapath_type):
        """Returns what oxdp-bench-flows says, by name."""
        process = subprocess.Popen(
            ["nsenter", "--net=/run/netns/" + self.netns, self.program,
             datapath_type, str(self.n_flows)],
            env={**os.environ, "OVS_RUNDIR": self.rundir.name},
            preexec_fn=lambda: os.sched_setaffinity(0, {self.cpu}),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = process.communicate()
        finally:
            # It does not let itself be disturbed, and ends by itself.
            process.wait()
        if process.returncode:
            raise BenchError("datapath type %s: %s" % (datapath_type,
                                                       err.strip()))
        words = out.split()
        return dict(zip(words[::2], map(int, words[1::2])))

    def value(self, answer, variant):
        key, unit, _ = RESULTS[variant]
        if unit == "flows/s":
            return self.n_flows * 1e9 / answer[key]
        return answer[key] / (1e6 if unit == "ms" else self.n_flows)


def test_install(bench):
    """Flows put, deleted and dumped per second by one thread, and memory,
    against netdev."""
    n_flows = min(N_FLOWS, bench.options.limit or N_FLOWS)
    process = bench.keep(Process(bench.cpu, n_flows))
    process.add_ports()
    ours, theirs = bench.alternate(lambda: process.measure("xdp"),
                                   lambda: process.measure("netdev"))
    for variant, (_, unit, is_cost) in RESULTS.items():
        yield Result("install", variant,
                     {"flows": n_flows, "cpus": os.cpu_count()}, unit,
                     "netdev", [process.value(x, variant) for x in ours],
                     [process.value(x, variant) for x in theirs], is_cost)
