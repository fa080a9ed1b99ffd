"""What five articles say about HTTP itself, row by row as docs/seen.md numbers them: what a foreign client gets."""
import http.client
import json
import socket
import struct
import threading
import time

from kernel import connect, get, make_device, receive_all
from support import ADDRESSES, KERNEL4, MIB, SITE4, STACK4, eventually, expect, make_site, run, serve, serve_echo


def ask(text, address=STACK4):
    """All that comes in answer to these octets, until the end."""
    with connect(80, address) as s:
        s.sendall(text if isinstance(text, bytes) else text.encode())
        return receive_all(s)


def request(line, *fields, content=b""):
    return "\r\n".join([line, *fields, "", ""]).encode() + content


def status(octets):
    return int(octets.split(b" ", 2)[1])


def fields_of(octets):
    lines = octets.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def curl(*options):
    return run("curl", "-sS", "-m", 10, *options).out


HOST, CLOSE = f"Host: {STACK4}", "Connection: close"


def test_row_22_methods_and_versions():
    make_device()
    with serve_echo():
        for line, expected in (("GET / HTTP/1.1", 200), ("POST / HTTP/1.1", 200), ("PUT / HTTP/1.1", 200),
                               ("DELETE / HTTP/1.1", 405), ("HEAD / HTTP/1.1", 200), ("OPTIONS / HTTP/1.1", 204),
                               ("OPTIONS * HTTP/1.1", 204), ("TRACE / HTTP/1.1", 501), ("CONNECT a:80 HTTP/1.1", 501), ("BREW / HTTP/1.1", 501),
                               ("GET / HTTP/1.0", 200), ("GET http://a/ HTTP/1.1", 200), ("GET / HTTP/2.0", 505),
                               ("GET / HTTP/3.0", 505), ("GET / http/1.1", 400), ("GET /", 400), ("get / HTTP/1.1", 501)):
            octets = ask(request(line, HOST, CLOSE))
            expect(status(octets) == expected and octets.startswith(b"HTTP/1.1 "), f"{line}: {octets!r}")
            if expected == 405:
                expect("GET" in fields_of(octets)["allow"], f"{line}: {octets!r}")


def test_row_23_who_keeps_a_connection():
    make_device()
    with serve_echo():
        for line, field, stays in (("GET / HTTP/1.1", "A: b", True), ("GET / HTTP/1.1", CLOSE, False),
                                   ("GET / HTTP/1.0", "A: b", False), ("GET / HTTP/1.0", "Connection: keep-alive", True)):
            with connect() as s:
                s.sendall(request(line, HOST, field))
                octets = b""
                while not octets.endswith(b"\r\n\r\nOK"):
                    octets += s.recv(MIB)
                expect((b"\r\nConnection: close\r\n" in octets) != stays, f"{line}, {field}: {octets!r}")
                if stays:
                    s.sendall(request("GET / HTTP/1.1", HOST, CLOSE))
                expect(receive_all(s).endswith(b"OK") if stays else s.recv(1) == b"", f"{line}, {field}")


def test_row_24_pipelining():
    make_device()
    with serve_echo():
        asked = b"".join(get(f"/status/{200 + n}", close=n == 99) for n in range(0, 100, 11))
        octets = ask(asked)
        found = [int(part[:3]) for part in octets.split(b"HTTP/1.1 ")[1:]]
        expect(found == [200 + n for n in range(0, 100, 11)], found)


def test_row_25_fields_come_in_order_and_a_blank_line_ends_them():
    make_device()
    with serve_echo():
        sent = [HOST, "User-Agent: x/1", "ACCEPT: */*", "accept: text/html", "A: \t b c \t", "Empty:", CLOSE]
        body = ask(request("GET /echo HTTP/1.1", *sent)).partition(b"\r\n\r\n")[2].decode()
        expected = [HOST, "User-Agent: x/1", "ACCEPT: */*", "accept: text/html", "A: b c", "Empty: ", CLOSE]
        expect(body == "\n".join(expected) + "\n", body)


def test_row_26_many_sites_on_one_server():
    make_device()
    one, other = make_site(which=b"one"), make_site(which=b"other")
    with serve(one, "--host", f"other.example={other}"):
        for host, expected in (("other.example", b"other"), ("OTHER.example:80", b"other"), ("x.example", b"one")):
            octets = ask(request("GET /which HTTP/1.1", f"Host: {host}", CLOSE))
            expect(octets.endswith(b"\r\n\r\n" + expected), f"{host}: {octets!r}")
        expect(status(ask(request("GET / HTTP/1.1", CLOSE))) == 400, "no Host")
        expect(status(ask(request("GET / HTTP/1.1", HOST, HOST, CLOSE))) == 400, "two of them")


def test_row_27_accept_with_weights():
    make_device()
    folder = make_site()
    (folder / "d").mkdir()
    (folder / "d" / "x.txt").write_text("x")
    with serve(folder, "--listing"):
        for accept, expected in (("text/html, */*;q=0.1", "text/html"), ("text/html;q=0.5, application/json", "application/json"),
                                 ("application/*", "application/json"), ("*/*", "text/html")):
            octets = ask(request("GET /d/ HTTP/1.1", HOST, f"Accept: {accept}", CLOSE))
            found = fields_of(octets)
            expect(found["content-type"].startswith(expected) and found["vary"] == "Accept", f"{accept}: {octets!r}")
        text = curl("-H", "Accept: application/json", f"{SITE4}/d/")
        expect(json.loads(text)[0]["name"] == "x.txt", text)


def test_row_28_forms_uploads_and_json():
    make_device()
    folder = make_site(large=3 * MIB)
    with serve_echo():
        form = json.loads(curl("-d", "username=user123&password=pass456", f"{SITE4}/form"))
        expect(form["fields"] == [{"name": "username", "value": "user123"}, {"name": "password", "value": "pass456"}], form)
        form = json.loads(curl("-F", "note=hello you", "-F", f"files=@{folder / 'large'};type=image/png", f"{SITE4}/upload"))
        expect(form["fields"] == [{"name": "note", "value": "hello you"}], form)
        expect(form["files"] == [{"field": "files", "name": "large", "type": "image/png", "size": 3 * MIB}], form)
        value = {"a": [1, 2.5, None], "ä": "ü"}
        text = curl("--json", json.dumps(value), f"{SITE4}/json")
        expect(json.loads(text) == value, text)
        for bad in b"{", b"[" * 30000 + b"]" * 30000:
            asked = request("POST /json HTTP/1.1", HOST, CLOSE, f"Content-Length: {len(bad)}", content=bad)
            expect(status(ask(asked)) == 400, f"bad JSON of {len(bad)} octets")


def test_row_29_static_files():
    make_device()
    folder = make_site(data=100000, **{"style.css": b"a{color:red}" * 100, "pic.png": b"\x89PNG"})
    data = (folder / "data").read_bytes()
    with serve(folder):
        for path, kind in (("/", "text/html"), ("/style.css", "text/css"), ("/pic.png", "image/png"),
                           ("/data", "application/octet-stream")):
            found = fields_of(ask(get(path)))
            expect(found["content-type"].startswith(kind) and found["etag"] and found["last-modified"], f"{path}: {found}")
        part = run("curl", "-sS", "-m", 10, "-r", "10-19,-5", "-i", f"{SITE4}/data", text=False).out
        expect(status(part) == 206 and data[10:20] in part and data[-5:] in part, f"{part!r}")
        (folder / "copy").write_bytes(data[:40000])
        run("curl", "-sS", "-m", 10, "-C", "-", "-o", folder / "copy", f"{SITE4}/data")
        expect((folder / "copy").read_bytes() == data, "resuming a download")
        tag = fields_of(ask(get("/data")))["etag"]
        expect(status(ask(request("GET /data HTTP/1.1", HOST, CLOSE, f"If-None-Match: {tag}"))) == 304, "unchanged")
        for coding in "gzip", "br", "zstd":
            octets = ask(request("GET /style.css HTTP/1.1", HOST, CLOSE, f"Accept-Encoding: {coding}"))
            expect(fields_of(octets)["content-encoding"] == coding and len(octets) < 1000, f"{octets!r}")
        expect(curl("--compressed", f"{SITE4}/style.css") == "a{color:red}" * 100, "what curl makes of it")
        client = http.client.HTTPConnection(STACK4, timeout=10)
        for color in "red", "red", "tan", "sky":  # on one connection: the file changes after it was served from memory
            if color != "red":
                (folder / "style.css").write_text(f"a{{color:{color}}}" * 100)
            client.request("GET", "/style.css")
            expect(client.getresponse().read() == f"a{{color:{color}}}".encode() * 100, f"a changed file: {color}")
        client.close()


def test_row_30_a_slow_handler_holds_up_nobody():
    make_device()
    with serve_echo():
        with connect() as slow:
            slow.sendall(get("/wait?s=120"))
            for _ in range(100):
                expect(ask(get()).endswith(b"OK"), "no answer")
            slow.setblocking(False)
            try:
                expect(not slow.recv(1), "the slow one came first")
            except BlockingIOError:
                pass
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it goes with a reset


def test_row_31_wait():
    make_device()
    with serve_echo("--port", 8196), connect(8196) as s:
        began = time.monotonic()
        s.sendall(get("/wait?s=1"))
        octets = receive_all(s)
        expect(octets.endswith(b"\r\n\r\njob done"), octets)
        expect(time.monotonic() - began >= 1, "it does not wait")


def test_row_32_every_answer_has_its_framing():
    make_device()
    with serve_echo():
        for line, expected, has_length, content in (
                ("GET / HTTP/1.1", 200, "2", b"OK"), ("HEAD / HTTP/1.1", 200, "2", b""),
                ("GET /status/204 HTTP/1.1", 204, None, b""), ("GET /status/304 HTTP/1.1", 304, None, b""),
                ("GET /status/404 HTTP/1.1", 404, "14", b"404 Not Found\n"), ("GET /bytes/5 HTTP/1.1", 200, "5", b"abcde"),
                ("GET /bytes/0 HTTP/1.1", 200, "0", b""), ("GET /stream?n=1 HTTP/1.0", 200, None, b"line 1\n"),
                ("GET /stream?n=1 HTTP/1.1", 200, None, b"7\r\nline 1\n\r\n0\r\nLines: 1\r\n\r\n")):
            octets = ask(request(line, HOST, CLOSE))
            head, _, body = octets.partition(b"\r\n\r\n")
            found = fields_of(octets)
            expect(status(octets) == expected and body == content, f"{line}: {octets!r}")
            expect(found.get("content-length") == has_length and "date" in found, f"{line}: {octets!r}")
            chunked = found.get("transfer-encoding") == "chunked"
            expect(chunked == ("stream" in line and "1.1" in line), f"{line}: {octets!r}")
            expect("content-type" in found or not content, f"{line}: {octets!r}")


def test_row_33_a_client_judges_the_status():
    make_device()
    folder = make_site(**{"a.json": b'{"a": 1}'})
    with serve(folder):
        expect(json.loads(curl(f"{SITE4}/a.json")) == {"a": 1}, "JSON")
        run("curl", "-sS", "-f", "-m", 10, f"{SITE4}/nothing", status=22)
        expect(run("wget", "-q", "-T", 10, "-t", 1, "-O", "-", f"{SITE4}/nothing", status=8).out == "", "404 has a page")
    with serve_echo():
        expect(curl("-L", f"{SITE4}/redirect/3") == "OK", "three redirects")


def test_trailers_both_ways():
    make_device()
    with serve_echo():
        octets = ask(request("POST / HTTP/1.1", HOST, CLOSE, "Transfer-Encoding: chunked", "Trailer: A",
                             content=b"3\r\nabc\r\n0\r\nA: b\r\n\r\n"))
        expect(status(octets) == 200 and octets.endswith(b"\r\n\r\nabc"), octets)
        expect(ask(get("/stream?n=2&s=0")).endswith(b"0\r\nLines: 2\r\n\r\n"), "no trailer")


def test_100_continue_and_an_early_refusal():
    make_device()
    folder = make_site(large=2 * MIB)
    with serve_echo("--max-content", "1m"):
        with connect() as s:
            s.sendall(request("POST / HTTP/1.1", HOST, CLOSE, "Expect: 100-continue", "Content-Length: 3"))
            interim = b"HTTP/1.1 100 Continue\r\n\r\n"
            octets = b""
            while len(octets) < len(interim):
                octets += s.recv(len(interim) - len(octets))
            expect(octets == interim, octets)
            s.sendall(b"abc")
            expect(receive_all(s).endswith(b"\r\n\r\nabc"), "no answer")
        for options in (), ("-H", "Expect:"):  # with 100-continue, and without: the whole of it is sent regardless
            out = run("curl", "-sS", "-m", 10, "-o", "/dev/null", "-w", "%{http_code}", *options, "--data-binary",
                      f"@{folder / 'large'}", f"{SITE4}/").out
            expect(out == "413", f"{options}: {out}")
        expect(status(ask(request("GET / HTTP/1.1", HOST, CLOSE, "Expect: wonders"))) == 417, "417")


def test_uploads_by_curl():
    make_device()
    folder = make_site(large=5 * MIB)
    with serve_echo():
        for options in (), ("-H", "Transfer-Encoding: chunked"), ("--http1.0",):
            run("curl", "-sS", "-m", 20, *options, "--data-binary", f"@{folder / 'large'}", "-o", folder / "back", f"{SITE4}/")
            expect((folder / "back").read_bytes() == (folder / "large").read_bytes(), f"{options}: what came back differs")
        run("curl", "-sS", "-m", 20, "-T", folder / "large", "-o", folder / "back", f"{SITE4}/put")
        expect((folder / "back").read_bytes() == (folder / "large").read_bytes(), "PUT")


def test_event_streams_go_with_their_client():
    make_device()
    with serve_echo("-v", "--msl", 0.05) as server:
        with connect() as s:
            s.sendall(get("/sse?s=0.05"))
            octets = b""
            while b"data: event 3\n\n" not in octets:
                octets += s.recv(MIB)
            expect(fields_of(octets)["content-type"] == "text/event-stream", octets)
        eventually("its connection is closed", lambda: "=> CLOSED" in server.log())


def test_access_logs():
    make_device()
    folder = make_site()
    for name in "combined", "json":
        log = folder / f"{name}.log"
        with serve(folder, "--access-log", log, "--log-format", name):
            ask(request("GET /?a HTTP/1.1", HOST, CLOSE, 'User-Agent: "x"'))
            ask(request("GET /nothing HTTP/1.1", HOST, CLOSE))
            eventually("two lines", lambda: log.read_text().count("\n") == 2)
        first, second = log.read_text().splitlines()
        if name == "combined":
            expect(first.startswith(f"{KERNEL4} - - [") and first.endswith(r'"GET /?a HTTP/1.1" 200 26 "-" "\"x\""'), first)
        else:
            line = json.loads(first)
            expect((line["peer"], line["target"], line["status"], line["agent"]) == (KERNEL4, "/?a", 200, '"x"'), first)
        expect("404" in second, second)


def test_a_stopping_server_answers_what_it_has_got():
    """SIGTERM while requests are under way: each is answered whole, later connections are refused."""
    make_device()
    folder = make_site(kilobyte=1024)
    expected = (folder / "kilobyte").read_bytes()
    with serve(folder, stop=False) as server:
        stopped, failures, answered = threading.Event(), [], []

        def client():
            with connect() as s:
                while True:
                    try:
                        s.sendall(get("/kilobyte", close=False))
                        octets = b""
                        while not octets.endswith(expected):
                            some = s.recv(MIB)
                            if not some:
                                break
                            octets += some
                    except OSError as error:
                        return None if stopped.is_set() else failures.append(str(error))
                    if octets and not octets.endswith(expected):
                        failures.append(f"{len(octets)} octets of a response")
                    if not octets.endswith(expected) or b"\r\nConnection: close\r\n" in octets:
                        return None if stopped.is_set() else failures.append("it closed early")
                    answered.append(1)

        threads = [threading.Thread(target=client, daemon=True) for _ in range(16)]
        for thread in threads:
            thread.start()
        eventually("requests flow", lambda: len(answered) > 200)
        stopped.set()
        server.signal(15)
        server.wait(0, 5)
        for thread in threads:
            thread.join(5)
        expect(not failures, failures)
