"""What `make e2e-vagrant` wrote still speaks of the labs as they are: it ran on what they render to now, all passed,
and nothing was left. Marked `prove`, as the run itself is a long proof: when a template has changed, run it again."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from srv6lab.images import OUR_BOX
from srv6lab.live.lifecycle import with_box
from srv6lab.render.vagrant import vagrant
from tests.conftest import REPOSITORY, SITE
from tests.vagrant.e2e import HOSTS
from tests.vagrant.results import failures, rendered, sha256

RESULT = REPOSITORY / "prove" / "vagrant-full.json"


def stale(result: dict[str, Any], now: dict[str, str]) -> list[str]:
    """The rendered files that are not as they were when the proof ran."""
    then = result["rendered"]
    return sorted(path for path in then.keys() | now.keys() if then.get(path) != now.get(path))


@pytest.mark.prove
@pytest.mark.parametrize("provider", HOSTS)
def test_the_proof_is_of_what_labs_render_to_now(provider: str) -> None:
    assert RESULT.exists(), "make e2e-vagrant lab=NAME writes it"
    result = json.loads(RESULT.read_text("utf-8"))[provider]
    assert stale(result, rendered(result["lab"])) == [], "run it again: make e2e-vagrant"
    assert failures(result) == []


RESULT_OF_ONE = {
    "differences_from_netns": {"chain": []},
    **{
        which: {
            "check": {"exit": 0},
            "exercises": {"chain": {"status": ["pass"]}},
            "destroy": {"exit": 0, "left": []},
        }
        for which in ("machines", "single_vm")
    },
}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("differences_from_netns", "chain"), ["ping at one:eth1"], "chain: ping at one:eth1"),
        (("machines", "check", "exit"), 4, "machines: check exits 4"),
        (("single_vm", "exercises", "chain", "status"), [], "single_vm: chain is []"),
        (("machines", "destroy", "left"), ["one"], "machines: destroy left {'exit': 0, 'left': ['one']}"),
    ],
)
def test_a_proof_that_failed_is_noticed(path: tuple[str, ...], value: object, said: str) -> None:
    assert failures(RESULT_OF_ONE) == []
    result = copy.deepcopy(RESULT_OF_ONE)
    *way, last = path
    place: Any = result
    for key in way:
        place = place[key]
    place[last] = value
    assert failures(result) == [said]


def test_a_changed_template_is_noticed() -> None:
    name = SITE.names()[0]
    now = rendered(name)
    assert stale({"rendered": now}, now) == []
    day0 = next(path for path in now if path.startswith("day0/"))
    assert stale({"rendered": now}, {**now, day0: sha256(b"#")}) == [day0]
    assert stale({"rendered": now}, {path: one for path, one in now.items() if path != day0}) == [day0]


def test_our_box_is_in_what_is_hashed() -> None:
    name = SITE.names()[0]
    plan, _ = SITE.load(SITE.refer(name))
    text = str(vagrant(with_box(plan, OUR_BOX))["Vagrantfile"])
    assert rendered(name)["Vagrantfile"] == sha256(text.encode())
    assert text.count(f'node.vm.box = "{OUR_BOX}"') == len(plan.nodes)
