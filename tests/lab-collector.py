# SPDX-License-Identifier: Apache-2.0
"""lab-collector.py: collects sFlow, NetFlow and IPFIX on 127.0.0.1.

    lab-collector.py

runs until it is ended.  It prints "ready", and a line for each record:

    sflow IN OUT RATE LENGTH HEADER     a sampled packet: names of devices
                                        ("-": none, "N": so many), one in RATE,
                                        its bytes as far as they were sent
    counters PORT SPEED                 a port's counters, by sFlow
    netflow SRC:PORT-DST:PORT/PROTO/TOS/FLAGS IN>OUT PACKETS BYTES
    ipfix SRC:PORT-DST:PORT/PROTO POINT PACKETS BYTES
                                        POINT is the observation point
"""

import select
import socket
import struct

SFLOW, NETFLOW, IPFIX = 6343, 2055, 4739


class Cursor:
    def __init__(self, data):
        self.data = data

    def take(self, fmt):
        size = struct.calcsize('!' + fmt)
        values = struct.unpack('!' + fmt, self.data[:size])
        self.data = self.data[size:]
        return values if len(values) > 1 else values[0]

    def bytes(self, n):
        data, self.data = self.data[:n], self.data[n:]
        return data


def device(index):
    if index >> 30:
        # Not one port: dropped or so, or several.
        return str(index & 0x3fffffff)
    try:
        return socket.if_indextoname(index)
    except OSError:
        return '-'


def sflow_sample(body):
    _, _, rate, _, _, into, out, n = body.take('8I')
    for _ in range(n):
        kind, size = body.take('II')
        record = Cursor(body.bytes(size))
        if kind == 1:
            _, length, _, n_bytes = record.take('4I')
            print('sflow', device(into), device(out), rate, length,
                  record.bytes(n_bytes).hex())


def sflow_counters(body):
    _, _, n = body.take('3I')
    for _ in range(n):
        kind, size = body.take('II')
        record = Cursor(body.bytes(size))
        if kind == 1:
            index, _, speed = record.take('IIQ')
            print('counters', device(index), speed)


def sflow(data):
    c = Cursor(data)
    version, family = c.take('II')
    assert version == 5 and family == 1
    _, _, _, _, n = c.take('5I')
    for _ in range(n):
        kind, size = c.take('II')
        body = Cursor(c.bytes(size))
        if kind == 1:
            sflow_sample(body)
        elif kind == 2:
            sflow_counters(body)
    assert not c.data


def netflow(data):
    c = Cursor(data)
    version, n = c.take('HH')
    assert version == 5
    c.bytes(20)
    for _ in range(n):
        (src, dst, _, into, out, packets, size, first, last, sport, dport, _,
         flags, proto, tos, _, _, _, _, _) = c.take('4s4s4sHHIIIIHHBBBBHHBB2s')
        assert first <= last
        print('netflow', '%s:%d-%s:%d/%d/%d/%d'
              % (socket.inet_ntoa(src), sport, socket.inet_ntoa(dst), dport,
                 proto, tos, flags), '%d>%d' % (into, out), packets, size)
    assert not c.data


templates = {}


def ipfix_template(body):
    while len(body.data) >= 4:
        number, n = body.take('HH')
        fields = []
        for _ in range(n):
            field, size = body.take('HH')
            if field & 0x8000:
                field = (body.take('I'), field & 0x7fff)
            fields.append((field, size))
        templates[number] = fields


def ipfix_data(number, body):
    fields = templates.get(number, [])
    size = sum(0 if size == 65535 else size for _, size in fields)
    while fields and size and len(body.data) >= size:
        values = {}
        for field, size1 in fields:
            if size1 == 65535:
                size1 = body.take('B')
            values[field] = body.bytes(size1)
        if 2 not in values:
            continue            # Statistics of the exporter.

        def integer(field):
            return int.from_bytes(values.get(field, b''), 'big')

        def address(ip4, ip6):
            if ip4 in values:
                return socket.inet_ntoa(values[ip4])
            if ip6 in values:
                return socket.inet_ntop(socket.AF_INET6, values[ip6])
            return ''
        print('ipfix', '%s:%d-%s:%d/%d'
              % (address(8, 27), integer(7), address(12, 28), integer(11),
                 integer(4)),
              integer(138), integer(2), integer(1))


def ipfix(data):
    c = Cursor(data)
    version, size = c.take('HH')
    assert version == 10 and size == len(data)
    c.bytes(12)
    while c.data:
        number, size = c.take('HH')
        body = Cursor(c.bytes(size - 4))
        if number == 2:
            ipfix_template(body)
        elif number >= 256:
            ipfix_data(number, body)


def main():
    parsers = {}
    for port, parser in (SFLOW, sflow), (NETFLOW, netflow), (IPFIX, ipfix):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)     # SO_RCVBUFFORCE
        sock.bind(('127.0.0.1', port))
        parsers[sock] = parser
    print('ready', flush=True)
    while True:
        for sock in select.select(parsers, [], [])[0]:
            parsers[sock](sock.recv(65536))
        print(end='', flush=True)


if __name__ == '__main__':
    main()
