# Documentation/automake.mk

EXTRA_DIST += \
	Documentation/building.rst
