"""Jinja2, in the only room that knows it; an unknown name in a template is an error.

What reaches a shell goes through `sh`, and what reaches Ruby through `ruby`: one quoting function each.
"""

from __future__ import annotations

import os
import re
import shlex
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from srv6lab.host.files import INSTALLED, SHARE, cache
from srv6lab.topology.scalars import NUMBERED

if TYPE_CHECKING:
    from jinja2 import Environment


TEMPLATES = SHARE / "templates"


def ruby(value: str | int) -> str:
    """A Ruby literal that is this value, whatever is in it, on one line."""
    if isinstance(value, int):
        return str(value)
    if unfit := _NO_RUBY_TEXT.search(value):
        raise ValueError(f"a Ruby string can't hold {unfit.group()!r}")
    return f'"{_NOT_AS_IT_IS.sub(_code_point, value)}"'


def variable(nic: str) -> str:
    """The shell variable that holds a NIC's name on its machine: eth1's own, since no other begins so."""
    return nic if NUMBERED.fullmatch(nic) else f"nic_{_NO_WORD.sub('_', nic)}"


_AFTER_A_NIC = re.compile(r"\$\{\{ (.+?) \}\}")
_NO_WORD = re.compile("[^A-Za-z0-9]")


def _code_point(found: re.Match[str]) -> str:
    return f"\\u{{{ord(found.group()):x}}}"


_NO_RUBY_TEXT = re.compile("[\0\ud800-\udfff]")
_NOT_AS_IT_IS = re.compile(r"[^ !$-\[\]-~]")  # `"`, `#` and `\` too


def template(name: str, **values: object) -> str:
    return _environment().get_template(name).render(values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    # `up` imports it while nodes start.
    from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

    compiled = _compiled_templates()

    class Loader(FileSystemLoader):
        """`${{ nic.name }}` in a template is the variable that is called after that NIC."""

        def get_source(self, environment: Environment, template: str) -> Any:
            text, *more = super().get_source(environment, template)
            return _AFTER_A_NIC.sub(r"${{ (\1) | variable }}", text), *more

    environment = Environment(
        loader=Loader([TEMPLATES, TEMPLATES.parent]),
        bytecode_cache=FileSystemBytecodeCache(str(compiled)) if compiled else None,
        undefined=StrictUndefined,
        autoescape=False,  # these are shell scripts and Ruby, not HTML: `sh` and `ruby` quote
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sh"] = lambda value: shlex.quote(str(value))
    environment.filters["ruby"] = ruby
    environment.filters["variable"] = variable
    return environment


def _compiled_templates() -> Path | None:
    """Where compiled templates are kept: in a checkout beside their sources, as Python keeps its own; none where that
    can't be written."""
    folder = cache("templates") if INSTALLED else TEMPLATES / "__pycache__"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
