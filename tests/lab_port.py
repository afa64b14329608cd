# SPDX-License-Identifier: Apache-2.0
"""lab_port.py: raw sockets in network namespaces, for programs of lab tests."""

import ctypes
import os
import socket
import struct

SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_IGNORE_OUTGOING = 23
SO_RCVBUFFORCE = 33
TP_STATUS_VLAN_VALID = 0x10

libc = ctypes.CDLL(None, use_errno=True)


def enter(netns):
    """Makes the calling thread's sockets those of network namespace netns."""
    fd = os.open('/run/netns/' + netns, os.O_RDONLY)
    if libc.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), 'setns ' + netns)
    os.close(fd)


class Port:
    """A raw socket on a device in a namespace."""

    def __init__(self, netns, dev):
        enter(netns)
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.bind((dev, 3))
        # It says once that the device is down, if it is.
        self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.sock.setblocking(False)

    def send(self, frame, tag_in_skb=False):
        mark = 0
        if tag_in_skb and frame[12:14] in (b'\x81\x00', b'\x88\xa8'):
            mark = int.from_bytes(frame[12:16], 'big')
            frame = frame[:12] + frame[16:]
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK,
                             struct.pack('I', mark))
        self.sock.send(frame)

    def receive(self):
        """Returns the next frame, with its tag where it was on the wire; what
        the kernel takes it for is in self.kind, one of PACKET_*."""
        frame, anc, _, address = self.sock.recvmsg(65536, 256)
        self.kind = address[2]
        for level, what, data in anc:
            if (level, what) == (SOL_PACKET, PACKET_AUXDATA):
                status, tci, tpid = struct.unpack('I12xHH', data[:20])
                if status & TP_STATUS_VLAN_VALID:
                    tag = struct.pack('!HH', tpid, tci)
                    frame = frame[:12] + tag + frame[12:]
        return frame
