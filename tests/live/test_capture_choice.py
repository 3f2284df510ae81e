"""Which NICs `invoke capture --live` shows, by the words that are typed."""

from __future__ import annotations

import io

import pytest

from srv6lab.cli.capture import Asked, chosen, refuse, refuse_alone
from srv6lab.errors import UsageError
from srv6lab.evidence.packets import Point

KNOWN = [Point.parse(text) for text in ("west:eth1", "mid:eth1", "mid:eth2", "mid/box:eth1", "east:eth1")]


@pytest.mark.parametrize(
    ("nodes", "nics", "wanted"),
    [
        ([], [], "west:eth1 mid:eth1 mid:eth2 mid/box:eth1 east:eth1"),
        (["east", "west"], [], "west:eth1 east:eth1"),
        (["mid"], [], "mid:eth1 mid:eth2 mid/box:eth1"),
        ([], ["mid:eth2", "east:eth1", "mid:eth2"], "mid:eth2 east:eth1"),
        ([], ["mid/box:eth1"], "mid/box:eth1"),
        (["mid"], ["eth2"], "mid:eth2"),
        (["mid"], ["eth1"], "mid:eth1 mid/box:eth1"),
        (["mid", "east"], ["eth1"], "mid:eth1 mid/box:eth1 east:eth1"),
        (["west"], ["east:eth1"], "west:eth1 east:eth1"),
        (["mid"], ["eth2", "east:eth1"], "mid:eth2 east:eth1"),
    ],
)
def test_nics_are_chosen_in_the_lab_s_order(nodes: list[str], nics: list[str], wanted: str) -> None:
    assert " ".join(map(str, chosen(KNOWN, Asked(nodes, nics)))) == wanted


@pytest.mark.parametrize(
    ("nodes", "nics", "words"),
    [
        (["mdi"], [], "there is no node 'mdi'\n  mend: did you mean `mid`?"),
        (["nowhere"], [], "there is no node 'nowhere'\n  mend: there are: west, mid, east"),
        ([], ["mid:eth3"], "there is no NIC 'mid:eth3'\n  mend: did you mean `mid:eth1` or `mid:eth2`?"),
        (["mid"], ["eth3"], "mid has no NIC 'eth3'\n  mend: did you mean `eth1` or `eth2`?"),
        (["west", "mid"], ["eth2"], "west has no NIC 'eth2'\n  mend: did you mean `eth1`?"),
        ([], ["eth2"], "NIC 'eth2' of which node?\n  mend: --nic NODE:NIC, such as mid:eth2, or --node NODE"),
    ],
)
def test_what_is_not_there_is_told_with_what_may_be_meant(
    nodes: list[str], nics: list[str], words: str
) -> None:
    with pytest.raises(UsageError) as told:
        chosen(KNOWN, Asked(nodes, nics))
    assert str(told.value) == words


def test_what_was_asked_is_told_as_it_is_typed() -> None:
    asked = Asked(["a b"], ["c:eth1"], "ip6 and not icmp6")
    assert asked.words == " --node 'a b' --nic c:eth1 --filter 'ip6 and not icmp6'"
    assert asked
    assert not Asked()


def test_a_folder_is_refused_and_a_pipe_is_not() -> None:
    refuse("one", "", "", Asked(), io.StringIO())
    with pytest.raises(UsageError, match="to no folder") as told:
        refuse("one", "DIR", "mine", Asked(nodes=["mid"]), io.StringIO())
    assert told.value.mend == "invoke capture lab=one --live --node mid --instance mine >FILE.pcapng"


def test_what_chooses_for_a_live_capture_is_refused_without_one() -> None:
    refuse_alone(Asked())
    for asked in (Asked(nodes=["mid"]), Asked(nics=["mid:eth1"]), Asked(filter="ip6")):
        with pytest.raises(UsageError, match="what --live shows") as told:
            refuse_alone(asked)
        assert asked.words in told.value.mend
