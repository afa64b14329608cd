# utilities/monitoring/automake.mk: for Prometheus and Grafana.

dist_xdppkglib_SCRIPTS = utilities/monitoring/ovs-xdp-metrics

dist_pkgdata_DATA = utilities/monitoring/grafana-dashboard.json

systemdunitdir = $(prefix)/lib/systemd/system
dist_systemdunit_DATA = utilities/monitoring/ovs-xdp-metrics.timer
nodist_systemdunit_DATA = utilities/monitoring/ovs-xdp-metrics.service
EXTRA_DIST += utilities/monitoring/ovs-xdp-metrics.service.in
CLEANFILES += utilities/monitoring/ovs-xdp-metrics.service
utilities/monitoring/ovs-xdp-metrics.service: \
		utilities/monitoring/ovs-xdp-metrics.service.in Makefile
	$(AM_V_at)$(MKDIR_P) utilities/monitoring
	$(AM_V_GEN)sed 's,@xdppkglibdir@,$(xdppkglibdir),' \
	  '$(srcdir)/utilities/monitoring/ovs-xdp-metrics.service.in' > $@
