"""What five articles say about a connection under HTTP, row by row as docs/seen.md numbers them, seen with our server and
the kernel's client. Rows 5, 12, 14, 16 and 17 have more in syn_cookies.py and scenarios.py."""
import contextlib
import socket
import struct
import threading

from kernel import connect, get, listening, make_device, receive_all
from scenarios import acknowledged, fin_of, first, printed
from support import (ADDRESSES, KERNEL4, MIB, SITE4, STACK4, eventually, expect, make_site, run, serve_echo)
from wire import ACK, EVERYTHING_OF_TCP, FIN, PSH, RST, SYN, watching


def exchange(path="/", close=True):
    """One request, and all that comes until the end."""
    with connect() as s:
        s.sendall(get(path, close))
        return receive_all(s)


def receive_response(s, end):
    """Octets up to those that end a response."""
    octets = b""
    while not octets.endswith(end):
        some = s.recv(MIB)
        expect(some, f"the connection ended after {octets!r}")
        octets += some
    return octets


def test_row_01_http_runs_on_our_stream():
    make_device()
    with serve_echo() as server, connect() as s:
        s.sendall(get(close=False))
        receive_response(s, b"\r\n\r\nOK")
        lines = run("ss", "-Htanp").out.splitlines()
        expect(any(f"{STACK4}:80" in line for line in lines), "the kernel does not know its own side")
        expect(not any(f"pid={server.pid}," in line for line in lines), f"the server has a kernel socket: {lines}")


def test_row_02_ports():
    """The client's port is one of the ephemeral ones, and not the same each time; the server's is the scheme's."""
    make_device()
    with watching() as segments, listening(80) as listener:
        def answer():
            with contextlib.suppress(OSError):
                while True:
                    with listener.accept()[0] as s:
                        s.recv(MIB)
                        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        threading.Thread(target=answer, daemon=True).start()
        for _ in range(5):
            run("tunic", "get", f"http://{KERNEL4}/", "--tun", "tun0", *ADDRESSES)
        syns = eventually("five SYNs", lambda: [s for s in segments if s.flags & (SYN | ACK) == SYN and s.source == STACK4][4:]
                          and [s for s in segments if s.flags & (SYN | ACK) == SYN and s.source == STACK4])
    ports = {s.ports[0] for s in syns}
    expect(len(ports) >= 4 and all(port >= 1024 for port in ports), f"ports {ports}")
    expect({s.ports[1] for s in syns} == {80}, "another port than the scheme's")


def test_row_03_three_segments_open_a_connection():
    make_device()
    with watching(what=EVERYTHING_OF_TCP) as segments, serve_echo():
        exchange()
    syn, answer, ack = segments[:3]
    expect(syn.flags == SYN and syn.source == KERNEL4, printed(segments))
    expect(answer.flags == SYN | ACK and answer.ack == (syn.seq + 1) % (1 << 32), printed(segments))
    expect(ack.flags == ACK and ack.ack == (answer.seq + 1) % (1 << 32) and ack.seq == answer.ack, printed(segments))


def test_row_04_the_third_segment_may_carry_data():
    make_device()
    with watching(what=EVERYTHING_OF_TCP) as segments, serve_echo(), socket.socket() as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 1)  # for a client: its ACK waits for what it says
        s.settimeout(10)
        s.connect((STACK4, 80))
        s.sendall(get())
        expect(receive_all(s).endswith(b"\r\n\r\nOK"), "no answer")
    third = segments[2]
    expect(third.source == KERNEL4 and third.flags & ACK and third.length > 0, printed(segments))


def test_row_05_the_server_accepts_if_it_is_willing():
    make_device()
    with serve_echo("--max-connections", 2):
        with connect() as a, connect() as b:
            for s in a, b:
                s.sendall(get(close=False))
                receive_response(s, b"\r\n\r\nOK")
            expect(exchange().startswith(b"HTTP/1.1 503 "), "a third connection is served")
        eventually("there is room again", lambda: exchange().startswith(b"HTTP/1.1 200 "))


def raw_syn(port, sequence):
    """A SYN of which the kernel knows nothing, as an old duplicate is one."""
    header = struct.pack("!HHIIBBHHH", port, 80, sequence, 0, 5 << 4, SYN, 65535, 0, 0)
    pseudo = socket.inet_aton(KERNEL4) + socket.inet_aton(STACK4) + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(header))
    octets = pseudo + header
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    header = header[:16] + struct.pack("!H", ~total & 0xffff) + header[18:]
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP) as s:
        s.sendto(header, (STACK4, 0))


def test_row_06_an_old_duplicate_syn_does_no_harm():
    """RFC 9293 figure 9: the SYN-ACK that answers it is answered by RST, and the server listens as before."""
    make_device()
    with watching(what=EVERYTHING_OF_TCP) as segments, serve_echo():
        raw_syn(4000, 12345)
        rst = eventually("the kernel's RST", lambda: [s for s in segments if s.source == KERNEL4 and s.flags & RST])[0]
        answer = next(s for s in segments if s.source == STACK4)
        expect(answer.flags == SYN | ACK and answer.ack == 12346 and rst.seq == 12346, printed(segments))
        expect(exchange().endswith(b"\r\n\r\nOK"), "it does not serve")
        retransmitted = [s for s in segments if s.source == STACK4 and s.flags & SYN and s.ack == 12346]
        expect(len(retransmitted) == 1, "the half-open connection went on")


def test_row_07_a_ladder_says_what_each_side_knows():
    make_device()
    capture = make_site() / "a.pcapng"
    with serve_echo("--pcap", capture):
        exchange()
    out = run("tunic", "ladder", capture).out
    for word in ("SYN", "ESTABLISHED", "FIN", "TIME-WAIT"):
        expect(word in out, f"no {word} in\n{out}")


def test_row_08_both_directions_at_once():
    make_device()
    size = 8 * MIB
    with serve_echo(), connect() as s:
        s.sendall(f"POST /x HTTP/1.1\r\nHost: {STACK4}\r\nContent-Length: {size}\r\n\r\n".encode())
        sent = bytes(range(256)) * (size // 256)
        writer = threading.Thread(target=s.sendall, args=(sent[:size // 2],), daemon=True)
        writer.start()
        octets = b""
        while len(octets) < size // 4:  # while the request is not at its end
            octets += s.recv(MIB)
        writer.join(10)
        rest = threading.Thread(target=s.sendall, args=(sent[size // 2:],), daemon=True)
        rest.start()
        head, _, body = octets.partition(b"\r\n\r\n")
        while len(body) < size:
            body += s.recv(MIB)
        rest.join(10)
        expect(head.startswith(b"HTTP/1.1 200 OK") and body == sent, "what came back differs")


def test_row_09_either_side_may_close_first():
    make_device()
    with watching(what=EVERYTHING_OF_TCP) as segments, serve_echo(), connect() as s:
        s.sendall(get(close=False))
        receive_response(s, b"\r\n\r\nOK")
        s.shutdown(socket.SHUT_WR)
        expect(s.recv(1) == b"", "more than one answer")
    fin = first(segments, "the client's FIN", fin_of(KERNEL4))
    ack = first(segments, "its ACK", acknowledged(segments[fin]), fin)
    second = first(segments, "the server's FIN", fin_of(STACK4), fin)
    first(segments, "its ACK", acknowledged(segments[second]), max(ack, second))
    expect(not any(s.flags & RST for s in segments), printed(segments))


def test_row_10_after_fin_the_other_direction_goes_on():
    make_device()
    with serve_echo(), connect() as s:
        s.sendall(get("/stream?n=5&s=0.1"))
        s.shutdown(socket.SHUT_WR)
        octets = receive_all(s)  # the end comes once, behind the data
        expect(octets.endswith(b"7\r\nline 5\n\r\n0\r\nLines: 5\r\n\r\n"), f"{octets[-100:]!r}")
        expect(s.recv(1) == b"", "there is more behind the end")


def test_row_11_time_wait_answers_a_fin_again():
    """The last ACK is lost: the FIN comes again, and who waits for 2MSL acknowledges it again."""
    make_device()
    rule = "add table inet t; add chain inet t in { type filter hook input priority 0; }; add rule inet t in " \
           f"ip saddr {STACK4} tcp flags & (fin|syn|rst|psh|ack) == ack drop"
    with watching(what=EVERYTHING_OF_TCP) as segments, serve_echo("--msl", 5), connect() as s:
        s.sendall(get())
        expect(receive_all(s).endswith(b"OK"), "no answer")  # and the server's FIN
        run("nft", rule)
        s.close()
        fins = lambda: [s for s in segments if s.source == KERNEL4 and s.flags & FIN]
        eventually("the FIN comes again", lambda: len(fins()) >= 2)
        run("nft", "delete table inet t")
        eventually("the kernel's side is CLOSED", lambda: not run("ss", "-Htan", f"dst {STACK4}").out.strip())
    acks = [s for s in segments if acknowledged(fins()[0])(s)]
    expect(len(acks) >= 2, f"acknowledged {len(acks)} times:\n{printed(segments)}")


def test_row_13_two_requests_on_one_connection():
    """Scenario B: one SYN, and no FIN between them."""
    make_device()
    with watching(what=EVERYTHING_OF_TCP) as segments, serve_echo(), connect() as s:
        for _ in range(2):
            s.sendall(get(close=False))
            receive_response(s, b"\r\n\r\nOK")
        answered = lambda: [n for n, x in enumerate(segments) if x.source == STACK4 and x.flags & PSH]
        second = eventually("both responses are seen", lambda: answered()[1:])[0]
    seen = segments[:second + 1]
    expect(sum(1 for s in seen if s.flags & SYN) == 2 and not any(s.flags & FIN for s in seen), printed(seen))


def test_row_15_keep_alive_probes_while_a_handler_thinks():
    """Scenario D, with a second for the article's 45."""
    make_device()
    with watching(what=EVERYTHING_OF_TCP) as segments, serve_echo(), connect() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        s.sendall(get("/wait?s=2.5"))
        expect(receive_all(s).endswith(b"\r\n\r\njob done"), "no answer")
    request = first(segments, "the request", lambda s: s.source == KERNEL4 and s.length > 1)
    after = (segments[request].seq + segments[request].length) % (1 << 32)
    probe = first(segments, "a probe", lambda s: s.source == KERNEL4 and s.seq == after - 1 and s.length <= 1, request + 1)
    answer = first(segments, "its ACK", lambda s: s.source == STACK4 and s.ack == after and not s.length, probe)
    first(segments, "the response", lambda s: s.source == STACK4 and s.length > 0, answer)


def test_row_18_a_request_is_acknowledged_at_once():
    make_device()
    with watching(what=EVERYTHING_OF_TCP) as segments, serve_echo(), connect() as s:
        s.sendall(get("/wait?s=1"))
        receive_all(s)
    request = first(segments, "the request", lambda s: s.source == KERNEL4 and s.length > 0)
    ack = first(segments, "its ACK", lambda s: s.source == STACK4 and not s.length, request)
    response = first(segments, "the response", lambda s: s.source == STACK4 and s.length > 0)
    expect(request < ack < response, printed(segments))
    expect(segments[ack].ack == segments[request].seq + segments[request].length, printed(segments))
    expect(not any(s.source == KERNEL4 and s.seq == segments[request].seq and s.length for s in segments[request + 1:]),
           "the request was sent again")


def test_row_19_wireshark_reads_the_capture():
    make_device()
    capture = make_site() / "a.pcapng"
    with serve_echo("--pcap", capture):
        exchange("/bytes/100000")
    shown = run("tshark", "-r", capture, "-Y", "http", "-T", "fields", "-e", "http.request.uri", "-e",
                "http.response.code", timeout=60).out.split()
    expect(shown == ["/bytes/100000", "200"], shown)
    bad = run("tshark", "-r", capture, "-o", "tcp.check_checksum:TRUE", "-Y", "_ws.malformed || tcp.checksum.status == 0",
              timeout=60).out
    expect(not bad.strip(), bad)


def test_row_20_a_page_with_ten_scripts():
    """A connection for each of the eleven objects, one for all, and all asked for at once on one."""
    make_device()
    urls = [f"{SITE4}/scripts"] + [f"{SITE4}/script/{n}" for n in range(1, 11)]
    outputs = [word for _ in urls for word in ("-o", "/dev/null")]
    with serve_echo():
        def syns(fetch):
            with watching() as segments:
                fetch()
            return sum(1 for s in segments if s.flags & (SYN | ACK) == SYN)
        expect(syns(lambda: [run("curl", "-sS", "-m", 10, "-o", "/dev/null", url) for url in urls]) == 11, "non-persistent")
        expect(syns(lambda: run("curl", "-sS", "-m", 10, *outputs, *urls)) == 1, "persistent")

        def pipelined():
            requests = [get(url[len(SITE4):], close=url == urls[-1]) for url in urls]
            with connect() as s:
                s.sendall(b"".join(requests))
                octets = receive_all(s)
            expect(octets.count(b"HTTP/1.1 200 OK") == 11 and octets.rindex(b"'s10'") > octets.rindex(b"'s9'"), "in order")
        expect(syns(pipelined) == 1, "pipelined")
