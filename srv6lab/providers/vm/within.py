"""The provider `netns` inside a machine, as seen from outside: what is asked of it (see inside.py), and how a
command gets into one of its nodes. How a command gets into the machine is the caller's business."""

from __future__ import annotations

import json
import pickle
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from srv6lab.called import CALLED
from srv6lab.errors import MachineError, NodeError
from srv6lab.host.command import Completed
from srv6lab.host.progress import Progress
from srv6lab.providers.process import Process

MEND = f"{CALLED} up brings the lab back"
NOT_RUNNING = 125  # the exit code where a node isn't running
_FIELDS_TO_START = "* " * 19  # of /proc/PID/stat, from the one behind the name to the start time
_IF_ALIVE = (
    "read -r stat 2>/dev/null </proc/{pid}/stat; rest=${{stat##*) }}; rest=${{rest#{fields}}}; "
    '[ "${{rest%% *}}" = {start} ] || {{ echo {said} >&2; exit {code}; }}; exec "$@"'
)


def into(nodes: Mapping[str, Process], node: str, argv: Sequence[str]) -> list[str]:
    """The command that runs `argv` in a node, for the machine to run."""
    from srv6lab.providers.keeping import NODE_PATH, enter  # not on Windows, which asks the machine for it

    process = nodes.get(node)
    if process is None:
        raise MachineError(_not_running(node), MEND)
    script = _IF_ALIVE.format(
        pid=process.pid,
        start=process.start,
        fields=_FIELDS_TO_START,
        said=shlex.quote(_not_running(node)),
        code=NOT_RUNNING,
    )
    return ["sh", "-c", script, "sh", *enter(process, guarded=False), f"PATH={NODE_PATH}", *argv]


def answered(node: str, result: Completed) -> Completed:
    """What a command that went `into` a node came to; MachineError if the node isn't running."""
    if result.exit_code == NOT_RUNNING and result.stderr.strip() == _not_running(node):
        raise MachineError(_not_running(node), MEND)
    return result


def ask(command: Sequence[str], log: Path, asked: Mapping[str, Any], progress: Progress | None = None) -> Any:
    """What the provider in the machine answers; its errors are raised here. `command` runs inside.py there."""
    with log.open("w+", encoding="utf-8") as said:
        popen = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, start_new_session=True
        )
        with popen:
            assert popen.stdin and popen.stdout
            popen.stdin.write(pickle.dumps(asked))
            popen.stdin.close()
            for line in popen.stdout:
                document = json.loads(line)
                if "say" in document and progress:
                    progress(document["say"])
                if "error" in document:
                    raise NodeError(document["error"], document["mend"])
                if "answer" in document:
                    return document["answer"]
        said.seek(0)
        raise MachineError(f"the machine doesn't answer: {said.read().strip() or 'no word'}", MEND)


def _not_running(node: str) -> str:
    return f"node {node} isn't running"
