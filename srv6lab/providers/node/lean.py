"""What scripts of nodes need of the standard library, without what takes longer to import than they run.

`signal` makes enumerations, `contextlib` and `json` bring half of the library with them. All of it together takes longer than to make a
node, and each process that a script forks copies it.
"""

from __future__ import annotations

import marshal

TYPE_CHECKING = False  # as in enter.py
if TYPE_CHECKING:
    import signal
    from json.encoder import py_encode_basestring_ascii as _quoted
    from typing import Any, Self
else:
    import _signal as signal
    from _json import encode_basestring_ascii as _quoted

__all__ = ["answer", "document", "line", "signal", "suppress"]


def line(document: dict[str, Any]) -> bytes:
    """A document of plain values, for a script of ours."""
    return marshal.dumps(document).hex().encode() + b"\n"


def document(line: bytes) -> dict[str, Any]:
    """What `line` was made of. Only for scripts, and what whoever began them has written: marshal believes what it reads."""
    read: dict[str, Any] = marshal.loads(bytes.fromhex(line.decode()))
    return read


def answer(said: dict[str, str | int]) -> bytes:
    """A line of JSON, for whoever began a script: he believes nothing that may come from a node."""
    values = (
        f'"{name}": {_quoted(value) if isinstance(value, str) else value}' for name, value in said.items()
    )
    return f"{{{', '.join(values)}}}\n".encode()


class suppress:
    """contextlib's."""

    def __init__(self, *errors: type[BaseException]) -> None:
        self._errors = errors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, self._errors)
