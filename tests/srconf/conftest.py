"""One chain for the tests of packets; the tests of the command make namespaces of their own."""

import os
import shutil
from collections.abc import Iterator

import pytest

from srv6lab.srconf import tcx

from .chain import ADD, NODES, Chain, Namespace, namespaces


@pytest.fixture(scope="session", autouse=True)
def _able() -> None:
    if os.geteuid() != 0:
        pytest.skip("srconf's tests need root")
    packages = "iproute2 ethtool tcpdump tshark nftables"
    for tool in ("ip", "tc", "ethtool", "tcpdump", "tshark", "nft"):
        assert shutil.which(tool), f"{tool} is missing: apt-get install {packages}"


@pytest.fixture(scope="session")
def wired() -> Iterator[Chain]:
    with namespaces(*NODES) as nodes:
        yield Chain(nodes)


@pytest.fixture
def chain(wired: Chain) -> Chain:
    """The chain with the seed's SID, counters at zero."""
    if wired.server1.srconf("clear-counters", "fc00:a::a1", check=False).returncode:
        wired.server1.srconf(*ADD)
    return wired


@pytest.fixture
def idle(wired: Chain) -> Chain:
    """The chain without a SID."""
    wired.server1.srconf("flush", check=False)
    return wired


@pytest.fixture(params=["tcx", "clsact"])
def hook(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the program is attached: by a filter, and as SRCONF_HOOK may ask for."""
    if request.param == "tcx" and tcx.programs(1) is None:
        pytest.skip("this kernel has no tcx")
    monkeypatch.setenv("SRCONF_HOOK", request.param)
    return str(request.param)


@pytest.fixture(params=["tcx", pytest.param("clsact", marks=pytest.mark.prove)])
def hook_at_first(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same for what takes long: in `make test` by tcx alone."""
    monkeypatch.setenv("SRCONF_HOOK", request.param)
    return str(request.param)


@pytest.fixture
def lone() -> Iterator[Namespace]:
    """A namespace with three interfaces and no traffic."""
    with namespaces("lone") as made:
        node = made["lone"]
        for number in range(3):
            node.ip(f"link add veth{number} type veth peer name far{number}\nlink set veth{number} up")
        node.ip("addr add 192.168.1.1/24 dev veth0\naddr add 192.168.2.1/24 dev veth1")
        yield node
