# SPDX-License-Identifier: Apache-2.0
"""lab-packets.py: frames into and out of labs, byte for byte.

    lab-packets.py compare REFERENCE LAB=MODE[+skb]... < CASES
    lab-packets.py burst LAB FROM TO N      sends N packets, each from another
                                            MAC address; prints how many arrive
    lab-packets.py noise LAB FROM SECONDS   the same, as fast as possible;
                                            prints how many were sent
    lab-packets.py first LAB FROM TO N SECONDS
                                sends N packets, each from another MAC address,
                                every SECONDS; prints how many arrive and the
                                milliseconds that the slowest one took
    lab-packets.py spread LAB FROM KIND N ROUNDS [dst=...]
                                            one packet of each of N connections
                                            (KIND is udp4, udp6, tcp4 or tcp6),
                                            ROUNDS times; prints, for each port,
                                            "PORT CONNECTIONS PACKETS", and
                                            "moved N", of those connections that
                                            came out of several ports
    lab-packets.py stream LAB FROM N RATE TO...
                                            sends N broadcasts, or until it is
                                            terminated, RATE a second; prints,
                                            for each host TO, "TO LOST SURPLUS"
    lab-packets.py tap NETNS TAP IP         asks by ARP, as a tap's user, who
                                            has IP; prints its MAC address

REFERENCE and LABs are labs of "ovs-xdp-lab", with the same hosts.  Every case
does the same in all of them, and what comes out must be what comes out of the
reference, port by port and byte for byte, in any order, but for STP's own
packets.  MODE, "native" or "tc", is how the lab's ports work, or "mixed", of
which nothing is expected but these packets, or "away", that nobody can talk to
its ovs-vswitchd, so that only "once" is possible; with "+skb", outermost VLAN
tags are given to the kernel beside the frame (tests/lab-lib.sh, tags_in_skb).

CASES has lines:

    = NAME                      begins a case
    vsctl|ofctl|appctl ARGS     in every lab; a failure is the test's
    flow FLOW                   adds an OpenFlow flow; a case starts with none
    dpctl ARGS                  the same for dpctl/..., after "send" has
                                emptied the table, with revalidators paused;
                                {NAME} is the datapath's number of a port
    monitor [ARGUMENT...]       packet-ins, with all bytes, which are compared
                                as well; arguments are those of ovs-ofctl
    send HOST WHAT...           sends twice: on an empty flow table, and again
    expect VERDICT[/REASON] REGEXP
                                at least one of the datapath's flows matches
                                REGEXP, and all that do have the verdict;
                                "fast" is the mode's own, and then packets of
                                the second pass took that hook; without REASON,
                                "user" has any, others have none; "no-xmit" is
                                in TC, where XDP would be better if there is
                                one, "frame" in XDP or else ovs-vswitchd,
                                "flood" broadcast by XDP or else copied by TC,
                                "bridge" by the kernel bridge

    once HOST WHAT... [count=N] sends once, N times, whatever flows there are
    packet-out IN_PORT ACTIONS WHAT...
                                has each packet sent by OpenFlow
    link PORT up|down|mtu N     the switch's end of a link
    same VERB ARGS              like vsctl, ofctl, appctl, but it may fail:
                                exit status and output must be the reference's,
                                but for what is the datapath's own; {dp} and
                                {type} are the datapath's name and type,
                                {lines:LINE;LINE...} is a file with these lines
    eventually REGEXP VERB ARGS the same, but waits until the reference's
                                output matches REGEXP and the others' equals it
    stats REGEXP                flows that match REGEXP, in all labs the same,
                                have the reference's counters; if they have
                                packets, they were used since the case's first
                                "once"

WHAT are kinds of frames (see kinds() below), or "0x" and a frame's bytes, with
commas between them; and options:

    src=hN dst=hN|all|MAC       MAC addresses; default: the sender's, h2's
    tags=TAG/TAG...             outermost first: [s]VID[pPCP], s is for 802.1ad
"""

import collections
import fcntl
import itertools
import json
import os
import re
import select
import shlex
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6ND_NS, IPv6, IPv6ExtHdrDestOpt
from scapy.layers.l2 import ARP
from scapy.packet import Raw
from scapy.utils import checksum
import scapy.layers.inet6  # noqa: F401 (ICMPv6 option classes)

from lab_port import Port, enter

QUIET = .06             # Seconds without a frame: the pass is over.
LATE = 1.5              # Seconds that a missing frame may take.
SETTLE = 15             # Seconds that "eventually" waits.

BPDU_DST = bytes.fromhex('0180c2000000')
LLC_STP = bytes.fromhex('424203')


# Frames.

def mac(host):
    if host == 'all':
        return b'\xff' * 6
    if ':' in host:
        return bytes.fromhex(host.replace(':', ''))
    return bytes([2, 1, 0, 0, 0, int(host[1:])])


def tag(text):
    m = re.fullmatch(r'(s?)(\d+)(?:p(\d))?', text)
    return struct.pack('!HH', 0x88a8 if m[1] else 0x8100,
                       int(m[3] or 0) << 13 | int(m[2]))


def payloads():
    """(name, EtherType, bytes behind it); addresses are nobody's here."""
    ip4 = dict(src='192.0.2.1', dst='192.0.2.2')
    ip6 = dict(src='2001:db8::1', dst='2001:db8::2')
    data = Raw(bytes(range(32)))
    big = Raw(bytes(i % 251 for i in range(1472)))
    return [
        ('udp4', 0x0800, IP(tos=4, **ip4) / UDP(sport=7, dport=9) / data),
        ('big', 0x0800, IP(**ip4) / UDP(sport=8, dport=9) / big),
        ('tcp4', 0x0800, IP(**ip4) / TCP(sport=7, dport=80, flags='SA',
                                         options=[('MSS', 1400)])),
        ('icmp', 0x0800, IP(**ip4) / ICMP(id=3, seq=4) / data),
        ('options', 0x0800, IP(options=[b'\x94\x04\x00\x00'], **ip4)
            / UDP(sport=1, dport=2) / data),
        ('frag1', 0x0800, IP(id=5, flags='MF', **ip4)
            / UDP(sport=1, dport=2, len=200, chksum=0) / data),
        ('frag2', 0x0800, IP(id=5, frag=5, proto=17, **ip4) / data),
        ('arp', 0x0806, ARP(hwsrc='02:01:00:00:00:01', psrc='192.0.2.1',
                            pdst='192.0.2.77')),
        ('udp6', 0x86dd, IPv6(tc=8, fl=5, **ip6) / UDP(sport=7, dport=9)
            / data),
        ('tcp6', 0x86dd, IPv6(**ip6) / TCP(sport=7, dport=80) / data),
        ('dstopt', 0x86dd, IPv6(**ip6) / IPv6ExtHdrDestOpt()
            / UDP(sport=7, dport=9) / data),
        ('nd', 0x86dd, IPv6(**ip6) / ICMPv6ND_NS(tgt='2001:db8::77')),
        ('mpls', 0x8847, bytes.fromhex('00064140')
            + bytes(IP(**ip4) / UDP(sport=7, dport=9) / data)),
        ('other', 0x88b5, bytes(range(46))),
        ('llc', 30, bytes.fromhex('424203') + bytes(43)),
        ('short', 0x88b6, b'\x01\x02'),
    ]


def igmp(kind, group, dst):
    """An IGMPv2 message to dst."""
    body = struct.pack('!BBH4s', kind, 0, 0, socket.inet_aton(group))
    body = body[:2] + struct.pack('!H', checksum(body)) + body[4:]
    return IP(src='192.0.2.1', dst=dst, ttl=1, proto=2,
              options=[b'\x94\x04\x00\x00']) / Raw(body)


def more_payloads():
    """What is not part of "any".  The MAC address of multicast is to be
    given."""
    data = UDP(sport=7, dport=9) / Raw(bytes(range(32)))
    return [
        ('fin', 0x0800, IP(src='192.0.2.1', dst='192.0.2.2')
            / TCP(sport=7, dport=80, flags='FA')),
        ('join', 0x0800, igmp(0x16, '239.1.1.1', '239.1.1.1')),
        ('leave', 0x0800, igmp(0x17, '239.1.1.1', '224.0.0.2')),
        ('query', 0x0800, igmp(0x11, '0.0.0.0', '224.0.0.1')),
        # As long as a frame in one buffer may be to be copied, longer, and in
        # several buffers.
        *((name, 0x0800, IP(src='192.0.2.1', dst='192.0.2.2')
            / UDP(sport=7, dport=9) / Raw(bytes(i % 251 for i in range(n))))
          for name, n in (('page', 3400), ('page+', 3500), ('jumbo', 8900))),
        ('group1', 0x0800, IP(src='192.0.2.1', dst='239.1.1.1') / data),
        ('group2', 0x0800, IP(src='192.0.2.1', dst='239.2.2.2') / data),
        ('group0', 0x0800, IP(src='192.0.2.1', dst='224.0.0.5') / data),
    ]


def kinds():
    """Name of a kind to a list of (EtherType, bytes)."""
    kinds = {name: [(eth_type, bytes(data))]
             for name, eth_type, data in payloads()}
    kinds['any'] = [p for ps in list(kinds.values()) for p in ps]
    # Those that stay below the MTU when they get longer.
    kinds['small'] = [p for p in kinds['any'] if p not in kinds['big']]
    for name, eth_type, data in more_payloads():
        kinds[name] = [(eth_type, bytes(data))]
    return kinds


KINDS = kinds()


def frames(sender, kind, options):
    if kind.startswith('0x'):
        return [bytes.fromhex(kind[2:])]
    opt = dict(o.split('=', 1) for o in options)
    head = mac(opt.get('dst', 'h2')) + mac(opt.get('src', sender))
    for t in filter(None, opt.get('tags', '').split('/')):
        head += tag(t)
    return [head + struct.pack('!H', eth_type) + data
            for eth_type, data in KINDS[kind]]


def several(sender, argv):
    """What WHAT and options say."""
    return [f for kind in argv[0].split(',')
            for f in frames(sender, kind, argv[1:])]


def show(frame):
    if len(frame) > 80:
        return '%s... (%d bytes)' % (frame[:80].hex(), len(frame))
    return frame.hex()


# Labs.

class Appctl:
    """What ovs-appctl does with ovs-vswitchd, without a process; used like
    subprocess.Popen."""

    def __init__(self, rundir, argv):
        with open(os.path.join(rundir, 'ovs-vswitchd.pid')) as f:
            pid = f.read().strip()
        path = os.path.join(rundir, 'ovs-vswitchd.%s.ctl' % pid)
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.sock.sendall(json.dumps({'id': 0, 'method': argv[0],
                                      'params': argv[1:]}).encode())
        self.returncode = None

    def communicate(self):
        reply = b''
        while True:
            reply += self.sock.recv(65536)
            try:
                reply = json.loads(reply)
                break
            except ValueError:
                pass
        self.sock.close()
        self.returncode = 2 if reply['error'] else 0
        return [reply['error'] or reply['result']]

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        pass


class Lab:
    def __init__(self, spec):
        self.name, _, mode = spec.partition('=')
        self.mode, _, skb = mode.partition('+')
        self.tag_in_skb = skb == 'skb'
        self.dir = os.path.join(os.environ['OVS_XDP_LAB_DIR'], self.name)
        self.env = dict(os.environ, OVS_RUNDIR=self.dir, OVS_DBDIR=self.dir)
        self.ports = {'br0': Port(self.name + '-switch', 'br0')}
        i = 1
        while os.path.exists('/run/netns/%s-h%d' % (self.name, i)):
            self.ports['h%d' % i] = Port('%s-h%d' % (self.name, i), 'eth0')
            i += 1
        self.monitor = None
        self.numbers = {}

    def start(self, *argv):
        if argv[0] == 'ovs-appctl' and argv[1] != '-t':
            return Appctl(self.dir, argv[1:])
        return subprocess.Popen(argv, env=self.env, text=True,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def run(self, *argv):
        with self.start(*argv) as p:
            out = p.communicate()[0]
        if p.returncode:
            raise SystemExit('%s: %s: %s' % (self.name, shlex.join(argv), out))
        return out

    def flows(self):
        """Datapath flows: UFID to line."""
        out = self.run('ovs-appctl', 'dpctl/dump-flows', '-m')
        return dict((re.match('ufid:([-0-9a-f]+)', line)[1], line)
                    for line in out.splitlines() if line[:5] == 'ufid:')

    def number_ports(self, text):
        """Replaces {NAME} by the number the datapath has for the port, and
        {dp} and {type} by the datapath's name and type."""
        if not self.numbers:
            out = self.run('ovs-appctl', 'dpctl/show')
            self.dp = out.split(':')[0]
            self.numbers = {name: number for number, name
                            in re.findall(r'port (\d+): (\S+)', out)}
        text = text.replace('{dp}', self.dp)
        text = text.replace('{type}', self.dp.split('@')[0])
        return re.sub(r'{(\w+)}', lambda m: self.numbers[m[1]], text)

    def argument(self, text):
        """The same for an argument, which may be "{lines:...;...}", for the
        name of a file with these lines."""
        text = self.number_ports(text)
        m = re.fullmatch(r'{lines:(.*)}', text)
        if not m:
            return text
        name = os.path.join(self.dir, 'lines')
        with open(name, 'w') as f:
            f.write(m[1].replace(';', '\n') + '\n')
        return name

    def neutral(self, text):
        """What is left of output when the datapath's own is taken out."""
        lines = []
        self.number_ports('')
        names = {number: name for name, number in self.numbers.items()}
        for line in text.splitlines():
            if line.startswith('flow-dump from'):
                continue
            line = line.replace(self.dp, '{dp}')
            line = line.replace(self.dp.split('@')[0] + '@', '{type}@')
            line = re.sub(r'ufid:[-0-9a-f]+,? ?', '', line)
            line = re.sub(r', dp:\w+|, dp-extra-info:.*', '', line)
            line = re.sub(r'used:[0-9.]+s', 'used:recently', line)
            line = re.sub(r'(duration[:=])[0-9.]+s', r'\1while', line)
            line = re.sub(r', (idle|hard)_age=\d+', '', line)
            # The kernel's veth counts neither tags beside the frame nor, with
            # XDP, Ethernet headers.
            line = re.sub(r'(pkts=\d+, bytes=)\d+', r'\1some', line)
            line = re.sub(r'in_port\((\d+)\)',
                          lambda m: 'in_port(%s)' % names.get(m[1], m[1]),
                          line)
            # How old what was learned is.
            line = re.sub(r'^( *\S+ +\d+ +\S*[.:]\S* +)\d+$', r'\1old', line)
            line = re.sub(r'(actions: ?(?:.*,)?)(\d+)$',
                          lambda m: m[1] + names.get(m[2], m[2]), line)
            lines.append(line)
        return sorted(lines)

    def comparable(self, counter):
        """What of the frames in 'counter' can be compared with this lab's."""
        if self.mode != 'away':
            return counter
        # A socket on br0 sees what the host does not.
        return collections.Counter({(port, frame): n for (port, frame), n
                                    in counter.items() if port != 'br0'})

    def hits(self):
        """Packets that the hook of this lab's mode executed."""
        out = self.run('ovs-appctl', 'dpif-xdp/show')
        hook = 'xdp' if self.mode == 'native' else 'tc'
        return sum(int(n) for n in re.findall(hook + r' hit (\d+)', out))


def everywhere(labs, *argv):
    """Runs a command in all labs at once.  Returns their outputs."""
    running = [lab.start(*argv) for lab in labs]
    outs = [p.communicate()[0] for p in running]
    for lab, p, out in zip(labs, running, outs):
        if p.returncode:
            raise SystemExit('%s: %s: %s' % (lab.name, shlex.join(argv), out))
    return outs


# Comparing.

class Comparison:
    def __init__(self, reference, labs, quiet=False):
        self.quiet = quiet
        self.layers = collections.Counter()     # Flows by "dp:..."
        self.new_flows = []                     # To be added with the next.
        self.labs = [Lab(reference)] + [Lab(spec) for spec in labs]
        self.awake = [lab for lab in self.labs if lab.mode != 'away']
        self.sockets = {port.sock.fileno(): (lab, name, port)
                        for lab in self.labs
                        for name, port in lab.ports.items()}
        self.poll = select.poll()
        for fd in self.sockets:
            self.poll.register(fd, select.POLLIN)
        self.failed = 0
        self.case = None
        self.dpctl = []
        self.n_frames = self.n_passes = self.compared = 0

    def complain(self, text):
        print('FAILED: %s: %s' % (self.case, text))
        self.failed += 1

    def collect(self, got, seconds):
        """Takes what arrives, until nothing does for that long."""
        while True:
            events = self.poll.poll(seconds * 1000)
            if not events:
                return
            for fd, _ in events:
                lab, name, port = self.sockets[fd]
                try:
                    while True:
                        frame = port.receive()
                        if frame[:6] != BPDU_DST or frame[14:17] != LLC_STP:
                            got[lab][name, frame] += 1
                except BlockingIOError:
                    pass

    def one_pass(self, host, what, when):
        got = {lab: collections.Counter() for lab in self.labs}
        # The reference has room for some 200 packets in its sockets.
        for i in range(0, len(what), 32):
            for lab in self.labs:
                for frame in what[i:i + 32]:
                    lab.ports[host].send(frame, lab.tag_in_skb)
            if i + 32 < len(what):
                self.collect(got, .01)
        self.compare(got, '%s pass from %s' % (when, host))

    def packet_out(self, in_port, actions, what):
        got = {lab: collections.Counter() for lab in self.labs}
        for frame in what:
            everywhere(self.labs, 'ovs-ofctl', 'packet-out', 'br0',
                       'in_port=%s packet=%s actions=%s'
                       % (in_port, frame.hex(), actions))
        self.compared += 1
        self.compare(got, 'packet-out')

    def compare(self, got, what):
        """Takes what arrives, and complains if it is not the reference's."""
        self.collect(got, QUIET)
        want = got[self.labs[0]]
        deadline = time.monotonic() + LATE
        while (any(lab.comparable(got[lab]) != lab.comparable(want)
                   for lab in self.labs)
               and time.monotonic() < deadline):
            self.collect(got, QUIET)
        self.n_frames += sum(want.values())
        self.n_passes += 1
        for lab in self.labs[1:]:
            wanted, came = lab.comparable(want), lab.comparable(got[lab])
            for word, diff in (('missing', wanted - came),
                               ('surplus', came - wanted)):
                for (port, frame), n in list(diff.items())[:5]:
                    self.complain('%s, %s: %d %s on %s: %s'
                                  % (lab.name, what, n, word, port,
                                     show(frame)))

    def send(self, host, what):
        self.sent = time.monotonic()
        everywhere(self.labs, 'ovs-appctl', 'revalidator/purge')
        if self.dpctl:
            # Revalidators would delete flows that are not OpenFlow's.
            everywhere(self.labs, 'ovs-appctl', 'revalidator/pause')
        for command in self.dpctl:
            for lab in self.labs:
                lab.run('ovs-appctl', *(lab.number_ports(arg)
                                        for arg in command))
        self.one_pass(host, what, 'first')
        self.wait_for_maps()
        before = {lab: lab.flows() for lab in self.labs[1:]}
        hits = {lab: lab.hits() for lab in self.labs[1:]}
        self.one_pass(host, what, 'second')
        for lab in self.labs[1:]:
            self.layers.update(re.search(r' dp:(\w+)', line)[1]
                               for line in before[lab].values())
            lab.seen = (before[lab], lab.flows(), lab.hits() - hits[lab])

    def wait_for_maps(self):
        """Until XDP has maps for what it broadcasts."""
        deadline = time.monotonic() + SETTLE
        for lab in self.labs[1:]:
            while any('flood-map' in line for line in lab.flows().values()):
                if time.monotonic() > deadline:
                    self.complain('%s: XDP gets no map' % lab.name)
                    break
                time.sleep(.01)

    def once(self, host, what):
        if not self.sent:
            self.sent = time.monotonic()
        self.one_pass(host, what, 'only')

    def results(self, verb, argv):
        """Exit status and neutral output in all labs."""
        running = [lab.start('ovs-' + verb, *map(lab.argument, argv))
                   for lab in self.labs]
        outs = [p.communicate()[0] for p in running]
        return [(p.returncode, lab.neutral(out))
                for lab, p, out in zip(self.labs, running, outs)]

    def eventually(self, regexp, verb, argv):
        deadline = time.monotonic() + SETTLE
        while time.monotonic() < deadline:
            results = self.results(verb, argv)
            if (re.search(regexp, '\n'.join(results[0][1]))
                    and all(result == results[0] for result in results)):
                break
            time.sleep(.1)
        else:
            self.complain('%s: waited for %s: %s' % (shlex.join(argv), regexp,
                                                     results))
        self.compared += 1

    def same(self, verb, argv):
        results = self.results(verb, argv)
        for lab, result in zip(self.labs[1:], results[1:]):
            if result != results[0]:
                self.complain('%s: %s: %s\ninstead of\n%s'
                              % (lab.name, shlex.join(argv), result,
                                 results[0]))
        self.compared += 1

    def stats(self, regexp):
        def counters(lab):
            counters = []
            for line in lab.flows().values():
                if re.search(regexp, line):
                    m = re.search(r'packets:(\d+), bytes:(\d+), used:([^,]+)'
                                  r'(?:, flags:([^,]+))?', line)
                    used = 'never' if m[3] == 'never' else 'used'
                    counters.append((m[1], m[2], used, m[4]))
                    if used == 'used' and (float(m[3].rstrip('s')) - 1
                                           > time.monotonic() - self.sent):
                        self.complain('%s: used before packets were sent: %s'
                                      % (lab.name, line))
            return sorted(counters)

        want = counters(self.labs[0])
        if not want:
            self.complain('the reference has no flow that matches ' + regexp)
        for lab in self.labs[1:]:
            deadline = time.monotonic() + LATE
            while (counters(lab) != want and time.monotonic() < deadline):
                time.sleep(.1)
            if counters(lab) != want:
                self.complain('%s: counters of %s are %s instead of %s'
                              % (lab.name, regexp, counters(lab), want))
        self.compared += 1

    def expect(self, verdict, regexp):
        verdict, _, reason = verdict.partition('/')
        for lab in self.labs[1:]:
            if lab.mode == 'mixed':
                continue
            before, after, hits = lab.seen
            layer = verdict
            if verdict == 'fast':
                layer = 'tc' if lab.mode == 'tc' else 'xdp'
            elif verdict == 'no-xmit':
                layer = 'tc'
                reason = '' if lab.mode == 'tc' else 'no-xmit'
            elif verdict == 'flood':
                layer = 'tc' if lab.mode == 'tc' else 'xdp'
                reason = 'multi-output' if lab.mode == 'tc' else 'flood'
            elif verdict == 'bridge':
                layer, reason = 'tc', 'bridge'
            elif verdict == 'frame':
                layer = 'user' if lab.mode == 'tc' else 'xdp'
                reason = 'frame' if lab.mode == 'tc' else ''
            flows = {ufid: line for ufid, line in after.items()
                     if re.search(regexp, line)}
            if not flows:
                self.complain('%s: no flow matches %s, there are\n%s'
                              % (lab.name, regexp, '\n'.join(after.values())))
            moved = 0
            for ufid, line in flows.items():
                m = re.search(r'dp-extra-info:([-a-z]+)', line)
                why = m[1] if m else ''
                if (' dp:%s,' % layer not in line
                        or (why != reason if reason or layer != 'user'
                            else not why)):
                    self.complain('%s: is not dp:%s %s: %s'
                                  % (lab.name, layer, reason, line))
                    break
                moved += packets(line) - packets(before.get(ufid, ''))
            if (verdict in ('fast', 'flood') and flows
                    and not 0 < moved <= hits):
                self.complain('%s: the second pass\'s packets, of these flows '
                              '%d, should have taken the %s hook, but %d did:'
                              '\n%s' % (lab.name, moved, layer, hits,
                                        '\n'.join(flows.values())))

    def start_monitor(self, argv):
        for lab in self.labs:
            lab.monitor = os.path.join(lab.dir, 'monitor.log')
            with open(lab.monitor, 'w') as log:
                # Detaches when it is connected.
                subprocess.run(['ovs-ofctl', '-Pnxt_packet_in', '-mmm',
                                'monitor', 'br0', '65534', *argv, '--detach',
                                '--no-chdir', '--pidfile'],
                               env=lab.env, stderr=log, check=True)

    def stop_monitor(self):
        heard = []
        for lab in self.labs:
            if lab.monitor:
                lab.run('ovs-appctl', '-t', 'ovs-ofctl', 'exit')
                with open(lab.monitor) as log:
                    heard.append(sorted(re.sub(r'\(xid=\w+\)', '', line)
                                        for line in log))
                lab.monitor = None
        if heard and not any('PACKET_IN' in line for line in heard[0]):
            self.complain('the reference has no packet-in')
        for lab, lines in zip(self.labs[1:], heard[1:]):
            if lines != heard[0]:
                self.complain('%s: packet-ins differ: %s instead of %s'
                              % (lab.name, lines, heard[0]))

    def begin(self, name):
        self.end()
        self.case = name
        self.dpctl = []
        self.sent = 0
        # A flow with two groups makes Open vSwitch 3.1 fail an assertion when
        # all groups are deleted.
        for argv in (('ovs-ofctl', 'del-flows', 'br0'),
                     ('ovs-ofctl', '-OOpenFlow15', 'del-groups', 'br0'),
                     ('ovs-appctl', 'fdb/flush', 'br0'),
                     ('ovs-appctl', 'dpctl/flush-conntrack')):
            everywhere(self.awake, *argv)

    def end(self):
        if self.case:
            self.stop_monitor()
            self.resume()
            if not self.sent and not self.compared:
                self.complain('compares nothing')
            if not self.quiet:
                print('  %s: %d frames out, in %d passes%s'
                      % (self.case, self.n_frames, self.n_passes,
                         ', %d outputs' % self.compared
                         if self.compared else ''))
            sys.stdout.flush()
            self.n_frames = self.n_passes = self.compared = 0

    def resume(self):
        # A daemon whose revalidators are paused cannot exit.
        if self.dpctl:
            everywhere(self.labs, 'ovs-appctl', 'revalidator/resume')

    def add_flows(self):
        if self.new_flows:
            with tempfile.NamedTemporaryFile('w') as f:
                f.write('\n'.join(self.new_flows) + '\n')
                f.flush()
                everywhere(self.awake, 'ovs-ofctl', '-OOpenFlow15',
                           'add-flows', 'br0', f.name)
            self.new_flows = []

    def line(self, line):
        verb, _, rest = line.partition(' ')
        if verb == '=':
            self.begin(rest)
            return
        if verb == 'flow':
            self.new_flows.append(rest)
            return
        self.add_flows()
        argv = shlex.split(rest)
        if verb == 'dpctl':
            # Stays until the next case; every "send" empties the table.
            self.dpctl.append(['dpctl/' + argv[0]] + argv[1:])
        elif verb in ('vsctl', 'ofctl', 'appctl'):
            everywhere(self.labs, 'ovs-' + verb, *argv)
        elif verb == 'monitor':
            self.start_monitor(argv)
        elif verb == 'send':
            self.send(argv[0], several(argv[0], argv[1:]))
        elif verb == 'once':
            opt = [a for a in argv[2:] if not a.startswith('count=')]
            count = int((set(argv[2:]) - set(opt) or {'count=1'}).pop()[6:])
            self.once(argv[0], count * several(argv[0], [argv[1]] + opt))
        elif verb == 'packet-out':
            self.packet_out(argv[0], argv[1], several('h1', argv[2:]))
        elif verb == 'link':
            for lab in self.labs:
                lab.run('ip', '-n', lab.name + '-switch', 'link', 'set', *argv)
        elif verb == 'same':
            self.same(argv[0], argv[1:])
        elif verb == 'eventually':
            self.eventually(argv[0], argv[1], argv[2:])
        elif verb == 'stats':
            self.stats(rest)
        elif verb == 'expect':
            self.expect(argv[0], rest.split(None, 1)[1])
        else:
            raise SystemExit('what is "%s"?' % line)


def packets(line):
    m = re.search(r'packets:(\d+)', line)
    return int(m[1]) if m else 0


def compare(reference, *labs):
    c = Comparison(reference, labs)
    try:
        for line in sys.stdin:
            line = line.strip()
            if line and line[0] != '#':
                c.line(line)
        c.end()
    finally:
        c.resume()
        for lab in c.labs:
            if lab.monitor:
                lab.run('ovs-appctl', '-t', 'ovs-ofctl', 'exit')
    if c.failed:
        raise SystemExit(1)


# Many flows.

def new_flows(first=0):
    """Endless UDP packets to h2, each from another address."""
    data = KINDS['udp4'][0][1]
    for i in itertools.count(first):
        yield (mac('h2') + struct.pack('!HI', 0x0202, i) + b'\x08\x00' + data)


def burst(lab, sender, receiver, n):
    out = Port(lab + '-' + sender, 'eth0')
    into = Port(lab + '-' + receiver, 'eth0')
    missing = set()
    for frame in itertools.islice(new_flows(), int(n)):
        missing.add(frame)
        out.send(frame)
        time.sleep(.0002)
    deadline = time.monotonic() + 5
    while missing and time.monotonic() < deadline:
        if select.select([into.sock], [], [], .1)[0]:
            missing.discard(into.receive())
    print(int(n) - len(missing))


def first(lab, sender, receiver, n, interval):
    out = Port(lab + '-' + sender, 'eth0')
    into = Port(lab + '-' + receiver, 'eth0')
    slowest = arrived = 0
    for frame in itertools.islice(new_flows(1 << 20), int(n)):
        start = time.monotonic()
        out.send(frame)
        while time.monotonic() - start < float(interval):
            left = float(interval) - (time.monotonic() - start)
            if select.select([into.sock], [], [], max(0, left))[0]:
                if into.receive() == frame:
                    arrived += 1
                    slowest = max(slowest, time.monotonic() - start)
    print(arrived, int(slowest * 1000))


def noise(lab, sender, seconds):
    out = Port(lab + '-' + sender, 'eth0')
    deadline = time.monotonic() + float(seconds)
    sent = 0
    for frame in new_flows(1 << 24):
        try:
            out.send(frame)
            sent += 1
        except BlockingIOError:
            pass
        if time.monotonic() > deadline:
            break
    print(sent)


def connections(kind, n, head):
    l3 = IPv6(src='2001:db8::1', dst='2001:db8::2') if kind[3] == '6' \
        else IP(src='192.0.2.1', dst='192.0.2.2')
    l4 = UDP if kind[:3] == 'udp' else TCP
    head += b'\x86\xdd' if kind[3] == '6' else b'\x08\x00'
    first = bytes(l3 / l4(sport=0, dport=80) / Raw(bytes(4)))
    ports = 40 if kind[3] == '6' else 20
    check = ports + (6 if l4 is UDP else 16)
    frames = []
    for i in range(n):
        # scapy takes a second for some thousands of them.
        frame = bytearray(first)
        sport = (10000 + 7 * i) % 65536
        struct.pack_into('!H', frame, ports, sport)
        struct.pack_into('!I', frame, len(frame) - 4, i)
        total = (0xffff - struct.unpack_from('!H', frame, check)[0]
                 + sport + (i >> 16) + (i & 0xffff))
        while total > 0xffff:
            total = (total & 0xffff) + (total >> 16)
        struct.pack_into('!H', frame, check, (0xffff - total) or 0xffff)
        frames.append(head + bytes(frame))
    return frames


def spread(lab, sender, kind, n, rounds, dst='dst=h2'):
    ports = Lab(lab).ports
    frames = connections(kind, int(n), mac(dst[4:]) + mac(sender))
    came_out = {i: set() for i in range(int(n))}
    n_frames = collections.Counter()

    def collect(seconds):
        socks = {port.sock: name for name, port in ports.items()}
        while True:
            ready = select.select(socks, [], [], seconds)[0]
            if not ready:
                return
            for sock in ready:
                name = socks[sock]
                frame = ports[name].receive()
                if frame[6:12] == mac(sender):
                    came_out[int.from_bytes(frame[-4:], 'big')].add(name)
                    n_frames[name] += 1

    for _ in range(int(rounds)):
        for i, frame in enumerate(frames):
            ports[sender].send(frame)
            if i % 16 == 15:
                collect(.002)
        deadline = time.monotonic() + LATE
        collect(QUIET)
        while not all(came_out.values()) and time.monotonic() < deadline:
            collect(QUIET)
    for name in sorted(n_frames):
        print(name, sum(name in out for out in came_out.values()),
              n_frames[name])
    print('moved', sum(len(out) > 1 for out in came_out.values()))


def stream(lab, sender, n, rate, *receivers):
    out = Port(lab + '-' + sender, 'eth0')
    into = {to: Port(lab + '-' + to, 'eth0') for to in receivers}
    came = {to: collections.Counter() for to in receivers}
    # Not IP, of which br_netfilter cuts off what is behind it.
    head = mac('all') + mac(sender) + b'\x88\xb5' + bytes(56)

    def collect(seconds):
        socks = {port.sock: to for to, port in into.items()}
        while True:
            ready = select.select(socks, [], [], seconds)[0]
            if not ready:
                return
            for sock in ready:
                to = socks[sock]
                frame = into[to].receive()
                if frame[:-4] == head:
                    came[to][frame[-4:]] += 1
            seconds = 0

    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    start = time.monotonic()
    sent = 0
    while sent < int(n) and not stopped:
        try:
            out.send(head + struct.pack('!I', sent))
        except OSError:
            pass                # The link is down: the packet is lost.
        sent += 1
        collect(max(0, start + sent / float(rate) - time.monotonic()))
    deadline = time.monotonic() + LATE
    while (any(len(c) < sent for c in came.values())
           and time.monotonic() < deadline):
        collect(QUIET)
    for to, c in came.items():
        print(to, sent - len(c), sum(c.values()) - len(c))


# Taps.

def tap(netns, dev, address):
    enter(netns)
    fd = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    # TUNSETIFF, IFF_TAP | IFF_NO_PI
    fcntl.ioctl(fd, 0x400454ca, struct.pack('16sH22x', dev.encode(), 0x1002))
    me = b'\x02\x01\x00\x00\x00\x77'
    request = (b'\xff' * 6 + me + b'\x08\x06'
               + bytes(ARP(hwsrc=me, psrc='10.0.0.119', pdst=address)))
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.write(fd, request)
        except OSError:
            pass                # Not up yet.
        while select.select([fd], [], [], .2)[0]:
            frame = os.read(fd, 65536)
            if frame[:6] == me and frame[20:22] == b'\x00\x02':
                print(frame[22:28].hex(':'))
                return
    print('nobody')


if __name__ == '__main__':
    {'compare': compare, 'burst': burst, 'first': first, 'noise': noise,
     'spread': spread, 'stream': stream, 'tap': tap}[sys.argv[1]](*sys.argv[2:])
