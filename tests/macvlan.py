# SPDX-License-Identifier: Apache-2.0
"""macvlan.py: the same frames through the kernel's macvlan devices and ours.

    macvlan.py compare REFERENCE LAB... -- CONFIG MAC...
    macvlan.py send LAB FROM SRC DST [VID]  prints who gets it, and if there is
                                            a VID, of which 0 is none, with
                                            which tag

REFERENCE and LABs are labs of "ovs-xdp-lab", whose hosts h1 to h4 are upper
ports, those of them that have an eth0, and h5 is the wire behind the lower port.
"host" is the switch itself: device h5 of REFERENCE, br0 in others.

Every host, the wire and the switch send to every address that means something,
the wire also with the addresses of the others, as if it reflected what these
have sent.  Each frame must arrive at the same places, with the same bytes and
the same number of times.

MACs are those of h1, h2...
CONFIG is a name, of what is configured, for people.
"""

import collections
import socket
import struct
import sys
import time

from lab_port import Port

QUIET = .15             # Seconds without a frame: that is all.
LATE = 4                # Seconds that a missing frame may take.

ETH_TYPE = 0x88b5
ETH_PAUSE = 0x8808
MAGIC = b'macvlan!'
PACKET_OTHERHOST = 3

HOST = '02:00:00:00:00:aa'
OUTSIDE = ['02:00:00:00:00:77', '02:00:00:00:00:78']
GROUPS = ['ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01', '01:00:5e:01:01:01',
          '33:33:00:00:00:05', '01:80:c2:00:00:0e']
UNKNOWN = '02:00:00:00:00:99'
TAGS = [b'', struct.pack('!HH', 0x8100, 0x2014),
        struct.pack('!HH', 0x88a8, 30)]


class HostPort(Port):
    """A socket that gets what a device's host does, that is, behind macvlan
    devices, and not what is for others."""

    def __init__(self, netns, dev):
        super().__init__(netns, dev)
        self.sock.bind((dev, ETH_TYPE))
        # It may be down.
        self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def receive(self):
        while True:
            frame = super().receive()
            if self.kind != PACKET_OTHERHOST:
                return frame


class Lab:
    def __init__(self, name):
        self.name = name
        self.nodes = {'wire': Port(name + '-h5', 'eth0')}
        try:
            self.nodes['host'] = HostPort(name + '-switch', 'br0')
        except OSError:
            self.nodes['host'] = HostPort(name + '-switch', 'h5')
        for i in range(1, 5):
            try:
                self.nodes['h%d' % i] = Port('%s-h%d' % (name, i),
                                                         'eth0')
            except OSError:
                continue
        self.got = collections.Counter()

    def collect(self):
        """Reads what has arrived; returns whether something has."""
        n = 0
        for name, port in self.nodes.items():
            while True:
                try:
                    frame = port.receive()
                except BlockingIOError:
                    break
                if MAGIC in frame:
                    self.got[name, frame] += 1
                    n += 1
        return n > 0


def mac(text):
    return bytes.fromhex(text.replace(':', ''))


def frame(number, dst, src, tag, eth_type=ETH_TYPE):
    return (mac(dst) + mac(src) + tag + struct.pack('!H', eth_type) + MAGIC
            + struct.pack('!I', number) + bytes(46))


def cases(nodes, macs, passthru):
    """(sender, frame), of those nodes that there are; macs are of h1, h2..."""
    sources = [('wire', src) for src in OUTSIDE + macs + [HOST]]
    sources.append(('host', HOST))
    # The device of mode "passthru" has the address of the one below it.
    sources += [('h%d' % (i + 1), HOST if passthru else src)
                for i, src in enumerate(macs)]
    destinations = macs + [HOST, UNKNOWN] + GROUPS
    number = 0
    for sender, src in sources:
        if sender in nodes:
            for tag in TAGS:
                for dst in destinations:
                    number += 1
                    yield sender, frame(number, dst, src, tag)
            number += 1
            yield sender, frame(number, '01:80:c2:00:00:01', src, b'',
                                ETH_PAUSE)


def tag_of(data):
    tpid, tci = struct.unpack('!HH', data[12:16])
    return '%d' % (tci & 0xfff) if tpid == 0x8100 else 'untagged'


def collect_all(labs, seconds):
    """Until nothing arrives for so long."""
    last = time.monotonic()
    while time.monotonic() - last < seconds:
        for lab in labs:
            if lab.collect():
                last = time.monotonic()
        time.sleep(.005)


def describe(what):
    return ', '.join('%s: %s x%d' % (node, data[:18].hex(' '), n)
                     for (node, data), n in sorted(what.items())[:8])


def differences(reference, lab):
    """What is missing, and what is too much."""
    return reference.got - lab.got, lab.got - reference.got


def compare(argv):
    names = argv[:argv.index('--')]
    config, *macs = argv[argv.index('--') + 1:]
    labs = [Lab(name) for name in names]
    reference = labs[0]
    n = 0
    for sender, data in cases(reference.nodes, macs, 'passthru' in config):
        for lab in labs:
            lab.nodes[sender].send(data)
        n += 1
        if n % 8 == 0:
            for lab in labs:
                lab.collect()
    deadline = time.monotonic() + LATE
    collect_all(labs, QUIET)
    while (time.monotonic() < deadline
           and any(any(differences(reference, lab)) for lab in labs[1:])):
        collect_all(labs, QUIET)
    failed = False
    for lab in labs[1:]:
        missing, surplus = differences(reference, lab)
        if missing:
            print('%s: %s: %d are missing: %s' % (
                config, lab.name, sum(missing.values()), describe(missing)))
        if surplus:
            print('%s: %s: %d are too much: %s' % (
                config, lab.name, sum(surplus.values()), describe(surplus)))
        failed |= bool(missing or surplus)
    where = collections.Counter()
    for (node, _), count in reference.got.items():
        where[node] += count
    print('  %s: %d frames, arrived: %s' % (
        config, n, ' '.join('%s %d' % w for w in sorted(where.items()))))
    return 1 if failed or not where else 0


def send(argv):
    name, sender, src, dst, *vid = argv
    lab = Lab(name)
    tag = (struct.pack('!HH', 0x8100, int(vid[0])) if vid and vid[0] != '0'
           else b'')
    lab.nodes[sender].send(frame(0, dst, src, tag))
    collect_all([lab], .4)
    print(' '.join(sorted(
        node + (':' + tag_of(data) if vid else '')
        for node, data in lab.got.elements())))
    return 0


if __name__ == '__main__':
    sys.exit({'compare': compare, 'send': send}[sys.argv[1]](sys.argv[2:]))
