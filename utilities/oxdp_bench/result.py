# SPDX-License-Identifier: Apache-2.0
"""What a test found."""

import dataclasses
import json
import statistics


@dataclasses.dataclass
class Result:
    """One comparison.  'ours' and 'theirs' are the values of the runs, in
    pairs.  More is better, unless it 'is_cost'."""
    test: str
    variant: str
    params: dict
    unit: str
    ratio_to: str
    ours: list
    theirs: list
    is_cost: bool = False

    def cost_ns(self):
        """What ours takes longer, per packet."""
        return statistics.median(
            1e9 / a - 1e9 / b for a, b in zip(self.ours, self.theirs))

    def ratios(self):
        if self.is_cost:
            return [b / a for a, b in zip(self.ours, self.theirs)]
        return [a / b for a, b in zip(self.ours, self.theirs)]

    def spread(self):
        """Median, minimum and maximum of the ratios."""
        ratios = self.ratios()
        return statistics.median(ratios), min(ratios), max(ratios)

    def is_packets(self):
        return self.unit == "packets/s"

    def to_json(self):
        ratio, low, high = self.spread()
        cost = ({"cost_ns": round(self.cost_ns(), 1)} if self.is_packets()
                else {})
        return json.dumps({
            "test": self.test,
            "variant": self.variant,
            "params": self.params,
            "value": round_value(statistics.median(self.ours)),
            "unit": self.unit,
            "ratio": round(ratio, 3),
            "ratio_min": round(low, 3),
            "ratio_max": round(high, 3),
            "runs": len(self.ours),
            "ratio_to": self.ratio_to,
            "ratio_to_value": round_value(statistics.median(self.theirs)),
            **cost})

    def to_text(self):
        params = ", ".join("%s %s" % (k.replace("_", " "), v)
                           for k, v in self.params.items())
        lines = ["%s, %s: %s" % (self.test, self.variant, params)]
        for name, values in ((self.ratio_to, self.theirs),
                             ("ovs-xdp", self.ours)):
            lines.append("  %-12s %14s %s  (%s to %s)" % (
                name, show_number(statistics.median(values)), self.unit,
                show_number(min(values)), show_number(max(values))))
        cost = (", %+.1f ns a packet" % self.cost_ns() if self.is_packets()
                else "")
        lines.append("  %-12s %14.3f  (%.3f to %.3f in %d runs)%s" % (
            "ratio", *self.spread(), len(self.ours), cost))
        return "\n".join(lines)


def round_value(value):
    """Without digits that mean nothing."""
    return round(value) if abs(value) >= 1000 else float("%.4g" % value)


def show_number(value):
    return "{:,}".format(round_value(value))
