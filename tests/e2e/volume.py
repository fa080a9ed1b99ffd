"""What a connection carries does not pass through memory."""
import os
import pathlib
import re
import signal
import threading

from kernel import make_device
from support import SITE4, MIB, eventually, expect, make_site, run, serve, serve_echo

# Under the sanitizers memory is another matter, and so is time.
SANITIZED = "sanitize" in os.environ.get("TUNIC_BUILD", "") or "thread" in os.environ.get("TUNIC_BUILD", "")
SIZE = 256 * MIB if SANITIZED else 4096 * MIB


def most_resident(server):
    """Octets."""
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def test_4_gib_up_and_4_gib_down_within_64_mib():  # alone: it takes the whole machine
    """Up and back at once on one connection: curl compares nothing, so the octets are counted; then down alone."""
    make_device()
    folder = make_site()
    with open(folder / "large", "wb") as file:
        file.truncate(SIZE)  # of zeros, which take no room
    with serve_echo() as server:
        out = run("curl", "-sS", "-m", 200, "-T", folder / "large", "-o", "/dev/null", "-w",
                  "%{http_code} %{size_upload} %{size_download} %{num_connects}\n", f"{SITE4}/",
                  "--next", "-sS", "-m", 200, "-o", "/dev/null", "-w", "%{http_code} %{size_download} %{num_connects}\n",
                  f"{SITE4}/bytes/{SIZE}", timeout=220).out
        expect(out == f"200 {SIZE} {SIZE} 1\n200 {SIZE} 0\n", out)
        if not SANITIZED:
            expect(most_resident(server) <= 64 * MIB, f"{most_resident(server) / MIB:.1f} MiB resident")


def test_sigterm_under_load():  # alone: it takes the whole machine
    """wrk keeps 64 connections busy: the server answers what it has got, closes, and is gone within 5 s."""
    make_device()
    folder = make_site(kilobyte=1024)
    with serve(folder, stop=False) as server:
        said = []
        load = threading.Thread(target=lambda: said.append(run("wrk", "-t2", "-c64", "-d8s", f"{SITE4}/kilobyte").out),
                                daemon=True)
        before = server.cpu_seconds()
        load.start()
        eventually("it is busy", lambda: server.cpu_seconds() - before > 0.5)
        server.signal(signal.SIGTERM)
        server.wait(0, 5)
        expect("aborted" not in server.log(), server.log())
        load.join(30)
        expect(said and "requests in" in said[0] and "Non-2xx" not in said[0], f"wrk: {said}")
