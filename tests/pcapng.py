# SPDX-License-Identifier: Apache-2.0
"""pcapng.py: reads a pcapng file as strictly as the specification has it
(https://www.ietf.org/archive/id/draft-tuexen-opsawg-pcapng-05.html), of the
blocks that ovs-xdp-ctl writes; scapy's reader knows neither the names of
interfaces nor whole comments."""

import collections
import struct

Packet = collections.namedtuple('Packet', 'interface ns length data comment')


def parse_options(data):
    """Returns the values by code; the last must be the end."""
    options = {}
    while True:
        code, size = struct.unpack_from('<HH', data)
        padded = (size + 3) // 4 * 4
        value, padding = data[4:4 + size], data[4 + size:4 + padded]
        assert len(value) + len(padding) == padded and not any(padding)
        data = data[4 + padded:]
        if not code:
            assert not size and not data, 'something behind the end'
            return options
        assert code not in options
        options[code] = value


def read(name):
    """Returns the packets of a file."""
    interfaces, packets = [], []
    with open(name, 'rb') as f:
        data = f.read()
    first = True
    while data:
        kind, size = struct.unpack_from('<II', data)
        assert size % 4 == 0 and 12 <= size <= len(data), size
        assert data[size - 4:size] == data[4:8], 'two lengths of a block'
        body, data = data[8:size - 4], data[size:]
        assert first == (kind == 0x0a0d0d0a), 'a section first, and one'
        first = False
        if kind == 0x0a0d0d0a:
            assert body == struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1), body
        elif kind == 1:
            link, zero, snaplen = struct.unpack_from('<HHI', body)
            assert (link, zero) == (1, 0) and snaplen
            options = parse_options(body[8:])
            assert options[9] == b'\x09', 'no nanoseconds'
            interfaces.append(options[2].decode())
        else:
            assert kind == 6, kind
            number, high, low, known, length = struct.unpack_from('<5I', body)
            padded = (known + 3) // 4 * 4
            assert known <= length and known <= snaplen
            assert not any(body[20 + known:20 + padded])
            options = parse_options(body[20 + padded:])
            after = 'after' in interfaces[number]
            assert options[2] == struct.pack('<I', 2 if after else 1)
            packets.append(Packet(interfaces[number], high << 32 | low, length,
                                  body[20:20 + known], options[1].decode()))
    return packets
