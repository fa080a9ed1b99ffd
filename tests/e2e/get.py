"""`tunic get` from foreign servers on the kernel's side."""
import os
import pathlib
import socket
import struct
import tempfile

from kernel import connect, listening, make_device, nginx, serving_once
from support import ADDRESSES, KERNEL4, KERNEL6, MIB, eventually, expect, make_site, process, run, sha256

RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"


def tunic_gets(url, *options, status=0, text=True):
    return run("tunic", "get", url, "--tun", "tun0", *ADDRESSES, *options, status=status, text=text, timeout=60)


def test_get_from_nginx():
    make_device()
    site = make_site(large=100 * MIB, empty=b"")
    copy = site / "copy"
    with nginx(site):
        tunic_gets(f"http://{KERNEL4}/large", "-o", copy)
        expect(sha256(copy) == sha256(site / "large"), "the copy differs")
        expect(tunic_gets(f"http://{KERNEL4}/").out == "<h1>hello from tunic</h1>\n", "not the index page")
        expect(tunic_gets(f"http://{KERNEL4}/empty").out == "", "not empty")
        head = tunic_gets(f"http://{KERNEL4}/large", "-I").out
        expect(head.startswith("HTTP/1.1 200 OK") and f"Content-Length: {100 * MIB}" in head, head)


def test_get_from_python():
    make_device()
    site = make_site(data=3 * MIB)
    for address in KERNEL4, KERNEL6:
        host = f"[{address}]" if ":" in address else address
        with process("python3", "-m", "http.server", "--bind", address, "--directory", site, 8000):
            eventually("python listens", lambda: is_listening(8000, address))
            body = tunic_gets(f"http://{host}:8000/data", text=False).out
            expect(body == (site / "data").read_bytes(), f"{len(body)} octets, and not those of the file")


def is_listening(port, address):
    try:
        connect(port, address).close()
    except ConnectionRefusedError:
        return False
    return True


def read_request(s):
    octets = b""
    while b"\r\n\r\n" not in octets:
        some = s.recv(4096)
        if not some:
            break
        octets += some
    return octets


def test_get_without_content_length():
    make_device()
    text = os.urandom(2 * MIB)

    def answer(s):
        read_request(s)
        s.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + text)

    with serving_once(answer):
        expect(tunic_gets(f"http://{KERNEL4}/", text=False).out == text, "not the octets that were sent")


def test_get_chunked():
    make_device()

    def answer(s):
        read_request(s)
        s.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        s.sendall(b"6\r\nhello \r\n5;x=y\r\nworld\r\n0\r\nA: b\r\n\r\n")

    with serving_once(answer):
        expect(tunic_gets(f"http://{KERNEL4}/").out == "hello world", "not what the chunks hold")


def test_get_from_a_server_that_resets():
    make_device()
    abort = struct.pack("ii", 1, 0)  # SO_LINGER of no time: close() sends RST

    def reset(s):
        read_request(s)
        s.sendall(RESPONSE + b"x" * 100)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, abort)

    with serving_once(reset):
        err = tunic_gets(f"http://{KERNEL4}/", status=1).err
    expect("reset" in err.lower() and KERNEL4 in err, f"it does not say who reset what: {err}")


def test_get_from_a_server_that_stops_short():
    make_device()
    copy = pathlib.Path(tempfile.mkdtemp(), "copy")

    def stop(s):
        read_request(s)
        s.sendall(RESPONSE + b"x" * 100)

    with serving_once(stop):
        err = tunic_gets(f"http://{KERNEL4}/", "-o", copy, status=1).err
    expect(KERNEL4 in err and "\n" == err[-1:], err)
    expect(not copy.exists() or str(copy) in err, f"it does not say that a part is kept: {err}")


def test_get_refused():
    make_device()
    err = tunic_gets(f"http://{KERNEL4}:81/", status=1).err
    expect("refused" in err.lower() and f"{KERNEL4}:81" in err, err)


def test_get_what_is_not_there():
    make_device()
    copy = pathlib.Path(tempfile.mkdtemp(), "copy")
    with nginx(make_site()):
        done = tunic_gets(f"http://{KERNEL4}/nothing", "-o", copy, status=22)
    expect("404" in done.err and not copy.exists(), done.err)


def test_get_follows_a_redirect():
    make_device()
    site = make_site()
    (site / "folder").mkdir()
    (site / "folder" / "index.html").write_text("inside\n")
    with nginx(site):
        expect(tunic_gets(f"http://{KERNEL4}/folder").out == "inside\n", "not the page behind the redirect")


def test_get_is_interrupted():
    make_device()
    with listening(80) as listener, process("tunic", "get", f"http://{KERNEL4}/", "--tun", "tun0", *ADDRESSES) as p:
        listener.settimeout(10)
        accepted, _ = listener.accept()
        with accepted:
            accepted.settimeout(10)
            read_request(accepted)
            accepted.sendall(RESPONSE + b"x" * 100)
            p.signal()
            p.wait(130)
            try:
                expect(accepted.recv(1) == b"", "octets after the request")
            except ConnectionResetError:
                pass
