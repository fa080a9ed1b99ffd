"""What crosses the device: TCP segments as the kernel sees them, and the datagrams of a capture."""
import collections
import contextlib
import socket
import struct
import threading

from support import MIB

Segment = collections.namedtuple("Segment", "source flags mss")
FIN, SYN, RST = 1, 2, 4


def tcp_segment(datagram):
    """What a test asks about a TCP segment over IPv4 or IPv6, or None where the datagram holds none."""
    version = datagram[0] >> 4
    if version == 4 and datagram[9] == socket.IPPROTO_TCP:
        source, header = socket.inet_ntop(socket.AF_INET, datagram[12:16]), datagram[(datagram[0] & 15) * 4:]
    elif version == 6 and datagram[6] == socket.IPPROTO_TCP:
        source, header = socket.inet_ntop(socket.AF_INET6, datagram[8:24]), datagram[40:]
    else:
        return None
    options, mss = header[20:(header[12] >> 4) * 4], None
    while options and options[0] != 0:
        if options[0] == 1:
            options = options[1:]
            continue
        if options[0] == 2:
            mss = struct.unpack("!H", options[2:4])[0]
        options = options[max(options[1], 2):]
    return Segment(source, header[13], mss)


@contextlib.contextmanager
def watching(device="tun0"):
    """The TCP segments that cross the device, as the kernel sees them: a list that grows."""
    everything = 3  # ETH_P_ALL
    segments, ended = [], threading.Event()
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(everything)) as s:
        s.bind((device, everything))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * MIB)
        s.settimeout(0.05)

        def watch():
            while True:
                try:
                    segment = tcp_segment(s.recv(200))
                except TimeoutError:
                    if ended.is_set():
                        return
                except OSError:  # the device is gone
                    return
                else:
                    if segment:
                        segments.append(segment)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield segments
        finally:
            ended.set()
            thread.join(5)


def datagram_sizes(capture):
    """The lengths of a pcapng file's datagrams."""
    octets, sizes, at = capture.read_bytes(), [], 0
    while at < len(octets):
        kind, length = int.from_bytes(octets[at:at + 4], "little"), int.from_bytes(octets[at + 4:at + 8], "little")
        if kind == 6:  # an enhanced packet block
            sizes.append(int.from_bytes(octets[at + 24:at + 28], "little"))
        at += length
    return sizes
