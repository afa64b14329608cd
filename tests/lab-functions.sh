# tests/lab-functions.sh: sourced by tests that use ovs-xdp-lab.
# shellcheck shell=bash
#
#   lab NAME VERB...   runs ovs-xdp-lab --name NAME VERB...
#   make_lab NAME ...  "lab NAME setup ...", and tears it down in the end
#   fail WHAT          ends the test
#
# A test may also be run by hand: bash tests/NAME.test

set -u
: "${abs_top_srcdir:=$(cd "$(dirname "$0")/.." && pwd)}"
: "${abs_top_builddir:=$abs_top_srcdir/_build}"
export OVS_XDP_BUILD=$abs_top_builddir
ovs_xdp_lab=$abs_top_srcdir/utilities/ovs-xdp-lab
labs=()

fail () {
    local name

    echo "FAILED: $*"
    for name in "${labs[@]}"; do
        if [ -e "/run/ovs-xdp/$name/ovs-vswitchd.log" ]; then
            echo "--- the end of lab $name's ovs-vswitchd.log:"
            tail -n 30 "/run/ovs-xdp/$name/ovs-vswitchd.log"
        fi
    done
    exit 1
}

skip () {
    echo "$*"
    exit 77
}

lab () {
    local name=$1
    shift

    "$ovs_xdp_lab" --name "$name" "$@"
}

# Also for those that make their labs otherwise.
remove_labs () {
    local name

    for name in "${labs[@]}"; do
        [ ! -e "/run/ovs-xdp/$name" ] || lab "$name" teardown
    done
    labs=()
}

make_lab () {
    labs+=("$1")
    lab "$1" setup "${@:2}" || fail "cannot make lab $1"
}

daemon_pid () {
    cat "/run/ovs-xdp/$1/ovs-vswitchd.pid"
}

# The BPF objects that process $1 has open, "map_id 12", sorted.
bpf_objects () {
    cat "/proc/$1/fdinfo/"* 2>/dev/null \
        | awk '/^(map|prog|link)_id:/ { sub(":", ""); print $1, $2 }' \
        | sort -u
}

# Which of the BPF objects on standard input exist.
existing_bpf_objects () {
    local kind id

    while read -r kind id; do
        "${BPFTOOL:-bpftool}" "${kind%_id}" show id "$id" >/dev/null 2>&1 \
            && echo "$kind $id"
    done
}

# wait_until SECONDS COMMAND...: until it succeeds.
wait_until () {
    local end=$((SECONDS + $1))
    shift

    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep .2
    done
}

# What labs $@ have left behind, as lines.
leftovers () {
    local name

    for name in "$@"; do
        ip netns list | grep -E "^$name-(switch|h[0-9]+)( |\$)"
        [ ! -e "/run/ovs-xdp/$name" ] || echo "/run/ovs-xdp/$name"
        grep -lsaF "/run/ovs-xdp/$name/" /proc/[0-9]*/cmdline
    done
    ip -o link show | grep -E '^[0-9]+: (h[0-9]+|br0|ovs-xdp[^@:]*)[@:]'
    return 0
}

[ "$(id -u)" = 0 ] || skip "needs root"
unshare --net true 2>/dev/null || skip "needs network namespaces"
trap remove_labs EXIT
trap 'exit 130' INT TERM HUP
