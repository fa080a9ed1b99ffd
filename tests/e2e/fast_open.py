"""TCP Fast Open (RFC 7413) with the kernel, both ways: text crosses the device with the SYN."""
import pathlib
import socket
import threading

from get import read_request, tunic_gets
from kernel import get, make_device, receive_all
from support import KERNEL4, STACK4, Skip, eventually, expect, make_site, serve
from wire import SYN, watching

MSG_FASTOPEN, TCP_FASTOPEN = 0x20000000, 23
SETTING = pathlib.Path("/proc/sys/net/ipv4/tcp_fastopen")
SYN_DATA = 0x20  # of tcp_info's options


def allow_fast_open():
    """The kernel as client and server, in this namespace."""
    try:
        SETTING.write_text("3")
    except OSError as e:
        raise Skip(f"{SETTING}: {e.strerror}") from None


def opened_by_its_syn(s):
    return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[5] & SYN_DATA != 0


def syns_of(source, segments):
    """The SYNs that a client sent, first ones only."""
    syns = [s for s in segments if s.source == source and s.flags & SYN]
    return syns if len(syns) >= 2 else None


def asked_fast():
    """A request, with its SYN where the kernel has a cookie; whether it was acknowledged with that."""
    with socket.socket() as s:
        s.sendto(get(), MSG_FASTOPEN, (STACK4, 80))  # with a timeout it would not wait
        s.settimeout(10)
        answer = receive_all(s)
        expect(answer.endswith(b"<h1>hello from tunic</h1>\n"), answer)
        return opened_by_its_syn(s)


def test_fast_open_to_serve():
    make_device()
    allow_fast_open()
    with serve(make_site(), "--fast-open"), watching() as segments:
        expect(not asked_fast(), "the kernel had a cookie already")
        expect(asked_fast(), "the second request's text was not acknowledged with its SYN")
        first, second = eventually("both SYNs are seen", lambda: syns_of(KERNEL4, segments))
        expect(first.fast_open == b"" and first.text == b"", first)
        expect(len(second.fast_open) == 8 and get().startswith(second.text) and second.text.startswith(b"GET /"), second)
        answers = eventually("both SYN-ACKs are seen", lambda: syns_of(STACK4, segments))
        expect(answers[0].fast_open == second.fast_open and answers[1].fast_open is None, answers)


def test_fast_open_to_any_thread():
    """A cookie of one is good for all."""
    make_device(several=True)
    allow_fast_open()
    with serve(make_site(), "--fast-open", "--threads", 2):
        expect(not asked_fast(), "the kernel had a cookie already")
        for n in range(20):
            expect(asked_fast(), f"with the cookie: the text of request {n} was not acknowledged with its SYN")


def test_fast_open_not_asked_for():
    make_device()
    allow_fast_open()
    with serve(make_site()), watching() as segments, socket.socket() as s:
        s.sendto(get(), MSG_FASTOPEN, (STACK4, 80))
        s.settimeout(10)
        expect(receive_all(s).endswith(b"<h1>hello from tunic</h1>\n"), "no answer")
        answer = eventually("the SYN-ACK is seen", lambda: [t for t in segments if t.source == STACK4 and t.flags & SYN])
        expect(answer[0].fast_open is None, answer)


def test_fast_open_of_get():
    make_device()
    allow_fast_open()
    fast = []
    answers = [b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
               b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"]
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 5)
        listener.bind((KERNEL4, 80))
        listener.listen()
        listener.settimeout(20)

        def answer():
            for text in answers:
                s, _ = listener.accept()
                with s:
                    read_request(s)
                    fast.append(opened_by_its_syn(s))
                    s.sendall(text)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with watching() as segments:
            expect(tunic_gets(f"http://{KERNEL4}/", "--fast-open").out == "hello", "not what was sent")
            thread.join(20)
            first, second = eventually("both SYNs are seen", lambda: syns_of(STACK4, segments))
    expect(first.fast_open == b"" and first.text == b"", first)
    expect(len(second.fast_open) == 8 and second.text.startswith(b"GET /there HTTP/1.1"), second)
    expect(fast == [False, True], f"the kernel says of its connections: {fast}")
