"""What articles about HTTP over TCP watch in Wireshark, for real: one side is the kernel's TCP. Scenarios B and D, and all
six stack to stack in virtual time, are in tests/tcp/scenario_test.cpp."""
import os
import signal
import socket

from kernel import connect, get, is_refused, make_device, receive_all
from support import ADDRESSES, KERNEL4, STACK4, eventually, expect, make_site, process, run, serve, serve_echo
from wire import ACK, EVERYTHING_OF_TCP, FIN, RST, SYN, watching


def printed(segments):
    return "\n".join(f"{s.source} {s.flags:#04x} {s.seq}:{s.seq + s.length}({s.length}) ack {s.ack}" for s in segments)


def first(segments, what, condition, after=0):
    """The place of the first such segment from a place on."""
    for at in range(after, len(segments)):
        if condition(segments[at]):
            return at
    expect(False, f"{what}: not in\n{printed(segments)}")


def fin_of(source):
    return lambda s: s.source == source and s.flags & FIN


def acknowledged(fin):
    """What acknowledges this FIN."""
    return lambda s: s.source != fin.source and s.flags & ACK and s.ack == (fin.seq + fin.length + 1) % (1 << 32)


def test_scenarios_stack_to_stack_are_read_by_tshark():
    """The six of tests/http/scenario_test.cpp, in virtual time: what their captures show."""
    folder = make_site()
    run("env", f"TUNIC_CAPTURES={folder}", f"{os.environ['TUNIC_BUILD']}/tests/http/http_scenario_test")
    for name, shown in (("a", "a FIN and a RST"), ("b", "2 requests"), ("c", "2 FIN"), ("d", "keep-alive"), ("e", "1 request"),
                        ("f", "refused")):
        def counted(what):
            return len(run("tshark", "-r", folder / f"{name}.pcapng", "-Y", what, timeout=60).out.splitlines())
        expect(counted("tcp") > 5 and not counted("_ws.malformed"), f"{name}: not read")
        found = {"a FIN and a RST": lambda: (counted("tcp.flags.fin == 1"), counted("tcp.flags.reset == 1")) == (1, 1),
                 "2 requests": lambda: (counted("http.request"), counted("http.response")) == (2, 2),
                 "2 FIN": lambda: counted("tcp.flags.fin == 1") == 2,
                 "keep-alive": lambda: counted("tcp.analysis.keep_alive") >= 1,
                 "1 request": lambda: counted("http.response.code == 200") == 1,
                 "refused": lambda: counted("tcp.flags.reset == 1 && tcp.ack == 1") >= 1}[shown]
        expect(found(), f"{name}: not {shown}")


def test_row_12_scenario_a_a_client_that_does_not_close_is_reset():
    """The server sends FIN, the client acknowledges and does not close: later its probe gets RST."""
    make_device()
    with watching(what=EVERYTHING_OF_TCP) as segments:
        with serve(make_site(), "--idle-timeout", 1, "--fin-timeout", 1), connect() as s:
            for option, value in ((socket.TCP_KEEPIDLE, 1), (socket.TCP_KEEPINTVL, 1), (socket.TCP_KEEPCNT, 100)):
                s.setsockopt(socket.IPPROTO_TCP, option, value)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            expect(s.recv(1) == b"", "the server does not close")
            eventually("a probe gets RST", lambda: s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 30)
    fin = first(segments, "the server's FIN", fin_of(STACK4))
    first(segments, "the client's ACK", acknowledged(segments[fin]), fin)
    probes = [s for s in segments[fin:] if s.source == KERNEL4 and s.seq == segments[fin].ack - 1 and s.length <= 1]
    expect(probes, f"no probe in\n{printed(segments)}")
    expect(segments[-1].source == STACK4 and segments[-1].flags & RST, f"no RST at the end of\n{printed(segments)}")
    expect(sum(1 for s in segments if s.flags & RST) == 1 and not any(map(fin_of(KERNEL4), segments)),
           f"another end than that:\n{printed(segments)}")


def test_row_14_scenario_c_the_server_closes_first():
    """FIN, ACK, FIN, ACK: the server's first, and then the browser's."""
    make_device()
    with watching(what=EVERYTHING_OF_TCP) as segments:
        with serve(make_site()), connect() as s:
            s.sendall(get())
            expect(receive_all(s).startswith(b"HTTP/1.1 200 OK"), "no response")
            eventually("the FIN is acknowledged", lambda: any(map(fin_of(STACK4), segments)) and
                       any(map(acknowledged(next(filter(fin_of(STACK4), segments))), segments)))
            s.close()
            eventually("the last ACK", lambda: any(map(fin_of(KERNEL4), segments)) and
                       any(map(acknowledged(next(filter(fin_of(KERNEL4), segments))), segments)))
    fin = first(segments, "the server's FIN", fin_of(STACK4))
    ack = first(segments, "its ACK", acknowledged(segments[fin]), fin)
    second = first(segments, "the client's FIN", fin_of(KERNEL4))
    last = first(segments, "its ACK", acknowledged(segments[second]), second)
    expect(fin < ack < second < last, f"in another order:\n{printed(segments)}")
    expect(not any(s.flags & RST for s in segments), f"a reset:\n{printed(segments)}")


def test_row_16_scenario_e_an_idle_connection_gets_a_fin():
    """Some time after the response the server ends the connection that asks for nothing more."""
    make_device()
    with watching(what=EVERYTHING_OF_TCP) as segments:
        with serve(make_site(), "--idle-timeout", 1.5), connect() as s:
            for _ in range(2):
                s.sendall(get(close=False))
                octets = b""
                while b"hello from tunic" not in octets:
                    some = s.recv(1000)
                    expect(some, "closed before it was idle")
                    octets += some
            expect(receive_all(s).strip() in (b"", b"</h1>"), "more than a response")
    fin = first(segments, "the server's FIN", fin_of(STACK4))
    said = [n for n, s in enumerate(segments) if s.length > 1]
    expect(len(said) >= 4 and max(said) < fin, f"the FIN does not follow both exchanges:\n{printed(segments)}")
    expect(sum(1 for s in segments if s.flags & SYN) == 2, f"more than one connection:\n{printed(segments)}")
    first(segments, "the client's FIN behind it", fin_of(KERNEL4), fin)


WAITS = """
import socket, time
listener = socket.create_server(("198.51.100.1", 80))
print("listening", flush=True)
accepted, _ = listener.accept()
accepted.recv(10000)
print("thinking", flush=True)
time.sleep(60)
"""


def test_row_17_scenario_f_the_server_is_killed():
    """A client waits for the answer: it gets FIN. It tries again: that gets RST."""
    make_device()
    fetch = ("tunic", "get", f"http://{KERNEL4}/wait", "--tun", "tun0", *ADDRESSES)
    with watching(what=EVERYTHING_OF_TCP) as segments:
        with process("python3", "-c", WAITS) as server:
            server.wait_for("listening")
            with process(*fetch) as client:
                server.wait_for("thinking")
                server.signal(signal.SIGKILL)
                server.wait(-signal.SIGKILL)
                client.wait(1)
                expect(KERNEL4 in client.log(), f"it does not say who went: {client.log()}")
        asked = len(segments)
        err = run(*fetch, status=1).err
        expect("refused" in err, err)
    fin = first(segments, "the server's FIN", fin_of(KERNEL4))
    first(segments, "our ACK", acknowledged(segments[fin]), fin)
    again = first(segments, "another SYN", lambda s: s.source == STACK4 and s.flags & SYN, max(asked, fin) - 1)
    first(segments, "its RST", lambda s: s.source == KERNEL4 and s.flags & RST and s.ack == segments[again].seq + 1, again)


def test_row_17_scenario_f_our_server_goes():
    """A kernel client waits for the answer of a server that is told to go: at the end of its patience the server resets
    that connection, for the answer is not whole. A new one is refused meanwhile."""
    make_device()
    with watching(what=EVERYTHING_OF_TCP) as segments:
        with serve_echo(stop=False) as server, connect() as s:
            s.sendall(get("/wait?s=60"))
            eventually("the request is acknowledged", lambda: any(x.source == STACK4 and not x.flags & SYN for x in segments))
            server.signal(signal.SIGTERM)
            eventually("a new connection is refused", is_refused)
            try:
                expect(not s.recv(1), "an answer")
                expect(False, "the end of an answer that never began")
            except ConnectionResetError:
                pass
            server.wait(0)
    syns = [x for x in segments if x.source == KERNEL4 and x.flags & SYN]
    first(segments, "the RST that refuses", lambda x: x.source == STACK4 and x.flags & RST and x.ack == syns[-1].seq + 1)
    expect(sum(1 for x in segments if x.source == STACK4 and x.flags & RST) >= 2, f"no reset in\n{printed(segments)}")
