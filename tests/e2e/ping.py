"""ICMP echo, both ways and with every kind of size, and the paths of one hop."""
import re
import socket

from kernel import get, make_device, receive_all
from support import ADDRESSES, KERNEL4, KERNEL6, STACK4, STACK6, expect, ip, make_site, process, run, serve

SIZES = 56, 1472, 8000, 65000


def kernel_pings(address, *options):
    """Three requests from the kernel's side, all answered, with the text that was sent."""
    out = run("ping", "-n", "-c", 3, "-i", 0.1, "-W", 5, *options, address).out
    expect("3 received, 0% packet loss" in out and "wrong data" not in out and "DUP" not in out, out)


def test_ping():
    make_device()
    with serve(make_site()):
        for size in SIZES:
            kernel_pings(STACK4, "-s", size)


def test_ping6():
    make_device()
    with serve(make_site()):
        for size in SIZES:
            kernel_pings(STACK6, "-s", size)


def test_a_datagram_with_ttl_1_is_delivered():
    make_device()
    with serve(make_site()):
        kernel_pings(STACK4, "-t", 1)
        kernel_pings(STACK6, "-t", 1)
        for address, level, option in ((STACK4, socket.IPPROTO_IP, socket.IP_TTL),
                                       (STACK6, socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)):
            with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as s:
                s.setsockopt(level, option, 1)
                s.settimeout(10)
                s.connect((address, 80))
                s.sendall(get())
                expect(b"hello from tunic" in receive_all(s), f"no answer from {address}")


def test_traceroute_ends_in_one_hop():
    make_device()
    with serve(make_site()):
        for address in STACK4, STACK6:
            for method in (), ("-I",), ("-T", "-p", 80), ("-T", "-p", 81):
                out = run("traceroute", "-n", "-w", 2, *method, address, timeout=60).out
                hops = re.findall(r"^ *\d+ .*", out, re.MULTILINE)
                expect(len(hops) == 1 and f" {address} " in hops[0] and "!" not in hops[0] and "*" not in hops[0], out)


def tunic_pings(address, *options, status=0):
    return run("tunic", "ping", address, "--tun", "tun0", *ADDRESSES, *options, status=status, timeout=60).out


def test_tunic_pings_the_kernel():
    make_device()
    for address in KERNEL4, KERNEL6:
        for size in SIZES:
            out = tunic_pings(address, "-c", 3, "-i", 0.05, "-s", size)
            expect(f"{size + 8} bytes from {address}: icmp_seq=3" in out, out)
            expect("3 packets transmitted, 3 received, 0% packet loss" in out, out)


def test_tunic_ping_without_an_answer_fails():
    make_device()
    for address in "198.51.100.77", "2001:db8::77":
        out = tunic_pings(address, "-c", 2, "-i", 0.05, status=1)
        expect("2 packets transmitted, 0 received" in out and "100% packet loss" in out, out)


def test_tunic_pings_through_a_gateway():
    make_device()
    ip("address", "add", "198.51.100.129/32", "dev", "lo")
    out = run("tunic", "ping", "198.51.100.129", "-c", 1, "--tun", "tun0", "--address", f"{STACK4}/28",
              "--gateway", KERNEL4).out
    expect("1 received" in out, out)


def test_tunic_ping_is_interrupted():
    make_device()
    with process("tunic", "ping", KERNEL4, "--tun", "tun0", *ADDRESSES, "-i", 0.05) as p:
        p.wait_for("icmp_seq=3")
        p.signal()
        p.wait(0)
    expect("0% packet loss" in p.out, p.out)
