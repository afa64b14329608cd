# ovs-xdp/automake.mk: the provider, and Open vSwitch's daemon with it inside.

# Named as the original so that a PATH that starts with our build directory is
# all it takes to run Open vSwitch's own tests; installed under the name that
# update-alternatives points to.
noinst_PROGRAMS += ovs-xdp/ovs-vswitchd

# Linked as objects: nothing refers to the constructor, so an archive's member
# would be left out.
ovs_xdp_ovs_vswitchd_SOURCES = \
	ovs-xdp/dpif-xdp-away.c \
	ovs-xdp/dpif-xdp-bond.c \
	ovs-xdp/dpif-xdp-bridge.c \
	ovs-xdp/dpif-xdp-carrier.c \
	ovs-xdp/dpif-xdp-cpu.c \
	ovs-xdp/dpif-xdp-ct.c \
	ovs-xdp/dpif-xdp-execute.c \
	ovs-xdp/dpif-xdp-fdb.c \
	ovs-xdp/dpif-xdp-flow.c \
	ovs-xdp/dpif-xdp-hook.c \
	ovs-xdp/dpif-xdp-macvlan.c \
	ovs-xdp/dpif-xdp-meter.c \
	ovs-xdp/dpif-xdp-metrics.c \
	ovs-xdp/dpif-xdp-port.c \
	ovs-xdp/dpif-xdp-register.c \
	ovs-xdp/dpif-xdp-show.c \
	ovs-xdp/dpif-xdp-show.h \
	ovs-xdp/dpif-xdp-trace.c \
	ovs-xdp/dpif-xdp-tunnel.c \
	ovs-xdp/dpif-xdp-unixctl.c \
	ovs-xdp/dpif-xdp-upcall.c \
	ovs-xdp/dpif-xdp-warm.c \
	ovs-xdp/dpif-xdp.c \
	ovs-xdp/dpif-xdp.h \
	ovs-xdp/netdev-xdp.c \
	ovs-xdp/netdev-xdp.h

$(ovs_xdp_ovs_vswitchd_OBJECTS): | $(bpf_skeletons)

# Open vSwitch functions that we stand in front of: __wrap_NAME is ours,
# __real_NAME the original.
ovs_wrapped_functions = \
	bond_create \
	bond_member_register \
	bond_member_set_may_enable \
	bond_member_unregister \
	bond_run \
	dpif_execute \
	dpif_operate \
	dpif_supports_explicit_drop_action \
	dpif_supports_lb_output_action \
	dpif_supports_tnl_push_pop \
	netdev_get_custom_stats \
	netdev_get_stats \
	ofproto_port_set_state \
	ovsdb_idl_omit \
	ovsrec_interface_set_error \
	ovsrec_interface_set_status \
	ovsrec_open_vswitch_first

ovs_xdp_ovs_vswitchd_LDFLAGS = $(ovs_wrapped_functions:%=-Wl,--wrap=%)
ovs_xdp_ovs_vswitchd_LDADD = $(OVS_VSWITCHD_OBJS) $(OXDP_LDADD)
ovs_xdp_ovs_vswitchd_DEPENDENCIES = \
	lib/liboxdp.a $(OVS_VSWITCHD_OBJS) $(OVS_ARCHIVES)

xdppkglibdir = $(prefix)/lib/openvswitch-switch-xdp

INSTALL_EXEC_LOCAL += install-vswitchd
install-vswitchd: ovs-xdp/ovs-vswitchd
	$(MKDIR_P) '$(DESTDIR)$(xdppkglibdir)'
	$(INSTALL_PROGRAM) ovs-xdp/ovs-vswitchd \
	  '$(DESTDIR)$(xdppkglibdir)/ovs-vswitchd-xdp'

UNINSTALL_LOCAL += uninstall-vswitchd
uninstall-vswitchd:
	rm -f '$(DESTDIR)$(xdppkglibdir)/ovs-vswitchd-xdp'
	-test ! -d '$(DESTDIR)$(xdppkglibdir)' \
	  || rmdir '$(DESTDIR)$(xdppkglibdir)'
