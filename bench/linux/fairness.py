"""Two flows by CUBIC through one bottleneck: what each gets of it, and what they do to its queue."""
import collections
import contextlib
import itertools
import re
import statistics
import threading
import time

import flows
from grid import EQUAL, Cell
from lane import HOP, bound_to_us
from support import expect, process

RATES, ROUND_TRIPS = (20, 100), (20, 100)  # Mbit/s, ms
PAIRS = list(itertools.product(("linux", "tunic"), repeat=2))  # the first begins first
LATER, SECONDS = 5, 60  # the second one begins so many seconds after the first, and both end together
SETTLED = 30  # the index is of the last so many seconds: the second one's way to its share is shown beside
LEAST_INDEX = 0.95
PINGS = 0.1  # seconds between two


def cells():
    return [Cell(rate, rtt, "0") for rate in RATES for rtt in ROUND_TRIPS]


def jain(shares):
    """Jain's index of fairness: 1 where all have the same."""
    return sum(shares) ** 2 / (len(shares) * sum(share ** 2 for share in shares))


def measure(lane, site, cell, seed, pair):
    """The index of all the time that both were there, and of its end; the mean queue in seconds; the share lost."""
    totals = [None, None]

    def flow(at, address):
        totals[at] = flows.progress(lane, address, SECONDS - at * LATER)

    with contextlib.ExitStack() as stack:
        figures = stack.enter_context(lane.path(*cell.options(seed, queue=1)))
        addresses = {who: stack.enter_context(lane.sender(who, "cubic", site)) for who in set(pair)}
        with process(*bound_to_us(lane.far, "ping", "-n", "-i", PINGS, "-w", SECONDS, HOP)) as ping:
            threads = [threading.Thread(target=flow, args=(at, addresses[who])) for at, who in enumerate(pair)]
            for thread in threads:
                thread.start()
                time.sleep(LATER)
            for thread in threads:
                thread.join()
            ping.wait(None)
            trips = [float(ms) / 1000 for ms in re.findall(r"time=([\d.]+)", ping.out)]
        time.sleep(cell.seconds)
    expect(all(totals) and trips, f"no measurement: {ping.out}")
    first, second = totals
    both = jain([first[-1] - first[LATER - 1], second[-1]])
    settled = jain([of[-1] - of[-1 - SETTLED] for of in totals])
    queue = statistics.mean(trips[round(LATER / PINGS):]) - cell.seconds
    loss = figures["queue_drops"] / figures["came"]
    return {"settled": settled, "both": both, "queue": queue, "loss": loss, **figures}


def report(results):
    """Prints the table; returns whether all is ok. `results[cell][pair]`: measurements, one a seed."""
    print(f"                        Jain's index of the last {SETTLED} s, of all; queue in ms; % lost")
    print("rate RTT pair           index   all  queue   lost")
    all_ok = True
    for cell, pairs in results.items():
        middle = {pair: {what: statistics.median(m[what] for m in all_of)
                         for what in ("settled", "both", "queue", "loss")} for pair, all_of in pairs.items()}
        peer = middle["linux", "linux"]
        for pair in PAIRS:
            m, ok = middle[pair], True
            if "tunic" in pair:
                ok = (m["settled"] >= LEAST_INDEX and m["queue"] <= peer["queue"] * (1 + EQUAL)
                      and m["loss"] <= peer["loss"] * (1 + EQUAL))
            all_ok = all_ok and ok
            print(f"{cell.rate:4} {cell.round_trip:3} {' then '.join(pair):15} {m['settled']:5.3f} {m['both']:5.3f} "
                  f"{m['queue'] * 1000:6.1f} {m['loss']:6.3%} {'' if 'tunic' not in pair else 'ok' if ok else 'WORSE'}")
    return all_ok
