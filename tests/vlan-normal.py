#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""vlan-normal.py: compares oxdp-vlan.h with OVS's action NORMAL.

Random ports and packets.  What OVS does is said by "ofproto/trace" of a daemon
with a dummy datapath, whose control socket is the argument; what we do by the
program vlan-forward, the second argument.  The others are a random seed and the
number of rounds.
"""

import json
import os
import random
import re
import socket
import subprocess
import sys

N_PORTS = 6
PACKETS = 40            # Of a round.
VIDS = [0, 1, 2, 3, 4095]
DSTS = ["50:54:00:00:00:01", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01",
        "01:80:c2:00:00:10"]
RESERVED = ["01:80:c2:00:00:00", "01:80:c2:00:00:0e", "01:80:c2:00:00:0f",
            "00:e0:2b:00:00:04", "01:00:0c:cc:cc:cc", "01:00:0c:cc:cc:c5",
            "01:00:0c:cc:cc:c8", "00:e0:2b:00:00:05", "01:00:0c:cd:cd:cd",
            "01:00:0c:cc:cc:cd", "01:00:0c:00:00:00", "00:e0:2b:00:00:00",
            "00:e0:2b:00:00:06"]


class Daemon:
    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.buffer = ""

    def call(self, method, *params):
        self.sock.sendall(json.dumps({"id": 0, "method": method,
                                      "params": params}).encode())
        while True:
            try:
                reply, end = json.JSONDecoder().raw_decode(self.buffer)
                self.buffer = self.buffer[end:].lstrip()
                break
            except json.JSONDecodeError:
                data = self.sock.recv(65536)
                if not data:
                    sys.exit("FAILED: the daemon has gone")
                self.buffer += data.decode()
        if reply["error"]:
            sys.exit(f"FAILED: {method} {params}: {reply['error']}")
        return reply["result"]


class Port:
    def __init__(self, rng):
        def some(values):
            return sorted(rng.sample(values, rng.randint(1, 3)))

        self.mode = rng.choice([None, None, "access", "trunk", "native-tagged",
                                "native-untagged", "dot1q-tunnel"])
        self.tag = rng.choice([None] + VIDS[:4])
        self.trunks = rng.choice([None, some(VIDS)])
        self.cvlans = rng.choice([None, some(VIDS)])
        self.qinq = rng.choice([None, "802.1q", "802.1ad"])
        self.prio = rng.choice([None, None, "if-nonzero", "always", "true"])
        self.protected = rng.random() < .3

    def columns(self):
        def value(x):
            return ("[]" if x is None
                    else ",".join(map(str, x)) if isinstance(x, list)
                    else str(x))

        other = [f"{k}={v}" for k, v in (("qinq-ethtype", self.qinq),
                                         ("priority-tags", self.prio)) if v]
        return [f"vlan_mode={value(self.mode)}", f"tag={value(self.tag)}",
                f"trunks={value(self.trunks)}",
                f"cvlans={value(self.cvlans)}",
                f"protected={str(self.protected).lower()}",
                "other_config={" + ",".join(other) + "}"]

    def line(self):
        def value(x):
            return ("-" if x is None
                    else ",".join(map(str, x)) if isinstance(x, list)
                    else str(x))

        return " ".join(map(value, [self.mode, self.tag, self.trunks,
                                    self.cvlans, self.qinq, self.prio,
                                    True if self.protected else None]))


def random_packet(rng):
    """Returns a destination and a list of tags, (TPID, TCI)."""
    dst = rng.choice(RESERVED if rng.random() < .15 else DSTS)
    tags = [(rng.choice([0x8100, 0x8100, 0x88a8]),
             rng.choice(VIDS) | rng.choice([0, 0, 5]) << 13)
            for _ in range(rng.choice([0, 1, 1, 2, 2, 3]))]
    return dst, tags


def packet_bytes(dst, tags):
    return (dst.replace(":", "") + "505400000099"
            + "".join(f"{tpid:04x}{tci:04x}" for tpid, tci in tags)
            + "1234" + 46 * "00")


def reference(daemon, numbers, port, dst, tags):
    """Returns {port: tags} of where OVS sends the packet.  'numbers' translates
    numbers of datapath ports."""
    text = daemon.call("ofproto/trace", "br0", f"in_port={port}",
                       packet_bytes(dst, tags))
    actions = re.search(r"Datapath actions: (.*)", text).group(1)
    tags = list(tags)
    out = {}
    for action in re.findall(r"\w+(?:\([^)]*\))?", actions):
        m = re.match(r"push_vlan\((?:tpid=(\w+),)?vid=(\d+),pcp=(\d+)", action)
        if m:
            tags.insert(0, (int(m.group(1) or "0x8100", 16),
                            int(m.group(2)) | int(m.group(3)) << 13))
        elif action == "pop_vlan":
            tags.pop(0)
        elif action.isdigit():
            out[numbers[int(action)]] = list(tags)
        elif action != "drop":
            sys.exit(f"FAILED: what is {action} in {actions}?")
    return out, actions


def ours(program, port, dst, tags, limit):
    """The same of us."""
    seen = (tags[:limit] + [(0, 0), (0, 0)])[:2]
    print("packet", port, dst, *(f"{a:x}:{b:x}" for a, b in seen),
          file=program.stdin, flush=True)
    out = {}
    for word in program.stdout.readline().split():
        number, *new = word.split("/")
        out[int(number)] = [tuple(int(x, 16) for x in tag.split(":"))
                            for tag in new] + tags[limit:]
    return out


def main():
    daemon = Daemon(sys.argv[1])
    program = subprocess.Popen([sys.argv[2]], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    numbers = {int(m[1]): int(m[2]) for m in
               re.finditer(r"port (\d+): p(\d+) ",
                           daemon.call("dpctl/show"))}
    rng = random.Random(int(sys.argv[3]))
    n = sent = kinds = 0
    for number in range(int(sys.argv[4])):
        limit = 1 + number % 2
        ports = {i: Port(rng) for i in range(1, N_PORTS + 1)}
        args = ["ovs-vsctl", "--timeout=10", "set", "Open_vSwitch", ".",
                f"other_config:vlan-limit={limit}"]
        for i, port in ports.items():
            args += ["--", "set", "Port", f"p{i}", *port.columns()]
            print("port", i, port.line(), file=program.stdin)
        subprocess.run(args, check=True, stdout=subprocess.DEVNULL)
        for _ in range(PACKETS):
            in_port = rng.randint(1, N_PORTS)
            dst, tags = random_packet(rng)
            ref, actions = reference(daemon, numbers, in_port, dst, tags)
            out = ours(program, in_port, dst, tags, limit)
            n += 1
            sent += len(ref)
            kinds += any(t != tags for t in ref.values())
            if ref != out:
                for i, port in ports.items():
                    print(f"port {i}:", *port.columns())
                sys.exit(f"FAILED: round {number}, vlan-limit={limit}, in_port"
                         f" {in_port}, to {dst}, tags {tags}:\n"
                         f"OVS: {ref}\n     ({actions})\nwe:  {out}")
    print(f"{n} packets, {sent} outputs, with other tags in {kinds}")
    if sent < n / 2 or kinds < n / 10:
        sys.exit("FAILED: that is little")


main()
