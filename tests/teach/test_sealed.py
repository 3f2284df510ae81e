"""The truth of a planted fault is judged by its file, opened by its seed, and read by nobody."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.errors import LabError, UsageError
from srv6lab.judge.diagnose import CAUSES
from srv6lab.live.begun import FAULT, Begun, read_begun, write_begun
from srv6lab.live.instance import Instance
from srv6lab.providers.registry import provider_named
from srv6lab.providers.state import Home, State
from srv6lab.teach import diagnosis, sealed
from srv6lab.teach.faults import KINDS, Fault
from tests.small import planned

SID = Fault(
    "gate", "a truth", (("gate", "do it"),), (("gate", "undo it"),), "sid-gone", ("sid-not-installed",)
)
WAY = Fault(
    "exit",
    "another",
    (("exit", "do"),),
    (("exit", "undo"),),
    "route-elsewhere",
    ("route-missing", "route-unplanned"),
)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sealed._scrypt.keywords, "n", 4)


def test_a_guess_costs_what_it_should() -> None:
    assert sealed._scrypt.keywords["n"] * sealed._scrypt.keywords["r"] * 128 >= 64 << 20, (
        "bytes that each guess has to fill"
    )


@pytest.mark.usefixtures("cheap")
def test_the_seed_opens_it_and_another_does_not() -> None:
    shut = sealed.read(sealed.write(sealed.seal([SID, WAY], 7, 3, ["no answer"])))
    assert sealed.unseal(shut, 7) == (SID, WAY)
    assert (shut.count, shut.level, shut.symptoms) == (2, 3, ("no answer",))
    with pytest.raises(UsageError, match="8 isn't the seed"):
        sealed.unseal(shut, 8)


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("place", [0, 100, 8191, -1])
def test_a_box_that_was_written_into_is_refused(place: int) -> None:
    shut = sealed.seal([SID], 7, 1)
    box = bytearray.fromhex(shut.box)
    box[place] ^= 1
    with pytest.raises(UsageError):
        sealed.unseal(replace(shut, box=box.hex()), 7)


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize(
    ("node", "cause", "told"),
    [
        ("gate", "sid-not-installed", ((0,), (0,), (0,))),
        ("exit", "route-unplanned", ((1,), (1,), (1,))),
        ("gate", "route-missing", ((), (0,), (1,))),  # the place of one, the cause of the other
        ("gate", "frozen", ((), (0,), ())),
        ("east", "sid-not-installed", ((), (), (0,))),
        ("east", "frozen", ((), (), ())),
    ],
)
def test_place_and_cause_are_judged_each_by_itself(
    node: str, cause: str, told: tuple[tuple[int, ...], ...]
) -> None:
    assert sealed.tell(sealed.seal([SID, WAY], 7, 3), node, cause) == sealed.Told(*told)


@pytest.mark.usefixtures("cheap")
def test_what_is_written_tells_nothing() -> None:
    texts = [sealed.write(sealed.seal(faults, 7, 2)) for faults in ([SID], [WAY])]
    assert len(texts[0]) == len(texts[1]), "neither the number of causes nor the length of the truth shows"
    words = {*CAUSES, *KINDS, "gate", "exit", "undo", "truth"}
    assert [word for word in words for text in texts if word in text.split('"symptoms"')[0]] == []
    assert texts[0] != sealed.write(sealed.seal([SID], 7, 2)), "the same fault looks otherwise each time"


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("lost", ["salt", "pairs", "places", "causes", "box", "level"])
def test_what_is_not_as_it_was_written_is_said(lost: str) -> None:
    found = json.loads(sealed.write(sealed.seal([SID], 7, 1)))
    del found[lost]
    with pytest.raises(LabError, match="isn't as it was"):
        sealed.read(json.dumps(found))


@pytest.fixture
def broken(tmp_path: Path, cheap: None) -> Instance:
    """An instance in whose folder two faults are sealed; nothing of it runs."""
    home = Home(tmp_path / "small")
    home.path.mkdir()
    shut = sealed.write(sealed.seal([SID, WAY], 7, 3))
    write_begun(home, Begun("across", FAULT, "2026-01-01T00:00:00+00:00", sealed=shut))
    home.write(state := State("small", "small", "netns", "", "ready"))
    return Instance(home, state, provider_named("netns"))


def test_answers_are_counted_and_what_is_found_stays_found(broken: Instance) -> None:
    plan = planned()

    def said(node: str, cause: str) -> tuple[diagnosis.Judged, int]:
        judged = diagnosis.judge_diagnosis(broken, plan, node, cause)
        return judged, diagnosis.standing(diagnosis.broken_of(broken, plan)).percent

    assert said("gate", "sid-not-installed") == (diagnosis.Judged(1), 30)
    assert said("gate", "sid-not-installed") == (diagnosis.Judged(1, again=True), 30)
    assert said("gate", "frozen") == (diagnosis.Judged(), 20), (
        "whose place is found already says nothing more"
    )
    assert said("exit", "frozen") == (diagnosis.Judged(place=True), 10)
    assert said("east", "route-missing") == (diagnosis.Judged(cause=True), 0)
    assert said("exit", "route-missing") == (diagnosis.Judged(2), 30)
    begun = read_begun(broken.home)
    assert begun and begun.wrong == {"diagnosis": 3}


@pytest.mark.parametrize(
    ("node", "cause", "says"),
    [
        ("gat", "frozen", "did you mean `gate`"),
        ("", "frozen", "which node"),
        ("gate", "frozzen", "did you mean `frozen`"),
        ("gate", "", "which cause"),
        ("gate", "unknown", "there is no cause 'unknown'"),
    ],
)
def test_a_name_that_is_none_is_no_try(broken: Instance, node: str, cause: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        diagnosis.judge_diagnosis(broken, planned(), node, cause)
    begun = read_begun(broken.home)
    assert begun and not begun.wrong


def test_commands_are_for_the_node_that_they_name(broken: Instance) -> None:
    steps = [*diagnosis._steps(planned(), "gate", ["ip -6 route", "exit: ip link", "fc00:: is no node"])]
    assert steps == [("gate", "ip -6 route"), ("exit", "ip link"), ("gate", "fc00:: is no node")]
    with pytest.raises(UsageError, match="which node"):
        [*diagnosis._steps(planned(), "", ["ip -6 route"])]


@pytest.mark.parametrize(
    ("said", "percent"),
    [
        ({}, 60),
        ({"mended": True}, 100),
        ({"mended": True, "tries": 2}, 80),
        ({"mended": True, "looks": 1}, 80),
        ({"tries": 9}, 0),
        ({"mended": True, "solved": True}, 0),
    ],
)
def test_the_score(said: dict[str, int], percent: int) -> None:
    known = {"mended": False, "tries": 0, "looks": 0, "solved": False}
    assert diagnosis.Standing(found=1, count=1, **{**known, **said}).percent == percent  # type: ignore[arg-type]


def test_every_cause_has_words_and_no_gap() -> None:
    assert all("{" not in words and len(words) > 10 for words in diagnosis.causes().values())
