# utilities/automake.mk: scripts for people.

# Installed in sbin.
dist_sbin_SCRIPTS += \
	utilities/ovs-xdp-lab
