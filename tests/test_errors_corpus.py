"""Wrong topologies and what srv6lab says about them: `tests/errors/<case>.yml` and `<case>.txt`.

A pair is one test. The text is the complete message, warnings included; a file that loads with
warnings has a pair, too. To add a case, write its `.yml` and run

    UPDATE=1 pytest tests/test_errors_corpus.py

which writes every `.txt` anew; then read the difference, since the words are the product.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from srv6lab.errors import LabError, TopologyError
from srv6lab.topology.load import load, loads

FOLDER = Path(__file__).parent / "errors"
CASES = sorted(path.stem for path in FOLDER.glob("*.yml"))


def message(path: Path) -> str:
    """All that the loader has to say about a file."""
    try:
        lab = load(path, path.name)
    except LabError as error:
        return str(error)
    return "\n".join(map(str, lab.warnings))


@pytest.mark.parametrize("case", CASES)
def test_message(case: str) -> None:
    expected = FOLDER / f"{case}.txt"
    said = message(FOLDER / f"{case}.yml")
    assert said, "the file is right; nothing is said about it"
    if os.environ.get("UPDATE"):
        expected.write_text(said + "\n", encoding="utf-8")
    assert said + "\n" == expected.read_text(encoding="utf-8")


def test_every_text_has_its_topology() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.txt")) == CASES


def test_no_word_of_pydantic() -> None:
    """Neither its texts nor its links: an author writes YAML."""
    for path in FOLDER.glob("*.txt"):
        text = path.read_text(encoding="utf-8").lower()
        for word in ("pydantic", "valid ", "validation", "https://", "input_value", "value error"):
            assert word not in text, path.name


def refused(text: str | bytes) -> str:
    with pytest.raises(TopologyError) as caught:
        loads(text, "big.yml")
    return str(caught.value)


def test_fifty_megabytes_answer_at_once(tmp_path: Path) -> None:
    path = tmp_path / "big.yml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    assert message(path) == (
        f"{path.name}:1:1: error: the file is larger than 1000 kB\n"
        "  mend: a topology is small; is this the right file?"
    )


@pytest.mark.parametrize(
    ("opening", "place"),
    [("[", "1:51"), ("{a: ", "1:201"), ("- ", "1:101"), ("[\n", "51:1"), ("[{a: ", "1:126")],
)
def test_three_thousand_levels(opening: str, place: str) -> None:
    """PyYAML from 6.0.4 on has a limit of 1,000 levels, and reads ahead: it would be met before ours."""
    said = refused(opening * 3000)
    assert said.startswith(f"big.yml:{place}: error: more than 50 levels inside each other\n")
    assert len(said) < 1500


def test_fifty_levels_that_nobody_closes_are_not_too_deep() -> None:
    assert "a value is missing here" in refused("[" * 50)


def test_three_thousand_levels_of_indentation() -> None:
    said = refused("".join(f"{' ' * depth}a:\n" for depth in range(1300)))
    assert "more than 50 levels inside each other" in said


def test_binary() -> None:
    assert refused(b"name: x\n\x7fELF\x00\x01") == (
        "big.yml:2:1: error: the character U+007F can't stand in a YAML file\n"
        "  mend: take it out; if the file isn't text at all, name another"
    )


def test_byte_that_is_no_utf8() -> None:
    assert refused("name: é\nnodes: ".encode() + b"\xe9\n").startswith(
        "big.yml:2:8: error: the byte 0xe9 isn't UTF-8 (byte 16 of the file)"
    )


def test_utf16() -> None:
    assert "the file is UTF-16" in refused("name: x\n".encode("utf-16"))


def test_billion_laughs() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "values, aliases counted" in refused("\n".join(lines))


def test_merge_keys_multiply_nothing() -> None:
    keys = ", ".join(f"k{number}: 1" for number in range(10_000))
    said = refused(f"a: &a {{{keys}}}\nb:\n" + "  - {<<: *a}\n" * 10_000)
    assert "values, aliases counted" in said
