# SPDX-License-Identifier: Apache-2.0
"""reasons.py LAB PINS: each reason for a loss or for a slow path, once.

LAB is a lab of "ovs-xdp-lab" with hosts h1 and h2 (native), h3 (tc) and h4
(native), which send nothing by themselves; PINS is where its datapath is pinned.

Every case has one reason, does what leads to it, and finds as many packets or
flows as it has sent or made, under this reason and no other, in drops-show or
fallback-show and in metrics.  In the end the statistics of the Interfaces must
have the same figures.  Reasons are those that metrics has; one without a case is
a failure.
"""

import collections
import ctypes
import json
import mmap
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import time

from lab_port import Port, enter, libc

PATIENCE = 10           # Seconds that a counter may take.
STALE = 1.3             # Seconds after which a daemon that does not move counts
                        # as away.
PACKET_QDISC_BYPASS = 20
ETH_TYPE = 0x88b5
MACS = {'h%d' % i: bytes([2, 1, 0, 0, 0, i]) for i in range(1, 10)}
KEY = 'recirc_id(%s),in_port(%s),eth(),eth_type(0x88b5)'
MAX_MASKS = 256         # Of one scope, OXDP_ORDER_MASKS.
MAX_LISTS = 1024        # Opcodes of several flows, before memory is needed.


# An IPv4 packet that is nothing but a header.
IPV4 = bytes.fromhex('450000140000000040fd3ae9c0000201c0000202') + bytes(26)


class Failure(Exception):
    pass


def eventually(condition, what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(what() if callable(what) else what)
        time.sleep(.02)


# The bpf() system call.

BPF_MAP_LOOKUP_ELEM, BPF_PROG_LOAD, BPF_OBJ_GET = 1, 5, 7
BPF_PROG_TEST_RUN, BPF_OBJ_GET_INFO_BY_FD = 10, 15
BPF_F_TEST_XDP_LIVE_FRAMES = 2
SYS_BPF = {'x86_64': 321}.get(os.uname().machine, 280)


def address(buf):
    return ctypes.addressof(buf)


def bpf(cmd, attr):
    buf = ctypes.create_string_buffer(attr, 160)
    ret = libc.syscall(SYS_BPF, cmd, buf, 160)
    if ret < 0:
        raise OSError(ctypes.get_errno(), 'bpf(%d): %s' % (
            cmd, os.strerror(ctypes.get_errno())))
    return ret, buf.raw


def pinned(path):
    name = ctypes.create_string_buffer(path.encode())
    return bpf(BPF_OBJ_GET, struct.pack('=QIIi', address(name), 0, 0, 0))[0]


def run_program(fd, data, ctx, flags=0):
    """Runs program 'fd' once on 'data', with the context 'ctx'."""
    data_in = ctypes.create_string_buffer(data, len(data))
    ctx_in = ctypes.create_string_buffer(ctx, len(ctx))
    bpf(BPF_PROG_TEST_RUN,
        struct.pack('=IIIIQQIIIIQQIII', fd, 0, len(data), 0,
                    address(data_in), 0, 1, 0, len(ctx), 0, address(ctx_in),
                    0, flags, 0, 0))


def load_pass():
    """Loads an XDP program that passes every frame."""
    code = struct.pack('=BBhiBBhi', 0xb7, 0, 0, 2, 0x95, 0, 0, 0)
    insns = ctypes.create_string_buffer(code, len(code))
    license = ctypes.create_string_buffer(b'GPL')
    return bpf(BPF_PROG_LOAD,
               struct.pack('=IIQQIIQII', 6, 2, address(insns),
                           address(license), 0, 0, 0, 0, 0))[0]


def xdp_md(size, meta, ifindex):
    return struct.pack('=IIIIII', meta, size, 0, ifindex, 0, 0)


def sk_buff(ifindex, ingress_ifindex=0):
    return struct.pack('=IIIIIIIIIIII', 0, 0, 0, 0, 0, 0, 0, 0, 0,
                       ingress_ifindex, ifindex, 0) + bytes(144)


# The daemon.

class Daemon:
    """A connection to ovs-vswitchd, as ovs-appctl makes one, that stays."""

    def __init__(self, rundir):
        with open(os.path.join(rundir, 'ovs-vswitchd.pid')) as f:
            self.pid = int(f.read())
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.path.join(rundir, 'ovs-vswitchd.%d.ctl'
                                       % self.pid))

    def __call__(self, method, *params):
        self.sock.sendall(json.dumps({'id': 0, 'method': method,
                                      'params': params}).encode())
        reply = b''
        while True:
            got = self.sock.recv(65536)
            if not got:
                raise Failure('%s: ovs-vswitchd has hung up' % method)
            reply += got
            try:
                reply = json.loads(reply)
                break
            except ValueError:
                pass
        if reply['error']:
            raise Failure('%s %s: %s' % (method, params, reply['error']))
        return reply['result']

    def stop(self):
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)


class Lab:
    def __init__(self, name, pins):
        self.name = name
        self.pins = pins
        self.dir = os.path.join(os.environ['OVS_XDP_LAB_DIR'], name)
        self.env = dict(os.environ, OVS_RUNDIR=self.dir, OVS_DBDIR=self.dir)
        self.ports = {'h%d' % i: Port('%s-h%d' % (name, i), 'eth0')
                      for i in range(1, 5)}
        enter(name + '-switch')
        self.connect()

    def connect(self):
        self.daemon = Daemon(self.dir)
        out = self.daemon('dpctl/show')
        self.numbers = {name: number for number, name
                        in re.findall(r'port (\d+): (\S+)', out)}

    def run(self, *argv):
        p = subprocess.run(argv, env=self.env, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if p.returncode:
            raise Failure('%s: %s' % (' '.join(argv), p.stdout))
        return p.stdout

    def vsctl(self, *argv):
        return self.run('ovs-vsctl', '--timeout=10', *argv)

    def ofctl(self, *argv):
        return self.run('ovs-ofctl', '--timeout=10', '-OOpenFlow13', *argv)

    def ip(self, *argv):
        return self.run('ip', *argv)

    def ifindex(self, dev):
        return socket.if_nametoindex(dev)

    def number(self, text):
        return re.sub(r'{(\w+)}', lambda m: self.numbers[m[1]], text)

    def send(self, host, n=3, frame=None, **options):
        """n packets."""
        for i in range(n):
            self.ports[host].send(frame or packet(host, **options))

    def raw(self, dev, frames):
        """Sends frames out of a device of the switch, past TC."""
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        sock.setsockopt(263, PACKET_QDISC_BYPASS, 1)
        sock.bind((dev, 0))
        for frame in frames:
            try:
                sock.send(frame)
            except OSError:
                pass            # Its queue is full: the packet is not sent.
        sock.close()

    # Flows of the datapath, with revalidators paused.

    def flow(self, actions, key='0', port='h1'):
        """A flow; 'key' may be a recirculation id."""
        if 'in_port' not in key:
            key = KEY % (key, '{%s}' % port)
        self.daemon('dpctl/add-flow', self.number(key), self.number(actions))

    def no_flows(self):
        self.daemon('dpctl/del-flows')

    # Counters.

    def counters(self):
        """Losses by (port, reason), and what the bridge got, by (port,
        'bridge', reason)."""
        all = collections.Counter()
        for family, labels, value in self.metrics():
            if family == 'ovs_xdp_port_dropped_packets_total':
                all[labels['port'], labels['reason']] += value
            elif family == 'ovs_xdp_lost_packets_total':
                all['ovs-xdp', labels['reason']] += value
            elif family == 'ovs_xdp_port_bridge_packets_total':
                all[labels['port'], 'bridge', labels['reason']] += value
        return all

    def metrics(self):
        for line in self.daemon('dpif-xdp/metrics').splitlines():
            m = re.fullmatch(r'(\w+)\{(.*)\} (\d+)', line)
            if m:
                labels = dict(re.findall(r'(\w+)="([^"]*)"', m[2]))
                yield m[1], labels, int(m[3])

    def flow_reasons(self):
        """Flows by (layer, reason) in metrics."""
        return collections.Counter({
            (labels['layer'], labels['reason']): value
            for family, labels, value in self.metrics()
            if family == 'ovs_xdp_layer_flows'})

    def shown_drops(self):
        """As self.counters(), by drops-show; every line must have advice."""
        all = collections.Counter()
        for line in table(self.daemon('dpif-xdp/drops-show')):
            if len(line) < 5 or not line[3] or not line[4]:
                raise Failure('no meaning or no advice: %s' % line)
            all[line[0], line[1]] += int(line[2])
        return all

    def shown_fallbacks(self):
        """Flows and packets by (port, where, reason)."""
        return {tuple(line[:3]): (int(line[3]), int(line[4]))
                for line in table(self.daemon('dpif-xdp/fallback-show'))}

    def statistics(self, name):
        """What the Interface has of losses and of the bridge."""
        out = self.vsctl('get', 'Interface', name, 'statistics')
        all = collections.Counter()
        for key, value in re.findall(r'(\w+)=(\d+)', out):
            m = re.fullmatch('xdp_(drop|bridge)_(.*)', key)
            if m:
                reason = m[2].replace('_', '-')
                all[(name, reason) if m[1] == 'drop'
                    else (name, 'bridge', reason)] = int(value)
        return all


def table(text):
    """The rows of a table, whose columns begin where the lines of "-" do."""
    lines = text.splitlines()
    for i, line in enumerate(lines):
        if re.fullmatch('-[- ]*', line):
            starts = [m.start() for m in re.finditer('-+', line)] + [None]
            return [[row[a:b].strip() for a, b in zip(starts, starts[1:])]
                    for row in lines[i + 1:]]
    return []


def packet(host, dst='h2', src=None, body=bytes(46), tag=b'',
           eth_type=ETH_TYPE):
    dst = MACS.get(dst) or bytes.fromhex(dst.replace(':', ''))
    return (dst + (src or MACS[host]) + tag + struct.pack('!H', eth_type)
            + body)


def new_packets(host, n, first=0):
    """That no flow knows: each is from another address."""
    for i in range(first, first + n):
        yield packet(host, src=b'\x02\x02' + struct.pack('!I', i))


class Test:
    def __init__(self, lab):
        self.lab = lab
        self.seen = set()       # Reasons of losses that had their case,
        self.seen_flows = set()     # and of flows.
        self.before = lab.counters()
        with open(os.path.join(os.environ['abs_top_srcdir'],
                               'datapath-bpf/oxdp-abi.h')) as f:
            version = re.search('OXDP_ABI_VERSION ([0-9]+)', f.read())[1]
        self.magic = 0x6f787000 + int(version)  # OXDP_HDR_MAGIC.

    def start(self, name):
        print('- ' + name, flush=True)
        self.lab.no_flows()
        self.before = self.lab.counters()

    def check(self, n, *key):
        """Since start(): n packets more, or (least, most), were counted under
        key, and none under another one."""
        low, high = n if isinstance(n, tuple) else (n, n)

        def delta():
            return self.lab.counters() - self.before

        eventually(lambda: delta()[key] >= low,
                   lambda: 'instead of %s of %s there are %s'
                   % (n, key, dict(delta())))
        more = delta()
        if more[key] > high or set(more) != {key}:
            raise Failure('instead of %s of %s alone there are %s'
                          % (n, key, dict(more)))
        self.compare()
        self.seen.add(key[1:])

    def check_both(self, port, reason, n=3):
        """The same of packets that the kernel bridge was given first."""
        self.before[port, 'bridge', 'stale'] += n
        self.check(n, port, reason)

    def compare(self):
        """All counters are the same wherever they are shown."""
        counters = {key: n for key, n in self.lab.counters().items() if n}
        drops = {k: n for k, n in counters.items() if len(k) == 2}
        bridged = {k: n for k, n in counters.items() if len(k) == 3}
        shown = dict(self.lab.shown_drops())
        if shown != drops:
            raise Failure('metrics have %s, drops-show %s' % (drops, shown))
        shown = {key: packets for key, (_, packets)
                 in self.lab.shown_fallbacks().items() if key[1] == 'bridge'}
        if shown != bridged:
            raise Failure('metrics have %s, fallback-show %s'
                          % (bridged, shown))

    def drop(self, name, port, reason, cause, n=3):
        self.start(name)
        cause()
        self.check(n, port, reason)

    def slow(self, reason, where, *flows, port='h1', ours=None, frame=None,
             also=None):
        """A flow that has the reason, and its packets.  Others of 'flows' are
        there for that; 'also' is what they have, "where, reason"."""
        lab = self.lab
        print('- flow: %s in %s' % (reason, where), flush=True)
        lab.no_flows()
        for flow in flows:
            key, _, actions = flow.rpartition(' ')
            lab.flow(actions, key or '0', port)
        lab.send(port, 3, frame)
        self.check_flows(reason, where, port, ours or 1, also)

    def check_flows(self, reason, where, port='h1', n=1, also=None):
        """There are n flows of the port that have the reason, with three
        packets, and none for other reasons than in 'also'."""
        lab = self.lab
        others = set((also,) if also else ())

        def shown():
            return {key: value for key, value in lab.shown_fallbacks().items()
                    if key[1] != 'bridge' and key[1:] not in others}

        wanted = {(port, where, reason): (n, 3)}
        eventually(lambda: shown() == wanted,
                   lambda: 'instead of %s there is %s' % (wanted, shown()))
        flows = {key: value for key, value in lab.flow_reasons().items()
                 if value and key not in others and key[1] != 'none'}
        if flows != {(where, reason): n}:
            raise Failure('metrics have %s' % flows)
        self.seen_flows.add(reason)

    def openflow(self, reason, where, *flows, port='h1', frame=None):
        """The same with OpenFlow flows: the first packet makes the datapath's
        flow."""
        lab = self.lab
        print('- flow: %s in %s' % (reason, where), flush=True)
        lab.no_flows()
        lab.ofctl('del-flows', 'br0')
        for flow in flows:
            lab.ofctl('add-flow', 'br0', flow)
        lab.send(port, 1, frame)
        eventually(lambda: lab.daemon('dpctl/dump-flows'), 'no flow')
        lab.send(port, 3, frame)
        self.check_flows(reason, where, port)


def many_masks(t):
    """More masks than the fast path searches: each has its own bits and
    addresses."""
    lab = t.lab
    n = MAX_MASKS + 40
    lab.no_flows()
    print('- flow: masks in user', flush=True)
    for i in range(1, n + 1):
        id = bytes([2, 3, 0, 0]) + struct.pack('!H', i)
        mask = b'\xff' * 4 + struct.pack('!H', i)
        src = (id[:2] + struct.pack('!H', i) + struct.pack('!H', i))
        lab.flow('{h2}', 'recirc_id(0),in_port({h1}),eth(src=%s/%s),'
                 'eth_type(0x88b5)' % (src.hex(':'), mask.hex(':')))
    lost = lab.flow_reasons()['user', 'masks']
    if not 1 <= lost <= 40:
        raise Failure('%d of %d flows have a mask too many' % (lost, n))
    for i in range(n - 2, n + 1):
        src = b'\2\3' + struct.pack('!H', i) + struct.pack('!H', i)
        lab.send('h1', 1, packet('h1', src=src))
    t.check_flows('masks', 'user', n=lost)


class NoFiles:
    """While it is there, ovs-vswitchd can open nothing."""

    def __init__(self, daemon):
        self.pid = daemon.pid

    def __enter__(self):
        self.old = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        used = {int(fd) for fd in os.listdir('/proc/%d/fd' % self.pid)}
        first = next(i for i in range(1 << 20) if i not in used)
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE,
                         (first, self.old[1]))

    def __exit__(self, *exc):
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, self.old)


def no_memory(t):
    """What takes memory of BPF that is not there."""
    lab = t.lab
    with NoFiles(lab.daemon):
        t.slow('flood-map', 'tc', '{h4},{h2}')
        print('- flow: table-full in user', flush=True)
        lab.no_flows()
        actions = '{h2},set(eth(src=02:09:00:00:00:01)),{h4}'
        for i in range(2 * MAX_LISTS):
            src = b'\2\3' + struct.pack('!I', i)
            lab.flow(actions, 'recirc_id(0),in_port({h1}),eth(src=%s),'
                     'eth_type(0x88b5)' % src.hex(':'))
            if lab.flow_reasons()['user', 'table-full']:
                break
    lab.send('h1', 3, packet('h1', src=src))
    t.check_flows('table-full', 'user', also=('tc', 'multi-output'))


def flow_reasons(t):
    lab = t.lab
    no_memory(t)
    t.slow('multi-output', 'tc', '{h2},set(eth(src=02:09:00:00:00:01)),{h4}')
    t.slow('flood', 'xdp', '{h2},{h4}')
    t.slow('userspace', 'user', 'userspace(pid=0)')
    t.slow('metadata', 'tc', 'set(skb_mark(5)),{h2}')
    t.slow('no-xmit', 'tc', '{h3}')
    t.slow('action', 'user', 'ct(zone=1),{h2}')
    t.slow('clone', 'user',
           'clone(set(eth(src=02:09:00:00:00:01)),{h3}),{h2}')
    t.slow('trunc', 'user', 'trunc(60),{h2}')
    t.slow('set-field', 'user', 'set(nd(target=::1)),{h2}')
    t.slow('too-long', 'user', 17 * 'push_vlan(vid=1,pcp=0),' + '{h2}')
    t.slow('port', 'user', '{h2},4096')
    t.slow('match', 'user', 'ct(zone=1),recirc(9001)',
           'recirc_id(9001),in_port({h1}),ct_state(+trk),eth(),'
           'eth_type(0x88b5) {h2}', also=('user', 'action'))
    many_masks(t)
    t.openflow('frame', 'user', 'in_port=h3,actions=push_mpls:0x8847,h2',
               port='h3', frame=packet('h3', eth_type=0x0800, body=IPV4))
    lab.vsctl('set', 'Bridge', 'br0', 'other_config:xdp-flood=bridge')
    t.openflow('bridge', 'tc', 'actions=NORMAL',
               frame=packet('h1', dst='ff:ff:ff:ff:ff:ff'))
    lab.vsctl('remove', 'Bridge', 'br0', 'other_config', 'xdp-flood')


PUSHES = ','.join(15 * ['push_vlan(vid=1,pcp=0)'])
# Packets with so many tags have another type.
TAGGED = ('recirc_id(%d),in_port({h1}),eth(),eth_type(0x8100),vlan(vid=1,pcp=0),'
          'encap(eth_type(0x8100))')
# Packets that have been through conntrack, in ovs-vswitchd.
AFTER_CT = ('recirc_id(9001),in_port({h1}),ct_state(+trk),eth(),'
            'eth_type(0x88b5)')
PUNT_USER, PUNT_ACTION = 1, 4   # enum oxdp_punt.
CPU_HDR = struct.Struct('=IIIIIIIBBHQII')       # struct oxdp_hdr.


def header(t, port, reason=PUNT_USER, cookie=0):
    """A header of the CPU port."""
    return CPU_HDR.pack(t.magic, port, 0, 0, 0, 0, 0, reason, 0, 0, cookie, 0,
                        0)


def push_tags(t, n, last):
    """Flows that push 15 tags, n times, and then do 'last'."""
    lab = t.lab
    lab.flow(PUSHES + ',recirc(9001)')
    for i in range(1, n):
        lab.flow(PUSHES + ',recirc(%d)' % (9001 + i), TAGGED % (9000 + i))
    if last:
        lab.flow(last, TAGGED % (9000 + n))


def pipeline(t):
    """What flows lead to."""
    lab = t.lab
    send = lab.send

    def flow(actions, host='h1', **options):
        lab.flow(actions, port=host)
        send(host, 3, **options)

    t.drop('flow says drop', 'h1', 'action', lambda: flow('drop'))
    t.drop('the same in TC', 'h3', 'action', lambda: flow('drop', 'h3'))
    t.drop('no such bond', 'h1', 'bond', lambda: flow('lb_output(77)'))

    def loop():
        lab.flow('recirc(9001)')
        lab.flow('recirc(9001)', KEY % (9001, '{h1}'))
        send('h1')

    t.drop('loop of recirculations', 'h1', 'recirc-depth', loop)

    def meter():
        lab.ofctl('add-meter', 'br0',
                  'meter=1,pktps,burst,band=type=drop,rate=1,burst_size=1')
        lab.flow('meter(0),{h2}')
        send('h1', 10)

    t.drop('meter', 'h1', 'meter', meter, (7, 9))

    def no_room(n, last):
        push_tags(t, n, last)
        send('h1')

    t.drop('tags without end', 'h1', 'rewrite', lambda: no_room(4, '{h2}'))
    t.drop('tags and then an upcall', 'h1', 'upcall-error',
           lambda: no_room(3, ''))

    def full_qdisc():
        lab.run('tc', 'qdisc', 'add', 'dev', 'h4', 'root', 'tbf', 'rate',
                '1mbit', 'burst', '100', 'latency', '1ms')
        flow('{h4},{h1}', 'h3', frame=packet('h3', body=bytes(200)))

    t.drop('copy to a device that refuses it', 'h3', 'output-error',
           full_qdisc)
    lab.run('tc', 'qdisc', 'del', 'dev', 'h4', 'root')

    t.start('longer than the MTU')
    lab.ip('link', 'set', 'h2', 'mtu', '1000')
    lab.flow('{h2}')
    sent = [0]

    def too_long():
        send('h1', 1, packet('h1', body=bytes(1400)))
        sent[0] += 1
        return lab.counters() != t.before

    eventually(too_long, 'the MTU means nothing')
    t.check((1, sent[0]), 'h1', 'mtu')
    lab.ip('link', 'set', 'h2', 'mtu', '1500')


def devices(t):
    """What has no valid port, header or origin."""
    lab = t.lab
    tc_port = pinned(lab.pins + '/prog-oxdp_tc_port')
    tc_gate = pinned(lab.pins + '/prog-oxdp_tc_gate')
    h1, h2 = lab.ifindex('h1'), lab.ifindex('h2')
    inject = 'ovs-xdp-cpu'

    t.drop('no port', 'ovs-xdp', 'no-port',
           lambda: run_program(tc_port, packet('h1'), sk_buff(1)), 1)
    t.drop('past the bridge, which was not given it', 'h1', 'gate',
           lambda: run_program(tc_gate, packet('h1'), sk_buff(h2, h1)), 1)
    meta = struct.pack('=I', t.magic ^ 1) + bytes(12)
    t.drop('decided by another version', 'h1', 'version',
           lambda: run_program(load_pass(), meta + packet('h1'),
                               xdp_md(16 + len(packet('h1')), 16, h1),
                               BPF_F_TEST_XDP_LIVE_FRAMES), 1)
    t.drop('from userspace without a header', 'ovs-xdp', 'inject',
           lambda: lab.raw(inject, 3 * [packet('h1')]))
    t.drop('from userspace to a port that is not there', 'ovs-xdp',
           'output-port',
           lambda: lab.raw(inject, 3 * [header(t, 4000) + packet('h1')]))


def macvlan(t):
    lab = t.lab
    macs = {h: MACS[h].hex(':') for h in MACS}
    lab.vsctl('set', 'Bridge', 'br0', 'other_config:xdp-l2=macvlan',
              'other_config:xdp-macvlan-lower=h4', '--', 'set', 'Interface',
              'h1', 'external_ids:attached-mac="%s"' % macs['h1'])
    t.drop('source address of another one', 'h1', 'macvlan-source',
           lambda: lab.send('h1', src=MACS['h3']))
    t.drop('to nobody', 'h4', 'macvlan-unknown', lambda: lab.send('h4'))
    t.drop('a port without address', 'h2', 'macvlan-port',
           lambda: lab.send('h2'))
    lab.vsctl('remove', 'Bridge', 'br0', 'other_config', 'xdp-l2')


def upcalls(t):
    """Upcalls of which there are too many."""
    lab = t.lab

    t.start('more upcalls than a port may make')
    lab.vsctl('set', 'Open_vSwitch', '.', 'other_config:xdp-upcall-rate=1',
              'other_config:xdp-upcall-burst=1')
    sent = [0]

    def too_many():
        # What there was before in the bucket is void within a second.
        for frame in new_packets('h1', 10, sent[0]):
            lab.send('h1', 1, frame)
        sent[0] += 10
        return lab.counters() != t.before

    eventually(too_many, 'there is no limit')
    t.check((1, sent[0]), 'h1', 'upcall-rate')
    lab.vsctl('remove', 'Open_vSwitch', '.', 'other_config',
              'xdp-upcall-rate', 'xdp-upcall-burst')

    t.start("more upcalls than a port's share")
    lab.daemon.stop()
    for frame in new_packets('h1', 4000, 1 << 16):
        lab.send('h1', 1, frame)
    lab.daemon.go_on()
    t.check((1, 4000), 'h1', 'upcall-queue')


class SmallQueue:
    """While it is there, one packet may wait for ovs-vswitchd."""

    LIMIT = 12                  # Offset in struct oxdp_cpu_block.

    def __init__(self, lab):
        fd = pinned(lab.pins + '/map-oxdp_cpus')
        info = ctypes.create_string_buffer(80)
        bpf(BPF_OBJ_GET_INFO_BY_FD,
            struct.pack('=IIQ', fd, 80, address(info)))
        size, self.n = struct.unpack_from('=II', info.raw, 12)
        self.size = (size + 7) & ~7
        page = mmap.PAGESIZE
        self.mem = mmap.mmap(fd, (self.size * self.n + page - 1) // page * page)
        os.close(fd)

    def set(self, limit):
        for cpu in range(self.n):
            struct.pack_into('=I', self.mem, cpu * self.size + self.LIMIT,
                             limit)

    def __enter__(self):
        self.old, = struct.unpack_from('=I', self.mem, self.LIMIT)
        self.set(1)

    def __exit__(self, *exc):
        self.set(self.old)
        self.mem.close()


def set_fail_mode(lab, mode):
    lab.vsctl('set-fail-mode', 'br0', mode)
    eventually(lambda: ('fallback: kernel' in lab.daemon('dpif-xdp/show'))
               == (mode == 'standalone'), 'fail_mode has no effect')


def away(t, reason, cause):
    """What becomes of packets that ovs-vswitchd cannot have: of a secure
    bridge, and of one where the kernel bridge takes them."""
    lab = t.lab
    for mode in 'secure', 'standalone':
        set_fail_mode(lab, mode)
        lab.ofctl('add-flow', 'br0', 'actions=NORMAL')
        t.start('%s, %s' % (reason, mode))
        n = cause()
        if mode == 'secure':
            t.check(n, 'h1', reason)
        else:
            t.check(n, 'h1', 'bridge', reason)


def stopped(t, seconds, act):
    t.lab.daemon.stop()
    try:
        time.sleep(seconds)
        return act()
    finally:
        t.lab.daemon.go_on()


def too_busy(t):
    lab = t.lab

    def stale():
        return stopped(t, STALE, lambda: lab.send('h1') or 3)

    away(t, 'stale', stale)

    def full():
        def act():
            for frame in new_packets('h1', 10, 1 << 20):
                lab.send('h1', 1, frame)
            return 5, 9

        with SmallQueue(lab):
            return stopped(t, 0, act)

    away(t, 'queue-full', full)

    t.start('a flow for ovs-vswitchd, which is away')
    lab.flow('ct(zone=1),{h2}')
    stopped(t, STALE, lambda: lab.send('h1'))
    t.check(3, 'h1', 'user-flow')

    t.start('a reserved address, for the kernel bridge')
    stopped(t, STALE, lambda: lab.send('h1', dst='01:80:c2:00:00:0e'))
    t.seen.add(('bridge', 'stale'))
    t.check_both('h1', 'fallback-in')

    t.start('the kernel bridge floods all VLANs')
    lab.vsctl('set', 'Port', 'h1', 'tag=10', '--', 'set', 'Port', 'h2', 'tag=10',
              '--', 'set', 'Port', 'h3', 'tag=20',
              '--', 'set', 'Port', 'h4', 'tag=10',
              '--', 'set', 'Port', 'br0', 'tag=10')
    stopped(t, STALE, lambda: lab.send('h1', dst='ff:ff:ff:ff:ff:ff'))
    t.check_both('h1', 'fallback-out')
    lab.vsctl('--', *' -- '.join('clear Port %s tag' % p for p in (
        'h1', 'h2', 'h3', 'h4', 'br0')).split())


def losses(t):
    """Between BPF and OVS, and in ovs-vswitchd."""
    lab = t.lab
    h1 = int(lab.numbers['h1'])
    cpu = 'ovs-xdp'

    def user(reason, actions, n=3, more=(), sent=3):
        t.start('in ovs-vswitchd: ' + reason)
        # Conntrack is what BPF leaves to it.
        lab.flow('ct(zone=1),recirc(9001)')
        for key, then in more:
            lab.flow(then, key)
        if actions is not None:
            lab.flow(actions, AFTER_CT)
        lab.send('h1', sent)
        t.check(n, cpu, reason)

    user('user-action', 'drop')
    user('user-output-port', '4090')
    user('user-bond', 'lb_output(77)')
    user('user-recirc-depth', 'recirc(9001)')
    user('user-meter', 'meter(0),{h2}', (7, 9), sent=10)
    user('user-tunnel', 'tnl_pop(4090)')

    t.drop('no header', cpu, 'ring-bad',
           lambda: lab.raw(cpu, 3 * [packet('h1')]))
    t.drop('an action that is not there', cpu, 'flow-gone',
           lambda: lab.raw(cpu, 3 * [header(t, h1, PUNT_ACTION, 1)
                                     + packet('h1')]))

    t.start('more than a ring holds')
    lab.flow('{h2}')
    n = 20000
    stopped(t, 0, lambda: lab.raw(cpu, n * [header(t, h1) + packet('h1')]))
    t.check((1, n), cpu, 'ring-full')

    t.start('the CPU port is down')
    lab.ip('link', 'set', 'ovs-xdp-cpu', 'down')
    for i in range(5):
        lab.ofctl('packet-out', 'br0', 'LOCAL',
                  ','.join(2000 * ['output:1']), packet('h3').hex())
    t.check((1, 10000), cpu, 'not-sent')
    lab.ip('link', 'set', 'ovs-xdp-cpu', 'up')


def restart(t):
    """Has reasons.test start another daemon."""
    print('restart', flush=True)
    sys.stdin.readline()
    t.lab.connect()


def absent(t):
    """While no daemon runs, or it takes no upcalls."""
    lab = t.lab
    for mode in 'secure', 'standalone':
        print('- no-daemon, %s' % mode, flush=True)
        set_fail_mode(lab, mode)
        # What it has been told before must not say where they go.
        lab.ofctl('add-flow', 'br0', 'actions=NORMAL')
        lab.daemon('revalidator/purge')
        eventually(lambda: 'drop' not in lab.daemon('dpctl/dump-flows'),
                   'it drops')
        os.kill(lab.daemon.pid, signal.SIGKILL)
        eventually(lambda: not alive(lab.daemon.pid), 'it does not die')
        lab.send('h1', src=b'\2\5' + mode[:4].encode())
        t.before = collections.Counter()
        lab.daemon = None
        restart(t)
        # Where it is standalone, the packets of before as well.
        if mode == 'secure':
            t.check(3, 'h1', 'no-daemon')
        else:
            t.before['h1', 'no-daemon'] = 3
            t.check(3, 'h1', 'bridge', 'no-daemon')
    lab.vsctl('set', 'Open_vSwitch', '.', 'other_config:flow-restore-wait=true')
    for mode in 'secure', 'standalone':
        lab.vsctl('--no-wait', 'set-fail-mode', 'br0', mode)
        print('- no-handler, %s' % mode, flush=True)
        lab.daemon('exit', '--cleanup')
        eventually(lambda: not alive(lab.daemon.pid), 'it does not exit')
        restart(t)
        eventually(lambda: ('fallback: kernel' in lab.daemon('dpif-xdp/show'))
                   == (mode == 'standalone'), 'fail_mode has no effect')
        t.before = lab.counters()
        lab.send('h1')
        if mode == 'secure':
            t.check(3, 'h1', 'no-handler')
        else:
            t.check(3, 'h1', 'bridge', 'no-handler')
    t.start('a packet for the controller, but no handler')
    lab.ofctl('packet-out', 'br0', 'LOCAL', 'controller', packet('h3').hex())
    t.check(1, 'ovs-xdp', 'handler')
    lab.vsctl('remove', 'Open_vSwitch', '.', 'other_config',
              'flow-restore-wait')


def alive(pid):
    """Any of its threads: until the last one ends there are its sockets."""
    try:
        if len(os.listdir('/proc/%d/task' % pid)) > 1:
            return True
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def statistics(t):
    """The Interfaces have the same figures."""
    print('- statistics of Interfaces', flush=True)
    for name in 'h1', 'h2', 'h3', 'h4':
        def differs():
            wanted = {key: n for key, n in t.lab.counters().items()
                      if n and key[0] == name}
            got = dict(t.lab.statistics(name))
            return wanted != got and (wanted, got)

        eventually(lambda: not differs(),
                   lambda: 'metrics and statistics are %s and %s' % differs(),
                   20)


def complete(t, reasons):
    """Every reason had its case."""
    missing = reasons - t.seen - {(r,) for r in t.seen_flows}
    if missing:
        raise Failure('no case for %s' % sorted(missing))
    print('%d reasons' % len(reasons))


def all_reasons(lab):
    reasons = {key[1:] for key in lab.counters()}
    return reasons | {(reason,) for layer, reason in lab.flow_reasons()
                      if reason != 'none'}


def main():
    lab = Lab(sys.argv[1], sys.argv[2])
    t = Test(lab)
    reasons = all_reasons(lab)
    lab.daemon('revalidator/purge')
    lab.daemon('revalidator/pause')
    paused = True
    try:
        flow_reasons(t)
        pipeline(t)
        devices(t)
        macvlan(t)
        upcalls(t)
        losses(t)
        too_busy(t)
        statistics(t)
        # Without that it could not exit.
        lab.daemon('revalidator/resume')
        paused = False
        absent(t)
        complete(t, reasons)
    except Failure as e:
        print('FAILED: %s' % e)
        if paused:
            lab.daemon('revalidator/resume')
        sys.exit(1)


main()
