# SPDX-License-Identifier: Apache-2.0
"""One run of one test: its options, lab, and comparisons."""

import contextlib
import os
import sys

from .base import BenchError
from .lab import Lab
from .load import Iperf, Path


class Bench:
    """Options, what is open, progress.  'lab' is the newest."""

    def __init__(self, name, options):
        self.name = name
        self.options = options
        self.cpu = options.pin
        # Where daemons may be pinned.
        self.other_cpu = min(os.sched_getaffinity(0) - {self.cpu}
                             or {self.cpu})
        self.lab = None
        self.opened = []

    def keep(self, thing):
        """Closes it in the end, before what was opened earlier.  It may have
        a 'share', see close()."""
        self.opened.append(thing)
        return thing

    def open_lab(self, hosts=2, mode="native", datapath_type="xdp",
                 **kwargs):
        n = sum(isinstance(thing, Lab) for thing in self.opened)
        lab = Lab("bench%d%s" % (os.getpid() % 100000, "abcdef"[n]), self.cpu,
                  datapath_type, **kwargs)
        self.lab = self.keep(lab)
        self.progress("making a switch")
        lab.setup(hosts, mode)
        return lab

    def open_path(self, iface, *options, **kwargs):
        return self.keep(Path(self.lab, self.cpu, iface, *options, **kwargs))

    def open_iperf(self, client, server):
        return self.keep(Iperf(self.lab, client, server))

    def open_bare(self):
        for host in "h1", "h2":
            self.lab.add_wire(host, host.replace("h", "x"), "eth1")
            self.lab.verb("exec", host, "ethtool", "-K", "eth1", "tx", "off",
                          "txvlan", "off", "gro", "on")
        path = self.open_path("eth1", "--bare",
                              self.lab.netns("switch") + ":x1:x2")
        if not path.run(.1):
            raise BenchError("no frame came through the bare XDP redirect")
        return path

    @contextlib.contextmanager
    def closing_later(self):
        """Closes what is opened inside of it when it ends."""
        n, lab = len(self.opened), self.lab
        try:
            yield
        finally:
            self.lab = lab
            self.close_all_but(n)

    def close_all_but(self, n):
        """Closes what has been opened after the first 'n'."""
        while len(self.opened) > n:
            try:
                self.opened.pop().close()
            except BenchError as e:
                print("ovs-xdp-bench: %s" % e, file=sys.stderr)

    def close(self):
        """Closes everything; complains if something had less than four
        fifths of the CPU time that it could have used."""
        shares = [thing.share for thing in self.opened
                  if hasattr(thing, "share")]
        self.progress("")
        self.lab = None
        self.close_all_but(0)
        if shares and min(shares) < .8:
            print("ovs-xdp-bench: CPUs were shared with other work, this had "
                  "%.0f %% of what it could use at worst; better repeat it on "
                  "an idle machine" % (100 * min(shares)), file=sys.stderr)

    def progress(self, text):
        """Shows 'text', or nothing, on a line that it keeps using."""
        if sys.stderr.isatty():
            print("\r\033[K" + (text and "%s: %s" % (self.name, text)),
                  end="", file=sys.stderr, flush=True)

    def alternate(self, *functions):
        """Runs functions alternately and returns the values of each, in lists
        of one length."""
        values = [[] for _ in functions]
        for i in range(self.options.runs):
            for f, v in zip(functions, values):
                self.progress("run %d of %d" % (i + 1, self.options.runs))
                v.append(f())
        self.progress("")
        return values

    def params(self, **params):
        return {**params, "frame": 60, "duration": self.options.duration,
                "cpu": self.cpu}
