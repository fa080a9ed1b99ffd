"""The rows of the comparison: what is measured of whom, and what tunic is to reach."""
import dataclasses
import statistics

WIDE = 0.25  # where the runs of a bulk row spread wider, its ratio to the limit decides


@dataclasses.dataclass(frozen=True)
class Bar:
    """tunic's median is to be at least `factor` times that of `against`; of a row where less is better, at most."""
    against: str
    factor: float
    subject: str = "tunic"


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    title: str
    unit: str
    bars: tuple = ()
    digits: int = 0
    bulk: bool = False
    less_is_better: bool = False


ROWS = (
    Row("requests", "1 KiB responses, keep-alive, 64 connections", "requests/s",
        (Bar("nginx", 1.6), Bar("limit", 0.80), Bar("gVisor", 3))),
    Row("one", "one connection, one request at a time", "requests/s",
        (Bar("nginx", 1.05), Bar("nginx", 1.5, "tunic, busy polling"))),
    Row("connections", "a new connection for each request, 16 at once", "connections/s",
        (Bar("nginx", 1.5), Bar("limit", 0.75), Bar("gVisor", 2.5))),
    Row("upload", "one flow up", "Gbit/s", (Bar("kernel", 1.2), Bar("limit", 0.7), Bar("gVisor", 15)), 2, True),
    Row("download", "one flow down, a file of 512 MiB", "Gbit/s",
        (Bar("limit", 0.90), Bar("nginx", 0.80), Bar("gVisor", 15)), 2, True),
    Row("again", "one flow down, a file of 4 MiB again and again", "Gbit/s", (Bar("nginx", 1.2), Bar("gVisor", 15)), 2, True),
    Row("tls", "a file of 512 MiB over TLS, curl", "Gbit/s", (), 2, True),
    Row("get", "a file of 512 MiB from nginx, into a file", "Gbit/s", (), 2, True),
    Row("latency", "99th percentile at half of nginx's most requests", "µs", (Bar("nginx", 1),), 0, False, True),
)


class Measured:
    """All values of one run, by row and subject in the order in which they came."""

    def __init__(self):
        self.values = {}

    def add(self, row, subject, value):
        self.values.setdefault((row, subject), []).append(value)

    def median(self, row, subject):
        return statistics.median(self.values[row, subject])

    def subjects(self, row):
        return [subject for name, subject in self.values if name == row]

    def spread(self, row, subject):
        """As a share of the median."""
        values = self.values[row, subject]
        return (max(values) - min(values)) / statistics.median(values)


def is_wide(row, bar, measured):
    return row.bulk and any(measured.spread(row.name, s) > WIDE for s in (bar.subject, bar.against))


def verdicts(row, measured):
    """(bar, ratio, verdict) of each bar: "ok", "short", "wide" where the limit decides, or "not measured"."""
    result = []
    for bar in row.bars:
        if (row.name, bar.against) not in measured.values or (row.name, bar.subject) not in measured.values:
            result.append((bar, None, "not measured"))
            continue
        ratio = measured.median(row.name, bar.subject) / measured.median(row.name, bar.against)
        met = ratio <= bar.factor if row.less_is_better else ratio >= bar.factor
        by_limit = is_wide(row, bar, measured) and bar.against != "limit" and any(b.against == "limit" for b in row.bars)
        result.append((bar, ratio, "ok" if met else "wide" if by_limit else "short"))
    return result


def is_met(row, measured):
    """Whether no bar of the row is short or not measured, and what is wide is decided by a limit that was measured."""
    return {verdict for _, _, verdict in verdicts(row, measured)} <= {"ok", "wide"}
