"""Call `ip` and `tc`, and read their JSON."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from .errors import ToolError


def run(*words: str) -> str:
    """The tool's standard output; a ToolError with its last words if it fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ToolError(f"`{words[0]}` is not installed; it is part of iproute2") from None
    if done.returncode:
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        reason = said[-1] if said else f"exit code {done.returncode}"
        hint = " (srconf needs root)" if "not permitted" in reason else ""
        raise ToolError(f"{' '.join(words)}: {reason}{hint}")
    return done.stdout


def read(*words: str) -> list[dict[str, Any]]:
    """The JSON that a tool prints; it prints nothing at all for an empty list."""
    try:
        answer: list[dict[str, Any]] = json.loads(run(*words).strip() or "[]")
    except ValueError:
        raise ToolError(f"{' '.join(words)}: the answer is no JSON") from None
    return [item for item in answer if item]
