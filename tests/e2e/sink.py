"""Uploads from the kernel into bench/sink, which counts and adds up what arrives."""
import contextlib
import os
import re

from kernel import connect, make_device
from support import ADDRESSES, MIB, STACK4, STACK6, expect, process, said

SINK_PORT = 5201


@contextlib.contextmanager
def sink():
    with process("tunic_sink", "--tun", "tun0", *ADDRESSES) as p:
        p.wait_for("^listening")
        yield p
        p.signal()
        p.wait(0)


def uploads(mtu, size):
    make_device(mtu=mtu)
    block = os.urandom(MIB)
    with sink() as p:
        for number, address in enumerate((STACK4, STACK6), 1):
            with connect(SINK_PORT, address) as s:
                for _ in range(size // MIB):
                    s.sendall(block)
            p.wait_for(" octets, ", count=number)
    said = re.findall(r"^(\d+) octets, sum (\d+), .*Gbit/s$", p.out, re.MULTILINE)
    expected = (str(size), str(sum(block) * (size // MIB)))
    expect(said == [expected] * 2, f"it says {said}, and {expected} was sent twice")


def test_upload():
    uploads(1500, 100 * MIB)


def test_upload_with_an_mtu_of_1280():
    uploads(1280, 20 * MIB)


def test_upload_with_an_mtu_of_9000():
    uploads(9000, 20 * MIB)


def test_many_uploads_at_once():
    make_device()
    block = os.urandom(10000)
    with sink() as p:
        connections = [connect(SINK_PORT, address) for address in (STACK4, STACK6) * 50]
        for s in connections:
            s.sendall(block)
        for s in connections:
            s.close()
        p.wait_for(" octets, ", count=len(connections))
    counts = re.findall(rf"^10000 octets, sum {sum(block)}, ", p.out, re.MULTILINE)
    expect(len(counts) == len(connections), f"{len(counts)} of {len(connections)} arrived whole")
