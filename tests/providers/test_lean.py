"""Scripts that start with every lab and every command import little: their imports once took longer than their work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from contextlib import suppress as the_librarys

import pytest

from srv6lab.providers.node import env, kernel, lean
from tests.conftest import REPOSITORY

SCRIPTS = ("keeper", "node.usher", "node.enter", "rootless")
SLOW = {
    "collections",
    "contextlib",
    "enum",
    "functools",
    "json",
    "pathlib",
    "re",
    "signal",
    "subprocess",
    "typing",
}
IMPORTED = """
import sys
sys.path.append(sys.argv[1])
__import__(f"srv6lab.providers.{sys.argv[2]}")
print(*sys.modules)
"""


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_imports_nothing_slow(script: str) -> None:
    line = [sys.executable, "-I", "-S", "-c", IMPORTED, str(REPOSITORY), script]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    imported = {*done.stdout.split()}
    assert f"srv6lab.providers.{script}" in imported
    assert not SLOW & imported


def test_a_document_comes_back_from_its_line() -> None:
    said = {"node": "é\n ", "pid": 1 << 40, "more": ["a", ""], "nodes": {"a": {"bpf": False, "of": None}}}
    told = lean.line(said)
    assert told.count(b"\n") == 1 and told.endswith(b"\n")
    assert lean.document(told) == json.loads(json.dumps(said))
    for broken in (b"", told[:8], b"no\n"):
        with pytest.raises((ValueError, EOFError)):
            lean.document(broken)


@pytest.mark.parametrize("error", ["", 'a "b" \\ c', "\n\0\x1b[31m é \udcff 𝒮"])
def test_an_answer_is_json(error: str) -> None:
    told = lean.answer({"node": "middle", "pid": 1 << 22, "error": error})
    assert told.count(b"\n") == 1 and told.endswith(b"\n")
    assert json.loads(told) == {"node": "middle", "pid": 1 << 22, "error": error}


@pytest.mark.parametrize("suppress", [lean.suppress, the_librarys])
def test_only_those_errors_are_suppressed(suppress: type[lean.suppress]) -> None:
    with suppress(KeyError, OSError):
        raise FileNotFoundError
    with pytest.raises(ValueError, match="other") as raised, suppress(KeyError):
        raise ValueError("other")
    assert "other" in traceback.format_exception_only(raised.value)[0]
    with suppress():
        pass


def test_names_of_mounts_are_read_as_the_kernel_writes_them() -> None:
    assert kernel._unescape("/a") == "/a"
    assert kernel._unescape(r"/a\040b\134\011040") == "/a b\\\t040"


@pytest.mark.parametrize("holds", [True, False])
def test_env_is_held_and_cannot_be_changed(holds: bool) -> None:
    memory = env.hold("/")
    with subprocess.Popen(["sleep", "60"], pass_fds=[memory] if holds else []) as holder:
        os.close(memory)
        files = f"/proc/{holder.pid}/fd"
        try:
            if not holds:
                with pytest.raises(FileNotFoundError, match="holds no env"):
                    env.held(files)
                return
            program = env.held(files)
            assert os.pread(program, 4, 0) == b"\x7fELF"
            anew = os.open(f"/proc/self/fd/{program}", os.O_RDWR)
            for change in (lambda: os.ftruncate(anew, 0), lambda: os.pwrite(anew, b"#!", 0)):
                with pytest.raises(PermissionError):
                    change()
            os.close(anew)
            os.close(program)
        finally:
            holder.kill()
