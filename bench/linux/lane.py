"""A lane: three network namespaces of its own, and paths between them.

    far .1 -- path0 == tunic impair == path0 -- .2 hop .65 -- tun1 == tunic .66
                                                   hop .129 -- veth0 ------ linux .130

A kernel client in `far` fetches from tunic behind its TUN device, or from Linux behind a veth pair: either has the
hop's forwarding between itself and the path. What the kernel remembers of earlier connections, and what it says by
itself, would tell one flow from the next: neither is allowed. Buffers are larger than any path here needs.
"""
import contextlib
import pathlib
import re
import socket
import tempfile
import threading

from support import MIB, entered, eventually, expect, inside, ip, process, run, tool

NETWORK = "198.51.100.0/24"
FAR, HOP = "198.51.100.1", "198.51.100.2"
TUNIC, TUNIC_HOP = "198.51.100.66", "198.51.100.65"
LINUX, LINUX_HOP = "198.51.100.130", "198.51.100.129"
PORT = 80
ENDLESS, SITE_SIZE = "endless", 1 << 30
BLOCK = bytes(MIB)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
DEVICE_QUEUE = 10000  # packets; a path's own queue is to be the only one that overflows

SETTINGS = {
    "net.ipv6.conf.all.disable_ipv6": "1",
    "net.ipv6.conf.default.disable_ipv6": "1",
    "net.ipv4.tcp_no_metrics_save": "1",
    "net.ipv4.tcp_rmem": f"4096 {16 * MIB} {64 * MIB}",
    "net.ipv4.tcp_wmem": f"4096 {MIB} {64 * MIB}",
}


class Lane:
    """`name` begins the names of its namespaces, which begin with "tunic-"."""

    def __init__(self, name):
        self.far, self.hop, self.linux = (f"{name}-{role}" for role in ("far", "hop", "linux"))
        for namespace in self.far, self.hop, self.linux:
            ip("netns", "add", namespace)
            ip("-n", namespace, "link", "set", "lo", "up")
            self.set(namespace, SETTINGS)
        self.set(self.hop, {"net.ipv4.ip_forward": "1"})
        for namespace, device, address in ((self.far, "path0", FAR), (self.hop, "path0", HOP),
                                           (self.hop, "tun1", TUNIC_HOP)):
            ip("-n", namespace, "tuntap", "add", "dev", device, "mode", "tun")
            self.bring_up(namespace, device, address)
        ip("-n", self.hop, "link", "add", "veth0", "type", "veth", "peer", "name", "veth0", "netns", self.linux)
        self.bring_up(self.hop, "veth0", LINUX_HOP)
        self.bring_up(self.linux, "veth0", LINUX)
        self.route(self.far, HOP, "cubic")

    @staticmethod
    def set(namespace, settings):
        run(*inside(namespace, tool("sysctl"), "-q", "-w", *(f"{name}={value}" for name, value in settings.items())))

    @staticmethod
    def bring_up(namespace, device, address):
        ip("-n", namespace, "link", "set", device, "mtu", 1500, "txqueuelen", DEVICE_QUEUE, "up")
        ip("-n", namespace, "address", "add", f"{address}/26", "dev", device)

    @staticmethod
    def route(namespace, via, algorithm):
        ip("-n", namespace, "route", "replace", NETWORK, "via", via, "congctl", algorithm)

    @contextlib.contextmanager
    def path(self, *options):
        """A relay as long as the block: "there" is away from the senders. Yields a dictionary, for its figures."""
        figures = {}
        with process(*bound_to_us(self.hop, "tunic", "impair", ".:path0", f"{self.far}:path0", *options)) as relay:
            relay.wait_for("^relaying ")
            yield figures
            relay.signal()
            relay.wait(0)
            there = re.search(r":path0 -> \S+: came (\d+), passed (\d+) .*?, lost (\d+), queue-drops (\d+), .* "
                              r"late ([\d.]+) ms \(at most ([\d.]+)\)", relay.out)
            expect(there, f"no summary: {relay.out}")
            figures.update(zip(("came", "passed", "lost", "queue_drops"), map(int, there.groups()[:4])))
            figures.update(zip(("late", "most_late"), map(float, there.groups()[4:])))

    @contextlib.contextmanager
    def captured(self, base):
        """Captures of both ends of the path, BASE-sender.pcap and BASE-receiver.pcap, where there is a base."""
        with contextlib.ExitStack() as stack:
            for namespace, end in ((self.hop, "sender"), (self.far, "receiver")) if base else ():
                watcher = stack.enter_context(process(*bound_to_us(
                    namespace, "dumpcap", "-q", "-P", "-s", 120, "-i", "path0", "-w", f"{base}-{end}.pcap")))
                eventually("the capture begins", lambda: "File:" in watcher.log())
            yield

    def connect(self, address, timeout=60):
        """A client in `far`."""
        with entered(self.far):
            s = socket.socket()
        s.settimeout(timeout)
        s.connect((address, PORT))
        return s

    @contextlib.contextmanager
    def sender(self, who, algorithm, site):
        """Who serves ENDLESS and any number of octets by its name: yields the address."""
        if who == "tunic":
            with process(*bound_to_us(self.hop, "tunic", "serve", site, "--tun", "tun1", "--address", f"{TUNIC}/26",
                                      "--gateway", TUNIC_HOP, "--congestion", algorithm)) as server:
                server.wait_for("^serving ")
                yield TUNIC
                server.signal()
                server.wait(0)
        else:
            self.route(self.linux, LINUX_HOP, algorithm)
            with entered(self.linux):
                listener = socket.create_server((LINUX, PORT))
            with listener:
                threading.Thread(target=serve_by_the_kernel, args=(listener,), daemon=True).start()
                yield LINUX
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread


def bound_to_us(namespace, program, *arguments):
    """The command that runs a program in a namespace, and no longer than the process that starts it lives."""
    return [tool("setpriv"), "--pdeathsig", "KILL", *inside(namespace, tool(program), *arguments)]


def serve_by_the_kernel(listener):
    """What `tunic serve` does with a site of make_site(), by the kernel's TCP."""
    with contextlib.suppress(OSError):
        while True:
            threading.Thread(target=answer, args=listener.accept()[:1], daemon=True).start()


def answer(s):
    with s, contextlib.suppress(OSError):
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += s.recv(4096)
        name = asked.split(b" ")[1][1:]
        if name == ENDLESS.encode():
            s.sendall(HEAD % SITE_SIZE)
            while True:
                s.sendall(BLOCK)
        s.sendall(HEAD % int(name) + bytes(int(name)))


def make_site(*sizes):
    """A folder of a file of each size, named by it, and one that no measurement sees the end of."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="site-"))
    folder.chmod(0o755)
    for name, size in [(ENDLESS, SITE_SIZE), *((str(size), size) for size in sizes)]:
        with open(folder / name, "wb") as file:
            file.truncate(size)
    return folder
