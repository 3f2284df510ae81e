"""Ctrl-C at a bad moment is an interrupt, whatever has wrapped it."""

from __future__ import annotations

import pytest

from srv6lab.cli.program import Lab
from tests.in_process import Typed, typed

__all__ = ["typed"]


def _as_a_class_body_does() -> None:
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt as interrupt:
        raise RuntimeError("Error calling __set_name__") from interrupt


@pytest.mark.parametrize(
    ("interrupted", "code", "said"), [(True, 1, "interrupted"), (False, 3, "internal error: RuntimeError")]
)
def test_what_an_interrupt_led_to_is_one(
    interrupted: bool, code: int, said: str, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Lab) -> None:
        if interrupted:
            _as_a_class_body_does()
        raise RuntimeError("of our own")

    monkeypatch.setattr(Lab, "_make_parser", fail)
    done = typed("labs")
    assert done.returncode == code and said in done.stderr
