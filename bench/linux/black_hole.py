"""A path on which datagrams above 1,300 octets vanish, and no ICMP error tells."""
import statistics

import flows
from grid import SENDERS, Cell

HOLE = 1300  # octets
SIZE = 1 << 20
LONGEST = 3  # seconds until a transfer goes on


def measure(lane, site, cell, seed):
    measured = {}
    for sender in SENDERS:
        with lane.path(*cell.options(seed), "--there-mtu-hole", HOLE) as figures, lane.sender(*sender, site) as address:
            try:
                seconds, silence = flows.transfer(lane, address, SIZE)
            except TimeoutError:
                seconds = silence = float("inf")
        measured[sender] = {"seconds": seconds, "silence": silence, **figures}
    return measured


def cells():
    return [Cell(20, rtt, "0") for rtt in (10, 50, 200)]


def report(results):
    """Prints the table; returns whether all is ok. `results[cell]`: measurements, one a seed."""
    print(f"1 MiB where nothing above {HOLE} octets passes: seconds in all, and the longest silence")
    ok = True
    for cell, measured in results.items():
        for sender in SENDERS:
            seconds, silence = (statistics.median(m[sender][what] for m in measured) for what in ("seconds", "silence"))
            verdict = "" if sender[0] != "tunic" else "ok" if silence <= LONGEST else "LATE"
            ok = ok and verdict != "LATE"
            print(f"{cell.rate:4} {cell.round_trip:3} {' '.join(sender):12} {seconds:7.3f} {silence:7.3f} {verdict}")
    return ok
