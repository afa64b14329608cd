# SPDX-License-Identifier: Apache-2.0
"""The test bond."""

import re
import time

from .base import BenchError
from .result import Result

# What the flow of h1's frames does in each variant.
VARIANTS = {"lb_output": "lb_output(", "recirc": "recirc("}
FLOWS = 256
MEMBERS = "h2", "h3"
DESTINATION = "02:00:00:00:00:02"

# The other end of a member's LACP, in one packet, which is good for 90 seconds.
PARTNER = """
import socket, struct, sys
mac = bytes.fromhex('0200000000aa')
info = struct.pack('!H6sHHHB', 1, mac, 1, 1, int(sys.argv[1]), 0x3d)
pdu = (b'\\x01\\x01\\x01\\x14' + info + bytes(3) + b'\\x02\\x14' + bytes(18)
       + b'\\x03\\x10' + bytes(66))
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(('eth0', 0))
s.send(b'\\x01\\x80\\xc2\\x00\\x00\\x02' + mac + b'\\x88\\x09' + pdu)
"""


def be_partner(lab):
    """Makes ovs-vswitchd believe that there is a bond at the other end."""
    for i, host in enumerate(MEMBERS):
        lab.verb("exec", host, "python3", "-c", PARTNER, str(i + 1))


def make_bond(lab):
    """Bonds the ports of h2 and h3, where h1's frames are to go."""
    for host in MEMBERS:
        lab.verb("vsctl", "del-port", "br0", host)
    lab.verb("vsctl", "add-bond", "br0", "bond0", *MEMBERS,
             "bond_mode=balance-tcp", "lacp=active",
             "other_config:bond-rebalance-interval=0",
             *[arg for host in MEMBERS for arg in
               ("--", "set", "Interface", host,
                "other_config:xdp-mode=native")])
    deadline = time.monotonic() + 20
    while True:
        be_partner(lab)
        show = lab.verb("appctl", "bond/show", "bond0")
        if len(re.findall(r"^member .*: enabled", show, re.M)) == 2:
            break
        if time.monotonic() > deadline:
            raise BenchError("the bond does not come up:\n" + show)
        time.sleep(.1)
    lab.set_openflow("actions=NORMAL")
    # Where the generator's frames go.
    lab.verb("appctl", "fdb/add", "br0", MEMBERS[0], "0", DESTINATION)


def check_variant(lab, path, variant):
    """Raises an exception unless frames take it, in XDP."""
    path.run(.1)
    before = lab.hits("h1", "xdp")
    rate = path.run(.1)
    hits = lab.hits("h1", "xdp") - before
    flows = lab.datapath_flows("h1")
    first = [flow for flow in flows if "recirc_id(0)" in flow]
    if (not rate or not hits or len(first) != 1
            or VARIANTS[variant] not in first[0]
            or any("dp:xdp" not in flow for flow in flows)):
        raise BenchError("expected flows with dp:xdp, the first with %s, but "
                         "of h1's %d frames that came out, there is:\n%s"
                         % (VARIANTS[variant], rate, "\n".join(flows)))


def test_bond(bench):
    """balance-tcp to two members, against a bare XDP redirect to one."""
    lab = bench.open_lab(hosts=3)
    make_bond(lab)
    bare = bench.open_bare()
    ours = bench.open_path("eth0", hosts=("h1", *MEMBERS))
    for path in bare, ours:
        path.order("field", "sport", 1, "count", FLOWS)

    def run_ours(seconds):
        be_partner(lab)
        # Of the frames, each arrives at one of the members.
        return ours.run(seconds) * len(MEMBERS)

    seconds = bench.options.duration
    for variant in VARIANTS:
        lab.verb("vsctl", "set", "port", "bond0",
                 "other_config:lb-output-action=%s"
                 % ("true" if variant == "lb_output" else "false"),
                 "other_config:bond-hash-basis=%d" % len(variant))
        check_variant(lab, ours, variant)
        values = bench.alternate(lambda: run_ours(seconds),
                                 lambda: bare.run(seconds))
        check_variant(lab, ours, variant)
        yield Result("bond", variant, bench.params(flows=FLOWS, members=2),
                     "packets/s", "bare-xdp", *values)
