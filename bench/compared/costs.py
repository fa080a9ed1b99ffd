"""What repeats, and is measured once: octets a connection, instructions a segment."""
import dataclasses
import re
import tempfile

import support
from support import run

MANY = 100_000
MILLION = 1_000_000
FEW = 1_000
EXCHANGES = 10_000
SEGMENTS = 3  # of an exchange: the request, the response, and what acknowledges that
LONG = 1200   # seconds


@dataclasses.dataclass(frozen=True)
class Cost:
    """What is to be at most `bar`, or at least where more is better."""
    title: str
    unit: str
    bar: float
    value: float
    digits: int = 0
    more_is_better: bool = False

    @property
    def verdict(self):
        return "ok" if (self.value >= self.bar if self.more_is_better else self.value <= self.bar) else "short"

    def row(self):
        sign = "≥" if self.more_is_better else "≤"
        shown, bar = (f"{n:,.{self.digits}f}" for n in (self.value, self.bar))
        return f"| {self.title}, {self.unit} | {shown} | {sign} {bar} | {self.verdict} |"


def number(pattern, text):
    found = re.search(pattern, text)
    support.expect(found, f"there is no '{pattern}' in what it said:\n{text}")
    return float(found[1])


def instructions(connections):
    """Of a segment with so many connections, by callgrind."""
    with tempfile.NamedTemporaryFile(prefix="callgrind-") as out:
        said = run("valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={out.name}",
                   support.tool("tunic_many"), "--connections", connections, "--exchanges", EXCHANGES, timeout=LONG)
    return number(r"Collected : (\d+)", said.err) / (EXCHANGES * SEGMENTS)


def measure(costs):
    """Adds them to the list one by one, so that those before a failure are kept."""
    core = run("tunic_many", "--connections", MANY, timeout=LONG).out
    costs.append(Cost("memory of an idle connection in the core", "octets", 768,
                      number(r"(\d+) octets resident a connection idle", core)))
    served = run("tunic_idle", "--connections", MANY, timeout=LONG).out
    costs.append(Cost("memory of an idle connection with its HTTP server", "octets", 3072,
                      number(r"(\d+) octets resident a connection idle", served)))
    million = run("tunic_many", "--connections", MILLION, timeout=LONG, status=None).out  # 1 where any is not answered
    costs += [Cost("memory of a million connections in the core", "MiB", 1024,
                   number(r"idle after a request, (\d+) MiB", million)),
              Cost("requests not answered, of a million connections", "requests", 0,
                   MILLION - number(r"(\d+) of \d+ requests answered", million))]
    few, many = instructions(FEW), instructions(MILLION)
    costs.append(Cost(f"instructions a segment with a million connections, with a thousand {few:.0f}", "instructions",
                      1.5 * few, many))
    shards = run("tunic_shards", timeout=LONG).out
    costs.append(Cost("requests that two shards answer, of those that one does", "times", 1.8,
                      number(r"ratio +([\d.]+)", shards), 2, True))


def table(costs):
    return "\n".join(["| what | is | is to be | |", "|---|---:|---:|---|", *(c.row() for c in costs)])
