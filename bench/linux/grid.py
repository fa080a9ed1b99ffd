"""The grid of cells: which there are, how one is measured, and what is asked of it."""
import collections
import fnmatch
import statistics
import time

import flows

RATES, ROUND_TRIPS = (20, 100), (10, 50, 200)  # Mbit/s, ms
PATHS = {
    "0": (), "0.1": ("--there-loss", "0.1%"), "1": ("--there-loss", "1%"), "3": ("--there-loss", "3%"),
    "reorder": ("--there-reorder", "2%"), "burst": ("--there-burst-every", "1s,5"),
}
SENDERS = [(who, algorithm) for algorithm in ("cubic", "bbr") for who in ("tunic", "linux")]
SHORT = 64 << 10  # octets
EQUAL = 0.05  # a share by which one may fall short of the other and still be equal


class Cell(collections.namedtuple("Cell", "rate round_trip path")):
    @property
    def name(self):
        return f"{self.rate}/{self.round_trip}/{self.path}"

    @property
    def seconds(self):
        return self.round_trip / 1000

    def options(self, seed, queue=2):
        """Of `tunic impair`; what is bad about the path befalls data, not acknowledgements."""
        return ("--rate", f"{self.rate}mbit", "--delay", f"{self.round_trip / 2}ms", "--queue", f"bdp:{queue}",
                "--seed", seed, *PATHS[self.path])


def cells(patterns):
    every = [Cell(rate, rtt, path) for rate in RATES for rtt in ROUND_TRIPS for path in PATHS]
    return [cell for cell in every if any(fnmatch.fnmatch(cell.name, pattern) for pattern in patterns)]


def measure_goodput(lane, site, cell, seed, seconds, trace):
    """One flow of each sender, one after the other, each by a relay of its own with the same seed."""
    measured = {}
    for sender in SENDERS:
        with lane.path(*cell.options(seed)) as figures, lane.sender(*sender, site) as address:
            with lane.captured(trace and f"{trace}/{cell.name.replace('/', '-')}-{seed}-{'-'.join(sender)}"):
                goodput = flows.goodput(lane, address, seconds)
                time.sleep(cell.seconds)  # the end of the flow reaches the sender
        measured[sender] = {"goodput": goodput, **figures}
    return measured


def measure_short(lane, site, cell, seed, repeats, trace):
    measured = {}
    for sender in SENDERS:
        with lane.path(*cell.options(seed)) as figures, lane.sender(*sender, site) as address:
            began, times = time.monotonic(), []
            with lane.captured(trace and f"{trace}/{cell.name.replace('/', '-')}-{seed}-{'-'.join(sender)}-short"):
                for number in range(repeats):
                    if cell.path == "burst":
                        wait_for_phase(began, number / repeats)
                    times.append(flows.transfer(lane, address, SHORT)[0])
                    time.sleep(cell.seconds)
        measured[sender] = {"short": times, **figures}
    return measured


def wait_for_phase(began, phase):
    """A burst comes each second: whether it meets a SYN or the end of a transfer decides about seconds. So the n-th
    transfers of all senders begin in the same part of a second of the path's."""
    time.sleep((began + phase - time.monotonic()) % 1)


# --- what is asked ---

def percentile(values, share):
    """The least value that at least such a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def judge_goodput(cell, goodputs, algorithm):
    """`goodputs`: of each sender a list in Mbit/s. Returns whether tunic is ok, and the columns of the table."""
    tunic, linux = (statistics.median(goodputs[who, algorithm]) for who in ("tunic", "linux"))
    bar = linux * (1 - EQUAL)
    if algorithm == "bbr" and cell.path == "3":
        bar = statistics.median(goodputs["linux", "cubic"])
    ok = tunic >= bar
    return ok, f"{tunic:6.2f} {linux:6.2f} {tunic / linux:5.2f} {'ok' if ok else 'SHORT':5}"


def judge_short(cell, times, algorithm):
    """`times`: of each sender a list in seconds."""
    ok, columns = True, []
    for share in 50, 95:
        tunic, linux = (percentile(times[who, algorithm], share) for who in ("tunic", "linux"))
        ok = ok and tunic <= linux + max(linux * EQUAL, cell.seconds)
        columns.append(f"{tunic * 1000:5.0f} {linux * 1000:5.0f} ")
    return ok, f"{' '.join(columns)} {'ok' if ok else 'LATE':5}"


def report(cells, results):
    """Prints the table; returns whether all is ok. `results[cell]["goodput" or "short"]` is what judge_… take."""
    whats = [what for what in ("goodput", "short") if any(what in results[cell] for cell in cells)]
    titles = {"goodput": (" Mbit/s with {}", " tunic  Linux ratio      "),
              "short": (" 64 KiB with {}: ms, 95 %", " tunic Linux  tunic Linux       ")}
    columns = [(what, algorithm) for what in whats for algorithm in ("cubic", "bbr")]
    width = {what: len(titles[what][1]) for what in whats}
    print(" " * 17 + " | ".join(titles[what][0].format(a.upper()).ljust(width[what]) for what, a in columns))
    print("rate RTT path    " + " | ".join(titles[what][1] for what, _ in columns))
    good = collections.Counter()
    for cell in cells:
        texts = []
        for what, algorithm in columns:
            ok, text = (judge_goodput if what == "goodput" else judge_short)(cell, results[cell][what], algorithm)
            good[what, algorithm] += ok
            texts.append(text)
        print(f"{cell.rate:4} {cell.round_trip:3} {cell.path:7}  " + " | ".join(texts))
    print("; ".join(f"{what} with {a.upper()}: {good[what, a]} of {len(cells)} cells ok" for what, a in columns))
    return all(good[column] == len(cells) for column in columns)
