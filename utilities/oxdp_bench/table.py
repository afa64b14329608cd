# SPDX-License-Identifier: Apache-2.0
"""Tests of the flow table, whose flows are put there: masks, flows, newconn."""

import ipaddress

from .base import BenchError
from .result import Result

# What frames are for: this address and those that follow, in turn.
FIRST = int(ipaddress.ip_address("10.1.0.0"))
PORT = 9
ALL_MASKS = 1, 4, 16, 64, 256
ALL_FLOWS = 100, 1000, 10000, 100000, 1000000
BYTES_A_FLOW = 2000             # With all that handles them.


def up_to(limit, values):
    """Returns the values up to a limit, if there is one, or just that."""
    return [n for n in values if not limit or n <= limit] or [limit]


class Table:
    """A lab, and frames through what is put into its flow table."""

    def __init__(self, bench, n_flows):
        self.lab = bench.open_lab()
        self.seconds = bench.options.duration
        self.lab.set_openflow("in_port=1,actions=output:2")
        self.lab.hold_flows(n_flows)
        self.path = bench.open_path("eth0")
        self.in_port, self.out_port = map(self.lab.odp_port, ("h1", "h2"))

    def fill(self, flows):
        """Makes these, which begin with addresses, the table's flows.  What
        adapts to them gets the time for it."""
        prefix = ("recirc_id(0),in_port(%d),packet_type(ns=0,id=0),eth(),"
                  "eth_type(0x0800)," % self.in_port)
        self.lab.set_megaflows([(prefix + flow, self.out_port)
                                for flow in flows])
        # A million is all that a table takes, and hosts send something.
        if self.lab.n_flows() < len(flows) * .999:
            raise BenchError("of %d flows %d are in BPF:\n%s" % (
                len(flows), self.lab.n_flows(),
                self.lab.verb("appctl", "dpif-xdp/show")))
        self.path.run(self.seconds)

    def send(self, *fields):
        for field in fields:
            self.path.order("field", field)

    def run(self):
        """Returns packets per second, all of which flows handle in XDP."""
        before = self.lab.lookups("h1")
        rate = self.path.run(self.seconds)
        hits, misses = (b - a for a, b in zip(before, self.lab.lookups("h1")))
        if not rate or misses > hits / 1000:
            raise BenchError(
                "%d packets a second, %d hits and %d misses:\n%s" % (
                    rate, hits, misses,
                    self.lab.verb("appctl", "dpif-xdp/show")))
        return rate

    def fill_and_run(self, flows):
        self.fill(flows)
        return self.run()


def services(n_flows, n_masks):
    """Megaflows of addresses in turn, with as many masks.  They differ in the
    port's bits, of which there are some in every mask."""
    flows = []
    for i in range(n_flows):
        mask = 0xffff - i % n_masks
        flows.append("ipv4(dst=%s,proto=17,frag=no),udp(dst=%d/0x%x)" % (
            ipaddress.ip_address(FIRST + i), PORT & mask, mask))
    return flows


def connections(n_flows):
    """Megaflows of addresses in turn, each of one connection."""
    return ["ipv4(src=10.0.0.1,dst=%s,proto=17,tos=0/0x3,frag=no),"
            "udp(src=1,dst=%d)" % (ipaddress.ip_address(FIRST + i), PORT)
            for i in range(n_flows)]


def in_turn(n_flows):
    return "daddr %d count %d" % (FIRST, n_flows)


def spread(n_flows):
    return "daddr %d spread %d" % (FIRST, n_flows)


def compare_masks(bench, table, test, n_masks, n_flows):
    """The same frames find the same number of flows either way."""
    many, one = services(n_flows, n_masks), services(n_flows, 1)
    values = bench.alternate(lambda: table.fill_and_run(many),
                             lambda: table.fill_and_run(one))
    return Result(test, "frames", bench.params(masks=n_masks, flows=n_flows),
                  "packets/s", "one-mask", *values)


def test_masks(bench):
    """1,000 flows in turn over up to 256 masks, against one mask."""
    n_flows = 1000
    table = Table(bench, n_flows)
    table.send(in_turn(n_flows))
    for n_masks in up_to(bench.options.limit, ALL_MASKS):
        yield compare_masks(bench, table, "masks", n_masks, n_flows)


def test_newconn(bench):
    """Every packet a new connection to one of 1,000 services, whose flows have
    64 masks, against one mask."""
    n_flows = 1000
    table = Table(bench, n_flows)
    table.send(in_turn(n_flows), "saddr 0 fresh 1", "sport 0 fresh 1")
    yield compare_masks(bench, table, "newconn", 64, n_flows)


def check_memory(n_flows):
    with open("/proc/meminfo", encoding="ascii") as f:
        kb = int(f.read().split("MemAvailable:")[1].split()[0])
    if n_flows * BYTES_A_FLOW > kb * 1024:
        raise BenchError("%d flows need %d MB of memory, of which there are "
                         "%d: use --limit" % (
                             n_flows, n_flows * BYTES_A_FLOW >> 20, kb >> 10))


def test_flows(bench):
    """Up to 1,000,000 flows, whose turn it is packet after packet, or in no such
    order, against packets of one of them."""
    counts = up_to(bench.options.limit, ALL_FLOWS)
    check_memory(max(counts))
    table = Table(bench, max(counts))

    def run_with(field):
        table.send(field)
        return table.run()

    for n_flows in counts:
        table.send(in_turn(n_flows))
        table.fill(connections(n_flows))
        for variant, field in ("frames", in_turn), ("spread", spread):
            values = bench.alternate(lambda f=field(n_flows): run_with(f),
                                     lambda: run_with(in_turn(1)))
            yield Result("flows", variant,
                         bench.params(masks=1, flows=n_flows),
                         "packets/s", "one-flow", *values)
