"""`tunic impair`: flows of the kernel's from this namespace to another one, across a path that is as bad as asked."""
import contextlib
import hashlib
import json
import os
import re
import threading
import time

from kernel import connect, listening, make_device, receive_all
from support import MIB, STACK4, STACK6, entered, eventually, expect, inside, ip, namespace, process, run

FAR4, FAR6 = STACK4, STACK6  # here no stack of ours has them, but the other namespace


@contextlib.contextmanager
def path(*options, status=0):
    """The path, and the name of the other namespace; at the end of the block it is told to end."""
    with namespace("far") as far:
        make_device()
        make_device(addresses=(FAR4, FAR6), where=("-n", far))
        with process("tunic", "impair", ".:tun0", f"{far}:tun0", *options) as p:
            p.wait_for("^relaying ")
            yield p, far
            if p.child.poll() is None:
                p.signal()
            p.wait(status)


def counters(p):
    """What it says of both directions at its end: there, back."""
    lines = re.findall(r"^\S+ -> \S+: came .*$", p.out, re.MULTILINE)
    expect(len(lines) == 2, f"no summary of two directions: {p.out}")
    return [{name: int(value) for name, value in re.findall(r"([a-z-]+) (\d+)(?=,| \()", line)} for line in lines]


def send_across(far, octets, address=FAR4):
    """By the kernel's TCP; returns what arrived, and the seconds it took."""
    arrived = []
    with entered(far):
        listener = listening(5201, address)
    with listener:
        def take():
            accepted, _ = listener.accept()
            with accepted:
                arrived.append(receive_all(accepted))

        taker = threading.Thread(target=take, daemon=True)
        began = time.monotonic()
        taker.start()
        with connect(5201, address, timeout=60) as s:
            s.sendall(octets)
        taker.join(60)
        expect(arrived, "not all has arrived within a minute")
        return arrived[0], time.monotonic() - began


def ping(address, *options, status=0):
    return run("ping", "-n", "-i", 0.1, "-W", 5, *options, address, status=status).out


def test_impair_delays():
    with path("--there-delay", "40ms", "--back-delay", "20ms") as (p, _):
        for address in FAR4, FAR6:
            out = ping(address, "-c", 5)
            expect(float(re.search(r"= ([\d.]+)/", out)[1]) >= 60, out)
            expect("DUP" not in out and "5 received" in out, out)


def test_impair_loses_one_way():
    with path("--there-loss", "100%") as (p, _):
        expect("0 received" in ping(FAR4, "-c", 3, "-W", 1, status=1), "an answer without a request")
    there, back = counters(p)
    expect(there["lost"] >= 3 and there["passed"] == 0 and back["lost"] == 0, p.out)


def test_impair_loses_on_the_way_back():
    with path("--back-loss", "100%") as (p, _):
        expect("0 received" in ping(FAR4, "-c", 3, "-W", 1, status=1), "an answer got through")
    there, back = counters(p)
    expect(there["passed"] >= 3 and back["lost"] >= 3 and back["passed"] == 0, p.out)


def test_impair_transfer_survives_every_impairment():
    octets = os.urandom(MIB)
    with path("--rate", "100mbit", "--delay", "5ms", "--loss", "1%", "--reorder", "2%", "--duplicate", "1%", "--corrupt",
              "1%", "--jitter", "1ms", "--burst-every", "1s,5") as (p, far):
        for address in FAR4, FAR6:
            arrived, _ = send_across(far, octets, address)
            expect(hashlib.sha256(arrived).digest() == hashlib.sha256(octets).digest(), f"{len(arrived)} other octets")
    there, _ = counters(p)
    for what in "lost", "reordered", "duplicated", "corrupted":
        expect(there[what] > 0, f"nothing {what}: {p.out}")
    expect(there["came"] >= 2 * len(octets) / 1460, f"super-segments were not cut: {p.out}")


def test_impair_passes_wire_segments():
    octets = os.urandom(8 * MIB)
    with path() as (p, far):
        arrived, _ = send_across(far, octets)
        expect(arrived == octets, "it arrived otherwise")
        sizes = json.loads(run(*inside(far, "ip", "-j", "-s", "link", "show", "tun0")).out)[0]["stats64"]["rx"]
    there, _ = counters(p)
    expect(there["passed"] >= len(octets) / 1460, f"super-segments were not cut: {p.out}")
    expect(sizes["bytes"] <= 1500 * sizes["packets"], f"the other end received super-segments: {sizes}")
    expect(there["refused"] == 0 and there["lost"] == 0, p.out)


def test_impair_mtu_hole():
    with path("--mtu-hole", "1300") as (p, _):
        for address, header in ((FAR4, 28), (FAR6, 48)):
            expect("2 received" in ping(address, "-c", 2, "-s", 1300 - header), "it swallows what fits")
            out = ping(address, "-c", 2, "-W", 1, "-s", 1301 - header, status=1)
            expect("0 received" in out and "error" not in out, out)
    there, back = counters(p)
    expect(there["too-large"] == 4 and back["too-large"] == 0, p.out)


def test_impair_rate():
    octets = os.urandom(10 ** 6)
    with path("--there-rate", "8mbit", "--there-queue", "20p") as (p, far):
        arrived, seconds = send_across(far, octets)
        expect(arrived == octets, "it arrived otherwise")
        expect(seconds >= 1, f"1 MB at 8 Mbit/s took {seconds} s")
    expect(counters(p)[0]["queue-drops"] > 0, f"a queue of 20 packets held all: {p.out}")


def test_impair_marks_where_the_kernel_speaks_ecn():
    for speaks in True, False:
        with path("--there-rate", "20mbit", "--delay", "5ms", "--ecn-mark", "5p") as (p, far):
            for command in [], inside(far):
                run(*command, "sysctl", "-q", "-w", f"net.ipv4.tcp_ecn={int(speaks)}")
            send_across(far, bytes(MIB))
        expect((counters(p)[0]["marked"] > 0) == speaks, f"tcp_ecn={int(speaks)}: {p.out}")
        ip("link", "delete", "tun0")


def test_impair_ends_by_itself():
    with path("--count", 20, "--delay", "10ms") as (p, _):
        ping(FAR4, "-c", 20, status=None)
        eventually("it ends", lambda: p.child.poll() is not None)
    expect(all(c["under-way"] == 0 for c in counters(p)), p.out)
    expect(sum(c["came"] for c in counters(p)) >= 20, p.out)
    ip("link", "delete", "tun0")
    with path("--duration", "200ms") as (p, _):
        eventually("it ends", lambda: p.child.poll() is not None)
    counters(p)


def test_impair_tells_of_a_deleted_device():
    with path(status=1) as (p, far):
        ip("-n", far, "link", "delete", "tun0")
        eventually("it ends", lambda: p.child.poll() is not None)
        expect(f"{far}:tun0" in p.log() and "deleted" in p.log(), p.log())
    counters(p)


def test_impair_makes_and_removes_devices():
    with namespace("far") as far:
        with process("tunic", "impair", ".:mine", f"{far}:yours") as p:
            p.wait_for("^relaying ")
            expect("not up" in p.log() and "mine" in ip("link") and "yours" in ip("-n", far, "link"), p.log())
            expect("yours" not in ip("link"), "it is in this namespace")
            p.signal()
            p.wait(0)
        expect("mine" not in ip("link") and "yours" not in ip("-n", far, "link"), "a device is left behind")


def test_impair_says_what_is_wrong():
    with namespace("far") as far:
        for first, second, hint in ((".:tun0", "tunic-nowhere:tun0", "ip netns add tunic-nowhere"),
                                    (".:lo", f"{far}:tun0", "no TUN device"),
                                    (".:tun0", "/proc/version:tun0", "no network namespace"),
                                    (".:tun0", "./nothing:tun0", "./nothing")):
            err = run("tunic", "impair", first, second, status=1).err
            expect(hint in err and err.count("\n") <= 3, err)
        for options in ("tun0",), (".:tun0", ".:tun0"), (".:tun0", f"{far}:tun0", "--loss", "1"):
            expect("--help" in run("tunic", "impair", *options, status=2).err, "no hint")
    expect("tunic impair" in run("tunic", "impair", "--help").out, "no example")
