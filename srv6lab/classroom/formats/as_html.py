"""A page in one file, without script: the table, and below it each hand-in with its sentences."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

from srv6lab.classroom.formats.as_text import HELP
from srv6lab.classroom.formats.words import beside, gist, lost_of, number, whose
from srv6lab.classroom.marks import GRADED, Marks
from srv6lab.evidence.score import Score
from srv6lab.report.quoting import plain

_STYLE = """
:root { color-scheme: light dark; --line: #8886; --bad: #b3261e; --odd: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --odd: #ffca62; } }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
td.points { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td { overflow-wrap: anywhere; }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; }
summary { cursor: pointer; }
ul { margin: .3rem 0 .6rem; }
.forged, .damaged, .foreign { color: var(--bad); }
.odd, .missing, .old { color: var(--odd); }
"""


def marks(group: str, every: Sequence[Marks]) -> str:
    digest = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = f"Marks of class {_text(group)}"
    rows = "\n".join(map(_row, enumerate(every)))
    details = "\n".join(_details(number, one) for number, one in enumerate(every) if one.file)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{title}</h1>
<table>
<thead><tr><th>Learner</th><th>Lab</th><th>Points</th><th>State</th><th></th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<h2>Hand-ins</h2>
{details}
<p>{_text(HELP)}.</p>
</body>
</html>
"""


def _row(numbered: tuple[int, Marks]) -> str:
    index, one = numbered
    name = f'<a href="#h{index}">{_text(whose(one))}</a>' if one.file else _text(whose(one))
    state = "old" if one.again else one.state
    cells = f'<td>{name}</td><td>{_text(one.lab)}</td><td class="points">{_points(one)}</td>'
    return f'<tr>{cells}<td class="{state}">{state}</td><td>{_text(gist(one))}</td></tr>'


def _points(one: Marks) -> str:
    return f"{number(one.points)} of {one.of}" if one.status == GRADED else ""


def _details(index: int, one: Marks) -> str:
    head = f"{_text(whose(one))}, {_text(one.lab)}: {_points(one) or one.state}"
    body = "".join(map(_exercise, one.scores))
    body += _list((_remark(line) for line in beside(one)), "")
    body += f"<p>{_text(one.why)}</p>" if one.why else ""
    return (
        f'<details id="h{index}"><summary>{head} <small>{_text(one.file)}</small></summary>{body}</details>'
    )


def _exercise(score: Score) -> str:
    lines = [_text(lost_of(part)) for part in score.parts if part.points < part.of]
    head = f"{_text(score.exercise)}: {number(score.points)} of {score.of}"
    return _list([*lines, *map(_text, score.reasons)], head)


def _remark(line: str) -> str:
    sure = line.partition(":")[0]
    return f'<span class="{escape(sure)}">{_text(line)}</span>'


def _list(lines: Iterable[str], head: str) -> str:
    items = "".join(f"<li>{line}</li>" for line in lines)
    return (f"<p>{head}</p>" if head else "") + (f"<ul>{items}</ul>" if items else "")


def _text(text: str) -> str:
    return escape(plain(text))
