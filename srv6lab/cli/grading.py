"""Runs are judged beside the exercises that come after them. To start tshark takes longest of it: so some runs are read
together, and the tshark that reads the last one is there before it is asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from srv6lab.errors import LabError
from srv6lab.host.progress import Progress

if TYPE_CHECKING:
    from srv6lab.capture.ahead import Waiting
    from srv6lab.evidence.verdict import Verdict
    from srv6lab.plan.nodes import Plan

_MOST = 8 << 20  # bytes of captures that are read with others'
_TOGETHER = 4  # runs that are read together, where so many come


class Grading:
    """Of one lab's runs of these exercises, by an executor with one worker."""

    def __init__(self, plan: Plan, progress: Progress, executor: Executor, exercises: Sequence[str]) -> None:
        self._plan, self._progress, self._executor = plan, progress, executor
        self._exercises, self._left = exercises, len(exercises)
        self._waiting: deque[_Run] = deque()
        self._tshark: Waiting | None = None
        executor.submit(self._begin_tshark)

    def __enter__(self) -> Grading:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._tshark:
            self._tshark.close()

    def submit(self, exercise: str, folder: Path) -> Future[Verdict]:
        """The verdict on a run, which comes when some wait for theirs, or no more than one is to come. No other run of the
        exercise may wait for its own."""
        run = _Run(exercise, folder)
        self._waiting.append(run)
        self._left -= 1
        if self._left <= 1 or len(self._waiting) >= _TOGETHER:
            self.begin()
        return run.verdict

    def begin(self) -> None:
        """Judge what waits, whatever is to come."""
        self._executor.submit(self._work)

    def _begin_tshark(self) -> None:
        from srv6lab.capture.ahead import Waiting
        from srv6lab.capture.asking import find
        from srv6lab.judge.captures import messages_of

        if not all(
            messages_of(self._plan, name) for name in self._exercises
        ):  # those are asked for in other words
            with suppress(LabError, OSError):  # whoever reads then says why
                self._tshark = Waiting(find())

    def _work(self) -> None:
        """There may be nothing left: whoever came before took it."""
        taken: list[_Run] = []
        while self._waiting and (not taken or sum(run.size for run in (*taken, self._waiting[0])) < _MOST):
            taken.append(self._waiting.popleft())
        if len(taken) > 1 and self._graded(taken) is None:
            return
        for run in taken:  # what is wrong with one run is told of that one
            if error := self._graded([run]):
                run.verdict.set_exception(error)

    def _graded(self, runs: list[_Run]) -> Exception | None:
        """Give all of them their verdicts, or none: then why."""
        from srv6lab.judge.grade import graded

        tshark, self._tshark = self._tshark, None
        try:
            folders = {run.exercise: run.folder for run in runs}
            found = graded(self._plan, folders, self._progress, ahead=tshark)
        except Exception as error:
            return error
        finally:
            if tshark:
                tshark.close()
            if self._left or self._waiting:
                self._begin_tshark()
        for run in runs:
            run.verdict.set_result(found[run.exercise].verdict)
        return None


class _Run:
    def __init__(self, exercise: str, folder: Path) -> None:
        self.exercise, self.folder = exercise, folder
        self.verdict: Future[Verdict] = Future()
        self.size = sum(path.stat().st_size for path in folder.rglob("*.pcap"))
