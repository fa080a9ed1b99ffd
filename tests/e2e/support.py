"""What the end-to-end tests share: a network namespace of their own, tunic in it, the kernel as its peer.

Inside the namespace the kernel's side of a TUN device has KERNEL4 and KERNEL6, the stack on its other side STACK4 and
STACK6. Everything is bounded in time, and a failure shows what ran and what it said.
"""
import collections
import contextlib
import hashlib
import json
import os
import pathlib
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

KERNEL4, STACK4 = "198.51.100.1", "198.51.100.2"
KERNEL6, STACK6 = "2001:db8::1", "2001:db8::2"
SITE4, SITE6 = f"http://{STACK4}", f"http://[{STACK6}]"
ADDRESSES = ("--address", f"{STACK4}/24", "--address", f"{STACK6}/64")
MIB = 1 << 20

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILT = {name: os.environ[name.upper()] for name in ("tunic", "tunic_sink") if name.upper() in os.environ}
OUTSIDE = "TUNIC_E2E_OUTSIDE"  # the environment's name for the network namespace that we came from
HERE = "/proc/self/ns/net"


class Failure(Exception):
    """A test's expectation that was not met; its text is for a person."""


class Skip(Exception):
    """Why a test cannot run on this machine."""


def expect(condition, text):
    if not condition:
        raise Failure(text)


def tool(name):
    """Where a program is, of those that scripts/setup installs, or of the build."""
    if name in BUILT:
        return BUILT[name]
    if "/" in str(name):
        return str(name)
    for folder in os.environ["PATH"].split(":") + ["/usr/sbin", "/sbin"]:
        if os.access(f"{folder}/{name}", os.X_OK):
            return f"{folder}/{name}"
    raise Skip(f"{name} is not installed: scripts/setup")


def said(command, out, err):
    return f"$ {' '.join(map(str, command))}\n{out}{err}"


def run(*command, status=0, timeout=30, stdin=b"", text=True):
    """Runs a program to its end and expects its exit status (None: any). Its output has .out, .err and .status."""
    command = [tool(command[0]), *map(str, command[1:])]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=timeout)
    except subprocess.TimeoutExpired as late:
        out, err = ((octets or b"").decode(errors="replace") for octets in (late.stdout, late.stderr))
        raise Failure(f"no end within {timeout} s:\n{said(command, out, err)}") from None
    err = done.stderr.decode(errors="replace")
    shown = done.stdout.decode(errors="replace") if text else f"({len(done.stdout)} octets)\n"
    if status is not None and done.returncode != status:
        raise Failure(f"exit status {done.returncode}, not {status}:\n{said(command, shown, err)}")
    return collections.namedtuple("Run", "status out err")(done.returncode, shown if text else done.stdout, err)


def ip(*words):
    return run("ip", *words).out


def eventually(what, condition, seconds=10):
    """Waits until the condition holds, and returns what it gave."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        expect(time.monotonic() < end, f"{what}: not within {seconds} s")
        time.sleep(0.02)


# --- namespaces ---

@contextlib.contextmanager
def namespace(label):
    """A network namespace by name, without any link to another; whatever still runs in it at the end is killed."""
    name = f"tunic-{os.getpid()}-{label}"
    ip("netns", "add", name)
    try:
        ip("-n", name, "link", "set", "lo", "up")
        yield name
    finally:
        for pid in ip("netns", "pids", name).split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        ip("netns", "del", name)


def inside(name, *command):
    """The command that runs another one in a namespace."""
    return [tool("nsenter"), f"--net=/run/netns/{name}", "--", *map(str, command)]


def enter_a_namespace(label, program, *arguments, timeout):
    """Runs a Python program in a namespace made for it, which goes with it, and returns its exit status."""
    own_privileges(program)
    os.environ[OUTSIDE] = os.readlink(HERE)
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="tunic-") as folder, namespace(label) as name:
        os.environ["TMPDIR"] = folder  # whatever becomes of the program, its files go
        os.chmod(folder, 0o755)
        child = subprocess.Popen(inside(name, sys.executable, program, *arguments), start_new_session=True)
        try:
            return child.wait(timeout)
        except subprocess.TimeoutExpired:
            print(f"no end within {timeout} s", file=sys.stderr)
            return 1
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def own_privileges(program):
    """Without root, starts over in a user namespace, where we are root over networks of our own."""
    if os.geteuid() == 0:
        return
    if OUTSIDE in os.environ:
        raise Skip("a user namespace is not permitted here, and we are not root")
    os.environ[OUTSIDE] = os.readlink(HERE)
    again = ["unshare", "--map-root-user", "--mount", "--net",
             "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$@"', "sh", sys.executable, program, *sys.argv[1:]]
    if subprocess.run(again[:4] + ["true"], capture_output=True).returncode != 0:
        raise Skip("neither root nor a user namespace: run it as root")
    os.execvp(again[0], again)


def refuse_the_machines_own_network():
    if os.environ.get(OUTSIDE, os.readlink(HERE)) == os.readlink(HERE):
        raise Failure("this sends packets, and only ever in a network namespace made for it: use tests/e2e/run")
    links = {link["ifname"] for link in json.loads(ip("-j", "link"))}
    expect("eth0" not in links and "tun0" not in links, f"this namespace is not a fresh one: {links}")


# --- the kernel's side ---

def make_device(name="tun0", mtu=1500):
    """A persistent TUN device, up, with the kernel's addresses and CUBIC towards the stack."""
    if not os.path.exists("/dev/net/tun"):
        raise Skip("there is no /dev/net/tun: modprobe tun")
    ip("tuntap", "add", "dev", name, "mode", "tun")
    ip("link", "set", name, "mtu", mtu, "up")
    ip("address", "add", f"{KERNEL4}/24", "dev", name)
    ip("address", "add", f"{KERNEL6}/64", "dev", name, "nodad")
    use_cubic(name, KERNEL4)


def use_cubic(device, source, *where):
    """The machine's default may be BBR, which paces itself where there is no fq queue."""
    ip(*where, "route", "replace", "198.51.100.0/24", "dev", device, "src", source, "congctl", "cubic")


def listening(port, address=KERNEL4):
    """A TCP socket of the kernel's that listens."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen()
    return s


@contextlib.contextmanager
def serving_once(conversation, port=80):
    """A server of the kernel's for one connection, which conversation(socket) holds in a thread."""
    with listening(port) as listener:
        listener.settimeout(20)

        def serve():
            with contextlib.suppress(TimeoutError):
                accepted, _ = listener.accept()
                with accepted:
                    conversation(accepted)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        thread.join(20)


def connect(port=80, address=STACK4, timeout=10):
    return socket.create_connection((address, port), timeout)


def receive_all(s):
    """All octets until the peer's FIN."""
    octets = bytearray()
    while True:
        some = s.recv(MIB)
        if not some:
            return bytes(octets)
        octets += some


def get(path="/", close=True):
    """The octets of a request."""
    return f"GET {path} HTTP/1.1\r\nHost: {STACK4}\r\n{'Connection: close' if close else 'X: y'}\r\n\r\n".encode()


NGINX = """
worker_processes 1; daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 20000; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=100;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
  scgi_temp_path {folder};
  server {{ listen {address}:80; root {site}; }}
}}
"""


@contextlib.contextmanager
def nginx(site, address=KERNEL4, name=None):
    """nginx on the kernel's TCP, serving a folder; in the namespace named, or in this one."""
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    configuration = pathlib.Path(folder, "nginx.conf")
    configuration.write_text(NGINX.format(folder=folder, site=site, address=address))
    command = ["nginx", "-e", f"{folder}/error.log", "-c", configuration]
    with process(*(inside(name, *command) if name else command)) as p:
        eventually("nginx listens", lambda: pathlib.Path(folder, "nginx.pid").exists())
        yield p


# --- processes ---

class Process:
    """A program that runs beside the test."""

    def __init__(self, *command):
        self.command = [tool(command[0]), *map(str, command[1:])]
        self.err = tempfile.NamedTemporaryFile(mode="w+b", prefix="stderr-")
        self.out = ""
        self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.err)
        self.pid = self.child.pid

    def read_more(self, seconds):
        """Reads what it says, and returns False where it has nothing more to say or says nothing in time."""
        if not select.select([self.child.stdout], [], [], max(seconds, 0))[0]:
            return False
        some = os.read(self.child.stdout.fileno(), 1 << 16)
        self.out += some.decode(errors="replace")
        return bool(some)

    def wait_for(self, pattern, count=1, seconds=20):
        """Waits until `count` lines of its output match."""
        end = time.monotonic() + seconds
        while len(re.findall(pattern, self.out, re.MULTILINE)) < count:
            expect(self.read_more(end - time.monotonic()), f"it did not say '{pattern}'")

    def signal(self, number=signal.SIGINT):
        self.child.send_signal(number)

    def wait(self, status=0, seconds=20):
        """Waits for its end and expects its exit status (None: any)."""
        end = time.monotonic() + seconds
        while self.read_more(end - time.monotonic()):
            pass
        try:
            self.child.wait(max(end - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            raise Failure(f"it did not end within {seconds} s") from None
        expect(status in (None, self.child.returncode), f"exit status {self.child.returncode}, not {status}")
        return self.child.returncode

    def log(self):
        """What it has written to its standard error."""
        return pathlib.Path(self.err.name).read_text(errors="replace")

    def all_said(self):
        log = self.log()
        if len(log) > 20000:
            log = f"{log[:10000]}\n…\n{log[-10000:]}"
        return said(self.command, self.out, log)

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def process(*command):
    """Runs a program as long as the block; where the block fails, shows what the program said."""
    p = Process(*command)
    try:
        yield p
    except BaseException:
        while p.read_more(0):
            pass
        print(p.all_said(), file=sys.stderr)
        raise
    finally:
        p.child.terminate()
        try:
            p.child.wait(8)
        except subprocess.TimeoutExpired:
            p.child.kill()
            p.child.wait()
        p.child.stdout.close()
        p.err.close()


@contextlib.contextmanager
def serve(site, *options, addresses=ADDRESSES, device="tun0", stop=True):
    """`tunic serve`, ready; at the end of the block it is told to stop, and must do so properly."""
    with process("tunic", "serve", site, "--tun", device, *addresses, *options) as p:
        p.wait_for("^serving ", count=max(1, addresses.count("--address")))
        yield p
        if stop:
            p.signal()
            p.wait(0)
            expect("aborted" not in p.log(), "it gave up on connections that were to be closed")


# --- files ---

def make_site(**files):
    """A folder with an index page and the files named: octets, or a number of random ones."""
    folder = pathlib.Path(tempfile.mkdtemp())
    os.chmod(folder, 0o755)
    (folder / "index.html").write_bytes(b"<h1>hello from tunic</h1>\n")
    for name, content in files.items():
        with open(folder / name, "wb") as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                for at in range(0, content, MIB):
                    file.write(os.urandom(min(MIB, content - at)))
    return folder


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(MIB):
            digest.update(block)
    return digest.hexdigest()


# --- what crosses the device ---

Segment = collections.namedtuple("Segment", "source port flags length mss")
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def tcp_segment(datagram):
    """What a test asks about a TCP segment over IPv4 or IPv6, or None where the datagram holds none."""
    version = datagram[0] >> 4
    if version == 4 and datagram[9] == socket.IPPROTO_TCP:
        source, start = socket.inet_ntop(socket.AF_INET, datagram[12:16]), (datagram[0] & 15) * 4
        end = struct.unpack("!H", datagram[2:4])[0]
    elif version == 6 and datagram[6] == socket.IPPROTO_TCP:
        source, start = socket.inet_ntop(socket.AF_INET6, datagram[8:24]), 40
        end = start + struct.unpack("!H", datagram[4:6])[0]
    else:
        return None
    header = datagram[start:]
    size = (header[12] >> 4) * 4
    options, mss = header[20:size], None
    while options and options[0] != 0:
        if options[0] == 1:
            options = options[1:]
            continue
        if options[0] == 2:
            mss = struct.unpack("!H", options[2:4])[0]
        options = options[max(options[1], 2):]
    return Segment(source, struct.unpack("!H", header[:2])[0], header[13], end - start - size, mss)


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
