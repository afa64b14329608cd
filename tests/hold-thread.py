#! /usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stops one thread for so many seconds, all others of its process go on.

    hold-thread.py TID SECONDS

prints "held" when it has.
"""

import ctypes
import os
import sys
import time

PTRACE_DETACH = 17
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
WALL = 0x40000000               # __WALL: threads, too.

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                        ctypes.c_void_p]


def ptrace(request, tid):
    if libc.ptrace(request, tid, None, None):
        errno = ctypes.get_errno()
        sys.exit(f"ptrace of thread {tid}: {os.strerror(errno)}")


def main():
    tid = int(sys.argv[1])
    ptrace(PTRACE_SEIZE, tid)
    ptrace(PTRACE_INTERRUPT, tid)
    os.waitpid(tid, WALL)
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
    ptrace(PTRACE_DETACH, tid)


main()
