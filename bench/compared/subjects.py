"""Who is compared: each of these, as a context, is a server at STACK4 that the kernel's TCP in this namespace reaches,
by CUBIC on its side."""
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

if __name__ == "__main__":  # by itself: the kernel's sink
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "e2e"))

import kernel
import support
from support import KERNEL4, MIB, ROOT, STACK4, inside, ip, process

SINK_PORT = 5201  # of all sinks
RECEIVE_BUFFERS = "4096 1048576 16777216"  # octets: least, at first and most, of all that the kernel's TCP receives
ADDRESS = ("--address", f"{STACK4}/24")
GO = "/usr/lib/go-1.19/bin/go"
GO_PACKAGES = "/usr/share/gocode"


@contextlib.contextmanager
def tun():
    """The device, new each time: nothing of the subject before is in its queue."""
    kernel.make_device(addresses=(KERNEL4, support.KERNEL6))
    try:
        yield
    finally:
        ip("link", "delete", "tun0")


@contextlib.contextmanager
def veth(label):
    """A namespace behind a pair of devices, with the address that stacks have; yields its name."""
    with support.namespace(label) as other:
        ip("link", "add", "veth0", "type", "veth", "peer", "name", "veth1", "netns", other)
        ip("address", "add", f"{KERNEL4}/24", "dev", "veth0")
        ip("-n", other, "address", "add", f"{STACK4}/24", "dev", "veth1")
        ip("link", "set", "veth0", "up")
        ip("-n", other, "link", "set", "veth1", "up")
        kernel.use_cubic("veth0", KERNEL4)
        kernel.use_cubic("veth1", STACK4, "-n", other)
        try:
            yield other
        finally:
            ip("link", "delete", "veth0")


@contextlib.contextmanager
def limit(*what):
    """No stack at all: bench/limit.cpp."""
    with tun(), process("tunic_limit", "tun0", *what) as p:
        p.wait_for("^ready")
        yield p


def certificate():
    """A file with a key and a certificate that it signed itself."""
    folder = pathlib.Path(tempfile.mkdtemp())
    files = [folder / "key", folder / "certificate"]
    support.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-subj", "/CN=tunic.example", "-days", 1, "-keyout", files[0], "-out", files[1])
    (folder / "both").write_text("".join(file.read_text() for file in files))
    return folder / "both"


@contextlib.contextmanager
def nginx(site, tls):
    with veth("nginx") as other, kernel.nginx(site, STACK4, name=other, certificate=tls) as p:
        yield p


@contextlib.contextmanager
def nginx_here(site):
    """On the kernel's side of the device, for our client."""
    with tun(), kernel.nginx(site) as p:
        yield p


@contextlib.contextmanager
def tunic_tls(site, tls):
    with tun(), process("tunic_tls", site, "--tun", "tun0", *ADDRESS, "--certificate", tls) as p:
        p.wait_for("^ready")
        yield p


@contextlib.contextmanager
def kernel_sink():
    """The kernel's TCP on both sides; who reads only counts."""
    with veth("sink") as other, process(*inside(other, sys.executable, __file__)) as p:
        p.wait_for("^listening")
        yield p


@contextlib.contextmanager
def tunic(site, *options):
    with tun(), support.serve(site, *options, addresses=ADDRESS) as p:
        yield p


@contextlib.contextmanager
def tunic_sink():
    with tun(), process("tunic_sink", "--tun", "tun0", *ADDRESS) as p:
        p.wait_for("^listening")
        yield p


def build_gvisor():
    """Builds the peer on gVisor's netstack, and says where it is; None where there is no Go or no gVisor."""
    if not os.path.exists(GO) or not os.path.exists(f"{GO_PACKAGES}/src/gvisor.dev"):
        return None
    folder = pathlib.Path(tempfile.mkdtemp())
    environment = dict(os.environ, GO111MODULE="off", GOPATH=GO_PACKAGES, GOCACHE=str(folder / "cache"))
    built = subprocess.run([GO, "build", "-o", folder / "gvisor", ROOT / "bench" / "compared" / "gvisor.go"],
                           env=environment)
    support.expect(built.returncode == 0, "the peer on gVisor's netstack does not build")
    return folder / "gvisor"


@contextlib.contextmanager
def gvisor(program, site):
    with tun(), process(program, STACK4, site) as p:
        p.wait_for("^ready")
        yield p


def serve_sink():
    pathlib.Path("/proc/sys/net/ipv4/tcp_rmem").write_text(RECEIVE_BUFFERS)
    room = bytearray(MIB)
    with kernel.listening(SINK_PORT, STACK4) as listener:
        print("listening", flush=True)
        while True:
            s, _ = listener.accept()
            with s:
                octets = 0
                while n := s.recv_into(room):
                    octets += n
                print(f"{octets} octets", flush=True)


if __name__ == "__main__":
    serve_sink()
