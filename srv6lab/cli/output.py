"""What `--out FILE` means for a page and a picture: which file, and what is said where it can't be written."""

from __future__ import annotations

import sys
from pathlib import Path

from srv6lab.errors import UsageError
from srv6lab.host.files import shown, write_whole

STDOUT = "-"


def refuse_folder(path: Path, name: str) -> None:
    """UsageError if a folder is named; `name` is what the file in it could be called."""
    if path.is_dir():
        raise UsageError(f"{shown(path)} is a folder", f"name a file: -o {path / name}")


def write(text: str, path: Path | None) -> None:
    """A device or a pipe isn't replaced, and None is stdout; UsageError where it can't be written."""
    if path is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8") as target:
                target.write(text)
        else:
            write_whole(path.resolve(), text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"{shown(path)} can't be written: {error.strerror}", "-o FILE names another file") from None
