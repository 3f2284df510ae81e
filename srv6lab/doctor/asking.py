"""Ask tools for their versions, all at once; what they answer is read elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from srv6lab.host.command import Absent, Late, run

PATIENCE = 10.0  # seconds; a busy machine needs some for what else takes a tenth of one


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to: `code` is None if there is no such command, and `late` says that it was ended
    because it didn't end."""

    code: int | None
    out: str = ""
    late: bool = False

    @property
    def ok(self) -> bool:
        return self.code == 0


ABSENT = Answer(None)


def ask(
    questions: Mapping[str, Sequence[str]], limits: Mapping[str, float] | None = None
) -> dict[str, Answer]:
    """The answer to each question, a command line; `limits` are seconds for those that get others than PATIENCE."""
    if not questions:
        return {}
    seconds = [(limits or {}).get(name, PATIENCE) for name in questions]
    with ThreadPoolExecutor(len(questions)) as pool:
        return dict(zip(questions, pool.map(_ask, questions.values(), seconds), strict=True))


def _ask(command: Sequence[str], seconds: float) -> Answer:
    try:
        done = run(command, seconds, merged=True)
    except Absent:
        return ABSENT
    except Late:
        return Answer(-1, late=True)
    return Answer(done.exit_code, done.stdout)
