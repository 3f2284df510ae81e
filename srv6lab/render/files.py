"""Rendered files on the disk: written, and held against what stands there.

It writes the files that it is given and removes none. Below the folder it follows no symbolic link,
so nothing is written anywhere else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from srv6lab.errors import MachineError, UsageError
from srv6lab.host.files import write_whole

Files = Mapping[str, str | bytes]


def write(files: Files, folder: Path) -> list[Path]:
    """Write each file whole, or nothing where one can't be; their paths, in the order of writing."""
    paths = [_path(folder, name) for name in files]
    for path, content in zip(paths, files.values(), strict=True):
        try:
            write_whole(path, content)
        except OSError as error:
            raise MachineError(f"{path} can't be written: {_reason(error)}", "name another folder") from error
    return paths


def leftovers(files: Files, folder: Path) -> list[Path]:
    """What lies in the folders that are rendered into, and isn't rendered (any more)."""
    inside = sorted({PurePosixPath(name).parent for name in files} - {PurePosixPath()})
    rendered = {*files, *(str(above) for one in inside for above in (one, *one.parents))}
    standing = (path for one in inside for path in sorted(_entries(folder / one)))
    return [path for path in standing if path.relative_to(folder).as_posix() not in rendered]


def _entries(folder: Path) -> Iterator[Path]:
    return folder.iterdir() if folder.is_dir() else iter(())


def differences(files: Files, folder: Path) -> Iterator[str]:
    """A text for each file that isn't as rendered: its diff, or that it is missing or left over."""
    for name, content in files.items():
        path = _path(folder, name)
        try:
            standing = path.read_bytes()
        except FileNotFoundError:
            yield f"{path}: missing\n"
            continue
        except OSError as error:
            raise MachineError(f"{path} can't be read: {_reason(error)}", "check its permissions") from error
        wanted = content if isinstance(content, bytes) else content.encode()
        if standing != wanted:
            yield _difference(path, standing, wanted)
    for path in leftovers(files, folder):
        yield f"{path}: no longer rendered\n"


def _difference(path: Path, standing: bytes, wanted: bytes) -> str:
    try:
        before, after = (content.decode().split("\n") for content in (standing, wanted))
    except UnicodeDecodeError:
        return f"{path}: differs, and is no text\n"
    if [line.removesuffix("\r") for line in before] == after:
        return f"{path}: differs in its line endings only\n"
    lines = difflib.unified_diff(before, after, str(path), f"{path} (rendered)", lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _path(folder: Path, name: str) -> Path:
    """Where a file goes; UsageError if that isn't in the folder itself."""
    steps = PurePosixPath(name).parts
    if not steps or ".." in steps or PurePosixPath(name).is_absolute():
        raise UsageError(f"{name} lies outside of {folder}", "a rendered file stays in its folder")
    path = folder
    for step in steps:
        path = path / step
        if path.is_symlink():
            raise UsageError(f"{path} is a symbolic link", "remove it, or name another folder")
    return path


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
