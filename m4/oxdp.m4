# oxdp.m4: the checks that configure.ac is made of.
#
# The OXDP_FIND_* macros run before AC_PROG_CC and use neither a compiler nor
# pkg.m4, so that a machine with nothing installed gets one complete list of
# packages instead of one error after the other.

# OXDP_MISSING_INIT
# Starts the list of what is missing: lines for the reader in $oxdp_missing,
# Debian package names in $oxdp_packages.
AC_DEFUN([OXDP_MISSING_INIT],
  [oxdp_missing=
   oxdp_packages=
   oxdp_nl='
'
   # oxdp_lacks WHAT PACKAGE...
   oxdp_lacks () {
     oxdp_missing="$oxdp_missing$oxdp_nl  $[1]"
     shift
     for oxdp_pkg in "$[@]"; do
       case " $oxdp_packages " in
         *" $oxdp_pkg "*) ;;
         *) oxdp_packages="$oxdp_packages $oxdp_pkg" ;;
       esac
     done
   }
   # oxdp_path PROGRAM: prints where it is.  /usr/sbin counts for everybody.
   oxdp_path () {
     (PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; command -v "$[1]")
   }])

# OXDP_MISSING_REPORT
# Ends configure, naming all that is missing, if anything is.
AC_DEFUN([OXDP_MISSING_REPORT],
  [if test -n "$oxdp_missing"; then
     oxdp_help=
     if test -n "$oxdp_packages"; then
       oxdp_help="$oxdp_nl${oxdp_nl}On Debian, as root:$oxdp_nl
  apt-get install --no-install-recommends$oxdp_packages$oxdp_nl"
     fi
     AC_MSG_ERROR([cannot build ovs-xdp here, because of:
$oxdp_missing$oxdp_help])
   fi])

# OXDP_ARG_OVS
AC_DEFUN([OXDP_ARG_OVS],
  [AC_ARG_WITH([ovs],
     [AS_HELP_STRING([--with-ovs=TARBALL|DIR],
        [Open vSwitch to build against: a source tarball or an unpacked source
         tree, built or not @<:@what Debian package openvswitch-source has
         installed in /usr/src/openvswitch@:>@])],
     [],
     [# Debian 12 installs a tarball, Debian 13 an unpacked tree.
      with_ovs=/usr/src/openvswitch
      if test ! -f $with_ovs/configure; then
        with_ovs=$with_ovs/openvswitch.tar.gz
      fi])
   case $with_ovs in
     yes | no | '')
       AC_MSG_ERROR([--with-ovs needs a source tarball or a directory]) ;;
     /*) ;;
     *) with_ovs=`pwd`/$with_ovs ;;
   esac
   AC_SUBST([with_ovs])
   AC_ARG_VAR([OVS_XDP_CACHE],
     [directory of built Open vSwitch trees @<:@~/.cache/ovs-xdp@:>@])])

# OXDP_ARG_WERROR
AC_DEFUN([OXDP_ARG_WERROR],
  [AC_ARG_ENABLE([Werror],
     [AS_HELP_STRING([--enable-Werror], [make C compiler warnings errors (BPF
        programs are always built that way)])],
     [], [enable_Werror=no])])

# OXDP_FIND_BUILD_TOOLS
# What Open vSwitch and we are compiled with.
AC_DEFUN([OXDP_FIND_BUILD_TOOLS],
  [AC_MSG_CHECKING([for a C compiler, make, python3, flock and pkg-config])
   oxdp_found=
   oxdp_cc=
   for oxdp_try in $CC gcc cc clang; do
     case $oxdp_try in -*) continue ;; esac
     if oxdp_cc=`oxdp_path $oxdp_try`; then break; fi
   done
   if test -z "$oxdp_cc"; then
     oxdp_lacks "C compiler: none found" gcc libc6-dev
     oxdp_found="$oxdp_found no-compiler"
   elif echo 'int main(void) { return 0; }' > conftest.c \
        && ! $oxdp_cc -include stdio.h -o conftest conftest.c \
             >/dev/null 2>&AS_MESSAGE_LOG_FD; then
     oxdp_lacks "C compiler: $oxdp_cc does not make programs" gcc libc6-dev
     oxdp_found="$oxdp_found bad-compiler"
   fi
   rm -f conftest conftest.c
   for oxdp_try in make/make flock/util-linux; do
     oxdp_prog=${oxdp_try%/*}
     if oxdp_path $oxdp_prog >/dev/null; then :; else
       oxdp_lacks "$oxdp_prog: not found" ${oxdp_try#*/}
       oxdp_found="$oxdp_found no-$oxdp_prog"
     fi
   done

   # Debian's own Python first: a private one may lack what tests import.
   if test -z "$PYTHON3"; then
     if test -x /usr/bin/python3; then
       PYTHON3=/usr/bin/python3
     else
       PYTHON3=`oxdp_path python3`
     fi
   fi
   if test -z "$PYTHON3"; then
     oxdp_lacks "python3: not found" python3
     oxdp_found="$oxdp_found no-python3"
   fi
   AC_ARG_VAR([PYTHON3], [Python 3 interpreter])

   if test -z "$PKG_CONFIG"; then
     PKG_CONFIG=`oxdp_path pkg-config || oxdp_path pkgconf`
   fi
   if test -z "$PKG_CONFIG"; then
     oxdp_lacks "pkg-config: not found" pkg-config
     oxdp_found="$oxdp_found no-pkg-config"
   fi
   AC_ARG_VAR([PKG_CONFIG], [path to pkg-config])
   AC_MSG_RESULT([${oxdp_found:-yes}])])

# OXDP_FIND_CLANG_BPF
# The newest clang, 16 or later, that makes BPF objects.  CLANG, LLVM_STRIP.
AC_DEFUN([OXDP_FIND_CLANG_BPF],
  [AC_ARG_VAR([CLANG], [clang for the BPF programs, 16 or later])
   AC_ARG_VAR([LLVM_STRIP], [llvm-strip, to drop DWARF from the BPF objects])
   AC_MSG_CHECKING([for clang 16 or later that can target BPF])
   echo 'int oxdp(void *ctx) { return ctx != 0; }' > conftest.c
   oxdp_clang=
   oxdp_clang_version=0
   oxdp_clang_why=
   # The candidates: every clang and clang-N on the path, or just $CLANG.
   if test -n "$CLANG"; then
     oxdp_try_list=$CLANG
   else
     oxdp_try_list=clang
     oxdp_try=40
     while test $oxdp_try -ge 16; do
       oxdp_try_list="$oxdp_try_list clang-$oxdp_try"
       oxdp_try=`expr $oxdp_try - 1`
     done
   fi
   for oxdp_try in $oxdp_try_list; do
     oxdp_prog=`oxdp_path $oxdp_try` || continue
     oxdp_ver=`echo __clang_major__ | $oxdp_prog -E -P -x c - \
               2>&AS_MESSAGE_LOG_FD | tail -n 1`
     case $oxdp_ver in
       @<:@0-9@:>@*) ;;
       *) continue ;;
     esac
     if test $oxdp_ver -lt 16; then
       oxdp_clang_why="$oxdp_prog is version $oxdp_ver"
     elif $oxdp_prog -target bpf -mcpu=v3 -O2 -g -c conftest.c \
          -o conftest.bpf.o 2>&AS_MESSAGE_LOG_FD; then
       if test $oxdp_ver -gt $oxdp_clang_version; then
         oxdp_clang=$oxdp_prog
         oxdp_clang_version=$oxdp_ver
       fi
     else
       oxdp_clang_why="$oxdp_prog cannot compile for BPF"
     fi
   done
   rm -f conftest.c conftest.bpf.o
   if test -n "$oxdp_clang"; then
     CLANG=$oxdp_clang
     AC_MSG_RESULT([$CLANG, version $oxdp_clang_version])
     if test -z "$LLVM_STRIP"; then
       for oxdp_try in llvm-strip-$oxdp_clang_version llvm-strip; do
         if LLVM_STRIP=`oxdp_path $oxdp_try`; then break; fi
       done
     fi
   else
     AC_MSG_RESULT([${oxdp_clang_why:-no}])
     oxdp_lacks "clang 16 or later: ${oxdp_clang_why:-not found}" \
       clang-19 llvm-19
   fi
   AC_MSG_CHECKING([for llvm-strip])
   AC_MSG_RESULT([${LLVM_STRIP:-no, BPF objects will keep their DWARF}])])

# OXDP_FIND_BPFTOOL
AC_DEFUN([OXDP_FIND_BPFTOOL],
  [AC_ARG_VAR([BPFTOOL], [bpftool, to make skeletons])
   AC_MSG_CHECKING([for bpftool])
   if test -z "$BPFTOOL"; then
     BPFTOOL=`oxdp_path bpftool`
   fi
   if test -n "$BPFTOOL" && $BPFTOOL version >/dev/null 2>&AS_MESSAGE_LOG_FD
   then
     AC_MSG_RESULT([$BPFTOOL])
   else
     AC_MSG_RESULT([no])
     oxdp_lacks "bpftool: not found" bpftool
   fi])

# OXDP_FIND_LIBRARIES
# libbpf, libxdp and libcap-ng for us: OXDP_LIBS, OXDP_DEP_CFLAGS.
AC_DEFUN([OXDP_FIND_LIBRARIES],
  [OXDP_LIBS=
   OXDP_DEP_CFLAGS=
   # oxdp_library MODULE MINIMUM HEADER PACKAGE: asks pkg-config, or, while
   # there is none, looks for the header.
   oxdp_library () {
     AS_ECHO_N(["checking for $[1]${2:+ >= $[2]}... "])
     if test -z "$PKG_CONFIG"; then
       if test -e /usr/include/$[3]; then
         AS_ECHO(["cannot tell without pkg-config"])
       else
         AS_ECHO(["no"])
         oxdp_lacks "$[1]: no /usr/include/$[3]" $[4]
       fi
       return 1
     fi
     oxdp_ver=`$PKG_CONFIG --modversion $[1] 2>&AS_MESSAGE_LOG_FD`
     if test -z "$oxdp_ver"; then
       AS_ECHO(["no"])
       oxdp_lacks "$[1]: pkg-config does not know it" $[4]
       return 1
     elif test -n "$[2]" \
          && ! $PKG_CONFIG --atleast-version=$[2] $[1]; then
       AS_ECHO(["no, $oxdp_ver"])
       oxdp_lacks "$[1]: is $oxdp_ver, must be $[2] or later" $[4]
       return 1
     fi
     AS_ECHO(["$oxdp_ver"])
   }
   for oxdp_try in \
     libxdp//xdp/xsk.h/libxdp-dev \
     libbpf/1.1/bpf/libbpf.h/libbpf-dev \
     libcap-ng//cap-ng.h/libcap-ng-dev
   do
     oxdp_mod=${oxdp_try%%/*}
     oxdp_rest=${oxdp_try#*/}
     oxdp_min=${oxdp_rest%%/*}
     oxdp_rest=${oxdp_rest#*/}
     if oxdp_library $oxdp_mod "$oxdp_min" ${oxdp_rest%/*} ${oxdp_rest##*/}
     then
       OXDP_LIBS="$OXDP_LIBS `$PKG_CONFIG --libs $oxdp_mod`"
       OXDP_DEP_CFLAGS="$OXDP_DEP_CFLAGS `$PKG_CONFIG --cflags $oxdp_mod`"
     fi
   done
   AC_SUBST([OXDP_LIBS])
   AC_SUBST([OXDP_DEP_CFLAGS])])

# OXDP_FIND_OVS_SOURCE
# Looks at --with-ovs without building anything.  Sets OVS_VERSION, and
# $oxdp_ovs_kind to what build-aux/ovs-cache says it is: "tarball", "source"
# (a tree to be built), "built".
AC_DEFUN([OXDP_FIND_OVS_SOURCE],
  [AC_MSG_CHECKING([for Open vSwitch in $with_ovs])
   OVS_VERSION=
   oxdp_ovs_kind=
   if oxdp_out=`"$ac_aux_dir/ovs-cache" --identify "$with_ovs" \
                2>conftest.err`; then
     set dummy $oxdp_out
     oxdp_ovs_kind=$[2]
     OVS_VERSION=$[3]
     AC_MSG_RESULT([$OVS_VERSION, $oxdp_ovs_kind])
   else
     AC_MSG_RESULT([no])
     oxdp_out=`sed 's/^ovs-cache: //' conftest.err`
     if test -e "$with_ovs"; then
       oxdp_lacks "Open vSwitch: $oxdp_out"
     else
       oxdp_lacks "Open vSwitch: $oxdp_out" openvswitch-source
     fi
   fi
   rm -f conftest.err
   if test "$oxdp_ovs_kind" != built; then
     oxdp_library openssl '' openssl/ssl.h libssl-dev
     oxdp_library libunbound '' unbound.h libunbound-dev
   fi

   oxdp_major=`echo "$OVS_VERSION" | sed 's/\..*//'`
   oxdp_minor=`echo "$OVS_VERSION" | sed 's/^@<:@^.@:>@*\.//; s/@<:@^0-9@:>@.*//'`
   OXDP_OVS_VERSION=`expr 0$oxdp_major '*' 100 + 0$oxdp_minor`
   if test -n "$OVS_VERSION" && test $OXDP_OVS_VERSION -lt 301; then
     oxdp_lacks "Open vSwitch: $with_ovs is $OVS_VERSION, must be 3.1 or later"
   fi
   AC_SUBST([OVS_VERSION])
   AC_SUBST([OXDP_OVS_VERSION])])

# OXDP_CHECK_WARNINGS
# OVS's own set, less -Wunused-parameter, which a table of callbacks cannot
# meet, -Wswitch-enum, which would want every action of every version, and
# -Wcast-align=strict, for the words that BPF code works on.
AC_DEFUN([OXDP_CHECK_WARNINGS],
  [OXDP_CFLAGS=
   AC_LANG_PUSH([C])
   oxdp_save_CFLAGS=$CFLAGS
   for oxdp_try in \
     -std=gnu11 -fno-strict-aliasing \
     -Wall -Wextra -Wno-sign-compare -Wno-unused-parameter \
     -Wpointer-arith -Wformat -Wformat-security \
     -Wstrict-prototypes -Wold-style-definition \
     -Wmissing-prototypes -Wmissing-field-initializers -Wswitch-bool \
     -Wlogical-not-parentheses -Wsizeof-array-argument -Wbool-compare \
     -Wshift-negative-value -Wduplicated-cond -Wshadow \
     -Wmultistatement-macros
   do
     AC_MSG_CHECKING([whether $CC accepts $oxdp_try])
     CFLAGS="$oxdp_save_CFLAGS -Werror $OXDP_CFLAGS $oxdp_try"
     AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
       [AC_MSG_RESULT([yes])
        OXDP_CFLAGS="$OXDP_CFLAGS $oxdp_try"],
       [AC_MSG_RESULT([no])])
   done
   CFLAGS=$oxdp_save_CFLAGS
   AC_LANG_POP([C])
   if test "$enable_Werror" = yes; then
     OXDP_CFLAGS="$OXDP_CFLAGS -Werror"
   fi
   AC_SUBST([OXDP_CFLAGS])])

# OXDP_CHECK_BPF_ENVIRONMENT
# Where <asm/types.h> is, and what bpf_tracing.h calls this machine.
AC_DEFUN([OXDP_CHECK_BPF_ENVIRONMENT],
  [AC_MSG_CHECKING([how to compile BPF programs with kernel headers])
   oxdp_multiarch=`$CC -print-multiarch 2>/dev/null`
   BPF_CPPFLAGS=
   if test -n "$oxdp_multiarch" && test -d /usr/include/$oxdp_multiarch; then
     BPF_CPPFLAGS="-idirafter /usr/include/$oxdp_multiarch"
   fi
   case `uname -m` in
     x86_64 | i?86) oxdp_arch=x86 ;;
     aarch64)       oxdp_arch=arm64 ;;
     arm*)          oxdp_arch=arm ;;
     ppc64*)        oxdp_arch=powerpc ;;
     s390*)         oxdp_arch=s390 ;;
     riscv*)        oxdp_arch=riscv ;;
     mips*)         oxdp_arch=mips ;;
     *)             oxdp_arch=`uname -m` ;;
   esac
   BPF_CPPFLAGS="-D__TARGET_ARCH_$oxdp_arch $BPF_CPPFLAGS"
   AC_ARG_VAR([BPF_CFLAGS], [compiler flags for the BPF programs])
   : ${BPF_CFLAGS=-O2 -g}
   cat > conftest.bpf.c <<'_ACEOF'
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
SEC("xdp") int oxdp(struct xdp_md *ctx) { return bpf_htons(ctx->data != 0); }
char _license@<:@@:>@ SEC("license") = "GPL";
_ACEOF
   oxdp_cmd="$CLANG -target bpf -mcpu=v3 $BPF_CFLAGS $BPF_CPPFLAGS"
   if $oxdp_cmd -c conftest.bpf.c -o conftest.bpf.o 2>conftest.err; then
     :
   else
     cat conftest.err >&AS_MESSAGE_LOG_FD
     AC_MSG_RESULT([no])
     AC_MSG_ERROR([this fails (is linux-libc-dev installed?):
  $oxdp_cmd
`head -n 5 conftest.err`])
   fi
   if $BPFTOOL gen skeleton conftest.bpf.o name oxdp > conftest.skel.h \
        2>conftest.err && grep oxdp__open conftest.skel.h >/dev/null; then
     :
   else
     cat conftest.err >&AS_MESSAGE_LOG_FD
     AC_MSG_RESULT([no])
     AC_MSG_ERROR([$BPFTOOL cannot make a skeleton:
`head -n 5 conftest.err`])
   fi
   rm -f conftest.bpf.c conftest.bpf.o conftest.skel.h conftest.err
   AC_MSG_RESULT([$BPF_CPPFLAGS])
   AC_SUBST([BPF_CPPFLAGS])])

# OXDP_BUILD_OVS
# Gets a built Open vSwitch, from the cache or by building it now, and links a
# program against it.  OVS_SRC, OVS_BUILD, OVS_LIBS, OVS_VSWITCHD_OBJS.
AC_DEFUN([OXDP_BUILD_OVS],
  [AC_MSG_NOTICE([getting Open vSwitch $OVS_VERSION from $with_ovs])
   export OVS_XDP_CACHE PYTHON3
   test -n "$OVS_XDP_CACHE" || unset OVS_XDP_CACHE
   oxdp_out=`"$ac_aux_dir/ovs-cache" "$with_ovs"` \
     || AC_MSG_ERROR([Open vSwitch is not usable, see above])
   OVS_SRC=`echo "$oxdp_out" | sed -n 's/^src //p'`
   OVS_BUILD=`echo "$oxdp_out" | sed -n 's/^build //p'`

   # oxdp_ovs_var NAME: what OVS's own Makefile has in a variable.
   oxdp_ovs_var () {
     sed -n "s/^$[1] = *//p" "$OVS_BUILD/Makefile"
   }
   OVS_VSWITCHD_OBJS=
   for oxdp_obj in "$OVS_BUILD"/vswitchd/*.o; do
     OVS_VSWITCHD_OBJS="$OVS_VSWITCHD_OBJS $oxdp_obj"
   done
   OVS_ARCHIVES=
   for oxdp_lib in ofproto/.libs/libofproto.a lib/.libs/libsflow.a \
                   lib/.libs/libopenvswitch.a \
                   lib/.libs/libopenvswitchavx512.a; do
     if test -f "$OVS_BUILD/$oxdp_lib"; then
       OVS_ARCHIVES="$OVS_ARCHIVES $OVS_BUILD/$oxdp_lib"
     fi
   done
   # Open vSwitch's archives refer to each other.
   OVS_LDADD="-Wl,--start-group $OVS_ARCHIVES -Wl,--end-group"
   oxdp_ldflags="`oxdp_ovs_var SSL_LDFLAGS` `oxdp_ovs_var OVS_LDFLAGS`"
   oxdp_ldflags="$oxdp_ldflags `oxdp_ovs_var DPDK_vswitchd_LDFLAGS`"
   OVS_LIBS="$oxdp_ldflags `oxdp_ovs_var SSL_LIBS`"
   OVS_LIBS="$OVS_LIBS `oxdp_ovs_var CAPNG_LDADD`"
   OVS_LIBS="$OVS_LIBS `oxdp_ovs_var LIBBPF_LDADD`"
   OVS_LIBS="$OVS_LIBS `oxdp_ovs_var LIBS` `oxdp_ovs_var PTHREAD_LIBS`"
   OVS_LIBS=`AS_ECHO(["$OVS_LIBS"]) | sed 's/   */ /g'`
   OVS_CPPFLAGS="-I$OVS_SRC/include -I$OVS_BUILD/include \
-I$OVS_SRC/lib -I$OVS_BUILD/lib -I$OVS_SRC/ofproto -I$OVS_SRC/vswitchd \
-I$OVS_BUILD/vswitchd -I$OVS_BUILD -I$OVS_SRC"
   AC_MSG_CHECKING([whether programs link with this Open vSwitch])
   oxdp_save_CPPFLAGS=$CPPFLAGS
   oxdp_save_LIBS=$LIBS
   CPPFLAGS="$OVS_CPPFLAGS $CPPFLAGS"
   LIBS="$OVS_LDADD $OVS_LIBS $LIBS"
   AC_LINK_IFELSE(
     [AC_LANG_SOURCE([[
#include <config.h>
#include "dpif-provider.h"
#include "ofproto/ofproto-provider.h"
int main(void) { return dp_register_provider(NULL) + (ofproto_init != 0); }
]])],
     [oxdp_links=yes], [oxdp_links=no])
   CPPFLAGS=$oxdp_save_CPPFLAGS
   LIBS=$oxdp_save_LIBS
   AC_MSG_RESULT([$oxdp_links])
   if test $oxdp_links = no; then
     AC_MSG_ERROR([cannot link with $OVS_BUILD, see config.log.
It was configured on a machine that had other libraries: install them, or
remove that directory so that it is built again.])
   fi
   AC_SUBST([OVS_SRC])
   AC_SUBST([OVS_BUILD])
   AC_SUBST([OVS_CPPFLAGS])
   AC_SUBST([OVS_VSWITCHD_OBJS])
   AC_SUBST([OVS_ARCHIVES])
   AC_SUBST([OVS_LDADD])
   AC_SUBST([OVS_LIBS])])
