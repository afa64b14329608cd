# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# ovn-lib.sh: for tests with OVN, which begin with
#
#   . "$(dirname "$0")/ovn-lib.sh"
#
# OVN's own programs, as Debian has them, in two chassis and a central:
#
#    a-h1 ... a-h4 (outside)            b-h1 ... b-h3       central
#      |        |                         |                 ovn-northd
#   +--------------------+             +--------------------+   |
#   | br-int     br-ex   |   Geneve    | br-int             |  NB and SB
#   | br-phys -- eth1      |=============| br-phys -- eth1      |  ovsdb-server
#   +--------------------+  or VXLAN   +--------------------+
#   172.31.0.1                         172.31.0.2
#
# A chassis is a lab of ovs-xdp-lab with ovn-controller beside its daemons;
# chassis and central find each other by Unix sockets.  $ovn_type is the type
# of all datapaths: two rounds, "xdp" and "netdev", can follow each other in
# one test.

# shellcheck source=tests/lab-lib.sh
. "$(dirname "$0")/lab-lib.sh"

if [ -n "${OXDP_OVN:-}" ]; then
    PATH=$OXDP_OVN/usr/bin:$PATH
fi
for ovn_program in ovn-northd:ovn-central ovn-controller:ovn-host \
                   ovn-nbctl:ovn-common; do
    command -v "${ovn_program%:*}" >/dev/null \
        || skip "${ovn_program%:*} is missing, of Debian package" \
                "${ovn_program#*:}: \"make check-ovn\" downloads it"
done
ovn-controller --version >/dev/null 2>&1 \
    || skip "ovn-controller does not run: $(ovn-controller --version 2>&1 \
             | tail -n 1) (Debian packages libunbound8 and libcap-ng0)"
busybox udhcpc --help >/dev/null 2>&1 \
    || skip "busybox is missing, of the Debian package of that name"
ovn_schemas=${OXDP_OVN:-}/usr/share/ovn
ovn_central=$lab_dir/central
ovn_type=

# ovn_chassis NAME: a or b; $lab is this one from now on.
ovn_chassis () {
    lab_use "t$$$ovn_type$1"
}

# at NODE COMMAND...: runs it in a namespace: "a-h1", "b-switch".
at () {
    local node=$1
    shift

    nsenter --net="/run/netns/t$$$ovn_type$node" -- "$@"
}

ip_at () {
    ip -n "t$$$ovn_type$1" "${@:2}"
}

nbctl () {
    ovn-nbctl --timeout=20 --db="unix:$ovn_central/nb.sock" "$@" \
        || fail "ovn-nbctl $*"
}

sbctl () {
    ovn-sbctl --timeout=20 --db="unix:$ovn_central/sb.sock" "$@" \
        || fail "ovn-sbctl $*"
}

# ovn_sync: until all chassis have done what the northbound database says.
ovn_sync () {
    nbctl --wait=hv sync
}

ovn_start_central () {
    local db

    rm -rf "$ovn_central"
    mkdir "$ovn_central"
    for db in nb sb; do
        ovsdb-tool create "$ovn_central/$db.db" "$ovn_schemas/ovn-$db.ovsschema" \
            && ovsdb-server --detach --no-chdir -vconsole:off \
                --pidfile="$ovn_central/$db.pid" \
                --log-file="$ovn_central/$db.log" \
                --unixctl="$ovn_central/$db.ctl" \
                --remote="punix:$ovn_central/$db.sock" "$ovn_central/$db.db" \
            || fail "cannot start ovsdb-server for OVN's $db"
        lab_pids+=("$(cat "$ovn_central/$db.pid")")
    done
    OVN_RUNDIR=$ovn_central ovn-northd --detach --no-chdir -vconsole:off \
        --pidfile="$ovn_central/northd.pid" \
        --log-file="$ovn_central/northd.log" \
        --unixctl="$ovn_central/northd.ctl" \
        --ovnnb-db="unix:$ovn_central/nb.sock" \
        --ovnsb-db="unix:$ovn_central/sb.sock" \
        || fail "cannot start ovn-northd"
    lab_pids+=("$(cat "$ovn_central/northd.pid")")
}

# ovn_underlay CHASSIS ADDRESS: br-phys, with the wire to the other chassis.
ovn_underlay () {
    ovn_chassis "$1"
    vsctl add-br br-phys -- set Bridge br-phys "datapath_type=$ovn_type" \
        -- add-port br-phys eth1
    ip_at "$1-switch" addr add "$2/24" dev br-phys
    ip_at "$1-switch" link set br-phys up
}

# ovn_controller CHASSIS: starts it.
ovn_controller () {
    ovn_chassis "$1"
    OVN_RUNDIR=$OVS_RUNDIR at "$1-switch" ovn-controller --detach --no-chdir \
        -vconsole:off --pidfile="$OVS_RUNDIR/ovn-controller.pid" \
        --log-file="$OVS_RUNDIR/ovn-controller.log" \
        "unix:$OVS_RUNDIR/db.sock" \
        || fail "cannot start ovn-controller"
    lab_pids+=("$(cat "$OVS_RUNDIR/ovn-controller.pid")")
}

# ovn_join CHASSIS ADDRESS ENCAPSULATION: makes it part of the network.
ovn_join () {
    ovn_underlay "$1" "$2"
    vsctl set Open_vSwitch . "external_ids:system-id=$1" \
        "external_ids:ovn-remote=unix:$ovn_central/sb.sock" \
        "external_ids:ovn-encap-type=$3" "external_ids:ovn-encap-ip=$2" \
        "external_ids:ovn-bridge-datapath-type=$ovn_type"
    ovn_controller "$1"
}

# ovn_labs: the labs, without bridges, and the wire between them.
ovn_labs () {
    local c

    labs_start "${ovn_type}a" "--hosts 4 --datapath-type $ovn_type" \
        "${ovn_type}b" "--hosts 3 --datapath-type $ovn_type"
    ip_at a-switch link add eth1 mtu 1600 type veth \
        peer name eth1 mtu 1600 netns "t$$${ovn_type}b-switch" \
        || fail "cannot connect the chassis"
    for c in a b; do
        ip_at $c-switch link set eth1 up
        ovn_chassis $c
        # Flows do not expire while scenarios are compared.
        vsctl del-br br0 -- set Open_vSwitch . other_config:max-idle=600000
    done
}

# ovn_start TYPE ENCAPSULATION: both chassis, without any workload.
ovn_start () {
    ovn_type=$1
    ovn_start_central
    ovn_labs
    ovn_join a 172.31.0.1 "$2"
    ovn_join b 172.31.0.2 "$2"
}

# ovn_stop: ends this round's chassis and central.
ovn_stop () {
    local file

    for file in "$lab_dir/t$$$ovn_type"[ab]/ovn-controller.pid \
                "$ovn_central"/*.pid; do
        kill "$(cat "$file")"
    done
    ovs_xdp_lab teardown --name "t$$${ovn_type}a" &
    ovs_xdp_lab teardown --name "t$$${ovn_type}b"
    wait $!
}

# ovn_mac NODE: of a workload, "a-h1".
ovn_mac () {
    local side=0a

    [ "${1%-*}" = a ] || side=0b
    echo "02:00:00:00:$side:0${1#*-h}"
}

# ovn_number NODE: 12 for a-h2, 22 for b-h2.
ovn_number () {
    local n=1

    [ "${1%-*}" = a ] || n=2
    echo $n"${1#*-h}"
}

# ovn_host NODE SUBNET: gives it addresses 10.0.SUBNET.2N and fd00:SUBNET::2N,
# where 2N is its number, and SUBNET's router.
ovn_host () {
    local node=$1 subnet=$2 n

    n=$(ovn_number "$node")
    ovn_tx_off "$node"
    ip_at "$node" -batch - <<END || fail "cannot configure $node"
addr flush dev eth0 scope global
link set eth0 down address $(ovn_mac "$node")
addr add 10.0.$subnet.$n/24 dev eth0
addr add fd00:$subnet::$n/64 dev eth0 nodad
link set eth0 up
route add default via 10.0.$subnet.254
route add default via fd00:$subnet::254
END
}

# ovn_workload NODE SWITCH SUBNET: makes it the logical port of that name.
ovn_workload () {
    local node=$1 n

    n=$(ovn_number "$node")
    nbctl lsp-add "$2" "$node" -- lsp-set-addresses "$node" \
        "$(ovn_mac "$node") 10.0.$3.$n fd00:$3::$n"
    ovn_host "$node" "$3"
    ovn_chassis "${node%-*}"
    vsctl add-port br-int "${node#*-}" \
        -- set Interface "${node#*-}" "external_ids:iface-id=$node"
}

# Open vSwitch's own datapath in user space takes no partial checksums.
ovn_tx_off () {
    [ "$ovn_type" = xdp ] || at "$1" ethtool -K eth0 tx off > /dev/null
}

# ovn_missed: the packets that both chassis' datapaths asked about.
ovn_missed () {
    local c n sum=0

    for c in a b; do
        ovn_chassis $c
        n=$(appctl dpctl/show "$ovn_type@ovs-$ovn_type" \
            | sed -n 's/.*lookups:.* missed:\([0-9]*\).*/\1/p')
        sum=$((sum + n))
    done
    echo $sum
}

# ovn_ping FROM ADDRESS [ARGUMENT...]: all of 3 answered?
ovn_ping () {
    at "$1" ping -q -c 3 -i .05 -W 1 "${@:3}" "$2" 2>&1 | grep -q ' 3 received'
}
