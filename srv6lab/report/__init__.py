"""Verdicts and states → text, JSON, JUnit. Values in, text out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from srv6lab.evidence.verdict import Verdict
from srv6lab.report.json import verdicts_json
from srv6lab.report.junit import verdicts_junit
from srv6lab.report.text import verdicts_text
from srv6lab.report.walk import WALKS, Walked

FORMATS: dict[str, Callable[[Sequence[Verdict]], str]] = {
    "text": verdicts_text,
    "json": verdicts_json,
    "junit": verdicts_junit,
}

__all__ = ["FORMATS", "WALKS", "Walked", "verdicts_json", "verdicts_junit", "verdicts_text"]
