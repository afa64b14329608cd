# utilities/automake.mk: programs for people.

# Installed in sbin.
dist_sbin_SCRIPTS += \
	utilities/ovs-xdp-bench \
	utilities/ovs-xdp-lab

sbin_PROGRAMS += utilities/ovs-xdp-ctl
utilities_ovs_xdp_ctl_SOURCES = \
	utilities/ovs-xdp-client.c \
	utilities/ovs-xdp-client.h \
	utilities/ovs-xdp-ctl.c \
	utilities/ovs-xdp-doctor.c \
	utilities/ovs-xdp-doctor.h \
	utilities/ovs-xdp-top.c \
	utilities/ovs-xdp-top.h \
	utilities/ovs-xdp-trace.c \
	utilities/ovs-xdp-trace.h
utilities_ovs_xdp_ctl_LDADD = $(OXDP_LDADD)

# For container runtimes: where Debian has the plugins of others.
cnidir = $(prefix)/lib/cni
cni_PROGRAMS = utilities/cni/ovs-xdp-cni
utilities_cni_ovs_xdp_cni_SOURCES = \
	utilities/cni/cni-config.c \
	utilities/cni/cni-config.h \
	utilities/cni/cni-error.c \
	utilities/cni/cni-error.h \
	utilities/cni/cni-ipam.c \
	utilities/cni/cni-ipam.h \
	utilities/cni/cni-link.c \
	utilities/cni/cni-link.h \
	utilities/cni/cni-ovsdb.c \
	utilities/cni/cni-ovsdb.h \
	utilities/cni/cni-result.c \
	utilities/cni/cni-result.h \
	utilities/cni/ovs-xdp-cni.c
utilities_cni_ovs_xdp_cni_LDADD = $(OXDP_LDADD)

# What ovs-xdp-bench runs, installed beside our ovs-vswitchd.
noinst_PROGRAMS += utilities/oxdp-bench-gen
utilities_oxdp_bench_gen_SOURCES = \
	utilities/bpf/oxdp-bench-frame.h \
	utilities/oxdp-bench-gen.c \
	utilities/oxdp-bench-read.c \
	utilities/oxdp-bench.h
# Without the headers of Open vSwitch, which stand in front of the kernel's.
utilities_oxdp_bench_gen_CPPFLAGS = \
	-Iutilities/bpf -I$(top_srcdir)/utilities/bpf $(OXDP_DEP_CFLAGS)
utilities_oxdp_bench_gen_LDADD = $(OXDP_LIBS) -lpthread
$(utilities_oxdp_bench_gen_OBJECTS): utilities/bpf/oxdp-bench.skel.h

# The provider without its daemon.
noinst_PROGRAMS += utilities/oxdp-bench-flows
utilities_oxdp_bench_flows_SOURCES = utilities/oxdp-bench-flows.c
utilities_oxdp_bench_flows_LDFLAGS = $(ovs_xdp_ovs_vswitchd_LDFLAGS)
utilities_oxdp_bench_flows_LDADD = $(ovs_xdp_ovs_vswitchd_OBJECTS) \
	$(OXDP_LDADD)
utilities_oxdp_bench_flows_DEPENDENCIES = $(ovs_xdp_ovs_vswitchd_OBJECTS) \
	lib/liboxdp.a $(OVS_ARCHIVES)

EXTRA_DIST += utilities/bpf/oxdp-bench.bpf.c
CLEANFILES += utilities/bpf/oxdp-bench.bpf.o utilities/bpf/oxdp-bench.skel.h
BUILT_SOURCES += utilities/bpf/oxdp-bench.skel.h
.SECONDARY: utilities/bpf/oxdp-bench.bpf.o
-include utilities/bpf/$(DEPDIR)/*.bpo
CLEAN_LOCAL += clean-bench-deps
clean-bench-deps:
	rm -f utilities/bpf/$(DEPDIR)/*.bpo utilities/bpf/*.tmp

# What it consists of, likewise.
OXDP_BENCH_PY = \
	utilities/oxdp_bench/__init__.py \
	utilities/oxdp_bench/attack.py \
	utilities/oxdp_bench/base.py \
	utilities/oxdp_bench/bond.py \
	utilities/oxdp_bench/cli.py \
	utilities/oxdp_bench/core.py \
	utilities/oxdp_bench/flood.py \
	utilities/oxdp_bench/frames.py \
	utilities/oxdp_bench/idle.py \
	utilities/oxdp_bench/install.py \
	utilities/oxdp_bench/lab.py \
	utilities/oxdp_bench/load.py \
	utilities/oxdp_bench/macvlan.py \
	utilities/oxdp_bench/peers.py \
	utilities/oxdp_bench/plot.py \
	utilities/oxdp_bench/result.py \
	utilities/oxdp_bench/table.py \
	utilities/oxdp_bench/tcp.py \
	utilities/oxdp_bench/uml-guest \
	utilities/oxdp_bench/uml.py \
	utilities/oxdp_bench/upcall.py
EXTRA_DIST += $(OXDP_BENCH_PY)

INSTALL_EXEC_LOCAL += install-bench
install-bench: utilities/oxdp-bench-gen utilities/oxdp-bench-flows
	$(MKDIR_P) '$(DESTDIR)$(xdppkglibdir)/oxdp_bench'
	for program in oxdp-bench-gen oxdp-bench-flows; do \
	  $(INSTALL_PROGRAM) "utilities/$$program" \
	    '$(DESTDIR)$(xdppkglibdir)' || exit 1; \
	done
	for file in $(OXDP_BENCH_PY); do \
	  $(INSTALL_DATA) "$(srcdir)/$$file" \
	    '$(DESTDIR)$(xdppkglibdir)/oxdp_bench' || exit 1; \
	done

UNINSTALL_LOCAL += uninstall-bench
uninstall-bench:
	rm -rf '$(DESTDIR)$(xdppkglibdir)/oxdp_bench'
	rm -f '$(DESTDIR)$(xdppkglibdir)/oxdp-bench-gen' \
	  '$(DESTDIR)$(xdppkglibdir)/oxdp-bench-flows'
