"""The formats in which things are printed: a table a kind of value, and one answer to a format that isn't there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from srv6lab.errors import UsageError
from srv6lab.report.behaviors import behaviors_json, behaviors_text
from srv6lab.report.doctor import diagnosis_json, diagnosis_text
from srv6lab.report.json import status_json, verdicts_json
from srv6lab.report.junit import verdicts_junit
from srv6lab.report.policies import policies_json, policies_text
from srv6lab.report.problems import checked_github, checked_json, checked_text
from srv6lab.report.sids import sids_json, sids_text
from srv6lab.report.text import status_text, verdicts_text
from srv6lab.report.walk import walks_json, walks_mermaid, walks_text
from srv6lab.suggest import or_all

Format = TypeVar("Format")

BEHAVIORS = {"text": behaviors_text, "json": behaviors_json}
CHECKED = {"text": checked_text, "json": checked_json, "github": checked_github}
DIAGNOSIS = {"text": diagnosis_text, "json": diagnosis_json}
POLICIES = {"text": policies_text, "json": policies_json}
SIDS = {"text": sids_text, "json": sids_json}
STATUS = {"text": status_text, "json": status_json}
VERDICTS = {"text": verdicts_text, "json": verdicts_json, "junit": verdicts_junit}
WALKS = {"text": walks_text, "json": walks_json, "mermaid": walks_mermaid}


def chosen(formats: Mapping[str, Format], name: str) -> Format:
    """What prints in that format; UsageError with the nearest ones, or all, if there is none of that name."""
    if name not in formats:
        raise UsageError(f"there is no format {name!r}", or_all(name, formats))
    return formats[name]
