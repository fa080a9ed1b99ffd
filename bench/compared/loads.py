"""What a subject is put to, from the kernel's side of this namespace. Each returns one number."""
import os
import re
import socket
import statistics
import tempfile
import time

import kernel
import support
from support import KERNEL4, MIB, SITE4, STACK4, run

DEADLINE = 60  # seconds, for a transfer that stands still
AHEAD = 64 * MIB  # octets that are asked for at least and have not come


def gigabits(octets, seconds):
    return octets * 8e-9 / seconds


def wrk(seconds, connections, *header):
    """Requests a second for a file of 1 KiB."""
    out = run("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *header, f"{SITE4}/kilobyte", timeout=seconds + 30).out
    support.expect("Non-2xx" not in out, out)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", out)
    counts = dict(zip(("connect", "read", "write", "timeout"), errors.groups())) if errors else {}
    if header:  # where the server closes wrk takes that for an error of reading
        counts.pop("read", None)
    support.expect(set(counts.values()) <= {"0"}, out)
    return float(re.search(r"Requests/sec: +([\d.]+)", out)[1])


def requests_of_many(seconds):
    return wrk(seconds, 64)


def requests_of_one(seconds):
    return wrk(seconds, 1)


def connections(seconds):
    """Connections a second, each with one request."""
    return wrk(seconds, 16, "-H", "Connection: close")


def latency(seconds, rate):
    """Microseconds that 99 of a hundred requests take no longer than, so many a second being asked for."""
    clients = 64
    with tempfile.NamedTemporaryFile(mode="r", prefix="h2load-") as log:
        run("h2load", "--h1", "-t1", f"-c{clients}", f"--rps={max(1, round(rate / clients))}", f"-D{seconds}",
            f"--log-file={log.name}", f"{SITE4}/kilobyte", timeout=seconds + 30)
        lines = [line.split("\t") for line in log]
    support.expect(all(status == "200" for _, status, _ in lines), "h2load met other responses than 200")
    return statistics.quantiles((int(took) for _, _, took in lines), n=100, method="inclusive")[98]


def open_with_cubic(port):
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
    s.settimeout(DEADLINE)
    s.connect((STACK4, port))
    return s


def upload(seconds, port, reader=None):
    """Gbit/s of one flow to whom reads them all; `reader` says of how many octets, and of what sum if it adds them up."""
    block = memoryview(os.urandom(MIB))
    with open_with_cubic(port) as s:
        sent, start, now = 0, time.monotonic(), time.monotonic()
        while now - start < seconds:
            sent += s.send(block[sent % MIB:])
            now = time.monotonic()
        rate = gigabits(sent, now - start)
    if reader:
        reader.wait_for(r"^\d+ octets")
        support.expect(re.search(rf"^{sent} octets\b", reader.out, re.M), f"{sent} octets were sent: {reader.out}")
        total = sum(block) * (sent // MIB) + sum(block[:sent % MIB])
        support.expect("sum" not in reader.out or f"{sent} octets, sum {total}," in reader.out,
                       f"{sent} octets were sent whose sum is {total}: {reader.out}")
    return rate


def download(seconds, path, size):
    """Gbit/s of one flow: a file of so many octets, asked for ahead of time, so that the next follows the one before."""
    room, request = bytearray(MIB), kernel.get(path, close=False)
    ahead = max(2 * size, AHEAD)
    with open_with_cubic(80) as s:
        asked, received, start, now = 0, 0, time.monotonic(), time.monotonic()
        while now - start < seconds:
            if asked - received < ahead:
                s.sendall(request * (ahead // size))
                asked += ahead // size * size
            n = s.recv_into(room)
            support.expect(n > 0, f"the download ends after {received} octets")
            received += n
            now = time.monotonic()
        return gigabits(received, now - start)


def download_over_tls(_):
    out = run("curl", "-sSk", "-o", "/dev/null", "-w", "%{size_download} %{time_total}", f"https://{STACK4}/large",
              timeout=DEADLINE).out
    octets, seconds = out.split()
    return gigabits(int(octets), float(seconds))


def timed(*command):
    """A command that writes a file, timed from its start to its end, its own start-up included."""
    with tempfile.NamedTemporaryFile(prefix="get-") as file:
        start = time.monotonic()
        run(*command, "-o", file.name, timeout=DEADLINE)
        return gigabits(os.stat(file.name).st_size, time.monotonic() - start)


def get_by_curl(_):
    return timed("curl", "-sS", f"{SITE4}/large")


def get_by_tunic(_):
    return timed("tunic", "get", f"http://{KERNEL4}/large", "--tun", "tun0", "--address", f"{STACK4}/24")
