"""What crosses the device: TCP segments as the kernel sees them, and the datagrams of a capture."""
import collections
import contextlib
import ctypes
import socket
import struct
import threading

# `fast_open` is the cookie, empty where one is asked for; `text` as far as it was captured, `length` of it all.
Segment = collections.namedtuple("Segment", "source flags mss fast_open seq ack length text ports")
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def tcp_segment(datagram):
    """What a test asks about a TCP segment over IPv4 or IPv6."""
    if datagram[0] >> 4 == 4:
        source, at = socket.inet_ntop(socket.AF_INET, datagram[12:16]), (datagram[0] & 15) * 4
        length = int.from_bytes(datagram[2:4], "big") - at
    else:
        source, at = socket.inet_ntop(socket.AF_INET6, datagram[8:24]), 40
        length = int.from_bytes(datagram[4:6], "big")
    header = datagram[at:]
    size = (header[12] >> 4) * 4
    options, text = header[20:size], header[size:]
    mss = fast_open = None
    while options and options[0] != 0:
        if options[0] == 1:
            options = options[1:]
            continue
        if options[0] == 2:
            mss = struct.unpack("!H", options[2:4])[0]
        if options[0] == 34:
            fast_open = options[2:options[1]]
        options = options[max(options[1], 2):]
    return Segment(source, header[13], mss, fast_open, *struct.unpack("!II", header[4:12]), length - size, text,
                   struct.unpack("!HH", header[:4]))


# In the language of the kernel's socket filters: IPv4 or IPv6, TCP, and any of FIN, SYN and RST. Text is not taken, so
# that a download cannot overrun the one who watches.
ONLY_ENDS_AND_BEGINNINGS = (
    (0x30, 0, 0, 0), (0x74, 0, 0, 4),                                       # A = the version
    (0x15, 0, 5, 4),                                                        # not 4: to the line of IPv6
    (0x30, 0, 0, 9), (0x15, 0, 8, 6), (0xb1, 0, 0, 0), (0x50, 0, 0, 13), (0x05, 0, 0, 3),  # IPv4: A = the flags
    (0x30, 0, 0, 6), (0x15, 0, 3, 6), (0x30, 0, 0, 53),                     # IPv6: A = the flags
    (0x45, 0, 1, FIN | SYN | RST), (0x06, 0, 0, 200), (0x06, 0, 0, 0))      # 200 octets of it, or nothing


EVERYTHING_OF_TCP = (
    (0x30, 0, 0, 0), (0x74, 0, 0, 4),                                       # A = the version
    (0x15, 0, 2, 4), (0x30, 0, 0, 9), (0x05, 0, 0, 1),                      # IPv4: A = the protocol
    (0x30, 0, 0, 6), (0x15, 0, 1, 6),                                       # IPv6: A = the next header
    (0x06, 0, 0, 200), (0x06, 0, 0, 0))


def set_filter(s, instructions):
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in instructions))
    attach = 26  # SO_ATTACH_FILTER
    s.setsockopt(socket.SOL_SOCKET, attach, struct.pack("HP", len(instructions), ctypes.addressof(program)))


@contextlib.contextmanager
def watching(device="tun0", what=ONLY_ENDS_AND_BEGINNINGS):
    """The segments that cross the device, as the kernel sees them: a list that grows."""
    everything = 3  # ETH_P_ALL
    segments, ended = [], threading.Event()
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as s:
        set_filter(s, what)
        s.bind((device, everything))
        s.settimeout(0.05)

        def watch():
            while True:
                try:
                    segments.append(tcp_segment(s.recv(200)))
                except TimeoutError:
                    if ended.is_set():
                        return
                except OSError:  # the device is gone
                    return

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
