# Documentation/automake.mk

EXTRA_DIST += \
	Documentation/building.rst \
	Documentation/design.rst \
	Documentation/lab.rst \
	Documentation/operating.rst \
	Documentation/packages.rst \
	Documentation/testing.rst
