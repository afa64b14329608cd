# SPDX-License-Identifier: Apache-2.0
"""The test tse: a port's tuple space explosion, and what others feel of it.

    NAMEa-h1 ---- NAMEa-switch ---- NAMEa-h2      the victim's frames
    NAMEa-h3 ---------/                           the attacker's, 1 % of all
    NAMEb-h1 ---- NAMEb-switch ---- NAMEb-h2      the same without attacker
    NAMEb-h3 ---------/

The attacker is behind a filter that permits one UDP port, one source address
and one source port.  To refuse a packet OVS has to look at its bits down to
the first that differs, of each, and makes a flow that matches just these:
one for each of 16 * 32 * 16 masks.  So the attacker sends packets that differ
from what is permitted in one bit of each.
"""

import time

from .base import BenchError
from .result import Result

RULES = (
    "priority=100,in_port=1,actions=output:2",
    "priority=40,in_port=3,udp,tp_dst=80,actions=output:2",
    "priority=30,in_port=3,ip,nw_src=10.0.0.10,actions=output:2",
    "priority=20,in_port=3,udp,tp_src=12345,actions=output:2",
    "priority=1,in_port=3,actions=drop",
)
ATTACK = (
    "stream 1",
    "field dport 80 flip 16",
    "field saddr %d flip 32" % (10 << 24 | 10),
    "field sport 12345 flip 16",
)
N_MASKS = 8000
PERCENT = 1
PATIENCE = 60                   # Seconds until it must have them.


class Switch:
    """The victim's, and maybe the attacker's."""

    def __init__(self, bench):
        self.lab = bench.open_lab(3)
        self.lab.set_openflow(*RULES)
        self.lab.verb("vsctl", "set", "Open_vSwitch", ".",
                      "other_config:max-idle=3600000")
        self.path = bench.open_path(
            "eth0", "--also", self.lab.netns("h3") + ":eth0")
        # Both streams' frames use the same memory.
        for line in "renew", *ATTACK:
            self.path.order(line)

    def n_masks(self):
        """Of the attacker's flows, each of which has its own."""
        return len(self.lab.datapath_flows("h3"))

    def attack(self, n_masks, progress):
        """Until there are as many masks."""
        self.path.order("mix", 100 // PERCENT)
        deadline = time.monotonic() + PATIENCE
        while True:
            self.path.run(.2)
            found = self.n_masks()
            progress("%d of %d masks" % (found, n_masks))
            if found >= n_masks:
                return
            if time.monotonic() > deadline:
                raise BenchError("the attacker made %d masks in %d seconds, "
                                 "not %d" % (found, PATIENCE, n_masks))


def test_tse(bench):
    """A port's frames while another provokes 8,000 masks with 1 % of the
    traffic, against no attack."""
    n_masks = min(N_MASKS, bench.options.limit or N_MASKS)
    attacked, quiet = Switch(bench), Switch(bench)
    attacked.attack(n_masks, bench.progress)
    seconds = bench.options.duration
    values = bench.alternate(lambda: attacked.path.run(seconds),
                             lambda: quiet.path.run(seconds))
    if not all(values[0] + values[1]):
        raise BenchError("no frame came through:\n"
                         + attacked.lab.verb("appctl", "dpif-xdp/show"))
    yield Result("tse", "victim",
                 bench.params(masks=attacked.n_masks(), percent=PERCENT),
                 "packets/s", "no-attack", *values)
