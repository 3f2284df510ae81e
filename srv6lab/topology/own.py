"""What a node has beside all that the model knows: commands, files, settings of the kernel, packages."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from srv6lab.topology.scalars import FileName, Model

LONGEST_FILE = 100_000  # characters; the author's file has no more bytes
_VALUE = r"^[!-~]([ -~]*[!-~])?$"


def _as_text(value: Any) -> Any:
    """A setting's value may be written as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Command = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]+$", max_length=1000)]
SysctlName = Annotated[str, StringConstraints(pattern=r"^net(\.[A-Za-z0-9_-]+)+$", max_length=100)]
SysctlValue = Annotated[
    str,
    BeforeValidator(_as_text),
    StringConstraints(pattern=_VALUE, max_length=200),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": _VALUE, "maxLength": 200}]}),
]
NodePath = Annotated[
    str, StringConstraints(pattern=r"^(/\.?[A-Za-z0-9_][A-Za-z0-9_.@+:-]*)+$", max_length=200)
]
FileText = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=LONGEST_FILE)]
FileMode = Annotated[str, StringConstraints(pattern=r"^[0-7]{3,4}$")]
Owner = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_][a-z0-9_-]{0,30}(:[a-z0-9_][a-z0-9_-]{0,30})?$")]
PackageName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9+.-]{1,60}$")]
ImageName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,199}$")]


class NodeFile(Model):
    """A text file in a node: its `content`, or its `source` in the lab's folder or below it."""

    path: NodePath
    source: FileName | None = None
    content: FileText | None = None
    mode: FileMode = "0644"
    owner: Owner = "root"


class OwnWords(Model):
    """What Day0 does in a node beside the lab's network. `commands` run at its end, one after the other; `sysctls` are
    set before addresses are laid; `packages` are for virtual machines."""

    commands: Annotated[tuple[Command, ...], Field(max_length=100)] = ()
    sysctls: dict[SysctlName, SysctlValue] = Field(default_factory=dict)
    files: tuple[NodeFile, ...] = ()
    packages: tuple[PackageName, ...] = ()
