"""What a kernel client measures of one flow."""
import socket
import struct
import time

from lane import ENDLESS
from support import MIB, expect

INTERVAL = 0.01  # seconds between two reads of a flow that lasts: a processor is for the flows, not for their reader
# Octets, more than a path brings in that time: up to there the kernel acknowledges what comes as it comes, as if somebody
# read it; beyond, or without, it would wait for the reader, and the path's round trip would be longer by INTERVAL.
UNREAD = 1 << 20


def request(name):
    return f"GET /{name} HTTP/1.1\r\nHost: tunic\r\nConnection: close\r\n\r\n".encode()


def reset(s):
    """Closes by RST, so that the sender is done at once."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def take_all(s, room):
    """How many octets there are to read; they are not copied."""
    total = 0
    try:
        while n := s.recv_into(room, 0, socket.MSG_TRUNC):
            total += n
    except BlockingIOError:
        return total
    expect(False, "the sender ends a flow that was to go on")


def progress(lane, address, seconds):
    """Octets that have reached the client, at the end of each second from its SYN on; the last may be a part of one."""
    room, totals, total, began = bytearray(16 * MIB), [], 0, time.monotonic()
    s = lane.connect(address)
    try:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, UNREAD)
        s.sendall(request(ENDLESS))
        s.setblocking(False)
        while (now := time.monotonic() - began) < seconds:
            time.sleep(min(INTERVAL, seconds - now))
            total += take_all(s, room)
            while len(totals) + 1 <= min(time.monotonic() - began, seconds):
                totals.append(total)
        return totals if len(totals) == seconds else [*totals, total]
    finally:
        reset(s)


def goodput(lane, address, seconds):
    """Mbit/s that reach the client in so many seconds from its SYN on."""
    return progress(lane, address, seconds)[-1] * 8e-6 / seconds


def transfer(lane, address, size):
    """Seconds from the client's SYN until it has all of a transfer of so many octets; and the longest time in between
    in which nothing came."""
    room, total, head, began = bytearray(MIB), 0, b"", time.monotonic()
    silence, last = 0, began
    with lane.connect(address) as s:
        s.sendall(request(size))
        while total < size:
            n = s.recv_into(room)
            expect(n > 0, f"the sender ends after {total} octets of {size}")
            now = time.monotonic()
            silence, last = max(silence, now - last), now
            if b"\r\n\r\n" in head:
                total += n
                continue
            head += room[:n]
            total = len(head.partition(b"\r\n\r\n")[2])
        return time.monotonic() - began, silence
