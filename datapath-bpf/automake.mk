# datapath-bpf/automake.mk: BPF programs, and their skeletons for lib/.

# Shared with C in lib/ and ovs-xdp/, or between the programs.
noinst_HEADERS += \
	datapath-bpf/oxdp-abi.h \
	datapath-bpf/oxdp-action.h \
	datapath-bpf/oxdp-bond.h \
	datapath-bpf/oxdp-common.h \
	datapath-bpf/oxdp-compat.h \
	datapath-bpf/oxdp-csum.h \
	datapath-bpf/oxdp-ctx-skb.h \
	datapath-bpf/oxdp-ctx-xdp.h \
	datapath-bpf/oxdp-filter.h \
	datapath-bpf/oxdp-gate.h \
	datapath-bpf/oxdp-hash.h \
	datapath-bpf/oxdp-hint.h \
	datapath-bpf/oxdp-key.h \
	datapath-bpf/oxdp-local.h \
	datapath-bpf/oxdp-mac.h \
	datapath-bpf/oxdp-macvlan.h \
	datapath-bpf/oxdp-maps.h \
	datapath-bpf/oxdp-megaflow.h \
	datapath-bpf/oxdp-meter.h \
	datapath-bpf/oxdp-mpls.h \
	datapath-bpf/oxdp-parse.h \
	datapath-bpf/oxdp-port.h \
	datapath-bpf/oxdp-predict.h \
	datapath-bpf/oxdp-set.h \
	datapath-bpf/oxdp-size.h \
	datapath-bpf/oxdp-skb.h \
	datapath-bpf/oxdp-stats.h \
	datapath-bpf/oxdp-trace.h \
	datapath-bpf/oxdp-upcall.h \
	datapath-bpf/oxdp-vlan.h

# oxdp-NAME.bpf.c becomes oxdp-NAME.bpf.o and oxdp-NAME.skel.h, whose
# functions start with oxdp_NAME__.
bpf_sources = \
	datapath-bpf/oxdp-cpu.bpf.c \
	datapath-bpf/oxdp-tc.bpf.c \
	datapath-bpf/oxdp-tc-trace.bpf.c \
	datapath-bpf/oxdp-xdp.bpf.c \
	datapath-bpf/oxdp-xdp-trace.bpf.c

bpf_objects = $(bpf_sources:.bpf.c=.bpf.o)
bpf_skeletons = $(bpf_sources:.bpf.c=.skel.h)

EXTRA_DIST += $(bpf_sources) datapath-bpf/COPYING
CLEANFILES += $(bpf_objects) $(bpf_skeletons)
BUILT_SOURCES += $(bpf_skeletons)

# -g makes the BTF.  Its DWARF sibling is of no use in the daemon.  Unused
# parameters are what one interface to two contexts is made of.
BPF_COMPILE = $(CLANG) -target bpf -mcpu=v3 $(BPF_CFLAGS) \
	-Wall -Wextra -Wno-unused-parameter -Werror $(AM_BPF_CPPFLAGS) $(BPF_CPPFLAGS)
AM_BPF_CPPFLAGS = -I$(top_srcdir)/datapath-bpf

# Make would take the objects for intermediate files and delete them.
.SECONDARY: $(bpf_objects)

SUFFIXES += .bpf.c .bpf.o .skel.h

.bpf.c.bpf.o:
	@$(MKDIR_P) $(@D)/$(DEPDIR)
	$(AM_V_BPF)d=$(@D)/$(DEPDIR)/$(@F:.o=); \
	$(BPF_COMPILE) -MD -MP -MT $@ -MF $$d.Tpo -c -o $@.tmp $< \
	&& if test -n '$(LLVM_STRIP)'; then $(LLVM_STRIP) -g $@.tmp; fi \
	&& mv $$d.Tpo $$d.bpo && mv $@.tmp $@
AM_V_BPF = $(AM_V_BPF_@AM_V@)
AM_V_BPF_ = $(AM_V_BPF_@AM_DEFAULT_V@)
AM_V_BPF_0 = @echo "  BPF     " $@;

# Our warnings are not for generated code: newer bpftools' does not meet them.
.bpf.o.skel.h:
	$(AM_V_SKEL)name=`echo $(@F:.skel.h=) | tr - _`; \
	{ echo '#pragma GCC system_header' \
	  && $(BPFTOOL) gen skeleton $< name $$name; } > $@.tmp && mv $@.tmp $@
AM_V_SKEL = $(AM_V_SKEL_@AM_V@)
AM_V_SKEL_ = $(AM_V_SKEL_@AM_DEFAULT_V@)
AM_V_SKEL_0 = @echo "  SKEL    " $@;

# Headers that a program was compiled with, from the last time.
-include datapath-bpf/$(DEPDIR)/*.bpo
CLEAN_LOCAL += clean-bpf-deps
clean-bpf-deps:
	rm -f datapath-bpf/$(DEPDIR)/*.bpo datapath-bpf/$(DEPDIR)/*.Tpo
	rm -f datapath-bpf/*.tmp
