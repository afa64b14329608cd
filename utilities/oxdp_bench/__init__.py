# SPDX-License-Identifier: Apache-2.0
"""ovs-xdp-bench, see there.

cli       the command line, and the list of tests
core      Bench: one run of a test, what it opened and has to close
result    Result: what was compared, as text and as JSON
lab       Lab: the switch that is measured
load      Path and Iperf: what loads it
base      errors, commands
others    a group of tests each
"""
