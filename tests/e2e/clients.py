"""Foreign clients of `tunic serve`: the kernel's TCP and other people's HTTP."""
import http.client
import re
import signal

from kernel import connect, get, make_device, receive_all
from support import MIB, SITE4, SITE6, STACK4, STACK6, eventually, expect, make_site, process, run, serve, sha256


def curl_gets(site):
    make_device()
    folder = make_site(data=300000)
    with serve(folder):
        out = run("curl", "-sS", "-i", "-m", 10, f"{site}/").out
        expect(out.startswith("HTTP/1.1 200 OK"), out)
        expect("Content-Type: text/html" in out and "Content-Length: 26" in out and "hello from tunic" in out, out)
        body = run("curl", "-sS", "-m", 10, f"{site}/data", text=False).out
        expect(body == (folder / "data").read_bytes(), f"{len(body)} octets, and not those of the file")
        run("curl", "-sS", "-f", "-m", 10, f"{site}/nothing", status=22)


def test_curl_over_ipv4():
    curl_gets(SITE4)


def test_curl_over_ipv6():
    curl_gets(SITE6)


def test_wget():
    make_device()
    folder = make_site(data=300000)
    with serve(folder):
        for site in SITE4, SITE6:
            body = run("wget", "-q", "-T", 10, "-t", 1, "-O", "-", f"{site}/data", text=False).out
            expect(body == (folder / "data").read_bytes(), f"{len(body)} octets, and not those of the file")


def test_wrk():  # alone: it takes the whole machine
    make_device()
    with serve(make_site(kilobyte=1024)):
        out = run("wrk", "-t2", "-c256", "-d10s", f"{SITE4}/kilobyte").out
        requests = int(re.search(r"(\d+) requests in", out)[1])
        expect(requests > 0 and "Socket errors" not in out and "Non-2xx" not in out, out)


def test_ab():
    make_device()
    with serve(make_site(kilobyte=1024)):
        out = run("ab", "-k", "-n", 2000, "-c", 32, f"{SITE4}/kilobyte").out
        for line in r"Complete requests: +2000$", r"Failed requests: +0$", r"Keep-Alive requests: +2000$":
            expect(re.search(line, out, re.MULTILINE), out)
        expect("Write errors" not in out and "Non-2xx" not in out, out)


def test_python_http_client():
    make_device()
    folder = make_site(data=100000)
    with serve(folder):
        for address in STACK4, f"[{STACK6}]":
            connection = http.client.HTTPConnection(address, timeout=10)
            connection.connect()
            first = connection.sock
            for method, path, status, length in (("GET", "/data", 200, 100000), ("HEAD", "/data", 200, 0),
                                                 ("GET", "/nothing", 404, None), ("GET", "/", 200, 26)):
                connection.request(method, path)
                response = connection.getresponse()
                body = response.read()
                expect(response.status == status, f"{method} {path}: {response.status}")
                expect(length in (None, len(body)), f"{method} {path}: {len(body)} octets")
                expect(path != "/data" or response.getheader("Content-Length") == "100000", "no length")
                expect(connection.sock is first, f"the connection did not stay open after {method} {path}")
            connection.close()


def test_netcat_half_closes_and_hears_the_answer():
    make_device()
    folder = make_site(data=300000)
    with serve(folder):
        request = f"GET /data HTTP/1.1\r\nHost: {STACK4}\r\n\r\n".encode()
        out = run("nc.openbsd", "-N", STACK4, 80, stdin=request, text=False).out
        expect(out.startswith(b"HTTP/1.1 200") and out.endswith((folder / "data").read_bytes()), f"{len(out)} octets")


KILLED = """
import signal, socket, sys
s = socket.create_connection(("198.51.100.2", 80), 10)
s.sendall(sys.argv[1].encode())
if sys.argv[2] == "reads":
    s.recv(1000)
print("under way", flush=True)
signal.pause()
"""


def test_netcat_pipelines():
    make_device()
    with serve(make_site(a=b"first", b=b"second")):
        fields = f"HTTP/1.1\r\nHost: {STACK4}\r\n"
        requests = f"GET /a {fields}\r\nHEAD /b {fields}\r\nGET /b {fields}Connection: close\r\n\r\n".encode()
        out = run("nc.openbsd", STACK4, 80, stdin=requests, text=False).out
        expect(out.count(b"HTTP/1.1 200 OK") == 3 and out.index(b"\r\n\r\nfirstHTTP") < out.index(b"\r\n\r\nsecond"), out)


def test_a_client_that_is_killed_leaves_nothing():
    make_device()
    with serve(make_site(large=20 * MIB), "-v", "--msl", 0.05) as server:
        request = get("/large").decode()
        for text, then in (("", "waits"), (request[:20], "waits"), (request, "reads")):
            with process("python3", "-c", KILLED, text, then) as client:
                client.wait_for("under way")
                client.signal(signal.SIGKILL)
                client.wait(-signal.SIGKILL)
        expect(b"hello from tunic" in get_page(), "the server no longer answers")
        opened = lambda: len(re.findall(r"=> ESTABLISHED", server.log()))
        closed = lambda: len(re.findall(r"=> CLOSED", server.log()))
        eventually("every connection comes to CLOSED", lambda: opened() == closed() == 4)


def get_page():
    with connect() as s:
        s.sendall(get())
        return receive_all(s)


def retransmitted_syns():
    """How many SYNs this namespace's kernel has sent again."""
    names, values = [line.split() for line in open("/proc/net/netstat") if line.startswith("TcpExt:")]
    return int(values[names.index("TCPSynRetrans")])


def test_a_closed_port_refuses_at_once():
    make_device()
    with serve(make_site()):
        for address in STACK4, STACK6:
            connect(80, address).close()  # the kernel may lose the first datagram to a device that has just come up
            before = retransmitted_syns()
            try:
                connect(81, address).close()
            except ConnectionRefusedError:
                expect(retransmitted_syns() == before, "the first SYN was not answered")
            else:
                expect(False, "port 81 took a connection")


def download_of_100_mib(site):
    make_device()
    folder = make_site(large=100 * MIB)
    with serve(folder):
        run("curl", "-sS", "-m", 60, "-o", folder / "copy", f"{site}/large", timeout=70)
        expect(sha256(folder / "copy") == sha256(folder / "large"), "the copy differs")


def test_100_mib_over_ipv4():
    download_of_100_mib(SITE4)


def test_100_mib_over_ipv6():
    download_of_100_mib(SITE6)


def test_pipelined_requests():
    make_device()
    with serve(make_site(kilobyte=1024)), connect() as s:
        s.sendall(get("/kilobyte", close=False) * 99 + get("/"))
        octets = receive_all(s)
        expect(octets.count(b"HTTP/1.1 200 OK\r\n") == 100 and octets.endswith(b"hello from tunic</h1>\n"),
               f"{octets.count(b'HTTP/1.1 200')} answers, {len(octets)} octets")


def test_any_address_is_answered():
    make_device()
    with serve(make_site(), "--any-address", addresses=()):
        for address in "198.51.100.77", "198.51.100.200", "2001:db8::1234":
            with connect(80, address) as s:
                s.sendall(get())
                expect(b"hello from tunic" in receive_all(s), f"no answer from {address}")
