"""Lists of learners: what is read of them, what is refused, and what a name becomes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from srv6lab.classroom.learners import MOST, Person, id_of, read_learners
from srv6lab.errors import TopologyError, UsageError


def read(folder: Path, content: str | bytes) -> list[tuple[str, dict[str, str]]]:
    file = folder / "list"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [(one.name, dict(one.columns)) for one in read_learners(file)]


def problems(folder: Path, content: str | bytes) -> list[str]:
    with pytest.raises(TopologyError) as refused:
        read(folder, content)
    return [f"{one.location.line}: {one.what}" for one in refused.value.problems]


def test_a_list_has_a_name_a_line(tmp_path: Path) -> None:
    assert read(tmp_path, "# class 3\nAnna Example\n\n  王小明  \r\nO'Neill, Jim") == [
        ("Anna Example", {}),
        ("王小明", {}),
        ("O'Neill, Jim", {}),
    ]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_of_a_spreadsheet_keeps_its_columns(tmp_path: Path, mark: str) -> None:
    table = f'Email{mark}Name{mark}Group\r\na@example.org{mark}"Example, Anna"{mark}1\r\n# left\r\n{mark}Bo{mark}\r\n'
    assert read(tmp_path, b"\xef\xbb\xbf" + table.encode()) == [
        ("Example, Anna", {"email": "a@example.org", "group": "1"}),
        ("Bo", {}),
    ]


def test_all_that_is_wrong_is_said_with_its_line(tmp_path: Path) -> None:
    text = "Anna\na/b\n..\\x\nanna \n" + "x" * 101 + "\n😀\nB\u202eo\n$()\n"
    assert problems(tmp_path, text) == [
        "2: `/` is in a name, which becomes a file's",
        "3: `\\` is in a name, which becomes a file's",
        "4: anna is here twice, first in line 1",
        "5: a name of 101 characters",
        "6: a name without a letter or a digit",
        "7: the character U+202E, which can't be seen, is in a name",
        "8: a name without a letter or a digit",
    ]


def test_a_row_without_a_name_and_one_with_two_lines_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, 'name,mail\n,a@example.org\n"Anna\nBo",b\nCem,c\ncem,d\n') == [
        "2: nobody's name stands here",
        "3: the character U+000A, which can't be seen, is in a name",
        "6: cem is here twice, first in line 5",
    ]


def test_nobody_too_many_and_no_text_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, "# nobody yet\n") == ["1: nobody is in the list"]
    many = "".join(f"learner {number}\n" for number in range(MOST + 1))
    assert problems(tmp_path, many) == [f"1: {MOST + 1} learners are more than {MOST}"]
    assert problems(tmp_path, "Anna".encode("utf-16")) == ["1: the file isn't UTF-8"]
    with pytest.raises(UsageError, match="there is no file"):
        read_learners(tmp_path / "none")
    with pytest.raises(UsageError, match="can't be read"):
        read_learners(tmp_path)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Anna Müller", "anna-muller"),
        ("O'Brien, Jim", "o-brien-jim"),
        ("Łukasz Strauß", "lukasz-strauss"),
        ("王小明", r"learner-[0-9a-f]{6}"),
        ("Anna 王", r"anna-[0-9a-f]{6}"),
        ("CON", r"con-[0-9a-f]{6}"),
        ("$(reboot)", "reboot"),
        ("--out", "out"),
        ("'; rm -rf ~", "rm-rf"),
        ("a" * 100, r"a{24}-[0-9a-f]{6}"),
    ],
)
def test_an_id_can_stand_anywhere(name: str, found: str) -> None:
    assert re.fullmatch(found, id_of(name, ()))


def test_ids_are_unique_and_stay() -> None:
    taken: list[str] = []
    for name in ("Anna Müller", "Anna Muller", "anna müller?", "王小明", "王小红", "🎓1", "🎓 1"):
        taken.append(id_of(name, taken))
    assert len(set(taken)) == len(taken)
    assert all(re.fullmatch("[a-z0-9][a-z0-9-]{0,40}", one) for one in taken)
    assert id_of("王小明", ()) == taken[3]


def test_people_are_the_same_however_they_are_typed() -> None:
    assert Person("Anna  M\u00fcller").known_by == Person("anna mu\u0308ller").known_by
