"""A SYN queue that is full, and kernel clients that come in by SYN cookies (RFC 4987)."""
import socket
import struct

from kernel import connect, get, make_device, receive_all
from support import MIB, STACK4, expect, make_site, serve

NOBODY = "198.51.100.77"  # whom no answer reaches


def checksum(octets):
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def syn_from_nobody(port, seq):
    ends = socket.inet_aton(NOBODY) + socket.inet_aton(STACK4)
    header = struct.pack("!HHIIBBHHH", port, 80, seq, 0, 5 << 4, 2, 65535, 0, 0)
    header = header[:16] + struct.pack("!H", checksum(ends + struct.pack("!HH", 6, len(header)) + header)) + header[18:]
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(header), 0, 0, 64, 6, 0) + ends + header


def flood(count):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        for n in range(count):
            s.sendto(syn_from_nobody(1024 + n % 60000, n * 2654435761 % (1 << 32)), (STACK4, 0))


def negotiated(s):
    """Whether the kernel's socket has timestamps, SACK and window scale; and the octets a segment of its carries."""
    info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return info[5] & 7, struct.unpack_from("I", info, 16)[0]


def test_syn_cookies_let_kernel_clients_in():
    make_device()
    folder = make_site(large=20 * MIB)
    with serve(folder, "--backlog", 1):
        flood(1000)
        for _ in range(3):
            with connect(timeout=20) as s:  # the queue is full for a minute
                expect(negotiated(s) == (7, 1448), f"options and MSS: {negotiated(s)}")
                s.sendall(get("/large"))
                flood(200)
                octets = receive_all(s)
                expect(octets.endswith((folder / "large").read_bytes()), f"the response is not whole: {len(octets)} octets")
