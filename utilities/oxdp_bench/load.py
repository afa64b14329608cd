# SPDX-License-Identifier: Apache-2.0
"""What loads a switch: frames, and TCP."""

import json
import subprocess
import time

from .base import BenchError, find_program

WARM_MS = 200


class Path:
    """A way from a generator to a sink, see oxdp-bench-gen."""

    def __init__(self, lab, cpu, iface, *options, hosts=("h1", "h2")):
        command = [find_program("oxdp-bench-gen"), "--cpu", str(cpu),
                   "--from", "%s:%s" % (lab.netns(hosts[0]), iface)]
        for host in hosts[1:]:
            command += ["--to", "%s:%s" % (lab.netns(host), iface)]
        command += options
        self.sinks = len(hosts) - 1
        self.share = 1.0
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.expect("ready")

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def expect(self, want):
        if self.process.stdout.readline().strip() != want:
            self.process.wait()
            raise BenchError("the generator did not start")

    def order(self, *words):
        """Tells the generator what frames are to be like, or to count."""
        if self.ask(" ".join(map(str, words))) != "ok":
            raise BenchError("the generator does not take \"%s\"" % words[0])

    def set_window(self, window):
        """Frames that may be on the way, 0 for as many as there may be."""
        self.order("window", window)

    def charge(self, pid, cpu):
        """Counts the CPU time of a process, and of the kernel's for it on
        'cpu', as well."""
        self.order("charge", pid, cpu)

    def load(self, seconds):
        """Returns frames sent, frames arrived, nanoseconds, and nanoseconds of
        CPU time, with and without what is charged."""
        return self.ask_numbers("run %d %d" % (WARM_MS, seconds * 1000))

    def burst(self, frames):
        """The same, until so many frames have arrived, and not from the
        first one on."""
        return self.ask_numbers("burst %d" % frames)

    def ask_numbers(self, line):
        reply = self.ask(line)
        if not reply:
            raise BenchError("the generator stopped")
        return tuple(map(int, reply.split()))

    def count(self, seconds):
        """Returns frames that arrived, frames that were sent, and nanoseconds
        of CPU time."""
        sent, arrived, _, cpu_ns, _ = self.load(seconds)
        return arrived, sent, cpu_ns

    def run(self, seconds):
        """Returns frames that arrived, at each of the hosts if they are
        several, per second of CPU time.  That is the time that the path had
        the CPU, so that other work on this machine makes a run worth less but
        not slower."""
        _, arrived, ns, cpu_ns, _ = self.load(seconds)
        cpu_ns = min(cpu_ns, ns) or ns
        self.share = min(self.share, cpu_ns / ns)
        return arrived / self.sinks * 1e9 / cpu_ns


class Iperf:
    """TCP between two nodes by iperf3, as its users run it."""

    PORT = 5201

    def __init__(self, lab, client, server):
        self.client = self.command(lab, client, "-J", "-c")
        self.share = 1.0
        self.server = subprocess.Popen(
            self.command(lab, server, "-s", "-p", str(self.PORT)),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    @staticmethod
    def command(lab, node, *args):
        return ["nsenter", "--net=/run/netns/" + lab.netns(node), "iperf3",
                *args]

    def close(self):
        self.server.terminate()
        self.server.wait()

    def wait_ready(self, address):
        """Until the server listens."""
        deadline = time.monotonic() + 10
        while True:
            try:
                return self.run(address, 1)
            except BenchError:
                if (time.monotonic() > deadline
                        or self.server.poll() is not None):
                    raise
            time.sleep(.1)

    def run(self, address, seconds, *options):
        """Returns bits per second that arrived."""
        waited, start = self.waited_ns(), time.monotonic_ns()
        try:
            p = subprocess.run(
                self.client + [address, "-p", str(self.PORT),
                               "-t", str(seconds), *options],
                stdout=subprocess.PIPE, text=True, check=False,
                timeout=seconds + 30)
            reply = json.loads(p.stdout)
        except (ValueError, subprocess.TimeoutExpired):
            reply = {"error": "no result"}
        if "error" in reply:
            raise BenchError("iperf3: " + reply["error"])
        waited = ((self.waited_ns() - waited)
                  / (time.monotonic_ns() - start))
        self.share = min(self.share, 1 - waited)
        return reply["end"]["sum_received"]["bits_per_second"]

    def waited_ns(self):
        """How long the server could have run and had no CPU."""
        with open("/proc/%d/schedstat" % self.server.pid,
                  encoding="ascii") as f:
            return int(f.read().split()[1])
