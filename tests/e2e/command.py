"""What the command does with its options, the device and signals."""
import json
import os
import re
import time

from kernel import connect, get, is_refused, make_device, receive_all
from support import (ADDRESSES, KERNEL4, KERNEL6, MIB, ROOT, SITE4, SITE6, STACK4, STACK6, eventually, expect, inside,
                     ip, make_site, namespace, process, run, serve, sha256)
from wire import FIN, RST, SYN, datagram_sizes, watching


def test_ctrl_c_finishes_responses_and_closes():
    make_device()
    folder = make_site(large=20 * MIB)
    with watching() as segments:
        with serve(folder, stop=False) as server, connect() as idle, connect() as busy:
            busy.sendall(get("/large", close=False))
            octets = busy.recv(1000)
            server.signal()
            eventually("it says that it closes", lambda: "closing" in server.log())
            expect(is_refused(), "it still takes connections")
            octets += receive_all(busy)
            expect(octets.endswith((folder / "large").read_bytes()), f"the response is cut short: {len(octets)} octets")
            expect(idle.recv(1) == b"", "the idle connection is not closed")
            busy.close()
            idle.close()
            server.wait(0)
    ours = [segment.flags for segment in segments if segment.source == STACK4]
    expect(sum(flags & FIN for flags in ours) >= 2, "not both connections were closed by a FIN")
    expect(sum(1 for flags in ours if flags & RST) == 1, "a reset besides that of the refused connection")


def test_a_second_signal_aborts_at_once():
    make_device()
    with serve(make_site(large=20 * MIB), stop=False) as server, connect() as s:
        s.sendall(get("/large"))
        s.recv(1000)
        server.signal()
        eventually("it says that it closes", lambda: "closing" in server.log())
        time.sleep(0.25)  # two signals within 200 ms count as one, so that timeout(1) does not abort
        server.signal()  # once: after its end has begun, the next is the kernel's to answer
        server.wait(130)


def test_a_deleted_device_is_reported_and_attached_again():
    make_device()
    with serve(make_site()) as server:
        run("curl", "-sS", "-m", 10, SITE4)
        ip("link", "delete", "tun0")
        eventually("it reports the loss", lambda: "delete" in server.log())
        before = server.cpu_seconds()
        time.sleep(1)
        expect(server.cpu_seconds() - before < 0.25, f"it spins: {server.cpu_seconds() - before} s of CPU time in 1 s")
        make_device()
        eventually("it answers again", lambda: run("curl", "-sS", "-m", 1, SITE4, status=None).status == 0, 20)
        run("curl", "-sS", "-m", 10, SITE6)


def test_a_device_of_its_own():
    options = ("--host-address", f"{KERNEL4}/24", "--host-address", f"{KERNEL6}/64")
    with serve(make_site(), *options):
        for site in SITE4, SITE6:
            eventually("it answers", lambda: run("curl", "-sS", "-m", 2, site, status=None).status == 0)
        routes = json.loads(ip("-j", "route")) + json.loads(ip("-j", "-6", "route"))
        expect(all(route["dst"] != "default" for route in routes), f"a default route: {routes}")
    expect("tun0" not in ip("link"), "the device is still there")


def test_an_mtu_of_1280():
    transfers_with_mtu(1280)


def test_an_mtu_of_9000():
    transfers_with_mtu(9000)


def transfers_with_mtu(mtu):
    make_device()
    folder = make_site(large=20 * MIB)
    capture = folder / "capture.pcapng"
    with watching() as segments, serve(folder, "--mtu", mtu, "--pcap", capture, "--pcap-wire"):
        expect(json.loads(ip("-j", "link", "show", "tun0"))[0]["mtu"] == mtu, "the device has another MTU")
        for site in SITE4, SITE6:
            run("curl", "-sS", "-m", 60, "-o", folder / "copy", f"{site}/large", timeout=70)
            expect(sha256(folder / "copy") == sha256(folder / "large"), "the copy differs")
    announced = {segment.mss for segment in segments if segment.flags & SYN}
    expect(announced == {mtu - 40, mtu - 60}, f"the SYNs announce {announced}")
    sizes = datagram_sizes(capture)
    expect(max(sizes) == mtu, f"a datagram of {max(sizes)} octets on the wire")


def test_captures_have_no_bad_checksum():
    make_device()
    folder = make_site(data=MIB)
    checks = [word for protocol in ("ip", "tcp", "udp") for word in ("-o", f"{protocol}.check_checksum:TRUE")]
    checks += "-d", "udp.port==1-65535,data"  # traceroute's port may be one that has a protocol of its own
    # What an ICMP error quotes is as the kernel handed it over: a UDP checksum is left to the device.
    bad = " || ".join([f"{protocol}.checksum.status == 0" for protocol in ("ip", "tcp", "icmp", "icmpv6")] +
                      ["(udp.checksum.status == 0 && !icmp && !icmpv6)", "_ws.malformed"])
    for options in (), ("--pcap-wire",):
        capture = folder / "capture.pcapng"
        with serve(folder, "--pcap", capture, *options):
            for site in SITE4, SITE6:
                run("curl", "-sS", "-m", 10, "-o", "/dev/null", f"{site}/data")
            for address in STACK4, STACK6:
                run("ping", "-c", 1, "-s", 4000, address)
                run("traceroute", "-n", address)
        shown = run("tshark", "-r", capture, *checks, "-Y", bad).out
        expect(shown == "", f"tshark finds faults in:\n{shown}")
        for good in "tcp", "icmp", "icmpv6":
            shown = run("tshark", "-r", capture, *checks, "-Y", f"{good}.checksum.status == 1").out
            expect(shown.count("\n") > 1, f"tshark finds no good {good} checksum")
    expect(max(datagram_sizes(capture)) == 1500, "the capture of the wire holds a super-segment")


def test_a_capture_on_the_standard_output():
    make_device()
    with process("sh", "-c", '"$0" "$@" | tshark -l -n -r - -Y tcp', os.environ["TUNIC"], "serve", make_site(), "--tun",
                 "tun0", *ADDRESSES, "--pcap", "-") as p:
        eventually("it listens", lambda: p.log().count("serving ") == 2)
        run("curl", "-sS", "-m", 10, SITE4)
        p.wait_for("FIN")


def test_ladder_of_one_connection():
    make_device()
    folder = make_site()
    capture = folder / "capture.pcapng"
    with serve(folder, "--pcap", capture):
        run("curl", "-sS", "-m", 10, SITE4)
    out = run("tunic", "ladder", capture).out
    steps = [r"SYN-SENT", r"SYN-RECEIVED", r"ESTABLISHED.*ESTABLISHED", r"GET / HTTP/1\.1", r"HTTP/1\.1 200 OK",
             r"FIN-WAIT-1", r"LAST-ACK", r"TIME-WAIT"]
    expect("connection 1" in out and "connection 2" not in out, out)
    for step in steps:
        expect(re.search(step, out), f"the ladder does not show {step}:\n{out}")
    expect(re.search(r"-->|<--", out) and "derived" in out, out)


def test_ladder_of_what_is_no_capture():
    path = make_site() / "index.html"
    done = run("tunic", "ladder", path, status=1)
    expect("index.html" in done.err or "capture" in done.err, done.err)
    run("tunic", "ladder", "/nonexistent/file", status=1)


def test_wrong_usage():
    site = make_site()
    with_address = ("--address", f"{STACK4}/24")
    for words, hint in (((), "--help"), (("serve",), "DIR"), (("serve", site), "--address"), (("fly",), "--help"),
                        (("serve", site, *with_address, "--port", 70000), "port"),
                        (("serve", site / "nothing", *with_address), "nothing"),
                        (("serve", site, "--address", STACK4), "198.51.100.2/24"),
                        (("serve", site, *with_address, "--mtu", 10), "mtu"),
                        (("serve", site, *with_address, "--pcap-wire"), "--pcap"),
                        (("serve", site, *with_address, "--echo"), "either a folder or --echo"),
                        (("serve", site, *with_address, "--host", "a.example"), "example.com=/srv/example"),
                        (("serve", site, *with_address, "--error-page", "200=x"), "404=/srv/404.html"),
                        (("serve", site, *with_address, "--log-format", "xml"), "json"),
                        (("serve", site, *with_address, "--max-content", "lots"), "--max-content"),
                        (("get", "ftp://198.51.100.1/", *with_address), "http://"),
                        (("ping", "nobody", *with_address), "198.51.100.1"),
                        (("ping", KERNEL4, *with_address, "-s", 70000), "size"),
                        (("ladder",), "FILE")):
        done = run("tunic", *words, status=2)
        expect(hint in done.out + done.err, f"tunic {words}: no word of {hint}:\n{done.out}{done.err}")


def test_help():
    for words in (), ("serve",), ("get",), ("ping",), ("ladder",):
        out = run("tunic", *words, "--help").out
        expect("xample" in out and (not words or words == ("ladder",) or "--address" in out), out)
    expect(re.match(r"tunic \d+\.\d+", run("tunic", "--version").out), "no version")


def test_what_the_device_may_be():
    make_device()
    site = make_site()
    with serve(site):
        err = run("tunic", "serve", site, *ADDRESSES, "--tun", "tun0", status=1).err
        expect("tun0" in err and "in use" in err, err)
    for words, hint in ((("--tun", "lo", *ADDRESSES), "lo"),
                        (("--tun", "a-name-that-is-too-long", *ADDRESSES), "15"),
                        (("--address", f"{KERNEL4}/24"), "kernel"),
                        (("--tun", "tun1", *ADDRESSES, "--host-address", "198.51.100.3/24"), "overlaps")):
        err = run("tunic", "serve", site, *words, status=1).err
        expect(hint in err and err.count("\n") <= 3, err)
    expect("tun1" not in ip("link"), "a device is left behind")


def test_without_permission():
    site = make_site()
    bare = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    done = run(*bare, os.environ["TUNIC"], "serve", site, "--tun", "tun7", *ADDRESSES, status=1)
    expect("not permitted" in done.err and "setcap" in done.err, done.err)
    make_device()  # which has no owner, so that anybody may attach: the address alone needs a privilege
    done = run(*bare, os.environ["TUNIC"], "serve", site, "--tun", "tun0", *ADDRESSES, "--host-address",
               "198.51.100.3/24", status=1)
    expect("CAP_NET_ADMIN" in done.err, done.err)


def logged_transfer(*options, loss="0%"):
    """What `tunic serve -v` logs of a transfer to another namespace, across a path of 40 ms."""
    make_device()
    run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
    with namespace("far") as far:
        for where, address in ((), "198.51.100.129/25"), (("-n", far), "198.51.100.130/25"):
            ip(*where, "tuntap", "add", "dev", "tun1", "mode", "tun")
            ip(*where, "address", "add", address, "dev", "tun1")
            ip(*where, "link", "set", "tun1", "up")
        ip("-n", far, "route", "add", "198.51.100.0/25", "via", "198.51.100.129")
        with process("tunic", "impair", ".:tun1", f"{far}:tun1", "--delay", "20ms", "--there-loss", loss) as path:
            path.wait_for("^relaying ")
            with serve(make_site(large=2 * MIB), "-v", "--gateway", KERNEL4, *options) as server:
                run(*inside(far, "curl", "-sS", "-m", 20, "-o", "/dev/null", f"{SITE4}/large"))
                eventually("it ends", lambda: re.search("=> (LAST-ACK|TIME-WAIT)", server.log()))
                log = server.log()
    ip("link", "delete", "tun1")
    ip("link", "delete", "tun0")
    return log


def test_congestion_control_is_chosen():
    """What is left of the window at the first loss: half of it by Reno (RFC 5681 §3.1), 0.7 by CUBIC (RFC 9438 §4.6)."""
    left = {}
    for algorithm in "reno", "cubic":
        log = logged_transfer("--congestion", algorithm, loss="0.5%")
        before = re.findall(r"cwnd (\d+) ssthresh none", log)[-1]
        left[algorithm] = int(re.search(r"ssthresh (\d+)", log)[1]) / int(before)
    expect(left["reno"] < 0.6 < left["cubic"] < 0.8, left)


def second_flight(log):
    """Seconds from the first to the last segment of the second flight, which follows the initial window of ten."""
    sent = re.findall(r"(\d+):(\d+):([\d.]+) .*? -> .*? (\d+):\d+\(", log)
    times = [int(h) * 3600 + int(m) * 60 + float(s) for h, m, s, at in sent if 14481 <= int(at) < 14481 + 18 * 1448]
    return max(times) - min(times)


def test_pacing_spreads_a_flight():
    """By CUBIC over half a round trip, by BBR over a little more than a third; else it leaves as its ACKs come."""
    for options in ("--pacing",), ("--congestion", "bbr"):
        took = second_flight(logged_transfer(*options))
        expect(took >= 0.008, f"{' '.join(options)}: {took} s")


def test_scripts_tun():
    script, netns = ROOT / "scripts" / "tun", f"tunic-{os.getpid()}-script"
    run(script, "status", "--netns", netns, status=1)
    try:
        for _ in range(2):
            expect("198.51.100.1/24" in run(script, "up", "--netns", netns).out, "up does not tell the address")
        ip("-n", netns, "link", "show", "tun0")
        run(script, "status", "--netns", netns)
    finally:
        for _ in range(2):
            run(script, "down", "--netns", netns)
    expect(netns not in ip("netns"), "the namespace is still there")
