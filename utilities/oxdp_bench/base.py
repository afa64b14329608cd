# SPDX-License-Identifier: Apache-2.0
"""What all of ovs-xdp-bench uses."""

import os
import subprocess

# Our own programs are in the build tree, or beside this package.
PACKAGE = os.path.dirname(os.path.realpath(__file__))
PARENT = os.path.dirname(PACKAGE)


class BenchError(Exception):
    """Something that the user can read."""


def run(*command, **kwargs):
    """Runs a command and returns its output."""
    p = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                       stderr=subprocess.PIPE, check=False, **kwargs)
    if p.returncode:
        raise BenchError("%s failed:\n%s" % (
            " ".join(command), p.stderr.strip() or p.stdout.strip()))
    return p.stdout


def find_program(name):
    """Returns the path of a program that users do not call themselves."""
    build = os.environ.get("OVS_XDP_BUILD")
    places = [os.path.join(build, "utilities")] if build else [
        os.path.join(PARENT, "../_build/utilities"), PARENT]
    for place in places:
        path = os.path.join(place, name)
        if os.access(path, os.X_OK):
            return path
    raise BenchError("%s is missing: run \"./quickstart build\" first, or "
                     "install ovs-xdp" % name)


def find_lab_tool():
    """Returns the path of ovs-xdp-lab."""
    for place in PARENT, os.path.normpath(PARENT + "/../../sbin"):
        path = os.path.join(place, "ovs-xdp-lab")
        if os.access(path, os.X_OK):
            return path
    raise BenchError("ovs-xdp-lab is missing from %s" % PARENT)
