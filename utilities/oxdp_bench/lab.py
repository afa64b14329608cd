# SPDX-License-Identifier: Apache-2.0
"""The switch that is measured."""

import os
import re

from .base import BenchError, find_lab_tool, run


class Lab:
    """A switch and its hosts; see ovs-xdp-lab."""

    def __init__(self, name, cpu, datapath_type, program=None,
                 libraries=None):
        """'program' is another ovs-vswitchd than ours, and 'libraries' where
        it has them."""
        self.name = name
        self.cpu = cpu
        self.datapath_type = datapath_type
        self.program = program
        self.libraries = libraries
        self.is_gone = False        # It has removed itself.
        self.tool = find_lab_tool()

    def setup(self, hosts, mode):
        """The daemons keep off the CPU that we measure on."""
        others = os.sched_getaffinity(0) - {self.cpu} or {self.cpu}
        options = ["--vswitchd", self.program] if self.program else []
        env = dict(os.environ)
        if self.libraries:
            env["LD_LIBRARY_PATH"] = self.libraries
        try:
            run(self.tool, "setup", "--name", self.name, "--hosts", str(hosts),
                "--xdp-mode", mode, "--datapath-type", self.datapath_type,
                *options, env=env, preexec_fn=lambda: os.sched_setaffinity(0, others))
        except BenchError:
            self.is_gone = True
            raise

    def close(self):
        if not self.is_gone:
            run(self.tool, "teardown", "--name", self.name)

    def verb(self, verb, *args):
        return run(self.tool, "--name", self.name, verb, *args)

    def daemon_pid(self):
        """The ovs-vswitchd's."""
        found = re.search(r"ovs-vswitchd: pid (\d+)", self.verb("status"))
        if not found:
            raise BenchError("ovs-vswitchd has ended")
        return int(found.group(1))

    def netns(self, node):
        return "%s-%s" % (self.name, node)

    def set_openflow(self, *flows):
        """Makes these the bridge's only flows."""
        self.verb("vsctl", "set", "bridge", "br0", "fail-mode=secure")
        self.verb("ofctl", "del-flows", "br0")
        for flow in flows:
            self.verb("ofctl", "add-flow", "br0", flow)

    def datapath_flows(self, port):
        """Megaflows of frames from 'port', as text."""
        return [flow for flow
                in self.verb("appctl", "dpctl/dump-flows", "-m",
                             "--names").splitlines()
                if "in_port(%s)" % port in flow and "0x0800" in flow]

    def hits(self, port, hook):
        show = self.verb("appctl", "dpif-xdp/show")
        found = re.search(r"port \d+ %s .*%s hit (\d+)" % (port, hook), show)
        if not found:
            raise BenchError("dpif-xdp/show has no port %s:\n%s"
                             % (port, show))
        return int(found.group(1))

    def megaflow(self, port):
        """The only megaflow of frames from 'port', as text."""
        flows = self.datapath_flows(port)
        if len(flows) != 1:
            raise BenchError("expected one megaflow, but there is:\n"
                             + ("\n".join(flows) or "none"))
        return flows[0]

    def take_frames(self, node, *devices):
        """Makes the other ends of devices take frames.  GRO has to come after
        both ends are up."""
        for device in devices:
            self.verb("exec", node, "ethtool", "-K", device, "gro", "on")

    def add_wire(self, host, port, iface):
        """Another link between a host and the switch's namespace, of the same
        shape as the lab's own, that the switch does not use."""
        switch, netns = self.netns("switch"), self.netns(host)
        run("ip", "-n", switch, "link", "add", port, "type", "veth", "peer",
            "name", iface, "netns", netns)
        run("ip", "-n", switch, "link", "set", port, "addrgenmode", "none",
            "up")
        run("ip", "-n", netns, "link", "set", iface, "addrgenmode", "none",
            "up")

    def connect(self, a, b, iface, iface_b=None):
        """A link between two nodes with nothing in between."""
        iface_b = iface_b or iface
        run("ip", "-n", self.netns(a), "link", "add", iface, "type", "veth",
            "peer", "name", iface_b, "netns", self.netns(b))
        for node, end in (a, iface), (b, iface_b):
            run("ip", "-n", self.netns(node), "link", "set", end,
                "addrgenmode", "none", "up")

    def add_bridge(self, *ports):
        """A Linux bridge beside the switch.  Its firewall hooks, which slow it
        down, are off as they are where nobody needs them."""
        switch = self.netns("switch")
        run("ip", "-n", switch, "link", "add", "bridge", "up", "type",
            "bridge")
        for port in ports:
            run("ip", "-n", switch, "link", "set", port, "master", "bridge")
        self.verb("exec", "switch", "sh", "-c",
                  "for i in /proc/sys/net/bridge/bridge-nf-call-*; do"
                  " [ ! -e $i ] || echo 0 > $i; done")
