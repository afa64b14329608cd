# debian/automake.mk: Debian packages.

EXTRA_DIST += \
	build-aux/check-deb \
	debian/changelog \
	debian/control \
	debian/copyright \
	debian/openvswitch-switch-xdp.docs \
	debian/openvswitch-switch-xdp.install \
	debian/openvswitch-switch-xdp.postinst \
	debian/openvswitch-switch-xdp.prerm \
	debian/ovs-xdp-utils.install \
	debian/rules \
	debian/source/format

# Source and binary packages in deb/, from the archive that "make dist" makes.
.PHONY: deb
deb: dist
	rm -rf deb
	$(MKDIR_P) deb
	cp '$(distdir).tar.xz' 'deb/ovs-xdp_$(PACKAGE_VERSION).orig.tar.xz'
	cd deb && tar -xf '../$(distdir).tar.xz'
	cd 'deb/$(distdir)' && dpkg-buildpackage -us -uc
	rm -rf 'deb/$(distdir)'
CLEAN_LOCAL += clean-deb
clean-deb:
	rm -rf deb

.PHONY: check-deb
check-deb:
	'$(srcdir)/build-aux/check-deb' deb
