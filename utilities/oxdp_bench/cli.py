# SPDX-License-Identifier: Apache-2.0
"""The command line."""

import argparse
import os
import signal
import sys

from .base import BenchError
from .attack import test_tse
from .bond import test_bond
from .core import Bench
from .flood import test_flood
from .frames import test_actions, test_hit
from .idle import test_idle
from .install import test_install
from .macvlan import test_macvlan
from .peers import test_peers
from .plot import PLOTTED, get_pyplot, plot
from .table import test_flows, test_masks, test_newconn
from .tcp import test_tcp
from .upcall import test_upcall

TESTS = {
    "hit": test_hit,
    "masks": test_masks,
    "flows": test_flows,
    "newconn": test_newconn,
    "tse": test_tse,
    "install": test_install,
    "idle": test_idle,
    "actions": test_actions,
    "flood": test_flood,
    "bond": test_bond,
    "macvlan": test_macvlan,
    "tcp": test_tcp,
    "peers": test_peers,
    "upcall": test_upcall,
}


def check_plot(parser, options):
    """Says now what would be an error after all tests."""
    if not set(options.tests) & set(PLOTTED):
        parser.error("--plot shows tests %s" % ", ".join(PLOTTED))
    try:
        get_pyplot()
    except BenchError as e:
        parser.error(str(e))


def parse_options():
    cpus = sorted(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(
        description="Measures the datapath next to something else, in network "
        "namespaces of its own.  Packets are per second of CPU time.",
        epilog="Tests: " + "; ".join(
            "%s: %s" % (name, f.__doc__) for name, f in TESTS.items()))
    parser.add_argument("--json", action="store_true",
                        help="one JSON object per line and result")
    parser.add_argument("--runs", type=int, default=5, metavar="N",
                        help="runs of each compared thing (default: 5)")
    parser.add_argument("--duration", type=float, default=1, metavar="S",
                        help="seconds per run (default: 1)")
    parser.add_argument("--pin", type=int, default=cpus[-1], metavar="CPU",
                        help="the CPU to measure on (default: %d, the last)"
                        % cpus[-1])
    parser.add_argument("--limit", type=int, default=0, metavar="N",
                        help="masks, flows and upper ports only up to this "
                        "number (default: to 256, 1,000,000 and 1,000)")
    parser.add_argument("--plot", metavar="FILE.png",
                        help="also draw the ratios of masks and flows (needs "
                        "python3-matplotlib)")
    parser.add_argument("tests", nargs="+", metavar="TEST",
                        choices=[*TESTS, "all"],
                        help=", ".join(TESTS) + "; or all")
    options = parser.parse_args()
    if "all" in options.tests:
        options.tests = list(TESTS)
    if options.runs < 1 or not .01 <= options.duration <= 100:
        parser.error("at least 1 run, and .01 to 100 seconds each")
    if options.limit < 0:
        parser.error("--limit takes a number from 1 on")
    if options.plot:
        check_plot(parser, options)
    if options.pin not in cpus:
        parser.error("there is no CPU %d for us, choose from %s"
                     % (options.pin, ", ".join(map(str, cpus))))
    return options


def stop(signr, _):
    sys.exit(128 + signr)


def run_test(name, options, results):
    """Runs a test, prints its results, and appends them to 'results'.  Returns
    false if it found an error."""
    bench = Bench(name, options)
    try:
        for result in TESTS[name](bench):
            bench.progress("")
            print(result.to_json() if options.json else result.to_text(),
                  flush=True)
            results.append(result)
    except (BenchError, OSError) as e:
        bench.progress("")
        print("ovs-xdp-bench: %s: %s" % (name, e), file=sys.stderr)
        return False
    finally:
        bench.close()
    return True


def run_tests(options):
    """Runs the tests; false if one has failed, which does not keep the others
    from being run."""
    results = []
    ok = all([run_test(name, options, results) for name in options.tests])
    if options.plot and results:
        plot(options.plot, results)
    return ok


def main():
    options = parse_options()
    if os.geteuid():
        sys.exit("ovs-xdp-bench: must run as root")
    for signr in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
        signal.signal(signr, stop)
    try:
        sys.exit(0 if run_tests(options) else 1)
    except BenchError as e:
        sys.exit("ovs-xdp-bench: %s" % e)
