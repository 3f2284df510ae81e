"""Output where letters are as wide as two: columns stay below each other, and lines end where a reader would end them."""

from __future__ import annotations

import pytest

from srv6lab.classroom.formats import as_text
from srv6lab.report.learning import task_text
from srv6lab.report.table import aligned, width, wrapped
from tests.small import SMALL, planned

TASK = "从 a 到 b 的 ping 没有应答了。查出报文走到哪里为止（看抓包），再修好让它停下来的那个节点；" * 6


def test_wide_letters_take_two_columns_and_marks_none() -> None:
    assert (width("abc"), width("节点"), width("e\u0301"), width("Ａ")) == (3, 4, 1, 2)


def test_columns_stand_below_each_other() -> None:
    lines = aligned([("NAME", "POINTS"), ("王小明", "7"), ("Anna", "10")])
    assert {width(line.rpartition(" ")[0]) for line in lines} == {7}


@pytest.mark.parametrize("most", [100, 47, 20])
def test_a_text_is_broken_between_wide_letters(most: int) -> None:
    lines = list(wrapped(TASK, most, "", "  "))
    assert all(most - 8 <= width(line) <= most for line in lines[:-1])
    assert "".join(line.removeprefix("  ") for line in lines).replace(" ", "") == TASK.replace(" ", "")
    assert not [line for line in lines if line.strip()[0] in "，。；）" or line[-1] in "（“"]


def test_latin_words_stay_whole_and_their_blanks_are_kept() -> None:
    assert list(wrapped("一个 End.DX4 SID 在 r3 上", 12)) == ["一个 End.DX4", "SID 在 r3 上"]
    assert list(wrapped("one  two three", 8, "- ", "  ")) == ["- one ", "  two", "  three"]
    assert list(wrapped("a-word-that-is-too-long", 5)) == ["a-word-that-is-too-long"]


def test_a_task_in_chinese_fits_the_terminal() -> None:
    text = SMALL + f"  - name: mend\n    like: across\n    task: {TASK}\n    start: []\n"
    plan = planned(text)
    lines = task_text(plan, next(one for one in plan.exercises if one.name == "mend")).splitlines()
    assert all(width(line) <= 100 for line in lines)
    assert sum("抓包" in line for line in lines) > 2


def test_a_sentence_about_a_hand_in_is_cut_where_the_column_ends() -> None:
    assert [as_text._cut(one) for one in ("短", "段" * 50, "a" * 101)] == ["短", "段" * 50, "a" * 99 + "…"]
    assert as_text._cut("段" * 51) == "段" * 49 + "…"
