"""The task that a learner is at in a lab that is up: written down in the instance's folder, so that every command knows
of it. While there is one, no command tells a cause, nor what differs from Day0."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from srv6lab.called import CALLED
from srv6lab.errors import LabError
from srv6lab.evidence.documents import from_json, read_json, to_json
from srv6lab.host.files import write_whole
from srv6lab.providers.state import Home

SCHEMA = 1
TASK, FAULT = "task", "fault"


@dataclass(frozen=True, slots=True)
class Begun:
    """What is begun in an instance: a task by its exercise, or (`kind` FAULT) a planted fault that the exercise shows.

    `when` is ISO 8601 in UTC. `hints` and `causes` were looked at so often, `checks` made; `solved` says that the
    solution was shown. `right` are questions with the answers that were right, `wrong` how often each was answered
    wrong. `undo` are scripts by node that take the start back, the first first. `sealed` is the truth of a fault, unreadable."""

    exercise: str
    kind: str
    when: str
    hints: int = 0
    causes: int = 0
    checks: int = 0
    solved: bool = False
    right: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, int] = field(default_factory=dict)
    undo: tuple[tuple[str, str], ...] = ()
    sealed: str = ""


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def read_begun(home: Home) -> Begun | None:
    """None where no task is begun; LabError for a file that isn't as it was written."""
    try:
        document = read_json(home.task)
        if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
            raise ValueError("it is of another version of srv6lab")
        found: Begun = from_json(Begun, document, "")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        mend = f"{CALLED} destroy lab={home.path.name}, then up again"
        raise LabError(f"{home.task} isn't as it was written: {error}", mend) from None
    return found


def write_begun(home: Home, begun: Begun) -> None:
    write_whole(home.task, json.dumps({"schema": SCHEMA, **to_json(begun)}, indent=1) + "\n")


def forget_begun(home: Home) -> None:
    home.task.unlink(missing_ok=True)
