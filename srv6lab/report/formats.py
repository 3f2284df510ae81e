"""The formats in which things are printed: a table a kind of value, and one answer to a format that isn't there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TypeVar

from srv6lab.errors import UsageError
from srv6lab.suggest import or_all

Format = TypeVar("Format")
Formats = Mapping[str, Callable[..., str]]


def _of(module: str, function: str) -> Any:
    """What prints a format; its module is imported when it does, so a task doesn't wait for what it doesn't print."""
    return lambda *values: getattr(import_module(f"srv6lab.report.{module}"), function)(*values)


ANSWERS: Formats = {"text": _of("questions", "answered_text"), "json": _of("questions", "answered_json")}
BEHAVIORS: Formats = {"text": _of("behaviors", "behaviors_text"), "json": _of("behaviors", "behaviors_json")}
CAMPAIGNS: Formats = {"text": _of("faults", "campaign_text"), "json": _of("faults", "campaign_json")}
COURSES: Formats = {"text": _of("learning", "course_text"), "json": _of("learning", "course_json")}
CHECKED: Mapping[str, Callable[..., tuple[str, str]]] = {
    "text": _of("problems", "checked_text"),
    "json": _of("problems", "checked_json"),
    "github": _of("problems", "checked_github"),
}
DIAGNOSIS: Formats = {"text": _of("doctor", "diagnosis_text"), "json": _of("doctor", "diagnosis_json")}
PICTURES: Formats = {
    "svg": _of("picture.svg", "picture_svg"),
    "mermaid": _of("picture.mermaid", "picture_mermaid"),
    "dot": _of("picture.dot", "picture_dot"),
    "drawio": _of("picture.drawio", "picture_drawio"),
}
POLICIES: Formats = {"text": _of("policies", "policies_text"), "json": _of("policies", "policies_json")}
EVENTS: Formats = {"text": _of("watch", "event_text"), "ndjson": _of("watch", "event_json")}
QUESTIONS: Formats = {
    "text": _of("questions", "questions_text"),
    "json": _of("questions", "questions_json"),
}
SCORES: Formats = {"text": _of("learning", "scores_text"), "json": _of("learning", "scores_json")}
SIDS: Formats = {"text": _of("sids", "sids_text"), "json": _of("sids", "sids_json")}
OVERVIEW: Formats = {"text": _of("status", "overview_text"), "json": _of("status", "overview_json")}
STATUS: Formats = {"text": _of("status", "status_text"), "json": _of("status", "status_json")}
VERDICTS: Formats = {
    "text": _of("text", "verdicts_text"),
    "json": _of("json", "verdicts_json"),
    "junit": _of("junit", "verdicts_junit"),
}
WALKS: Formats = {
    "text": _of("walk", "walks_text"),
    "json": _of("walk", "walks_json"),
    "mermaid": _of("walk", "walks_mermaid"),
    "yaml": _of("walk_yaml", "walks_yaml"),
    "html": _of("page.predicted", "walks_html"),
}


def chosen(formats: Mapping[str, Format], name: str) -> Format:
    """What prints in that format; UsageError with the nearest ones, or all, if there is none of that name."""
    if name not in formats:
        raise UsageError(f"there is no format {name!r}", or_all(name, formats))
    return formats[name]
