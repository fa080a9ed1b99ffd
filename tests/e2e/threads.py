"""`tunic serve --threads`: shards on the queues of one device; and `--busy-poll`."""
import concurrent.futures
import contextlib
import os
import pathlib
import re
import socket
import struct
import time

from kernel import connect, get, is_refused, make_device, receive_all
from support import (ADDRESSES, KERNEL4, KERNEL6, MIB, SITE4, SITE6, STACK4, STACK6, Skip, eventually, expect, ip,
                     make_site, process, run, serve)
from syn_cookies import syn_from_nobody
from volume import SANITIZED
from wire import RST, SYN, watching

MANY = 200


def wake_ups(server):
    """How often each thread of a process has slept, by its number."""
    tasks = pathlib.Path(f"/proc/{server.pid}/task").iterdir()
    return {task.name: int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", (task / "status").read_text(), re.M)[1])
            for task in tasks}


def ask(s, path="/"):
    """One request on a connection that stays; returns the content."""
    s.sendall(get(path, close=False))
    octets = b""
    while b"\r\n\r\n" not in octets:
        some = s.recv(65536)
        expect(some, "closed instead of an answer")
        octets += some
    head, _, content = octets.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: *(\d+)", head, re.I)[1])
    while len(content) < length:
        some = s.recv(MIB)
        expect(some, "closed within an answer")
        content += some
    return content


def keeps_its_flows(server, page, idle, stack):
    """Many connections, each asked, idle and asked again, and both threads at work. The kernel forgets which queue a flow
    had after 3 s without a packet: nobody may notice."""
    before = wake_ups(server)
    expect(len(before) == 2, f"not two threads: {before}")
    open_ones = [stack.enter_context(connect(address=STACK6 if n % 2 else STACK4)) for n in range(MANY)]
    for _ in range(3):
        for s in open_ones:
            expect(ask(s) == page, "another page")
    slept = {task: n - before[task] for task, n in wake_ups(server).items()}
    expect(min(slept.values()) > MANY // 5, f"one of the threads has hardly served: {slept}")
    time.sleep(idle)
    for s in open_ones:
        expect(ask(s) == page, "another page after a while")
    for s in open_ones:
        s.close()


def no_resets(segments):
    resets = [s for s in segments if s.flags & RST]
    expect(not resets, f"reset: {resets[:3]}")


def test_two_threads_serve_and_keep_their_flows():
    make_device(several=True)
    folder = make_site()
    with watching() as segments, serve(folder, "--threads", 2) as server, contextlib.ExitStack() as stack:
        keeps_its_flows(server, (folder / "index.html").read_bytes(), 10, stack)
    no_resets(segments)


def test_threads_without_permission_to_steer():
    """The kernel's own choice of a queue keeps flows as well."""
    everybody = pathlib.Path("/proc/sys/kernel/unprivileged_bpf_disabled")
    if everybody.exists() and everybody.read_text().strip() == "0":
        raise Skip(f"{everybody} is 0: anybody may steer")
    make_device(several=True)  # it has no owner, so that anybody may attach
    folder = make_site()
    with watching() as segments, contextlib.ExitStack() as stack:
        with process("setpriv", "--bounding-set=-all", "--inh-caps=-all", os.environ["TUNIC"], "serve", folder, "--tun",
                     "tun0", *ADDRESSES, "--threads", 2) as server:
            server.wait_for("^serving ", count=2)
            expect("ICMP errors may come to the wrong one" in server.log(), "it was permitted to steer")
            keeps_its_flows(server, (folder / "index.html").read_bytes(), 5, stack)
            server.signal()
            server.wait(0)
    no_resets(segments)


def in_fragments(datagram):
    """An IPv4 datagram without options in two, both of which have a number: else the kernel gives each its own."""
    head, transport = datagram[:20], datagram[20:]
    for flags_and_offset, part in (0x2000, transport[:16]), (2, transport[16:]):
        yield head[:4] + struct.pack("!HH", 7, flags_and_offset) + head[8:] + part


def test_threads_drop_segments_in_fragments():
    """Whoever gets them might reset a connection that another one has."""
    make_device(several=True)
    whole, cut = 4000, 4001  # ports
    with watching() as segments, serve(make_site(), "--threads", 2), contextlib.ExitStack() as stack:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
            for octets in *in_fragments(syn_from_nobody(cut, 1)), syn_from_nobody(whole, 1):
                s.sendto(octets, (STACK4, 0))
        open_ones = [stack.enter_context(connect()) for _ in range(16)]  # with both threads, which answer in order
        expected = {whole, *(s.getsockname()[1] for s in open_ones)}

        def answered():
            return {s.ports[1] for s in segments if s.source == STACK4 and s.flags & SYN}

        eventually("all that is whole is answered", lambda: expected <= answered())
        expect(answered() == expected, "fragments are answered")


def test_a_device_of_its_own_for_threads():
    options = ("--threads", 4, "--host-address", f"{KERNEL4}/24", "--host-address", f"{KERNEL6}/64")
    with serve(make_site(), *options) as server:
        expect(len(wake_ups(server)) == 4, "not four threads")
        for site in SITE4, SITE6:
            eventually("it answers", lambda: run("curl", "-sS", "-m", 2, site, status=None).status == 0)
    expect("tun0" not in ip("link"), "the device is still there")


def test_threads_finish_what_is_under_way():
    make_device(several=True)
    folder = make_site(large=20 * MIB)
    content = (folder / "large").read_bytes()
    with serve(folder, "--threads", 2, stop=False) as server, contextlib.ExitStack() as stack:
        idle = [stack.enter_context(connect()) for _ in range(8)]
        for s in idle:
            ask(s)
        busy = [stack.enter_context(connect()) for _ in range(8)]
        begun = []
        for s in busy:
            s.sendall(get("/large", close=False))
            begun.append(s.recv(1000))
        server.signal()
        eventually("it says that it closes", lambda: "closing" in server.log())
        eventually("it refuses", is_refused)
        with concurrent.futures.ThreadPoolExecutor(len(busy)) as pool:
            for begin, rest in zip(begun, pool.map(receive_all, busy)):
                expect((begin + rest).endswith(content), "a response is cut short")
        for s in idle:
            expect(s.recv(1) == b"", "an idle connection is not closed")
        for s in busy + idle:
            s.close()
        server.wait(0)
        log = server.log()
        expect("aborted" not in log and log.count("closing") == 1, log)


def test_a_second_signal_aborts_all_threads():  # thread
    make_device(several=True)
    with serve(make_site(large=20 * MIB), "--threads", 2, stop=False) as server, contextlib.ExitStack() as stack:
        for _ in range(8):
            s = stack.enter_context(connect())
            s.sendall(get("/large"))
            s.recv(1000)
        server.signal()
        eventually("it says that it closes", lambda: "closing" in server.log())
        time.sleep(0.25)  # two signals within 200 ms count as one
        server.signal()
        server.wait(130)


def test_threads_end_with_their_device():  # thread
    make_device(several=True)
    with serve(make_site(), "--threads", 2, stop=False) as server, connect() as s:
        ask(s)
        ip("link", "delete", "tun0")
        server.wait(1)
        expect("deleted" in server.log(), server.log())


def test_threads_write_one_access_log():  # thread
    make_device(several=True)
    folder = make_site()
    log = folder.parent / f"{folder.name}.log"
    with serve(folder, "--threads", 2, "--access-log", log), contextlib.ExitStack() as stack:
        open_ones = [stack.enter_context(connect()) for _ in range(16)]
        for n in range(50):
            for s in open_ones:
                s.sendall(get(f"/?{n}", close=False))
            for s in open_ones:
                s.recv(65536)
    lines = log.read_text().splitlines()
    expect(len(lines) == 16 * 50, f"{len(lines)} lines")
    for line in lines:
        expect(re.fullmatch(r'198\.51\.100\.1 - - \[[^]]+\] "GET /\?\d+ HTTP/1\.1" 200 26 "-" "-"', line), line)


def test_threads_that_cannot_be_made():
    """Not even when some have been."""
    if SANITIZED:
        raise Skip("sanitizers need more address space than is left")
    make_device(several=True)
    room_for_some = f"--as={3900 * MIB}", f"--stack={1024 * MIB}"
    done = run("prlimit", *room_for_some, os.environ["TUNIC"], "serve", make_site(), *ADDRESSES, "--threads", 8, status=1)
    expect("fewer --threads" in done.err and done.err.count("\n") == 1, done.err)
    expect("serving" not in done.out, f"it does not serve, and says:\n{done.out}")


def test_what_threads_need():
    make_device()
    site = make_site()
    err = run("tunic", "serve", site, *ADDRESSES, "--threads", 2, status=1).err
    for step in "ip link delete tun0", "ip tuntap add dev tun0 mode tun multi_queue":
        expect(step in err and err.count("\n") <= 3, err)
    for words, hint in ((("--threads", 0), "--threads"), (("--threads", 65), "64"),
                        (("--threads", 2, "--pcap", "x"), "tcpdump"),
                        (("--threads", 2, "--max-connections", 9), "leave out --threads"),
                        (("--busy-poll", "50"), "50us"), (("--busy-poll", "2s"), "1s")):
        done = run("tunic", "serve", site, *ADDRESSES, *words, status=2)
        expect(hint in done.out + done.err, f"tunic serve {words}: no word of {hint}:\n{done.out}{done.err}")


def test_busy_poll_does_not_sleep_between_requests():
    make_device()
    requests = 300
    with serve(make_site(), "--busy-poll", "1s") as server, connect() as s:
        ask(s)
        before = sum(wake_ups(server).values())
        for _ in range(requests):
            ask(s)
        slept = sum(wake_ups(server).values()) - before
        expect(slept < requests // 5, f"it slept {slept} times in {requests} requests")


def test_busy_poll_serves_and_sleeps_when_idle():
    make_device()
    folder = make_site()
    page = (folder / "index.html").read_bytes()
    with serve(folder, "--busy-poll", "200us") as server, connect() as s:
        for _ in range(300):
            expect(ask(s) == page, "another page")
        time.sleep(0.5)
        before = server.cpu_seconds()
        time.sleep(3)
        spent = server.cpu_seconds() - before
        expect(spent < 0.3, f"{spent} s of CPU time in 3 s without a request")
        expect(ask(s) == page, "another page after a while")
