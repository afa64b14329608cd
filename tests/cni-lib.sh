# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# cni-lib.sh: for tests of ovs-xdp-cni, which begin with
#
#   . "$(dirname "$0")/cni-lib.sh"
#
# Pods are network namespaces, the host is a lab's "switch".

# shellcheck source=tests/lab-lib.sh
. "$(dirname "$0")/lab-lib.sh"

cni_plugin=$abs_top_builddir/utilities/cni/ovs-xdp-cni
export CNI_TEST_IPAM=$lab_dir/ipam

# cni_setup: where the plugins are, and tests/cni-ipam's addresses.
cni_setup () {
    mkdir "$lab_dir/plugins" "$CNI_TEST_IPAM"
    ln -s "$abs_top_srcdir/tests/cni-ipam" "$cni_plugin" "$lab_dir/plugins"
    cni_path=$lab_dir/plugins
    cat > "$CNI_TEST_IPAM/result" <<'END_RESULT'
{"cniVersion": "1.0.0",
 "ips": [{"address": "10.8.0.@/24", "gateway": "10.8.0.1"},
         {"address": "fd08::@/64", "gateway": "fd08::1"}],
 "routes": [{"dst": "0.0.0.0/0"}, {"dst": "fd09::/32", "gw": "fd08::99"}]}
END_RESULT
}

# pod_create NAME...: namespaces, removed with the lab.
pod_create () {
    local pod

    for pod; do
        ip netns add "$lab-$pod" || fail "cannot make a network namespace"
        echo "$lab-$pod" >> "$lab_dir/$lab/netns"
    done
}

# pod_delete NAME...: some of them.
pod_delete () {
    local pod

    for pod; do
        ip netns del "$lab-$pod" || fail "cannot delete a network namespace"
        sed -i "/^$lab-$pod\$/d" "$lab_dir/$lab/netns"
    done
}

pod_ip () {
    ip -n "$lab-$1" "${@:2}"
}

# conf [MEMBERS [VERSION]]: a network configuration with these members more.
conf () {
    echo "{\"cniVersion\": \"${2:-1.0.0}\", \"name\": \"net\"," \
         "\"type\": \"ovs-xdp-cni\"," \
         "\"socket_file\": \"$lab_dir/$lab/db.sock\"${1:+, $1}}"
}

# shellcheck disable=SC2034
ipam='"ipam": {"type": "cni-ipam"}'

# cni COMMAND POD CONFIGURATION [VARIABLE=VALUE...]: runs the plugin for the
# pod's eth0, with what it prints in $out, and returns its exit status.
cni () {
    local command=$1 pod=$2 input=$3
    shift 3

    out=$(on switch env CNI_COMMAND="$command" CNI_PATH="$cni_path" \
              CNI_CONTAINERID="$pod" CNI_NETNS="/run/netns/$lab-$pod" \
              CNI_IFNAME=eth0 "$@" "$cni_plugin" <<< "$input")
}

# cni_ok: the same, has to succeed.
cni_ok () {
    cni "$@" || fail "$1 $2: $out"
}

# cni_fails CODE TEXT ARGUMENTS-OF-CNI: fails so, and says TEXT.
cni_fails () {
    local code=$1 text=$2 member
    shift 2

    ! cni "$@" || fail "$1 $2 succeeded, instead of code $code, \"$text\""
    for member in "\"code\": $code," '"msg": "' '"details": "' \
                  '"cniVersion": "'; do
        [[ $out == *"$member"* ]] || fail "$1 $2: no $member in $out"
    done
    [[ ${out//\\\"/\"} == *"$text"* ]] || fail "$1 $2: no \"$text\" in $out"
}

# json TEXT EXPRESSION: what Python's EXPRESSION, put behind the value of TEXT,
# is.
json () {
    "$PYTHON3" -c "
import json, sys
value = json.loads(sys.argv[1])$2
print(value if isinstance(value, str) else json.dumps(value))
" "$1"
}

# with_prev CONFIGURATION RESULT: with that in "prevResult".
with_prev () {
    echo "${1%\}}, \"prevResult\": $2}"
}

# What attachments have left: ports, interfaces, reservations.
cni_leftovers () {
    ovs-vsctl --timeout=10 --bare --columns=name find Port \
        external_ids:owner=ovs-xdp-cni
    ip -n "$lab-switch" -o link show | grep -o 'alias ovs-xdp-cni'
    find "$CNI_TEST_IPAM" -name 'ip-*'
}

no_leftovers () {
    expect "" "what is left" cni_leftovers
}

# pod_pings POD ADDRESS
pod_pings () {
    nsenter --net="/run/netns/$lab-$1" -- ping -q -c 3 -i .05 -W 2 "$2" 2>&1 \
        | grep -q ' 3 received'
}
