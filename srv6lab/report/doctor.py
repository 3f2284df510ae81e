"""What this machine can run → text for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from srv6lab.doctor.findings import Diagnosis, Finding, LabAnswer, State
from srv6lab.errors import printable

SCHEMA = 1
_LEAD = {State.OK: "ok", State.LACKING: "-", State.UNKNOWN: "?"}


def diagnosis_text(one: Diagnosis) -> str:
    """A line a finding, by areas, with how to mend it under what is lacking; then the labs, and the sum."""
    lines = [f"{one.system}; provider {one.provider}"]
    width = max((len(finding.name) for finding in one.findings), default=0)
    for area in dict.fromkeys(finding.area for finding in one.findings):
        lines.append(area)
        for finding in one.findings:
            if finding.area == area:
                lines += _lines(one, finding, width)
    if one.labs:
        lines += ["labs", *(_lab(lab) for lab in one.labs)]
    return printable("\n".join([*lines, _sum(one)]) + "\n")


def diagnosis_json(one: Diagnosis) -> str:
    """The same with every word; `works` is what the exit code says."""
    system = one.system
    document = {
        "schema": SCHEMA,
        "provider": one.provider,
        "lab": one.lab or None,
        "works": one.works,
        "system": {name: getattr(system, name) for name in ("family", "name", "kernel", "processor")},
        "findings": [_finding(one, finding) for finding in one.findings],
        "labs": [
            {"name": lab.name, "runs": lab.runs, "lacks": [_need(need.names, need.why) for need in lab.lacks]}
            for lab in one.labs
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _need(names: tuple[str, ...], why: str) -> dict[str, Any]:
    return {"any_of": names, "why": why}


def _finding(one: Diagnosis, finding: Finding) -> dict[str, Any]:
    names = ("area", "name", "state", "found", "purpose", "mend")
    return {**{name: getattr(finding, name) for name in names}, "needed": one.needed(finding)}


def _lines(one: Diagnosis, finding: Finding, width: int) -> Iterator[str]:
    missed = finding.state is not State.OK and one.needed(finding)
    lead = "MISS" if missed and finding.state is State.LACKING else _LEAD[finding.state]
    found = f" ({finding.found})" if finding.found and finding.state is not State.LACKING else ""
    yield f"  {lead:4}  {finding.name:{width}}  {finding.purpose}{found}".rstrip()
    if finding.state is State.LACKING:
        told = {"said": finding.found, "mend": finding.mend}
        yield from (f"        {'':{width}}  {name}: {text}" for name, text in told.items() if text)


def _lab(lab: LabAnswer) -> str:
    if lab.runs:
        return f"  ok    {lab.name}"
    lacks = "; ".join(f"{need} ({need.why})" for need in lab.lacks)
    return f"  -     {lab.name}: lacks {lacks}"


def _sum(one: Diagnosis) -> str:
    what = f"{one.lab} under {one.provider}" if one.lab else one.provider
    if one.works:
        return f"{what}: this machine has all that is needed"
    return f"{what}: this machine lacks {', '.join(str(need) for need in one.unmet)}"
