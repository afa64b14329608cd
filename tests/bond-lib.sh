# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# bond-lib.sh: for tests of bonds, after lab-lib.sh:
#
#             br0 (OVS)                        br1 (OVS)
#   h1 --- h1          p1 ------------------ q1          h2 --- h2
#            \  bond0 {                         } bond1 /
#             \        p2 ------------------ q2        /
#              +-------------            -------------+-- h3 --- h3
#
# Hosts are in namespaces of their own, both bridges in the switch's.

# bonds_start MODE [BOND-SETTING...]: the lab.  MODE is the xdp-mode of all
# ports, the settings are columns of both bonds' Ports.
bonds_start () {
    local mode=$1 i
    shift

    lab_start b --hosts 3 --xdp-mode "$mode"
    for i in 1 2; do
        ip -n "$lab-switch" link add "p$i" type veth peer name "q$i" \
            || fail "cannot make a veth pair"
        for end in "p$i" "q$i"; do
            # Real frames, as between switches.
            on switch ethtool -K "$end" tx off gro on >/dev/null
            ip -n "$lab-switch" link set "$end" up
        done
    done
    vsctl del-port br0 h2 -- del-port br0 h3 \
        -- add-br br1 -- set Bridge br1 datapath_type=xdp \
        -- add-port br1 h2 -- set Interface h2 ofport_request=2 \
        -- add-port br1 h3 -- set Interface h3 ofport_request=3 \
        -- add-bond br0 bond0 p1 p2 "$@" \
        -- set Interface p1 ofport_request=11 \
        -- set Interface p2 ofport_request=12 \
        -- add-bond br1 bond1 q1 q2 "$@" \
        -- set Interface q1 ofport_request=11 \
        -- set Interface q2 ofport_request=12
    bonds_mode "$mode"
}

# bonds_mode MODE: of all ports from now on.
bonds_mode () {
    local port args=()

    for port in h1 h2 h3 p1 p2 q1 q2; do
        args+=(-- set Interface "$port" "other_config:xdp-mode=$1")
    done
    vsctl "${args[@]}"
    for port in h1 p1 p2; do
        expect "$1" "$port's mode" port_mode "$port"
    done
}

# bonds_set SETTING...: columns of both bonds' Ports.
bonds_set () {
    vsctl set Port bond0 "$@" -- set Port bond1 "$@"
}

# members_enabled N: have both bonds so many members in use?
members_enabled () {
    local bond

    for bond in bond0 bond1; do
        [ "$(appctl bond/show $bond | grep -c '^member .*: enabled')" = "$1" ] \
            || return 1
    done
}

# negotiated: has LACP come to an end, for both members?
negotiated () {
    members_enabled 2 \
        && appctl bond/show bond0 | grep -q '^lacp_status: negotiated' \
        && appctl bond/show bond1 | grep -q '^lacp_status: negotiated'
}

# Where a packet of h1's comes out says which member it has taken.
by_member () {
    ofctl del-flows br1
    ofctl add-flow br1 priority=1,actions=normal
    ofctl add-flow br1 priority=2,udp,in_port=11,actions=2
    ofctl add-flow br1 priority=2,udp,in_port=12,actions=3
}

# spread N ROUNDS: N connections from h1 to h2.
spread () {
    lab_packets spread "$lab" h1 udp4 "$@" > "$lab_dir/spread" \
        || fail "lab-packets.py spread"
}

# came_out HOST: how many connections' packets.
came_out () {
    local n

    n=$(sed -n "s/^$1 \([0-9]*\) .*/\1/p" "$lab_dir/spread")
    echo "${n:-0}"
}

# stays: all packets have come, those of a connection by one member, where
# nothing overtakes them.
stays () {
    [ $(($(came_out h2) + $(came_out h3))) = "$1" ] \
        && grep -qx 'moved 0' "$lab_dir/spread" \
        || fail "of $1 connections: $(tr '\n' ' ' < "$lab_dir/spread")"
}

# fair N: is no member used beyond 1.2 of its share of N connections?
fair () {
    [ "$(came_out h2)" -le $(($1 * 6 / 10)) ] \
        && [ "$(came_out h3)" -le $(($1 * 6 / 10)) ]
}

fair_now () {
    spread "$1" 1
    fair "$1"
}

# balanced N: N connections stay where they are, and are spread evenly.  The
# first member that came up may have all of them until ofproto rebalances.
balanced () {
    spread "$1" 2
    stays "$1"
    if ! fair "$1"; then
        echo "  $(tr '\n' ' ' < "$lab_dir/spread"), so rebalance"
        bonds_set other_config:bond-rebalance-interval=1000
        eventually 20 fair_now "$1" || fail "$(cat "$lab_dir/spread")"
        bonds_set other_config:bond-rebalance-interval=0
    fi
    echo "  by members: $(came_out h2) and $(came_out h3)"
}

# flows_of LAYER WHAT REGEXP: datapath flows of what h1 sends to h2 ("udp"), or
# to all ("flood"), have actions that match, and are handled in LAYER.
flows_of () {
    local what

    case $2 in
    udp) what='dst=02:01:00:00:00:02.*udp' ;;
    flood) what='dst=ff:ff:ff:ff:ff:ff.*eth_type\(0x88b5\)' ;;
    esac
    appctl dpctl/dump-flows -m | grep -E "recirc_id\(0\).*in_port\(h1\).*$what" > "$lab_dir/flows"
    grep -Eq "actions:$3" "$lab_dir/flows" \
        && ! grep -Ev "dp:$1, actions:$3" "$lab_dir/flows" \
        || fail "no flow in $1 with $3, or others: $(cat "$lab_dir/flows")"
}

# floods: a broadcast arrives once.
floods () {
    lab_packets stream "$lab" h1 200 2000 h2 h3 > "$lab_dir/stream"
    printf 'h2 0 0\nh3 0 0\n' | cmp -s - "$lab_dir/stream" \
        || fail "lost and surplus: $(tr '\n' ' ' < "$lab_dir/stream")"
}

# learn: br0 knows that h2 is behind the bond, or else it would flood.
learn () {
    by_member
    eventually 10 h2_is_known || fail "no connection"
}

h2_is_known () {
    lab_packets spread "$lab" h2 udp4 1 1 dst=h1 | grep '^h1 ' >/dev/null
}
