# SPDX-License-Identifier: Apache-2.0
"""A picture of what masks and flows cost."""

from .base import BenchError

# The tests that it shows: their parameter that grows.
PLOTTED = {"masks": "masks", "flows": "flows"}


def get_pyplot():
    """Returns matplotlib's module, which draws into files."""
    try:
        import matplotlib
    except ImportError:
        raise BenchError("--plot needs matplotlib, of Debian package "
                         "python3-matplotlib") from None
    matplotlib.use("Agg")
    import matplotlib.pyplot
    return matplotlib.pyplot


def draw(axes, test, results):
    """One test's ratios, with their spread, a line for each variant."""
    variants = list(dict.fromkeys(r.variant for r in results))
    top = 1.1
    for variant in variants:
        points = [r for r in results if r.variant == variant]
        x = [r.params[PLOTTED[test]] for r in points]
        y, low, high = zip(*(r.spread() for r in points))
        axes.errorbar(x, y, yerr=([a - b for a, b in zip(y, low)],
                                  [b - a for a, b in zip(y, high)]),
                      marker="o", capsize=3, label=variant)
        top = max(top, *high)
    if len(variants) > 1:
        axes.legend()
    axes.set_xscale("log")
    axes.set_ylim(bottom=0, top=top)
    axes.axhline(1, color="gray", linewidth=.5)
    axes.set_xlabel(PLOTTED[test])
    axes.set_ylabel("packets/s, ratio to " + results[0].ratio_to)


def plot(path, results):
    """Writes the picture to 'path', of those results that are in it."""
    pyplot = get_pyplot()
    tests = [test for test in PLOTTED if any(r.test == test for r in results)]
    if not tests:
        return
    figure, all_axes = pyplot.subplots(1, len(tests), squeeze=False,
                                       figsize=(5 * len(tests), 4))
    for test, axes in zip(tests, all_axes[0]):
        draw(axes, test, [r for r in results if r.test == test])
    figure.tight_layout()
    try:
        figure.savefig(path)
    except (OSError, ValueError) as e:
        raise BenchError("cannot write %s: %s" % (path, e)) from None
