# SPDX-License-Identifier: Apache-2.0
"""The switch that is measured."""

import os
import re
import tempfile

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
        self.env = None             # In which its programs are found.
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
                *options, env=env,
                preexec_fn=lambda: os.sched_setaffinity(0, others))
        except BenchError:
            self.is_gone = True
            raise
        text = run(self.tool, "exec", "--name", self.name, "switch", "env",
                   "-0")
        self.env = dict(variable.split("=", 1)
                        for variable in text.split("\0") if variable)

    def close(self):
        if not self.is_gone:
            run(self.tool, "teardown", "--name", self.name)

    def verb(self, verb, *args):
        """Does what this verb of ovs-xdp-lab does, but faster."""
        if verb == "exec":
            return run("nsenter", "--net=/run/netns/" + self.netns(args[0]),
                       "--", *args[1:], env=self.env)
        if verb in ("appctl", "ofctl", "vsctl"):
            return run("ovs-" + verb, *args, env=self.env)
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
            self.verb("ofctl", "-O", "OpenFlow13", "add-flow", "br0", flow)

    def datapath_flows(self, port):
        """Megaflows of frames from 'port', as text."""
        return [flow for flow
                in self.verb("appctl", "dpctl/dump-flows", "-m",
                             "--names").splitlines()
                if "in_port(%s)" % port in flow and "0x0800" in flow]

    def show(self, pattern):
        """Returns the numbers that the groups of a pattern find in
        dpif-xdp/show."""
        text = self.verb("appctl", "dpif-xdp/show")
        found = re.search(pattern, text)
        if not found:
            raise BenchError("dpif-xdp/show does not match \"%s\":\n%s"
                             % (pattern, text))
        return [int(group) for group in found.groups()]

    def hits(self, port, hook):
        return self.show(r"port \d+ %s .*%s hit (\d+)" % (port, hook))[0]

    def lookups(self, port):
        """Hits in XDP and misses."""
        return self.show(r"port \d+ %s .*xdp hit (\d+).* miss (\d+)" % port)

    def n_flows(self):
        """How many megaflows BPF has."""
        return self.show(r"\((\d+) in BPF\)")[0]

    def odp_port(self, port):
        """Returns a port's number in the datapath."""
        text = self.verb("appctl", "dpctl/show")
        found = re.search(r"port (\d+): %s\b" % port, text)
        if not found:
            raise BenchError("dpctl/show has no port %s:\n%s" % (port, text))
        return int(found.group(1))

    def hold_flows(self, n):
        """Keeps up to 'n' megaflows that no packet hits, or that OVS has not
        installed itself."""
        self.verb("vsctl", "set", "Open_vSwitch", ".",
                  "other_config:max-idle=3600000",
                  "other_config:flow-limit=%d" % (n + 10000),
                  "other_config:xdp-max-flows=%d" % min(n + 10000, 1000000))
        self.verb("appctl", "revalidator/pause")

    def set_megaflows(self, flows):
        """Makes these, (match, actions) as dpctl wants them, the datapath's
        only flows."""
        self.verb("appctl", "dpctl/del-flows")
        with tempfile.NamedTemporaryFile("w", suffix=".flows") as f:
            f.writelines("%s %s\n" % flow for flow in flows)
            f.flush()
            errors = self.verb("appctl", "dpctl/add-flows", f.name)
        if errors:
            raise BenchError("dpctl/add-flows: " + errors[:500])

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

    def add_ports(self, *ports):
        """Ports of the switch with nobody at the other end."""
        switch = self.netns("switch")
        for port in ports:
            peer = port + "-peer"
            run("ip", "-n", switch, "link", "add", port, "type", "veth",
                "peer", "name", peer)
            for device in port, peer:
                run("ip", "-n", switch, "link", "set", device, "up")
        self.verb("vsctl", *(word for port in ports
                             for word in ("--", "add-port", "br0", port)))

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
