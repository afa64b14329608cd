# lib/automake.mk: what knows Open vSwitch's types but not the dpif.

noinst_LIBRARIES += lib/liboxdp.a

lib_liboxdp_a_SOURCES = \
	lib/oxdp-actions.c \
	lib/oxdp-actions.h \
	lib/oxdp-attach.c \
	lib/oxdp-attach.h \
	lib/oxdp-bport.c \
	lib/oxdp-bport.h \
	lib/oxdp-bflood.c \
	lib/oxdp-bflood.h \
	lib/oxdp-bridge.c \
	lib/oxdp-bridge.h \
	lib/oxdp-buckets.c \
	lib/oxdp-buckets.h \
	lib/oxdp-compile.c \
	lib/oxdp-compile.h \
	lib/oxdp-fdb.c \
	lib/oxdp-fdb.h \
	lib/oxdp-flood.c \
	lib/oxdp-flood.h \
	lib/oxdp-format.c \
	lib/oxdp-format.h \
	lib/oxdp-index.c \
	lib/oxdp-index.h \
	lib/oxdp-instance.c \
	lib/oxdp-instance.h \
	lib/oxdp-legacy.c \
	lib/oxdp-legacy.h \
	lib/oxdp-loader.c \
	lib/oxdp-loader.h \
	lib/oxdp-macs.c \
	lib/oxdp-macs.h \
	lib/oxdp-masks.c \
	lib/oxdp-masks.h \
	lib/oxdp-match.c \
	lib/oxdp-match.h \
	lib/oxdp-netdev.c \
	lib/oxdp-netdev.h \
	lib/oxdp-pin.c \
	lib/oxdp-pin.h \
	lib/oxdp-pool.c \
	lib/oxdp-pool.h \
	lib/oxdp-queue.c \
	lib/oxdp-queue.h \
	lib/oxdp-table.c \
	lib/oxdp-table.h \
	lib/oxdp-xsk.c \
	lib/oxdp-xsk.h

# For a first build that is asked for less than "all".
$(lib_liboxdp_a_OBJECTS): | $(bpf_skeletons)

# What a program that uses liboxdp.a is linked with, in this order.
OXDP_LDADD = lib/liboxdp.a $(OVS_LDADD) $(OXDP_LIBS) $(OVS_LIBS)
