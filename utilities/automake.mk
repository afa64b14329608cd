# utilities/automake.mk: programs for people.

# Installed in sbin.
dist_sbin_SCRIPTS += \
	utilities/ovs-xdp-bench \
	utilities/ovs-xdp-lab

sbin_PROGRAMS += utilities/ovs-xdp-ctl
utilities_ovs_xdp_ctl_SOURCES = utilities/ovs-xdp-ctl.c
utilities_ovs_xdp_ctl_LDADD = $(OXDP_LDADD)

# What ovs-xdp-bench runs, installed beside our ovs-vswitchd.
noinst_PROGRAMS += utilities/oxdp-bench-gen
utilities_oxdp_bench_gen_SOURCES = utilities/oxdp-bench-gen.c
# Without the headers of Open vSwitch, which stand in front of the kernel's.
utilities_oxdp_bench_gen_CPPFLAGS = -Iutilities/bpf $(OXDP_DEP_CFLAGS)
utilities_oxdp_bench_gen_LDADD = $(OXDP_LIBS) -lpthread
$(utilities_oxdp_bench_gen_OBJECTS): utilities/bpf/oxdp-bench.skel.h

EXTRA_DIST += utilities/bpf/oxdp-bench.bpf.c
CLEANFILES += utilities/bpf/oxdp-bench.bpf.o utilities/bpf/oxdp-bench.skel.h
BUILT_SOURCES += utilities/bpf/oxdp-bench.skel.h
.SECONDARY: utilities/bpf/oxdp-bench.bpf.o
-include utilities/bpf/$(DEPDIR)/*.bpo
CLEAN_LOCAL += clean-bench-deps
clean-bench-deps:
	rm -f utilities/bpf/$(DEPDIR)/*.bpo utilities/bpf/*.tmp

INSTALL_EXEC_LOCAL += install-bench-gen
install-bench-gen: utilities/oxdp-bench-gen
	$(MKDIR_P) '$(DESTDIR)$(xdppkglibdir)'
	$(INSTALL_PROGRAM) utilities/oxdp-bench-gen \
	  '$(DESTDIR)$(xdppkglibdir)/oxdp-bench-gen'

UNINSTALL_LOCAL += uninstall-bench-gen
uninstall-bench-gen:
	rm -f '$(DESTDIR)$(xdppkglibdir)/oxdp-bench-gen'
