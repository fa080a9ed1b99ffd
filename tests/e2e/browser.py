"""A browser is the client."""
import json
import pathlib
import re
import tempfile

from kernel import make_device
from support import KERNEL4, SITE4, expect, ip, run, serve_echo
from wire import ACK, SYN, watching

# As root its own sandbox is not to be had; ours is the namespace, which leads nowhere.
HEADLESS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--window-size=800,700")


def chromium(*options, timeout=90):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        return run("chromium", *HEADLESS, f"--user-data-dir={profile}", *options, timeout=timeout).out


def test_row_36_a_browser_loads_a_page_with_ten_scripts():
    make_device()
    expect("default" not in {route["dst"] for route in json.loads(ip("-j", "route"))}, "a default route")
    picture = pathlib.Path(tempfile.mkdtemp()) / "scripts.png"
    with watching() as segments, serve_echo():
        page = chromium("--virtual-time-budget=10000", "--dump-dom", f"{SITE4}/scripts")
        expect("10 of 10 scripts have come." in page, page)
        expect(len(re.findall(r'class="come"', page)) == 10, page)
        chromium("--virtual-time-budget=10000", f"--screenshot={picture}", f"{SITE4}/scripts")
    expect(picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 5000, "no picture")
    syns = [s for s in segments if s.flags & (SYN | ACK) == SYN and s.source == KERNEL4]
    expect(2 <= len(syns) <= 24, f"{len(syns)} connections for two visits")
