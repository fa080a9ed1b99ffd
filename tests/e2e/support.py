"""What the end-to-end tests share: a network namespace of their own, programs that run in it, tunic first of all.

Inside the namespace the kernel's side of a TUN device has KERNEL4 and KERNEL6, the stack on its other side STACK4 and
STACK6. Everything is bounded in time, and a failure shows what ran and what it said.
"""
import collections
import contextlib
import ctypes
import hashlib
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

KERNEL4, STACK4 = "198.51.100.1", "198.51.100.2"
KERNEL6, STACK6 = "2001:db8::1", "2001:db8::2"
SITE4, SITE6 = f"http://{STACK4}", f"http://[{STACK6}]"
ADDRESSES = ("--address", f"{STACK4}/24", "--address", f"{STACK6}/64")
MIB = 1 << 20

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAMS = ("tunic", "tunic_sink", "tunic_limit", "tunic_many", "tunic_idle", "tunic_tls", "tunic_shards")
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
    if name in PROGRAMS and name.upper() in os.environ:
        return os.environ[name.upper()]
    if "/" in str(name):
        return str(name)
    for folder in os.environ["PATH"].split(":") + ["/usr/sbin", "/sbin"]:
        if os.access(f"{folder}/{name}", os.X_OK):
            return f"{folder}/{name}"
    raise Skip(f"{name} is not installed: scripts/setup")


def use_build(kind):
    """Takes the programs of build/KIND, here and in what is started."""
    os.environ.update({name.upper(): f"{ROOT}/build/{kind}/{name}" for name in PROGRAMS})


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
        remove_namespace(name)


def remove_namespace(name):
    for pid in ip("netns", "pids", name).split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    ip("netns", "del", name)


def inside(name, *command):
    """The command that runs another one in a namespace."""
    return [tool("nsenter"), f"--net=/run/netns/{name}", "--", *map(str, command)]


@contextlib.contextmanager
def entered(name):
    """Sockets that this thread makes in the block are of that namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as here, open(f"/run/netns/{name}") as there:
        expect(libc.setns(there.fileno(), 0) == 0, f"cannot enter the namespace {name}")
        try:
            yield
        finally:
            if libc.setns(here.fileno(), 0) != 0:
                os._exit(1)


def enter_a_namespace(label, program, *arguments, timeout):
    """Runs a Python program in a namespace made for it, which goes with it, and returns its exit status."""
    own_privileges(program)
    os.environ[OUTSIDE] = os.readlink(HERE)
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, lambda number, _: sys.exit(128 + number))
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
            for line in ip("netns", "list").splitlines():  # those that it had made and can no longer remove
                if line.startswith(f"tunic-{child.pid}-"):
                    remove_namespace(line.split()[0])


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


def serve_echo(*options, **more):
    """`tunic serve --echo`, likewise."""
    return serve("--echo", *options, **more)


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
