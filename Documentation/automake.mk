# Documentation/automake.mk

EXTRA_DIST += \
	Documentation/abi.rst \
	Documentation/benchmarks.rst \
	Documentation/building.rst \
	Documentation/cni.rst \
	Documentation/configuration.rst \
	Documentation/design.rst \
	Documentation/diagnosing.rst \
	Documentation/faq.rst \
	Documentation/how-it-works.rst \
	Documentation/lab.rst \
	Documentation/limits.rst \
	Documentation/migration.rst \
	Documentation/monitoring.rst \
	Documentation/operating.rst \
	Documentation/ovn.rst \
	Documentation/packages.rst \
	Documentation/quickstart.rst \
	Documentation/testing.rst \
	Documentation/tuning.rst

# Manual pages, where there is rst2man.
EXTRA_DIST += \
	Documentation/man/ovs-xdp-bench.8.rst \
	Documentation/man/ovs-xdp-cni.8.rst \
	Documentation/man/ovs-xdp-ctl.8.rst \
	Documentation/man/ovs-xdp-lab.8.rst \
	Documentation/man/ovs-xdp.7.rst \
	Documentation/man/ovs-xdp.conf.db.5.rst
if HAVE_RST2MAN
man_MANS += \
	Documentation/man/ovs-xdp-bench.8 \
	Documentation/man/ovs-xdp-cni.8 \
	Documentation/man/ovs-xdp-ctl.8 \
	Documentation/man/ovs-xdp-lab.8 \
	Documentation/man/ovs-xdp.7 \
	Documentation/man/ovs-xdp.conf.db.5
$(man_MANS): %: %.rst
	$(AM_V_GEN)$(MKDIR_P) Documentation/man
	$(AM_V_at)$(RST2MAN) '$<' > '$@.tmp' && mv '$@.tmp' '$@'
CLEANFILES += $(man_MANS)
endif
