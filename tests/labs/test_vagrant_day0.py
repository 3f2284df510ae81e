"""Day0 as Vagrant runs it: what it uploads to `/tmp` becomes the SR proxy's command."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import LABS, SITE, Up

PROXIED = [name for name in LABS if any(one.proxies for one in SITE.load(SITE.refer(name))[0].nodes)]


@pytest.fixture(scope="module", params=PROXIED)
def lab(request: pytest.FixtureRequest, bring_up: Callable[[str], Up]) -> Up:
    return bring_up(request.param)


UPLOAD = """\
cp -r /usr/local/lib/srconf /tmp/srconf && chmod a-x /tmp/srconf/srconf && rm -rf /usr/local/lib/srconf
SRV6LAB_SRCONF=/tmp/srconf bash /run/day0.sh
"""


def test_a_proxy_takes_the_srconf_that_was_uploaded(lab: Up) -> None:
    for machine in (one for one in lab.plan.nodes if one.proxies):
        said = lab.sh(machine.name, UPLOAD)
        shown = lab.sh(machine.name, "srconf localsid show")
        for proxy in machine.proxies:
            assert f"SID {proxy.sid} {proxy.behavior.name}: srconf on eBPF serves" in said
            assert str(proxy.sid) in shown


def test_without_an_upload_or_a_copy_it_says_what_is_missing(lab: Up) -> None:
    for machine in lab.plan.nodes:
        if machine.proxies:
            away = "mv /usr/local/lib/srconf /usr/local/lib/away; ! bash /run/day0.sh 2>&1"
            said = lab.sh(machine.name, f"{away}; mv /usr/local/lib/away /usr/local/lib/srconf")
            assert "/usr/local/lib/srconf is missing" in said


HEADENDS = [name for name in LABS if any(one.headend for one in SITE.load(SITE.refer(name))[0].nodes)]
UPLOADED = """\
kill -KILL "$(cat /var/lib/srv6lab/policies/pid)"; rm /var/lib/srv6lab/policies/state.json
mv /usr/local/lib/srv6lab /tmp/agent
! bash /run/day0.sh 2>&1
SRV6LAB_AGENT=/tmp/agent bash /run/day0.sh
for _ in {1..200}; do [[ ! -e /var/lib/srv6lab/policies/state.json ]] || break; sleep 0.05; done
test -e /var/lib/srv6lab/policies/state.json
rm -r /tmp/agent
"""


@pytest.mark.parametrize("name", HEADENDS)
def test_a_headend_takes_the_agent_that_was_uploaded(name: str, bring_up: Callable[[str], Up]) -> None:
    lab = bring_up(name)
    for machine in (one for one in lab.plan.nodes if one.headend):
        said = lab.sh(machine.name, UPLOADED)
        assert "no agent for SR policies: /usr/local/lib/srv6lab is missing" in said
