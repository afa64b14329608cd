# SPDX-License-Identifier: Apache-2.0
"""diff-bridges.py: random OpenFlow tables and random packets, which come out
of every lab as they come out of the reference.

    diff-bridges.py random SEED CASES DIR REFERENCE LAB=MODE...
    diff-bridges.py replay FILE REFERENCE LAB=MODE...

Case number I is that of seed SEED + I.  A case that fails is saved in DIR.
A case is what "lab-packets.py compare" reads: groups, flows in several tables,
and packets from two hosts, which are sent twice.  OpenFlow's counters are
compared as well.
"""

import importlib.util
import ipaddress
import os
import random
import re
import struct
import sys

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NS, IPv6,
                                IPv6ExtHdrDestOpt)
from scapy.layers.l2 import ARP
from scapy.packet import Raw

spec = importlib.util.spec_from_file_location(
    'lab_packets', os.path.join(os.path.dirname(__file__), 'lab-packets.py'))
lab_packets = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lab_packets)

MAX_FAILURES = 5
N_PACKETS = 24          # Of each sender.

# Few values, so that matches match.
MACS = ['02:01:00:00:00:01', '02:01:00:00:00:02', '0a:00:00:00:00:03']
TO_MACS = MACS + ['ff:ff:ff:ff:ff:ff', '01:00:5e:01:01:01']
IPS = ['192.0.2.1', '192.0.2.2', '198.51.100.1', '10.9.0.1']
IP6S = ['2001:db8::1', '2001:db8::2', '2001:db8:7::1', 'fe80::1']
PORTS = [7, 9, 80, 8080]
VLANS = [0, 5, 7, 100]
SIZES = [0, 4, 30, 150, 500, 1300]
OUTPUTS = ['1', '2', '3', 'LOCAL']

# The kinds of packets that matches are about: what makes a packet one of
# them, and which fields these have.
L4 = {'tcp': ('tcp_src', 'tcp_dst'), 'udp': ('udp_src', 'udp_dst')}
L4['tcp6'], L4['udp6'] = L4['tcp'], L4['udp']
KINDS = ['', 'arp', 'ip', 'ipv6', 'icmp', 'icmp6'] + list(L4)


# Packets.

def l4_header(rng):
    data = Raw(bytes(rng.randrange(256) for _ in range(rng.choice(SIZES))))
    ports = dict(sport=rng.choice(PORTS), dport=rng.choice(PORTS))
    if rng.random() < .5:
        return UDP(**ports) / data
    return TCP(flags=rng.choice(['S', 'SA', 'A', 'FA', 'R', 'PA']),
               **ports) / data


def ip4_packet(rng):
    ip = IP(src=rng.choice(IPS), dst=rng.choice(IPS),
            ttl=rng.choice([1, 2, 64, 255]), tos=rng.choice([0, 4, 1, 0xb8]))
    kind = rng.random()
    if kind < .08:
        return ip / ICMP(type=rng.choice([0, 8]), id=3, seq=4)
    if kind < .14:
        ip.options = [b'\x94\x04\x00\x00']
    elif kind < .2:
        ip.id = 5
        ip.flags = 'MF'
        return ip / UDP(sport=rng.choice(PORTS), dport=rng.choice(PORTS),
                        len=200, chksum=0) / Raw(bytes(32))
    return ip / l4_header(rng)


def ip6_packet(rng):
    ip = IPv6(src=rng.choice(IP6S), dst=rng.choice(IP6S),
              hlim=rng.choice([1, 2, 64]), tc=rng.choice([0, 8, 1]),
              fl=rng.choice([0, 5, 0xfffff]))
    kind = rng.random()
    if kind < .15:
        return ip / ICMPv6EchoRequest(id=3)
    if kind < .25:
        ip.hlim = 255
        return ip / ICMPv6ND_NS(tgt=rng.choice(IP6S))
    if kind < .35:
        ip = ip / IPv6ExtHdrDestOpt()
    return ip / l4_header(rng)


def packet(rng, tags):
    head = bytes.fromhex((rng.choice(TO_MACS)
                          + rng.choice(MACS)).replace(':', ''))
    for _ in range(rng.choice(tags)):
        head += struct.pack('!HH', rng.choice([0x8100, 0x8100, 0x8100,
                                               0x88a8]),
                            rng.randrange(8) << 13 | rng.choice(VLANS))
    kind = rng.random()
    if kind < .55:
        return head + b'\x08\x00' + bytes(ip4_packet(rng))
    if kind < .85:
        return head + b'\x86\xdd' + bytes(ip6_packet(rng))
    if kind < .95:
        return head + b'\x08\x06' + bytes(ARP(
            op=rng.choice([1, 2]), hwsrc=rng.choice(MACS),
            psrc=rng.choice(IPS), pdst=rng.choice(IPS)))
    return head + b'\x88\xb5' + bytes(rng.choice([2, 46, 100]))


# Flows.

def and_mask(value, mask):
    """"VALUE/MASK" without bits that the mask does not have."""
    def integer(text):
        if re.fullmatch('(..:){5}..', text):
            return int(text.replace(':', ''), 16), 'mac'
        if '.' in text or ':' in text:
            address = ipaddress.ip_address(text)
            return int(address), type(address)
        return int(text, 0), str

    bits, kind = integer(value)
    bits &= integer(mask)[0]
    if kind == 'mac':
        return '%s/%s' % (bits.to_bytes(6, 'big').hex(':'), mask)
    return '%s/%s' % (kind(bits), mask)


class Bridge:
    """The OpenFlow tables of one case."""

    def __init__(self, rng):
        self.rng = rng
        self.n_tables = rng.randint(3, 6)
        self.ct = rng.random() < .2
        # With a second tag, OVS's datapath in userspace changes the wrong
        # bytes after a copy for the controller: its parser, which has looked
        # at the packet for that, stops behind the first tag.
        self.copies = rng.random() < .3
        self.groups = []
        self.groups = [self.group(i) for i in range(1, rng.randint(1, 4))]
        self.flows = [flow for table in range(self.n_tables)
                      for flow in self.table(table)]

    def one_of(self, *choices):
        return self.rng.choice(choices)

    def masked(self, value, mask, chance=.25):
        return and_mask(value, mask) if self.rng.random() < chance else value

    def value(self, field):
        """A value to match on or to set."""
        one_of = self.one_of
        if field in ('eth_src', 'eth_dst', 'arp_sha'):
            return self.masked(one_of(*TO_MACS), one_of(
                'ff:ff:ff:00:00:00', '00:00:00:00:00:01'))
        if field in ('ip_src', 'ip_dst', 'arp_spa', 'arp_tpa'):
            return self.masked(one_of(*IPS), one_of(
                '255.255.0.0', '255.255.255.252', '0.0.0.1'))
        if field in ('ipv6_src', 'ipv6_dst'):
            return self.masked(one_of(*IP6S), one_of(
                'ffff:ffff:ffff::', '::ff', 'ffff:ffff:ffff:ff00::'))
        if field[4:] in ('src', 'dst'):
            return self.masked(str(one_of(*PORTS)), one_of('0xfff8', '0xff'))
        if field.startswith('reg') or field == 'metadata':
            return self.masked(str(one_of(0, 1, 2, 3)), '0x1')
        return str({'nw_ttl': one_of(1, 2, 64), 'ip_dscp': one_of(0, 1, 46),
                    'nw_ecn': one_of(0, 1, 2), 'arp_op': one_of(1, 2),
                    'ipv6_label': one_of(0, 5, 0xfffff),
                    'icmp_type': one_of(0, 8), 'vlan_pcp': one_of(0, 3, 7),
                    'vlan_vid': 4096 + one_of(*VLANS)}[field])

    def fields(self, kind):
        """Fields of a kind of packets that can be matched and set."""
        fields = ['eth_src', 'eth_dst']
        if kind == 'arp':
            fields += ['arp_op', 'arp_spa', 'arp_tpa', 'arp_sha']
        elif kind.endswith('6'):
            fields += ['ipv6_src', 'ipv6_dst', 'ipv6_label', 'ip_dscp',
                       'nw_ecn', 'nw_ttl']
        elif kind:
            fields += ['ip_src', 'ip_dst', 'ip_dscp', 'nw_ecn', 'nw_ttl']
        if kind == 'icmp':
            fields += ['icmp_type']
        return fields + list(L4.get(kind, ()))

    def match(self, table):
        """Returns a match, the packets' kind, and whether they have a tag."""
        rng = self.rng
        kind = rng.choice(KINDS)
        match = [kind] if kind else []
        chosen = rng.sample(self.fields(kind),
                            rng.choice([0, 0, 1, 1, 2]))
        match += ['%s=%s' % (field, self.value(field)) for field in chosen]
        if rng.random() < .4:
            match.append('in_port=' + self.one_of('1', '2', '3'))
        tagged = None
        if rng.random() < .4:
            tagged = rng.random() < .7
            match.append(self.one_of(
                'dl_vlan=%d' % rng.choice(VLANS), 'vlan_tci=0x1000/0x1000',
                'dl_vlan_pcp=%d' % rng.randrange(8))
                if tagged else 'vlan_tci=0')
        if table and rng.random() < .4:
            field = self.one_of('reg0', 'reg1', 'metadata')
            match.append('%s=%s' % (field, self.value(field)))
        if kind in ('tcp', 'tcp6') and rng.random() < .3:
            match.append('tcp_flags=' + self.one_of('+syn', '+syn-ack',
                                                    '+ack', '-fin'))
        if kind in ('ip', 'udp', 'ipv6') and rng.random() < .15:
            match.append('nw_frag=' + self.one_of('no', 'first', 'not_later'))
        if self.ct and table and kind and kind != 'arp' and rng.random() < .5:
            match.append('ct_state=' + self.one_of('+trk', '+trk+new',
                                                   '+trk+est', '-trk'))
        return match, kind, tagged

    def output(self):
        rng = self.rng
        choice = rng.random()
        if choice < .75:
            return rng.choice(OUTPUTS)
        if self.copies and choice < .85:
            return 'controller(max_len=%d)' % self.one_of(0, 128)
        return self.one_of('in_port', 'all', 'flood',
                           'output(port=%s,max_len=%d)'
                           % (rng.choice(OUTPUTS), self.one_of(60, 200, 600)))

    def change(self, kind, tagged):
        """Returns actions that change a packet, and whether it is tagged
        then."""
        rng = self.rng
        choice = rng.random()
        if choice < .2 and not tagged and not self.copies:
            change = 'push_vlan:%s' % self.one_of('0x8100', '0x88a8')
            return '%s,set_field:%s->vlan_vid' % (change,
                                                  self.value('vlan_vid')), True
        if choice < .2 and tagged:
            return 'pop_vlan', None
        if choice < .3 and tagged:
            field = self.one_of('vlan_vid', 'vlan_pcp')
            return 'set_field:%s->%s' % (self.value(field), field), tagged
        if choice < .4 and kind not in ('', 'arp'):
            return 'dec_ttl', tagged
        if choice < .55:
            return self.one_of(
                'set_field:%s->reg0' % self.value('reg0'),
                'load:%d->NXM_NX_REG1[0..3]' % rng.randrange(4),
                'move:NXM_OF_ETH_SRC[0..15]->NXM_NX_REG0[0..15]',
                'move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]',
                'check_pkt_larger(%d)->NXM_NX_REG0[0]'
                % self.one_of(60, 100, 600)), tagged
        field = rng.choice(self.fields(kind))
        return 'set_field:%s->%s' % (self.value(field), field), tagged

    def actions(self, kind, tagged, depth=0):
        """A list of actions that OpenFlow applies."""
        rng = self.rng
        actions = []
        for _ in range(rng.choice([1, 1, 2, 3])):
            for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
                change, tagged = self.change(kind, tagged)
                actions.append(change)
            if self.groups and not depth and rng.random() < .1:
                actions.append('group:%d' % rng.randint(1, len(self.groups)))
            elif not depth and rng.random() < .12:
                actions.append('clone(%s)' % ','.join(
                    self.actions(kind, tagged, 1)))
            else:
                actions.append(self.output())
        return actions

    def instructions(self, table, kind, tagged):
        rng = self.rng
        last = table == self.n_tables - 1
        choice = rng.random()
        if choice < .08:
            return ['drop']
        actions = []
        if last or choice < .5:
            actions = self.actions(kind, tagged)
        elif choice < .75:
            for _ in range(rng.choice([0, 1, 2])):
                change, tagged = self.change(kind, tagged)
                actions.append(change)
        if last:
            return actions
        next_table = rng.randint(table + 1, self.n_tables - 1)
        if self.ct and kind not in ('', 'arp') and rng.random() < .4:
            return actions + ['ct(%stable=%d)' % (self.one_of('', 'commit,'),
                                                  next_table)]
        if rng.random() < .3:
            return actions + ['resubmit(,%d)' % next_table]
        # An action set and "ct" make Open vSwitch 3.1 fail an assertion.
        if not self.ct and rng.random() < .25:
            actions.append('write_actions(%s)' % self.one_of(*OUTPUTS))
        if rng.random() < .25:
            actions.append('write_metadata:%d' % rng.randrange(4))
        return actions + ['goto_table:%d' % next_table]

    def table(self, table):
        for priority in range(self.rng.randint(2, 6), 0, -1):
            match, kind, tagged = self.match(table)
            yield ','.join(['table=%d' % table, 'priority=%d' % priority]
                           + match + ['actions=' + ','.join(
                               self.instructions(table, kind, tagged))])
        yield 'table=%d,priority=0,actions=%s' % (table, ','.join(
            self.instructions(table, '', None)))

    def group(self, number):
        kind = self.one_of('all', 'indirect', 'ff', 'select')
        method = (',selection_method=hash,fields(%s)'
                  % self.one_of('eth_src', 'ip_src,ip_dst', 'eth_src,eth_dst')
                  if kind == 'select' else '')
        watch = 'watch_port:2,' if kind == 'ff' else ''
        n = 1 if kind == 'indirect' else self.rng.randint(1, 3)
        return 'group_id=%d,type=%s%s,%s' % (number, kind, method, ','.join(
            'bucket=%sactions=%s' % (watch, ','.join(
                action for action in self.actions('', None, 1)
                # ovs-ofctl cannot parse this one in buckets.
                if not action.startswith('check_pkt_larger')))
            for _ in range(n)))


def case(seed):
    """Returns the lines of the case of that seed."""
    rng = random.Random(seed)
    bridge = Bridge(rng)
    lines = ['= seed %d' % seed]
    lines += ["ofctl -OOpenFlow15 add-group br0 '%s'" % group
              for group in bridge.groups]
    lines += ['flow ' + flow for flow in bridge.flows]
    tags = [0, 0, 0, 0, 1, 1, 1] + [2] * (not bridge.copies)
    for host in rng.sample(['h1', 'h2', 'h3'], 2):
        # A connection's second packet might overtake the first.
        packets = {packet(rng, tags).hex(): None for _ in range(N_PACKETS)}
        lines.append('send %s %s' % (host, ','.join(
            '0x' + p for p in packets)))
    return lines + ['appctl revalidator/purge',
                    'same ofctl -OOpenFlow15 dump-flows br0'], bridge.n_tables


# Running.

def run(comparison, lines):
    """Returns whether a case passes."""
    before = comparison.failed
    for line in lines:
        comparison.line(line)
    comparison.end()
    comparison.case = None
    return comparison.failed == before


def random_cases(seed, n, where, labs):
    print('random seed %d' % seed)
    comparison = lab_packets.Comparison(labs[0], labs[1:], quiet=True)
    failures = tables = 0
    for i in range(seed, seed + n):
        lines, n_tables = case(i)
        tables += n_tables
        if not run(comparison, lines):
            name = os.path.join(where, 'diff-bridges-%d.case' % i)
            with open(name, 'w') as f:
                f.write('\n'.join(lines) + '\n')
            print('  again: %s %s' % (os.path.join(os.path.dirname(__file__),
                                                   'diff-bridges.test'), name))
            failures += 1
            if failures == MAX_FAILURES:
                break
    print('%d bridges, %d tables, %d failed' % (i + 1 - seed, tables,
                                                failures))
    print('datapath flows: %s' % ', '.join(
        '%d dp:%s' % (count, layer)
        for layer, count in sorted(comparison.layers.items())))
    return not failures


def replay(name, labs):
    comparison = lab_packets.Comparison(labs[0], labs[1:])
    with open(name) as f:
        return run(comparison, [line.strip() for line in f])


if __name__ == '__main__':
    if sys.argv[1] == 'random':
        passed = random_cases(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4],
                              sys.argv[5:])
    else:
        passed = replay(sys.argv[2], sys.argv[3:])
    sys.exit(not passed)
