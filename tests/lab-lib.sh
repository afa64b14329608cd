# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# lab-lib.sh: for lab tests, which begin with
#
#   . "$(dirname "$0")/lab-lib.sh"
#
# Labs are those of ovs-xdp-lab, in a directory of the test's own.  $lab is the
# one that most functions are about, that of the last lab_start.  Whatever ends
# the test: its processes, labs and files are removed, and a test that failed
# shows what the daemons complained about.

set -u
export LC_ALL=C
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir/_build}"
lab_test=$(basename "$0" .test)
labs=()
lab_pids=()
vswitchd=$abs_top_builddir/ovs-xdp/ovs-vswitchd
lab=
PYTHON3=/usr/bin/python3        # Has Debian's python3-scapy.

skip () {
    echo "$lab_test: skipped: $*"
    exit 77
}

ovs_xdp_lab () {
    "$abs_top_srcdir/utilities/ovs-xdp-lab" "$@"
}

# Says what is checked from here on.
check () {
    echo "- $*"
    lab_check=$*
}

fail () {
    echo "FAILED: ${lab_check:-}: $*"
    exit 1
}

[ "$(id -u)" = 0 ] || skip "must run as root"
"$abs_top_srcdir/tests/netns-works" || skip "cannot make network namespaces"
lab_dir=$(mktemp -d "${TMPDIR:-/tmp}/ovs-xdp-test.XXXXXX") || exit 1
export OVS_XDP_LAB_DIR=$lab_dir OVS_XDP_BUILD=$abs_top_builddir
export TMPDIR=$lab_dir

lab_complaints () {
    local l

    for l in "${labs[@]}"; do
        echo "lab $l, ovs-vswitchd.log:"
        grep -E '\|(WARN|ERR|EMER)\|' "$lab_dir/$l/ovs-vswitchd.log" \
            2>/dev/null | tail -n 15
        OVS_RUNDIR=$lab_dir/$l ovs-appctl --timeout=2 dpif-xdp/show 2>/dev/null
    done
}

# The names of datapaths that are in the kernel, of this test's labs.
pinned_datapaths () {
    local name

    for name in /sys/fs/bpf/ovs-xdp/*; do
        case ${name//%2e/.} in
        *"${lab_dir//\//+}"+*) echo "${name##*/}" ;;
        esac
    done
}

lab_cleanup () {
    local status=$? pid l left

    trap - EXIT
    trap '' INT TERM HUP
    case $status in
    0 | 77) ;;
    *) lab_complaints ;;
    esac
    for pid in "${lab_pids[@]}"; do
        kill "$pid" 2>/dev/null
    done
    for l in "${labs[@]}"; do
        [ ! -e "$lab_dir/$l" ] || ovs_xdp_lab teardown --name "$l" &
    done
    wait
    for l in "${labs[@]}"; do
        left=$(ip netns list | grep -E "^$l-" | tr '\n' ' ')
        if [ -n "$left" ]; then
            echo "FAILED: namespaces stay: $left"
            [ $status != 0 ] || status=1
        fi
    done
    left=$(pinned_datapaths)
    if [ -n "$left" ]; then
        echo "FAILED: datapaths stay pinned: $left"
        [ $status != 0 ] || status=1
    fi
    cd /
    rm -rf "$lab_dir"
    exit $status
}
trap lab_cleanup EXIT
trap 'exit 130' INT TERM HUP

# lab_use NAME: this is $lab from now on.
lab_use () {
    lab=$1
    export OVS_RUNDIR=$lab_dir/$lab OVS_DBDIR=$lab_dir/$lab
    export OVS_LOGDIR=$lab_dir/$lab OVS_SYSCONFDIR=$lab_dir/$lab
    # shellcheck disable=SC2034
    log=$lab_dir/$lab/ovs-vswitchd.log
}

# lab_name SUFFIX: sets $lab to a name that no lab running now has.
lab_name () {
    lab_use "t$$$1"
    labs+=("$lab")
}

# lab_start SUFFIX [SETUP-OPTION...]: makes a lab.
lab_start () {
    local suffix=$1
    shift

    lab_name "$suffix"
    ovs_xdp_lab setup --name "$lab" "$@" >/dev/null \
        || fail "cannot make a lab ($*)"
}

# labs_start SUFFIX OPTIONS [SUFFIX OPTIONS]...: makes several at a time.
labs_start () {
    local pids=() pid

    while [ $# -gt 0 ]; do
        lab_name "$1"
        # shellcheck disable=SC2086
        ovs_xdp_lab setup --name "$lab" $2 >/dev/null &
        pids+=($!)
        shift 2
    done
    for pid in "${pids[@]}"; do
        wait "$pid" || fail "cannot make a lab"
    done
}

# on NODE COMMAND...: runs it in the namespace of a host, or of "switch".
on () {
    local node=$1
    shift

    nsenter --net="/run/netns/$lab-$node" -- "$@"
}

vsctl () {
    ovs-vsctl --timeout=10 "$@" || fail "ovs-vsctl $*"
}

appctl () {
    ovs-appctl --timeout=10 "$@" || fail "ovs-appctl $*"
}

ofctl () {
    ovs-ofctl --timeout=10 "$@" || fail "ovs-ofctl $*"
}

daemon_pid () {
    cat "$lab_dir/$lab/ovs-vswitchd.pid"
}

# background COMMAND...: sets $!; ended with the test.
background () {
    "$@" &
    lab_pids+=($!)
}

# eventually SECONDS COMMAND...: until it succeeds.
eventually () {
    local deadline=$((SECONDS + $1 + 1))
    shift

    until "$@"; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep .05
    done
}

# expect WANTED WHAT COMMAND...: its output is WANTED.
expect () {
    local wanted=$1 what=$2 out
    shift 2

    out=$("$@" 2>&1)
    [ "$out" = "$wanted" ] || fail "$what is \"$out\" instead of \"$wanted\""
}

# port_line PORT: what dpif-xdp/show says of a port.
port_line () {
    appctl dpif-xdp/show | grep -E "^ *port [0-9]+ $1 "
}

# port_count PORT COUNTER: "xdp hit", "tc hit", "miss", "punt", "to-skb",
# "drop" or the name of a reason to drop.
port_count () {
    local n

    n=$(port_line "$1" | grep -oE "[ (]$2 [0-9]+" | grep -oE '[0-9]+$')
    echo "${n:-0}"
}

# port_out PORT: and of how packets get out of it.
port_out () {
    appctl dpif-xdp/show | grep -E -A1 "^ *port [0-9]+ $1 " | sed -n '2s/^ *//p'
}

# peer_count PORT: packets that went straight to its peer.
peer_count () {
    port_out "$1" | grep -oE '[0-9]+$'
}

port_mode () {
    port_line "$1" | sed -E 's/^ *port [0-9]+ [^ ]+ +([a-z]+) .*/\1/'
}

# interface_error NAME: the column, empty if there is none.
interface_error () {
    ovs-vsctl --timeout=10 --bare get Interface "$1" error \
        | sed 's/^\[\]$//; s/^"\(.*\)"$/\1/'
}

# pings FROM TO-HOST [PING-ARGUMENT...]: all of 3 answered?
pings () {
    local from=$1 to=10.0.0.${2#h}
    shift 2

    on "$from" ping -q -c 3 -i .05 -W 1 "$@" "$to" 2>&1 \
        | grep -q ' 3 received'
}

# lab_bridge: makes the lab's bridge and ports again, after a del-br.
lab_bridge () {
    local n_hosts modes vlan type args=() i

    # shellcheck disable=SC1091
    . "$lab_dir/$lab/settings"
    for ((i = 1; i <= n_hosts; i++)); do
        args+=(-- add-port br0 "h$i" -- set Interface "h$i"
               "ofport_request=$i" "other_config:xdp-mode=${modes##*,}")
    done
    vsctl add-br br0 -- set Bridge br0 "datapath_type=$type" "${args[@]}"
}

# no_stack: hosts neither send nor answer anything on their own.
no_stack () {
    local ns

    while read -r ns; do
        nsenter --net="/run/netns/$ns" sh -c '
            for i in all default; do
                echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6
            done'
    done < "$lab_dir/$lab/netns"
    while read -r ns; do
        case $ns in
        *-switch) ip -n "$ns" link set br0 up arp off ;;
        *) ip -n "$ns" addr flush dev eth0
           ip -n "$ns" link set eth0 arp off ;;
        esac
    done < "$lab_dir/$lab/netns"
}

# tags_in_skb: the outermost tag of what lab-packets.py sends from hosts of
# this lab is beside the frame, as it is for a host's VLAN devices.
tags_in_skb () {
    local ns object=$lab_dir/tag-to-skb.o

    [ -e "$object" ] || "$CLANG" -target bpf -O2 -Wall -c -o "$object" \
            -idirafter "/usr/include/$(uname -m)-linux-gnu" \
            "$abs_top_srcdir/tests/bpf/tag-to-skb.bpf.c" \
        || fail "cannot compile tag-to-skb.bpf.c"
    while read -r ns; do
        case $ns in
        *-switch) ;;
        *) nsenter --net="/run/netns/$ns" ethtool -K eth0 txvlan on \
               && tc -n "$ns" qdisc add dev eth0 clsact \
               && tc -n "$ns" filter add dev eth0 egress bpf direct-action \
                      object-file "$object" section tc \
               || fail "cannot prepare tags beside frames in $ns" ;;
        esac
    done < "$lab_dir/$lab/netns"
}

need_scapy () {
    "$PYTHON3" -c 'import scapy' 2>/dev/null \
        || skip "scapy is missing, of Debian package python3-scapy"
}

# lab_packets VERB ARGUMENT...: see lab-packets.py.
lab_packets () {
    "$PYTHON3" "$abs_top_srcdir/tests/lab-packets.py" "$@"
}

# stop_daemon [SIGNAL]: and waits until it is gone.
stop_daemon () {
    local pid

    pid=$(daemon_pid)
    kill "-${1:-TERM}" "$pid"
    eventually 10 daemon_gone "$pid" || fail "ovs-vswitchd does not end"
}

daemon_gone () {
    ! kill -0 "$1" 2>/dev/null || grep -qs '^State:.Z' "/proc/$1/status"
}

# start_daemon [PREFIX...]: $vswitchd, in the switch's namespace, by the command
# PREFIX.
start_daemon () {
    local pid

    on switch "$@" "$vswitchd" --detach --no-chdir --pidfile \
        -vconsole:off --log-file "unix:$lab_dir/$lab/db.sock" || fail "cannot start ovs-vswitchd"
    pid=$(daemon_pid)
    # For the lab's teardown.
    echo "$pid $(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20)" \
         "ovs-vswitchd" >> "$lab_dir/$lab/pids"
}

# What must not grow with time: the daemon's descriptors by kind, the BPF
# objects it has, its mappings of maps, and the switch's devices.
resources () {
    local pid

    pid=$(daemon_pid)
    find "/proc/$pid/fd" -type l -printf '%l\n' 2>/dev/null \
        | sed 's/:\[.*//; s/^\/.*/file/' | sort | uniq -c
    cat "/proc/$pid/fdinfo/"* 2>/dev/null \
        | sed -n 's/^\(map\|prog\|link\)_id:.*/\1/p' | sort | uniq -c
    echo "$(grep -c bpf-map "/proc/$pid/maps") mapped maps"
    ip -n "$lab-switch" -o link show | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | sort
}

# same_resources FILE: as "resources" said before?
same_resources () {
    resources | cmp -s - "$1"
}

# What the test's labs have left behind, and the machine's own links.
leftovers () {
    local l

    for l in "${labs[@]}"; do
        ip netns list | grep -E "^$l-(switch|h[0-9]+)( |\$)"
        [ ! -e "$lab_dir/$l" ] || echo "$lab_dir/$l"
        grep -lsaF "$lab_dir/$l/" /proc/[0-9]*/cmdline
    done
    pinned_datapaths
    ip -o link show | sed 's/^\([0-9]*: [^:]*\):.*/\1/'
}

# What else of ours is attached to a device in a namespace.
attached () {
    nsenter --net="/run/netns/$1" "${BPFTOOL:-bpftool}" net show dev "$2" \
        | grep -E 'oxdp|prog_id|id [0-9]'
}
