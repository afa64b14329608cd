# SPDX-License-Identifier: Apache-2.0
"""Tests of frames that are in the table: hit, actions."""

from .base import BenchError
from .result import Result


def check_in_xdp(lab, path, port):
    """Raises an exception unless frames take the fast path."""
    path.run(.1)
    before = lab.hits(port, "xdp")
    rate = path.run(.1)
    hits = lab.hits(port, "xdp") - before
    flows = lab.datapath_flows(port)
    if not rate:
        raise BenchError("no frame came through the datapath:\n%s%s"
                         % (lab.verb("appctl", "dpif-xdp/show"),
                            "\n".join(flows)))
    if len(flows) != 1 or "dp:xdp" not in flows[0]:
        raise BenchError("expected one megaflow with dp:xdp, but there is:\n"
                         + ("\n".join(flows) or "none"))
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


# Of OpenFlow, in front of the output.
ACTIONS = {
    "set-eth": "mod_dl_dst:02:00:00:00:00:99",
    "push-vlan": "mod_vlan_vid:100",
    "set-ipv4": "mod_nw_dst:10.9.9.9",
    "dec-ttl": "dec_ttl",
    "set-udp": "mod_tp_dst:99",
    "route": "mod_dl_src:02:00:00:00:00:98,mod_dl_dst:02:00:00:00:00:99,"
             "dec_ttl",
}


def test_actions(bench):
    """Each action, against plain output through the same datapath."""
    lab = bench.open_lab(hosts=4)
    plain = bench.open_path("eth0")
    ours = bench.open_path("eth0", hosts=("h3", "h4"))
    for path in plain, ours:
        path.order("renew")
    for name, action in ACTIONS.items():
        lab.set_openflow("in_port=1,actions=output:2",
                         "in_port=3,udp,actions=%s,output:4" % action)
        check_in_xdp(lab, plain, "h1")
        check_in_xdp(lab, ours, "h3")
        seconds = bench.options.duration
        values = bench.alternate(lambda: ours.run(seconds),
                                 lambda: plain.run(seconds))
        yield Result("actions", name, bench.params(flows=1, masks=2),
                     "packets/s", "output", *values)
