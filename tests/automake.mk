# tests/automake.mk: "make check".
#
# Every test is a program that exits with 0 (passed), 77 (skipped, and its
# output says why) or anything else (failed).  There are two kinds:
#
#   UNIT_TESTS   need no network, and skip what they lack privileges for; run
#                next to each other.
#   LAB_TESTS    have network namespaces, daemons and both CPUs to themselves:
#                one at a time, even under "make -j2 check".
#
# To add one: a script tests/NAME.test (mode 755) into one of the two lists;
# a C program into UNIT_TESTS and check_PROGRAMS, with tests_NAME_SOURCES and
# tests_NAME_LDADD = $(OXDP_LDADD).
#
# A test finds in its environment: abs_top_srcdir, abs_top_builddir, OVS_SRC,
# OVS_BUILD, OVS_VERSION, PYTHON3, CLANG, BPFTOOL and CC; ovs-vswitchd (ours)
# and Open vSwitch's tools are first in PATH; it starts in the build directory.

UNIT_TESTS = \
	tests/compile-fuzz \
	tests/diff-actions \
	tests/man.test \
	tests/match-native \
	tests/meter-native \
	tests/parse-fuzz \
	tests/search-native \
	tests/suite-compare.test \
	tests/table-native \
	tests/upcall-native \
	tests/verifier \
	tests/version.test \
	tests/vlan-normal.test \
	tests/vm-kernel.test

LAB_TESTS = \
	tests/actions.test \
	tests/away.test \
	tests/bench.test \
	tests/bond-failover.test \
	tests/bond-modes.test \
	tests/bond.test \
	tests/bridge-errors.test \
	tests/cni-errors.test \
	tests/cni-many.test \
	tests/cni.test \
	tests/conntrack.test \
	tests/demo.test \
	tests/diff-bridges.test \
	tests/doctor.test \
	tests/documentation.test \
	tests/dpctl.test \
	tests/fallback.test \
	tests/fdb.test \
	tests/flood.test \
	tests/gate.test \
	tests/groups.test \
	tests/handover.test \
	tests/idle.test \
	tests/jumbo.test \
	tests/l2.test \
	tests/lab-basic.test \
	tests/live.test \
	tests/local.test \
	tests/macvlan.test \
	tests/macvlan-away.test \
	tests/macvlan-config.test \
	tests/meter.test \
	tests/metrics.test \
	tests/mirror.test \
	tests/monitoring.test \
	tests/nat.test \
	tests/parse-bpf \
	tests/peer.test \
	tests/pins.test \
	tests/port-churn.test \
	tests/port-errors.test \
	tests/port-life.test \
	tests/privileges.test \
	tests/qos.test \
	tests/reasons.test \
	tests/restart.test \
	tests/sampling.test \
	tests/storm.test \
	tests/show.test \
	tests/stp.test \
	tests/table.test \
	tests/takeover.test \
	tests/test-netdev \
	tests/test-xsk \
	tests/trace.test \
	tests/tunnel.test \
	tests/upcall-poll.test \
	tests/upcall-rate.test \
	tests/vlan.test

# What the network stack does with the kernel bridge: "make check-bridge".
BRIDGE_TESTS = \
	tests/away.test \
	tests/bridge-errors.test \
	tests/fallback.test \
	tests/fdb.test \
	tests/flood.test \
	tests/gate.test \
	tests/local.test \
	tests/pins.test \
	tests/storm.test \
	tests/takeover.test

# "make check-macvlan".
MACVLAN_TESTS = \
	tests/macvlan.test \
	tests/macvlan-away.test \
	tests/macvlan-config.test

# Bonds: "make check-bond".  bond-linux.test, in a virtual machine where the
# kernel has no bonds, is only there.
BOND_TESTS = \
	tests/bond-failover.test \
	tests/bond-linux.test \
	tests/bond-modes.test \
	tests/bond.test

# With OVN, which "make check-ovn" downloads; not in "make check".
OVN_TESTS = \
	tests/ovn-geneve.test \
	tests/ovn-plain.test \
	tests/ovn-vxlan.test

# The CNI plugin: "make check-cni".  cni-podman.test, with podman, which that
# downloads, is only there.
CNI_TESTS = \
	tests/cni-errors.test \
	tests/cni-many.test \
	tests/cni-podman.test \
	tests/cni.test

TESTS = $(UNIT_TESTS) $(LAB_TESTS)

EXTRA_DIST += \
	tests/bond-lib.sh \
	tests/bond-linux.test \
	tests/bpf/tag-to-skb.bpf.c \
	tests/cni-ipam \
	tests/cni-lib.sh \
	tests/cni-podman.test \
	tests/diff-bridges.py \
	tests/documentation.py \
	tests/hold-thread.py \
	tests/lab-collector.py \
	tests/lab-lib.sh \
	tests/lab-packets.py \
	tests/lab_port.py \
	tests/macvlan.py \
	tests/monitoring.py \
	tests/netns-works \
	tests/openmetrics.py \
	tests/pcapng.py \
	tests/reasons.py \
	tests/ovn-lib.sh \
	tests/ovn-scenarios.sh \
	tests/run-test \
	tests/vlan-normal.py \
	tests/verifier-budget \
	$(filter %.test,$(UNIT_TESTS) $(LAB_TESTS) $(OVN_TESTS))

TEST_EXTENSIONS = .test

check_PROGRAMS += \
	tests/compile-fuzz \
	tests/diff-actions \
	tests/full-bpffs \
	tests/match-native \
	tests/meter-native \
	tests/other-abi/ovs-vswitchd \
	tests/parse-bpf \
	tests/parse-fuzz \
	tests/search-native \
	tests/table-native \
	tests/test-netdev \
	tests/test-xsk \
	tests/udp-gaps \
	tests/upcall-native \
	tests/verifier \
	tests/vlan-forward

# The TC hook with a look at what is beside the frame, and the parser as a
# program of its own, which stores the key.
test_bpf_objects = \
	tests/bpf/diff-tc.bpf.o \
	tests/bpf/parse-tc.bpf.o \
	tests/bpf/parse-xdp.bpf.o
check_DATA = $(test_bpf_objects)
EXTRA_DIST += $(test_bpf_objects:.bpf.o=.bpf.c)
CLEANFILES += $(test_bpf_objects)
-include tests/bpf/$(DEPDIR)/*.bpo
CLEAN_LOCAL += clean-test-bpf-deps
clean-test-bpf-deps:
	rm -f tests/bpf/$(DEPDIR)/*.bpo tests/bpf/*.tmp

# A daemon of another ABI version, for takeover.test: all of ours compiled a
# second time, with a copy of datapath-bpf/ in which the structures that one
# daemon reads of another's flows have something more in front.
other_abi_dir = tests/other-abi/datapath-bpf
other_abi_bpf = $(bpf_sources:datapath-bpf/%=$(other_abi_dir)/%)
other_abi_skeletons = $(other_abi_bpf:.bpf.c=.skel.h)
other_abi_files = $(other_abi_bpf) \
	$(patsubst datapath-bpf/%,$(other_abi_dir)/%, \
	  $(filter datapath-bpf/%,$(noinst_HEADERS)))
other_abi_structs = flow\|flow_rest\|mask\|port_stats

$(other_abi_files): $(other_abi_dir)/%: datapath-bpf/% datapath-bpf/oxdp-abi.h
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)sed \
	  -e 's/^#define OXDP_ABI_VERSION .*/#define OXDP_ABI_VERSION 4094/' \
	  -e 's/^struct oxdp_\($(other_abi_structs)\) {$$/&__u64 other_abi[8];/' \
	  -e '/^OXDP_ASSERT(sizeof(struct oxdp_\($(other_abi_structs)\))/d' \
	  $< > $@

.SECONDARY: $(other_abi_bpf:.bpf.c=.bpf.o)
CLEANFILES += $(other_abi_files) $(other_abi_skeletons) \
	$(other_abi_bpf:.bpf.c=.bpf.o)
-include $(other_abi_dir)/$(DEPDIR)/*.bpo
CLEAN_LOCAL += clean-other-abi
clean-other-abi:
	rm -rf $(other_abi_dir)

tests_other_abi_ovs_vswitchd_SOURCES = \
	$(lib_liboxdp_a_SOURCES) \
	$(ovs_xdp_ovs_vswitchd_SOURCES)
tests_other_abi_ovs_vswitchd_CPPFLAGS = -I$(other_abi_dir) $(AM_CPPFLAGS)
tests_other_abi_ovs_vswitchd_LDFLAGS = $(ovs_xdp_ovs_vswitchd_LDFLAGS)
tests_other_abi_ovs_vswitchd_LDADD = \
	$(OVS_VSWITCHD_OBJS) $(OVS_LDADD) $(OXDP_LIBS) $(OVS_LIBS)
tests_other_abi_ovs_vswitchd_DEPENDENCIES = \
	$(OVS_VSWITCHD_OBJS) $(OVS_ARCHIVES)
$(tests_other_abi_ovs_vswitchd_OBJECTS): \
	| $(other_abi_files) $(other_abi_skeletons)

tests_compile_fuzz_SOURCES = \
	tests/compile-fuzz.c \
	tests/diff-list.c \
	tests/diff-list.h \
	tests/packet-gen.c \
	tests/packet-gen.h \
	tests/parse-ref.c \
	tests/parse-ref.h
tests_compile_fuzz_LDADD = $(OXDP_LDADD)

tests_diff_actions_SOURCES = \
	tests/bpf/diff-test.h \
	tests/diff-actions.c \
	tests/diff-bytes.c \
	tests/diff-bytes.h \
	tests/diff-case.c \
	tests/diff-case.h \
	tests/diff-lab.c \
	tests/diff-lab.h \
	tests/diff-list.c \
	tests/diff-list.h \
	tests/fake-reader.c \
	tests/fake-reader.h \
	tests/packet-gen.c \
	tests/packet-gen.h \
	tests/parse-ref.c \
	tests/parse-ref.h
tests_diff_actions_LDADD = $(OXDP_LDADD)

tests_full_bpffs_SOURCES = tests/full-bpffs.c
tests_full_bpffs_LDADD = $(OXDP_LDADD)

tests_match_native_SOURCES = \
	tests/mask-gen.c \
	tests/mask-gen.h \
	tests/match-native.c \
	tests/packet-gen.c \
	tests/packet-gen.h \
	tests/parse-ref.c \
	tests/parse-ref.h
tests_match_native_LDADD = $(OXDP_LDADD)

tests_meter_native_SOURCES = tests/meter-native.c
tests_meter_native_LDADD = $(OXDP_LDADD)
tests_search_native_SOURCES = tests/search-native.c
tests_search_native_LDADD = $(OXDP_LDADD)

tests_parse_bpf_SOURCES = \
	tests/bpf/parse-test.h \
	tests/packet-gen.c \
	tests/packet-gen.h \
	tests/parse-bpf.c \
	tests/parse-ref.c \
	tests/parse-ref.h
tests_parse_bpf_LDADD = $(OXDP_LDADD)

tests_parse_fuzz_SOURCES = \
	tests/packet-gen.c \
	tests/packet-gen.h \
	tests/parse-fuzz.c \
	tests/parse-ref.c \
	tests/parse-ref.h
tests_parse_fuzz_LDADD = $(OXDP_LDADD)

tests_table_native_SOURCES = \
	tests/mask-gen.c \
	tests/mask-gen.h \
	tests/packet-gen.c \
	tests/packet-gen.h \
	tests/parse-ref.c \
	tests/parse-ref.h \
	tests/table-native.c
tests_table_native_LDADD = $(OXDP_LDADD)

tests_test_netdev_SOURCES = tests/test-netdev.c ovs-xdp/netdev-xdp.c
tests_test_netdev_LDADD = $(OXDP_LDADD)

tests_upcall_native_SOURCES = \
	tests/fake-reader.c \
	tests/fake-reader.h \
	tests/upcall-native.c
tests_upcall_native_LDADD = $(OXDP_LDADD)

tests_verifier_SOURCES = tests/verifier.c
tests_verifier_LDADD = $(OXDP_LDADD)

tests_udp_gaps_SOURCES = tests/udp-gaps.c
tests_udp_gaps_LDADD = $(OXDP_LDADD)

tests_vlan_forward_SOURCES = tests/vlan-forward.c
tests_vlan_forward_LDADD = $(OXDP_LDADD)

# Includes lib/oxdp-xsk.c.
tests_test_xsk_SOURCES = tests/test-xsk.c
tests_test_xsk_LDADD = $(OXDP_LDADD)

AM_TESTS_ENVIRONMENT = \
	abs_top_srcdir='$(abs_top_srcdir)'; export abs_top_srcdir; \
	abs_top_builddir='$(abs_top_builddir)'; export abs_top_builddir; \
	OVS_SRC='$(OVS_SRC)'; export OVS_SRC; \
	OVS_BUILD='$(OVS_BUILD)'; export OVS_BUILD; \
	OVS_VERSION='$(OVS_VERSION)'; export OVS_VERSION; \
	PYTHON3='$(PYTHON3)'; export PYTHON3; \
	CLANG='$(CLANG)'; export CLANG; \
	BPFTOOL='$(BPFTOOL)'; export BPFTOOL; \
	CC='$(CC)'; export CC; \
	LAB_TESTS='$(LAB_TESTS) $(OVN_TESTS) $(CNI_TESTS)'; export LAB_TESTS; \
	PATH='$(tests_path)':$$PATH; export PATH;

tests_path = $(abs_top_builddir)/ovs-xdp:$(abs_top_builddir)/utilities:$(ovs_path):$(abs_top_srcdir)/utilities
ovs_path = $(OVS_BUILD)/vswitchd:$(OVS_BUILD)/ovsdb:$(OVS_BUILD)/utilities

# run-test puts each test under a time limit and lets lab tests run alone.
LOG_COMPILER = $(BASH_SHELL) $(top_srcdir)/tests/run-test
TEST_LOG_COMPILER = $(LOG_COMPILER)
BASH_SHELL = bash

check-bridge:
	$(AM_V_at)TAKEOVER_SECONDS=60 TAKEOVER_RESTARTS=5 STORM_SECONDS=20 \
	  STORM_MS=100 \
	  $(MAKE) $(AM_MAKEFLAGS) check TESTS='$(BRIDGE_TESTS)'
.PHONY: check-bridge

# Bridges with other_config:xdp-l2=macvlan against the kernel's devices.
check-macvlan:
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(MACVLAN_TESTS)'
.PHONY: check-macvlan

# Bonds.
check-bond:
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(BOND_TESTS)'
.PHONY: check-bond

# OVN's own programs, of Debian's packages, on our datapath: they are unpacked
# into the cache, and nothing is installed.
check-ovn:
	$(AM_V_at)OXDP_OVN=`$(BASH_SHELL) '$(top_srcdir)/build-aux/deb-cache' ovn \
	    ovn-common ovn-central ovn-host` \
	  $(MAKE) $(AM_MAKEFLAGS) check TESTS='$(OVN_TESTS)'
.PHONY: check-ovn

# The CNI plugin, also with podman and the libraries that only podman needs, of
# Debian's packages: they are unpacked into the cache, and nothing is installed.
check-cni:
	$(AM_V_at)OXDP_PODMAN=`$(BASH_SHELL) \
	    '$(top_srcdir)/build-aux/deb-cache' podman podman \
	    busybox-static conmon containernetworking-plugins crun \
	    golang-github-containers-common golang-github-containers-image \
	    libassuan0 libdevmapper1.02.1 libgpgme11 libsubid4 libyajl2` \
	  $(MAKE) $(AM_MAKEFLAGS) check TESTS='$(CNI_TESTS)'
.PHONY: check-cni

# The documentation's commands, of all pages or of PAGES alone, and what is not
# run of them.
check-docs: all
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) PAGES='$(PAGES)' \
	  $(LOG_COMPILER) $(top_srcdir)/tests/documentation.test
.PHONY: check-docs

# The tests that need no network and no root.
check-unit:
	$(AM_V_at)$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(UNIT_TESTS)'
.PHONY: check-unit

# CASES random packets and lists of actions, and a bridge for each 1000 of
# them, from random seed SEED on.
check-diff: all tests/diff-actions $(test_bpf_objects)
	$(AM_V_at)abs_top_builddir='$(abs_top_builddir)' \
	  OXDP_TEST_SEED='$(SEED)' tests/diff-actions $(CASES)
	$(AM_V_at)$(AM_TESTS_ENVIRONMENT) \
	  OXDP_TEST_SEED='$(SEED)' OXDP_TEST_CASES='$(CASES)' \
	  $(LOG_COMPILER) $(top_srcdir)/tests/diff-bridges.test
.PHONY: check-diff

# Open vSwitch's own system tests on our type, the basics or all:
# Documentation/testing.rst.
check-ovs-smoke: all
	$(AM_V_at)$(OVS_SUITE_RUN) smoke
check-ovs: all
	$(AM_V_at)$(OVS_SUITE_RUN) check
# Those that this machine's kernel lacks modules for, in a virtual machine.
check-ovs-vm: all
	$(AM_V_at)$(OVS_SUITE_RUN) vm
.PHONY: check-ovs check-ovs-smoke check-ovs-vm

OVS_SUITE_RUN = \
	abs_top_srcdir='$(abs_top_srcdir)' \
	abs_top_builddir='$(abs_top_builddir)' OVS_SRC='$(OVS_SRC)' \
	OVS_BUILD='$(OVS_BUILD)' $(BASH_SHELL) $(top_srcdir)/tests/ovs-suite/run

EXTRA_DIST += \
	tests/ovs-suite/compare \
	tests/ovs-suite/expected \
	tests/ovs-suite/overrides.at \
	tests/ovs-suite/run \
	tests/vm/init \
	tests/vm/kernel \
	tests/vm/run
CLEAN_LOCAL += clean-ovs-suite
clean-ovs-suite:
	rm -rf tests/ovs-suite/xdp tests/ovs-suite/netdev tests/ovs-suite/suite* \
	  tests/ovs-suite/*.lock

CLEANFILES += tests/.lab-lock tests/.netns-broken tests/diff-bridges-*.case
