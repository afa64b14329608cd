# SPDX-License-Identifier: Apache-2.0
"""openvswitch.ko against the Linux bridge, in user-mode Linux.

That is a kernel in a process, with modules of its own, for machines whose own
kernel has no openvswitch.ko.  Its kernel code runs as it is, but what it does
for BPF (it has no compiler, only the interpreter) and for processes is slow, so
that only ratios of two things in it mean something."""

import os
import signal
import subprocess
import tempfile

from .base import BenchError, PACKAGE, find_program

# To start and to set up; nested virtual machines need most of it.
BOOT_SECONDS = 90
MIN_RUN_MS = 200


class Guest:
    """A user-mode Linux that measures, see uml-guest."""

    def __init__(self, program, modules, path, bench):
        options = bench.options
        self.run_ms = max(MIN_RUN_MS, int(options.duration * 1000))
        self.runs = options.runs
        self.dir = tempfile.TemporaryDirectory(prefix="oxdp-uml-")
        environment = {"OXDP_MODULES": modules, "OXDP_PATH": path,
                       "OXDP_GEN": os.path.realpath(
                           find_program("oxdp-bench-gen")),
                       "OXDP_RUNS": self.runs, "OXDP_MS": self.run_ms}
        script = os.path.join(PACKAGE, "uml-guest")
        self.command = [
            program, "mem=512M", "root=none", "rootfstype=hostfs",
            "rootflags=/", "ro", "quiet", "loglevel=1", "con=null",
            "con0=null,fd:1", "uml_dir=" + self.dir.name, "umid=guest",
            *("%s=%s" % item for item in environment.items()),
            "init=/bin/bash", "--", script]
        self.cpu = bench.cpu

    def run(self):
        """Returns its output, and its error if it got stuck."""
        with self.dir, subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                errors="replace", start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, {self.cpu})) as p:
            # Both things, each with a wire before it; .2 s to warm up.
            seconds = self.runs * (3 * self.run_ms + 4 * 200) / 1000
            try:
                return p.communicate(timeout=BOOT_SECONDS + 2 * seconds)[0], ""
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                return p.communicate()[0], "it got stuck"
            except BaseException:
                os.killpg(p.pid, signal.SIGKILL)
                raise


class NoGuest(Exception):
    """Why it does not run on this machine."""


def ratios(numbers):
    """From a run's numbers, those of bridge divided by those of
    openvswitch.ko: nanoseconds per frame, with and without what a wire
    takes."""
    costs = []
    for i in 0, 6:
        wire_sent, _, wire_ns, sent, arrived, ns = numbers[i:i + 6]
        own = sent * wire_ns / wire_sent
        costs.append((ns / arrived, max(ns - own, ns * .001) / arrived))
    return tuple(bridge / openvswitch
                 for openvswitch, bridge in zip(*costs))


def measure(program, modules, path, bench):
    """Returns the guest's release, and for each run how much faster
    openvswitch.ko is than the bridge, by all CPU time and by that of the
    switch.  'path' is PATH in there.  Raises NoGuest if it does not run."""
    guest = Guest(program, modules, path, bench)
    bad = [word for word in guest.command if " " in word]
    if bad:
        raise BenchError("user-mode Linux takes no path with a blank: "
                         + bad[0])
    output, error = guest.run()
    lines = [line.split()[1:] for line in output.splitlines()
             if line.startswith("oxdp ")]
    for line in lines:
        if line[:1] == ["error:"]:
            raise BenchError("in user-mode Linux: " + " ".join(line[1:]))
    if not lines:
        last = [line for line in output.splitlines() if line.strip()][-1:]
        raise NoGuest(error or (last[0].strip() if last else "no output"))
    if len(lines) != 1 + guest.runs:
        raise BenchError("user-mode Linux ended before it had measured, %s"
                         % (error or "without a reason"))
    return lines[0][0], [ratios([int(word) for word in line])
                         for line in lines[1:]]
