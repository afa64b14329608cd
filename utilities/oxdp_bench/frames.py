# SPDX-License-Identifier: Apache-2.0
"""Tests of frames that are in the table: hit, actions."""

import dataclasses

from .base import BenchError
from .result import Result


def check_in_xdp(lab, path, port, n_flows=1):
    """Raises an exception unless frames take so many flows, all of them the
    fast path."""
    path.run(.1)
    before = lab.hits(port, "xdp")
    rate = path.run(.1)
    hits = lab.hits(port, "xdp") - before
    flows = lab.datapath_flows(port)
    if not rate:
        raise BenchError("no frame came through the datapath:\n%s%s"
                         % (lab.verb("appctl", "dpif-xdp/show"),
                            "\n".join(flows)))
    if len(flows) != n_flows or not all("dp:xdp" in f for f in flows):
        raise BenchError("expected %d flows with dp:xdp, but there is:\n%s"
                         % (n_flows, "\n".join(flows) or "none"))
    if not hits:
        raise BenchError("port %s counted no XDP hits" % port)


def test_hit(bench):
    """One flow that is in the table, against a bare XDP redirect."""
    lab = bench.open_lab()
    lab.set_openflow("in_port=1,actions=output:2")
    bare = bench.open_bare()
    ours = bench.open_path("eth0")
    check_in_xdp(lab, ours, "h1")

    seconds = bench.options.duration
    values = bench.alternate(lambda: ours.run(seconds),
                             lambda: bare.run(seconds))
    check_in_xdp(lab, ours, "h1")
    yield Result("hit", "frames", bench.params(flows=1, masks=1),
                 "packets/s", "bare-xdp", *values)


@dataclasses.dataclass
class Action:
    """What flows do instead of "output:4", where the frames are counted."""
    openflow: str
    setup: tuple = ()           # ovs-ofctl commands, once.
    n_flows: int = 1            # Megaflows of a packet.


ACTIONS = {
    "set-eth": Action("mod_dl_dst:02:00:00:00:00:99,output:4"),
    "push-vlan": Action("mod_vlan_vid:100,output:4"),
    "set-ipv4": Action("mod_nw_dst:10.9.9.9,output:4"),
    "dec-ttl": Action("dec_ttl,output:4"),
    "set-udp": Action("mod_tp_dst:99,output:4"),
    "route": Action("mod_dl_src:02:00:00:00:00:98,"
                    "mod_dl_dst:02:00:00:00:00:99,dec_ttl,output:4"),
    "push-mpls": Action("push_mpls:0x8847,output:4"),
    "meter": Action("meter:1,output:4", (
        "add-meter", "br0",
        "meter=1,pktps,burst,band=type=drop,rate=100000000,"
        "burst_size=100000000")),
    # A broadcast in XDP, of which the generator counts one frame.
    "two-outputs": Action("output:2,output:4"),
    # The hash, and another lookup with it.  Its flows stay for a while.
    "hash": Action("group:1", (
        "add-group", "br0",
        "group_id=1,type=select,selection_method=dp_hash,"
        "bucket=output:4,bucket=output:4"), n_flows=2),
}


def test_actions(bench):
    """Each action, against plain output through the same datapath."""
    lab = bench.open_lab(hosts=4)
    plain = bench.open_path("eth0")
    ours = bench.open_path("eth0", hosts=("h3", "h4"))
    for path in plain, ours:
        path.order("renew")
    for name, action in ACTIONS.items():
        if action.setup:
            lab.verb("ofctl", "-O", "OpenFlow15", *action.setup)
        lab.set_openflow("in_port=1,actions=output:2",
                         "in_port=3,udp,actions=" + action.openflow)
        check_in_xdp(lab, plain, "h1")
        check_in_xdp(lab, ours, "h3", action.n_flows)
        seconds = bench.options.duration
        values = bench.alternate(lambda: ours.run(seconds),
                                 lambda: plain.run(seconds))
        yield Result("actions", name, bench.params(flows=action.n_flows),
                     "packets/s", "output", *values)
