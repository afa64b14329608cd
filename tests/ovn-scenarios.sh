# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# ovn-scenarios.sh: what virtual machines and pods do in a network of OVN's,
# after ovn-lib.sh.
#
#   a-h1 10.0.1.11   a-h2 10.0.1.12   b-h1 10.0.1.21     switch "red"
#   a-h3 10.0.2.13   b-h2 10.0.2.22                      switch "blue"
#            10.0.1.254 | 10.0.2.254                     router "lr"
#                       | 172.16.0.254, on chassis a
#   a-h4 172.16.0.1  "outside", on br-ex, which OVN knows nothing of
#
# The same with IPv6, fd00:1::11 and so on.  Each scenario begins without
# flows and without neighbours, and its upcalls are counted.

red_nodes=(a-h1 a-h2 b-h1)
blue_nodes=(a-h3 b-h2)
scenarios=()

# scenarios_network ENCAPSULATION
scenarios_network () {
    local node

    nbctl ls-add red -- ls-add blue -- lr-add lr \
        -- lrp-add lr lr-red 02:00:00:00:ff:01 10.0.1.254/24 fd00:1::254/64 \
        -- lrp-add lr lr-blue 02:00:00:00:ff:02 10.0.2.254/24 fd00:2::254/64 \
        -- lsp-add red red-lr -- lsp-set-type red-lr router \
        -- lsp-set-addresses red-lr router \
        -- lsp-set-options red-lr router-port=lr-red \
        -- lsp-add blue blue-lr -- lsp-set-type blue-lr router \
        -- lsp-set-addresses blue-lr router \
        -- lsp-set-options blue-lr router-port=lr-blue
    for node in "${red_nodes[@]}"; do
        ovn_workload "$node" red 1
    done
    for node in "${blue_nodes[@]}"; do
        ovn_workload "$node" blue 2
    done
    for node in "${red_nodes[@]}" "${blue_nodes[@]}" a-h4; do
        serve "$node"
    done
    ovn_sync
}

# The way out: a router's port on chassis a, and br-ex behind it.
scenarios_outside () {
    ovn_chassis a
    ovn_tx_off a-h4
    vsctl add-br br-ex -- set Bridge br-ex "datapath_type=$ovn_type" \
        -- add-port br-ex h4 \
        -- set Open_vSwitch . external_ids:ovn-bridge-mappings=out:br-ex
    ip_at a-h4 addr flush dev eth0 scope global
    ip_at a-h4 addr add 172.16.0.1/24 dev eth0
    nbctl ls-add out -- lsp-add out out-net \
        -- lsp-set-type out-net localnet \
        -- lsp-set-addresses out-net unknown \
        -- lsp-set-options out-net network_name=out \
        -- lrp-add lr lr-out 02:00:00:00:ff:03 172.16.0.254/24 \
        -- lrp-set-gateway-chassis lr-out a \
        -- lsp-add out out-lr -- lsp-set-type out-lr router \
        -- lsp-set-addresses out-lr router \
        -- lsp-set-options out-lr router-port=lr-out
    ovn_sync
}

# serve NODE: HTTP that says who it is, and logs who asks.
serve () {
    mkdir -p "$lab_dir/www/$1"
    echo "$1" > "$lab_dir/www/$1/who"
    background at "$1" busybox httpd -f -vv -p 8080 -h "$lab_dir/www/$1" \
        2> "$lab_dir/www/$1.log"
}

# answers FROM ADDRESS PORT NODE: NODE answers?
answers () {
    [ "$(printf 'GET /who HTTP/1.0\r\n\r\n' \
         | at "$1" nc -n -w 3 "$2" "$3" 2>&1 | tail -n 1)" = "$4" ]
}

# snmp NODE PROTOCOL COUNTER: of /proc/net/snmp.
snmp () {
    # A path in /proc/net is the reader's.
    at "$1" cat /proc/net/snmp | awk -v protocol="$2:" -v counter="$3" '
        $1 != protocol { next }
        !n { for (i = 2; i <= NF; i++) if ($i == counter) n = i; next }
        { print $n }'
}

# echoes NODE: ICMP echo requests that have reached it.
echoes () {
    snmp "$1" Icmp InEchos
}

# scenario NAME: from here to the next one.
scenario () {
    local node

    scenario_end
    check "$ovn_type: $1"
    scenario=$1
    for node in "${red_nodes[@]}" "${blue_nodes[@]}" a-h4; do
        ip_at "$node" neigh flush all
        ip_at "$node" -6 neigh flush all
    done
    for c in a b; do
        ovn_chassis $c
        appctl revalidator/purge
    done
    scenario_missed=$(ovn_missed)
}

scenario_end () {
    [ -n "${scenario:-}" ] || return 0
    echo "$scenario $(($(ovn_missed) - scenario_missed))" \
        >> "$lab_dir/upcalls-$ovn_type"
    scenario=
}

## ---------------------------------- ##
## Without anything that has a state. ##
## ---------------------------------- ##

plain_scenarios () {
    scenario "L2, both here"
    ovn_ping a-h1 10.0.1.12 || fail "no answer"
    answers a-h1 10.0.1.12 8080 a-h2 || fail "no HTTP"

    scenario "L2, to the other chassis"
    ovn_ping a-h1 10.0.1.21 || fail "no answer"
    ovn_ping b-h1 10.0.1.12 -s 1400 -M "do" || fail "no answer back"
    answers a-h1 10.0.1.21 8080 b-h1 || fail "no HTTP"

    scenario "L3, both here"
    ovn_ping a-h1 10.0.2.13 || fail "no answer"
    answers a-h3 10.0.1.12 8080 a-h2 || fail "no HTTP"

    scenario "L3, to the other chassis"
    ovn_ping a-h1 10.0.2.22 || fail "no answer"
    ovn_ping b-h2 10.0.1.12 -s 1400 -M "do" || fail "no answer back"
    answers b-h2 10.0.1.11 8080 a-h1 || fail "no HTTP"

    scenario "ARP and ND"
    arp_scenario

    scenario "IPv6"
    ovn_ping a-h1 fd00:1::21 || fail "no answer in L2"
    ovn_ping a-h1 fd00:2::22 || fail "no answer in L3"
    ovn_ping a-h1 fd00:2::13 || fail "no answer in L3 here"
    answers b-h2 fd00:1::12 8080 a-h2 || fail "no HTTP"
}

# OVN answers itself: with the right address, and nobody else is asked.
arp_scenario () {
    local dump=$lab_dir/arp.pcap pid

    at b-h1 tcpdump -i eth0 -Q "in" -U -w "$dump" --immediate-mode \
        'arp[6:2] = 1 or icmp6[0] = 135' 2> "$lab_dir/tcpdump" &
    pid=$!
    lab_pids+=($pid)
    eventually 5 grep -q 'listening on' "$lab_dir/tcpdump" \
        || fail "no tcpdump: $(cat "$lab_dir/tcpdump")"
    ovn_ping a-h1 10.0.1.21 || fail "no answer"
    ovn_ping a-h1 fd00:1::21 || fail "no answer to IPv6"
    ip_at a-h1 neigh show 10.0.1.21 | grep -q "lladdr $(ovn_mac b-h1) " \
        || fail "wrong neighbour: $(ip_at a-h1 neigh)"
    ip_at a-h1 neigh show fd00:1::21 | grep -q "lladdr $(ovn_mac b-h1) " \
        || fail "wrong IPv6 neighbour: $(ip_at a-h1 neigh)"
    at a-h1 busybox arping -q -c 1 -w 2 -I eth0 10.0.1.254 \
        || fail "the router does not answer"
    kill $pid
    wait $pid
    ! tcpdump -n -r "$dump" 2>/dev/null | grep -E '10\.0\.1\.21|fd00:1::21' \
        || fail "b-h1 was asked for its own address"
}

## ----------- ##
## Responders. ##
## ----------- ##

responder_scenarios () {
    local uuid

    uuid=$(nbctl create DHCP_Options cidr=10.0.1.0/24)
    nbctl dhcp-options-set-options "$uuid" server_id=10.0.1.254 \
        server_mac=02:00:00:00:ff:01 router=10.0.1.254 lease_time=3600 \
        mtu=1442 \
        -- lsp-set-dhcpv4-options a-h2 "$uuid"
    uuid=$(nbctl create DNS records:web.test='"10.0.1.21 fd00:1::21"')
    nbctl set Logical_Switch red "dns_records=$uuid"
    ovn_sync

    scenario "DHCP"
    # shellcheck disable=SC2016
    printf '#! /bin/sh\nset > "%s/dhcp.$1"\n' "$lab_dir" > "$lab_dir/dhcp"
    chmod +x "$lab_dir/dhcp"
    at a-h2 busybox udhcpc -f -q -n -t 5 -T 1 -i eth0 -s "$lab_dir/dhcp" \
        > "$lab_dir/udhcpc" 2>&1 || fail "no lease: $(cat "$lab_dir/udhcpc")"
    grep -qx "ip='10.0.1.12'" "$lab_dir/dhcp.bound" \
        && grep -qx "router='10.0.1.254'" "$lab_dir/dhcp.bound" \
        && grep -qx "lease='3600'" "$lab_dir/dhcp.bound" \
        || fail "a wrong lease: $(cat "$lab_dir/dhcp.bound")"

    scenario "DNS"
    at a-h1 busybox nslookup -type=a web.test 10.0.1.254 2>&1 \
        | grep -q '10\.0\.1\.21' || fail "no address"
    at a-h1 busybox nslookup -type=aaaa web.test 10.0.1.254 2>&1 \
        | grep -q 'fd00:1::21' || fail "no IPv6 address"
}

## ------------------------------- ##
## Load balancers, NAT, a way out. ##
## ------------------------------- ##

nat_scenarios () {
    nbctl lb-add here 10.0.9.1:80 10.0.1.12:8080 \
        -- lb-add there 10.0.9.2:80 10.0.1.21:8080 \
        -- ls-lb-add red here -- ls-lb-add red there
    ovn_sync
    scenario "load balancer, to a server here"
    answers a-h1 10.0.9.1 80 a-h2 || fail "no answer"
    answers a-h1 10.0.9.1 80 a-h2 || fail "no second answer"

    scenario "load balancer, to the other chassis"
    answers a-h1 10.0.9.2 80 b-h1 || fail "no answer"
    answers a-h2 10.0.9.2 80 b-h1 || fail "no answer for another client"

    nbctl lr-nat-add lr snat 172.16.0.254 10.0.1.0/24 \
        -- lr-nat-add lr dnat_and_snat 172.16.0.21 10.0.1.21 \
        -- lr-nat-add lr dnat_and_snat 172.16.0.12 10.0.1.12 a-h2 \
            02:00:00:00:ff:12
    ovn_sync
    scenario "SNAT"
    answers a-h1 172.16.0.1 8080 a-h4 || fail "no answer"
    came_from 172.16.0.254
    ovn_ping a-h1 172.16.0.1 || fail "no answer to ping"

    scenario "floating IP, in the gateway"
    ovn_ping a-h4 172.16.0.21 || fail "no answer to ping"
    answers a-h4 172.16.0.21 8080 b-h1 || fail "no answer"
    answers b-h1 172.16.0.1 8080 a-h4 || fail "no way out"
    came_from 172.16.0.21

    scenario "floating IP, distributed"
    ovn_ping a-h4 172.16.0.12 || fail "no answer to ping"
    answers a-h4 172.16.0.12 8080 a-h2 || fail "no answer"
    answers a-h2 172.16.0.1 8080 a-h4 || fail "no way out"
    came_from 172.16.0.12

    nbctl lrp-set-options lr-out gateway_mtu=1300
    ovn_sync
    scenario "gateway MTU"
    ovn_ping a-h1 172.16.0.1 || fail "no answer to a short ping"
    at a-h1 ping -c 3 -i .2 -W 1 -M "do" -s 1400 172.16.0.1 \
        > "$lab_dir/ping" 2>&1
    grep -q 'mtu *= *1300' "$lab_dir/ping" \
        || fail "nothing says that it is too long: $(cat "$lab_dir/ping")"
    answers a-h1 172.16.0.1 8080 a-h4 || fail "no HTTP"
}

# came_from ADDRESS: who has last asked a-h4.
came_from () {
    grep 'url:' "$lab_dir/www/a-h4.log" | tail -n 1 | grep -qF "$1]" \
        || fail "not from $1: $(tail -n 1 "$lab_dir/www/a-h4.log")"
}

## ------- ##
## Access. ##
## ------- ##

acl_scenarios () {
    local n

    n=$(echoes b-h1)
    ovn_ping a-h1 10.0.1.21 && [ "$(echoes b-h1)" -ge $((n + 3)) ] \
        || fail "no answer without ACLs"
    nbctl acl-add red from-lport 1000 'inport == "b-h1" && ip' allow-related \
        -- acl-add red to-lport 1002 \
            'outport == "b-h1" && tcp.dst == 8080' allow-related \
        -- --log --name=closed --severity=info acl-add red to-lport 1001 \
            'outport == "b-h1" && ip4' drop
    ovn_sync
    scenario "ACL, allow-related"
    answers a-h1 10.0.1.21 8080 b-h1 || fail "no answer from an open port"
    ovn_ping b-h1 10.0.1.12 || fail "no answer to what b-h1 began"
    answers b-h1 10.0.2.13 8080 a-h3 || fail "no HTTP that b-h1 began"

    scenario "ACL, denied"
    background at b-h1 busybox httpd -f -p 8081 -h "$lab_dir/www/b-h1"
    n=$(echoes b-h1)
    ovn_ping a-h1 10.0.1.21 && fail "answered"
    ovn_ping a-h3 10.0.1.21 && fail "answered through the router"
    answers a-h1 10.0.1.21 8081 b-h1 && fail "a closed port answers"
    [ "$(echoes b-h1)" = "$n" ] || fail "denied packets arrived"
    answers a-h1 10.0.1.21 8080 b-h1 || fail "no answer from an open port"

    scenario "ACL, log"
    ovn_ping a-h2 10.0.1.21 && fail "answered"
    eventually 5 acl_logged || fail "nothing in ovn-controller.log"

    scenario "port security"
    n=$(echoes a-h2)
    ip_at a-h1 addr add 10.0.1.77/32 dev eth0
    ip_at a-h2 neigh replace 10.0.1.77 lladdr "$(ovn_mac a-h1)" dev eth0
    ovn_ping a-h1 10.0.1.12 -I 10.0.1.77
    [ "$(echoes a-h2)" -ge $((n + 3)) ] || fail "does not arrive without it"
    nbctl lsp-set-port-security a-h1 "$(ovn_mac a-h1) 10.0.1.11"
    ovn_sync
    n=$(echoes a-h2)
    ovn_ping a-h1 10.0.1.12 -I 10.0.1.77 && fail "answered"
    [ "$(echoes a-h2)" = "$n" ] || fail "a wrong source arrives"
    ovn_ping a-h1 10.0.1.12 || fail "no answer to the right one"
    ip_at a-h1 addr del 10.0.1.77/32 dev eth0
}

acl_logged () {
    ovn_chassis b
    grep -q 'acl_log.*name="closed", verdict=drop.*nw_src=10.0.1.12,' \
        "$OVS_RUNDIR/ovn-controller.log"
}

## ---- ##
## TCP. ##
## ---- ##

# bulk FROM TO ADDRESS: for a second, with the offloads that devices have
# unless somebody turns them off.
bulk () {
    local bad segments

    bad=$(snmp "$2" Tcp InCsumErrors)
    background at "$2" iperf3 -s -1 > "$lab_dir/iperf3-$2"
    eventually 5 at "$2" grep -qs ':1451 .* 0A ' /proc/net/tcp6 \
        || fail "no iperf3"
    segments=$(snmp "$1" Tcp OutSegs)
    at "$1" iperf3 -c "$3" -t 1 > "$lab_dir/iperf3" 2>&1 \
        || fail "$1 to $2: $(tail -n 3 "$lab_dir/iperf3")"
    segments=$(($(snmp "$1" Tcp OutSegs) - segments))
    echo "  $1 to $2: $segments segments," \
        "$(sed -n 's/.*MBytes *\(.*bits.sec\).*receiver/\1/p' "$lab_dir/iperf3")"
    [ $segments -gt 1000 ] || fail "$1 to $2: only $segments segments"
    [ "$(snmp "$2" Tcp InCsumErrors)" = "$bad" ] || fail "bad checksums at $2"
}

bulk_scenarios () {
    [ "$ovn_type" != xdp ] \
        || at a-h1 ethtool -k eth0 | grep -q '^tx-checksumming: on' \
        || fail "a-h1 has no offloads"
    scenario "much TCP, here"
    bulk a-h1 a-h2 10.0.1.12

    scenario "much TCP, to the other chassis"
    bulk a-h1 b-h1 10.0.1.21

    scenario "much TCP, routed to the other chassis"
    bulk b-h2 a-h1 10.0.1.11
}

## ------- ##
## Rounds. ##
## ------- ##

# all_scenarios TYPE ENCAPSULATION: a round.
all_scenarios () {
    ovn_start "$1" "$2"
    scenarios_network
    plain_scenarios
    bulk_scenarios
    responder_scenarios
    scenarios_outside
    nat_scenarios
    acl_scenarios
    scenario_end
    ovn_stop
}

# compare_upcalls: of both rounds.  What hosts send on their own, multicast
# listener reports say, comes in either round, and where two packets follow
# each other closely, the second may arrive before the first one's flow is
# there: netdev executes its upcalls at once.  So a few more are no more.
compare_upcalls () {
    check "xdp takes no more upcalls than netdev"
    paste -d '|' "$lab_dir/upcalls-xdp" "$lab_dir/upcalls-netdev" | awk -F '|' '
        { name = $1; sub(/ [0-9]+$/, "", name)
          sub(/.* /, "", $1); xdp = $1 + 0
          sub(/.* /, "", $2); netdev = $2 + 0
          n++
          more = xdp > netdev * 1.1 + 3
          bad += more
          printf "  %-38s xdp %3d, netdev %3d%s\n", name, xdp, netdev,
                 more ? ": too many" : "" }
        END { exit bad > 0 || n < 20 }' || fail "more than that"
}
