"""The table and the chart of what was measured."""
import costs
from rows import ROWS, verdicts

COLOURS = {"limit": "#bbbbbb", "nginx": "#5b8c5a", "kernel": "#5b8c5a", "curl": "#5b8c5a", "gVisor": "#c98b2b", "tunic": "#2f6db3",
           "tunic, busy polling": "#7ba7d7"}
BEGIN, END = "<!-- bench/compare writes from here -->", "<!-- to here -->"


def number(value, row):
    return f"{value:,.{row.digits}f}"


def range_of(measured, row, subject):
    values = measured.values[row.name, subject]
    return f"{number(min(values), row)} to {number(max(values), row)}"


def table(measured):
    lines = ["| what | who | median | from, to | is to be | is | |", "|---|---|---:|---|---|---|---|"]
    rows = [row for row in ROWS if measured.subjects(row.name)]
    for row in rows:
        subjects = measured.subjects(row.name)
        judged = verdicts(row, measured)
        for i, subject in enumerate(subjects):
            what = f"{row.title}, {row.unit}" if i == 0 else ""
            lines.append(f"| {what} | {subject} | {number(measured.median(row.name, subject), row)} | "
                         f"{range_of(measured, row, subject)} | | | |")
        for bar, ratio, verdict in judged:
            sign = "≤" if row.less_is_better else "≥"
            shown = "" if ratio is None else f"{ratio:.2f}"
            lines.append(f"| | {bar.subject} : {bar.against} | | | {sign} {bar.factor:g} | {shown} | {verdict} |")
    if any(verdict == "wide" for row in rows for _, _, verdict in verdicts(row, measured)):
        lines += ["", "\"wide\": the runs of one of the two spread by more than a quarter, and the ratio to the limit decides."]
    return "\n".join(lines)


def tables(measured, once):
    parts = [table(measured)] if measured.values else []
    if once:
        parts.append(costs.table(once))
    return "\n\n".join(parts)


def chart(measured):
    """Bars as an SVG: each row's best is as wide as the chart."""
    rows = [row for row in ROWS if measured.subjects(row.name)]
    left, width, bar, gap = 170, 460, 18, 4
    parts, y = [], 10
    for row in rows:
        parts.append(f'<text x="10" y="{y + 14}" font-weight="bold">{row.title}, {row.unit}</text>')
        y += 22
        subjects = measured.subjects(row.name)
        most = max(measured.median(row.name, s) for s in subjects)
        for subject in subjects:
            value = measured.median(row.name, subject)
            long = max(1, round(width * value / most))
            parts.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{subject}</text>'
                         f'<rect x="{left}" y="{y}" width="{long}" height="{bar}" fill="{COLOURS[subject]}"/>'
                         f'<text x="{left + long + 6}" y="{y + 13}">{number(value, row)}</text>')
            y += bar + gap
        y += 14
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 110}" height="{y}" '
            'font-family="sans-serif" font-size="13">')
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])


def write(measured, once, document, picture, conditions):
    """Puts the tables into the document, between two marks, and the chart beside it."""
    picture.write_text(chart(measured))
    before, _, rest = document.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{BEGIN}\n\n{conditions}\n\n{tables(measured, once)}\n\n![The same as bars]({picture.name})\n\n{END}{after}")
