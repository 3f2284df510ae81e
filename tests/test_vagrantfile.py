"""The Vagrantfile as Vagrant understands it: every machine and every NIC of it, held against the plan.

`tests/vagrant/dump.rb` loads it with Vagrant's own loader. What the comparison claims to see, it is shown
to see: each kind of mistake is made on purpose.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from srv6lab.errors import TopologyError
from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.render.day0 import day0_path
from srv6lab.render.files import write
from srv6lab.render.templates import ruby
from srv6lab.render.vagrant import VAGRANTFILE, vagrant
from srv6lab.topology import scalars
from tests.conftest import LABS, REPOSITORY, SITE, sampled, some_labs, tool
from tests.small import SMALL, planned

DUMP = Path(__file__).with_name("vagrant") / "dump.rb"
HARDWARE = """\
defaults: {memory: 512, box: debian/bookworm64, box_version: 12.20240905.1}
groups: {core: {members: [gate, exit], memory: 2048, cpus: 2}, edge: {members: [east], box: bento/debian-12}}
"""
Said = dict[str, Any]


def star(links: int) -> str:
    """A node with that many links, with one node at the end of each."""
    ends = [f"n{number}" for number in range(1, links + 1)]
    nodes = [f"  {name}: {{role: host}}" for name in ["hub", *ends]]
    cables = [
        f'  - {{name: l{n}, prefix: 10.0.{n}.0/24, endpoints: ["hub:eth{n}", "n{n}:eth1"]}}'
        for n in range(1, links + 1)
    ]
    return "\n".join(["name: star", "nodes:", *nodes, "links:", *cables, ""])


def plan_of(name: str) -> Plan:
    if name == "small":
        return planned()
    if name == "small-with-hardware":
        return planned(SMALL.replace("nodes:\n", HARDWARE + "nodes:\n", 1))
    if name == "with-circuits":
        return next(one for one in SITE.plans() if any(nic.circuit for nic in one.nics()))
    return planned(star(7)) if name == "seven-links" else SITE.load(SITE.refer(name))[0]


# Which port is whose is free, as long as the two ends of a link meet: that has a test of its own.
SOCKETS = ("libvirt__tunnel_local_port", "libvirt__tunnel_port")

OWN = ["small", "small-with-hardware", "seven-links", "with-circuits"]
PLANS = [*some_labs(), *OWN]


def quiet(home: Path) -> dict[str, str]:
    """An environment in which Vagrant calls nobody and leaves nothing in anyone's home."""
    ours = {
        "HOME": str(home),
        "VAGRANT_HOME": str(home / ".vagrant.d"),
        "VAGRANT_CHECKPOINT_DISABLE": "1",
        "VAGRANT_NO_PLUGINS": "1",
    }
    return {**os.environ, **ours}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vagrant-home")


def understood(folders: Sequence[Path], home: Path) -> dict[Path, Said]:
    """What Vagrant's loader makes of the Vagrantfile in each folder."""
    assert tool("vagrant")
    command = [tool("ruby"), str(DUMP), *map(str, folders)]
    done = subprocess.run(command, env=quiet(home), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return {Path(folder): machines for folder, machines in json.loads(done.stdout).items()}


def suffix(folder: Path) -> str:
    return f"-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"


def cable(folder: Path) -> str:
    """The address of a copy's UDP tunnels under libvirt."""
    digest = hashlib.sha256(str(folder).encode()).digest()
    return f"127.{digest[0]}.{digest[1]}.{digest[2] % 254 + 1}"


def wanted(plan: Plan, folder: Path) -> Said:
    """What Vagrant has to understand, from the plan alone."""
    return {machine.name: _machine(plan, machine, folder) for machine in plan.nodes}


def _machine(plan: Plan, machine: PlannedNode, folder: Path) -> Said:
    adapters = dict(enumerate(machine.nics, 2))
    settings = {"--memory": str(machine.memory), "--cpus": str(machine.cpus)}
    for number, nic in adapters.items():
        settings |= _settings(number, nic, folder)
    return {
        "box": machine.box,
        "box_version": machine.box_version,
        "box_check_update": False,
        "hostname": None,  # Day0 sets it
        "name": f"{plan.name}-{machine.name}{suffix(folder)}",
        "linked_clone": True,
        "check_guest_additions": False,
        "networks": {n: _network(plan, n, nic, folder) for n, nic in adapters.items()},
        "settings": settings,
        "provisioners": list(_provisioners(machine, folder)),
        "synced_folders": {"/vagrant": True},
    }


def _settings(number: int, nic: Nic, folder: Path) -> Said:
    return {
        f"--nictype{number}": "82540EM",
        f"--nictrace{number}": "on",
        f"--nictracefile{number}": f"{folder}/captures/{nic.trace}.pcap",
        f"--cableconnected{number}": "on",
        **({f"--nicpromisc{number}": "allow-all"} if nic.circuit else {}),
    }


def _network(plan: Plan, number: int, nic: Nic, folder: Path) -> Said:
    return {
        "kind": "private_network",
        "adapter": number,
        "mac": nic.mac.replace(":", "").upper(),
        "virtualbox__intnet": f"{plan.name}-{nic.link}{suffix(folder)}",
        "type": "dhcp",
        "auto_config": False,
        "protocol": "tcp",  # Vagrant's own addition
        "libvirt__adapter": number - 1,
        "libvirt__tunnel_type": "udp",
        "libvirt__tunnel_local_ip": cable(folder),
        "libvirt__tunnel_ip": cable(folder),
    }


def _provisioners(machine: PlannedNode, folder: Path) -> Iterator[Said]:
    if machine.proxies:
        yield {"type": "file", "run": "always", "source": f"{folder}/srconf", "destination": "/tmp/srconf"}
    env = {"SRV6LAB_GUEST": "yes", **({"SRV6LAB_SRCONF": "/tmp/srconf"} if machine.proxies else {})}
    yield {"type": "shell", "run": "always", "path": f"{folder}/{day0_path(machine)}", "env": env}


def said(machine: Said) -> Said:
    """A machine of the dump in the form of `wanted`."""
    told = dict(machine)
    networks: Said = {}
    for kind, options in told["networks"]:
        number = options["adapter"]
        assert number not in networks, f"adapter {number} twice"
        networks[number] = {
            "kind": kind,
            **{key: one for key, one in options.items() if key not in ("id", *SOCKETS)},
        }
    settings: Said = {}
    for event, (verb, machine_id, *words) in told.pop("customizations"):
        assert (event, verb, machine_id) == ("pre-boot", "modifyvm", ":id")
        pairs = list(zip(words[::2], map(str, words[1::2]), strict=True))
        assert not settings.keys() & dict(pairs).keys(), "a setting twice"
        settings |= dict(pairs)
    folders = {guest: one.get("disabled", False) for guest, one in told["synced_folders"].items()}
    return {**told, "networks": networks, "settings": settings, "synced_folders": folders}


def differences(want: object, have: object, path: str = "") -> list[str]:
    """Every place in which two values differ."""
    if isinstance(want, dict) and isinstance(have, dict):
        keys = sorted(want.keys() | have.keys(), key=str)
        return [text for key in keys for text in differences(want.get(key), have.get(key), f"{path} {key}")]
    if isinstance(want, list) and isinstance(have, list) and len(want) == len(have):
        return [
            text
            for index, (one, other) in enumerate(zip(want, have, strict=True))
            for text in differences(one, other, f"{path} {index}")
        ]
    return [] if want == have else [f"{path.strip()}: {want!r} is wanted, Vagrant has {have!r}"]


def compared(plan: Plan, folder: Path, dumped: Said) -> list[str]:
    if "error" in dumped:
        return [f"error: {dumped['error']}"]
    return differences(wanted(plan, folder), {name: said(machine) for name, machine in dumped.items()})


@pytest.fixture(scope="module")
def folders(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every plan that a test of this run is about, rendered."""
    asked = [getattr(item, "callspec", None) for item in request.session.items if item.path == request.path]
    names = {one.params["name"] for one in asked if one and one.params.get("name") in (*LABS, *OWN)}
    found = {name: tmp_path_factory.mktemp(f"{name}-").resolve() for name in sorted(names | {"small"})}
    for name, folder in found.items():
        write(vagrant(plan_of(name)), folder)
    return found


@pytest.fixture(scope="module")
def dumps(folders: dict[str, Path], home: Path) -> dict[Path, Said]:
    """What Vagrant's loader makes of them all, started once."""
    return understood(list(folders.values()), home)


@pytest.mark.parametrize("name", PLANS)
def test_vagrant_understands_what_is_planned(
    name: str, folders: dict[str, Path], dumps: dict[Path, Said]
) -> None:
    folder = folders[name]
    assert compared(plan_of(name), folder, dumps[folder]) == []


@pytest.mark.parametrize("name", PLANS)
def test_two_ends_of_a_link_meet_on_a_network_of_their_own(
    name: str, folders: dict[str, Path], dumps: dict[Path, Said]
) -> None:
    """By MAC, without a word about how networks are called."""
    ends: dict[str, set[str]] = {}
    for machine in dumps[folders[name]].values():
        for _, options in machine["networks"]:
            ends.setdefault(options["virtualbox__intnet"], set()).add(options["mac"].lower())
    nics = {nic.point: nic for nic in plan_of(name).nics()}
    links = {frozenset((nic.mac, nics[nic.peer].mac)) for nic in nics.values()}
    assert {frozenset(macs) for macs in ends.values()} == {
        frozenset(m.replace(":", "") for m in one) for one in links
    }


@pytest.mark.parametrize("name", PLANS)
def test_two_ends_of_a_link_send_to_each_other_under_libvirt(
    name: str, folders: dict[str, Path], dumps: dict[Path, Said]
) -> None:
    sockets = {}
    for machine in dumps[folders[name]].values():
        for _, options in machine["networks"]:
            own, other = (options[key] for key in SOCKETS)
            assert own not in sockets, "two ends on one port"
            sockets[own] = options["mac"].lower(), other
    nics = {nic.mac.replace(":", ""): nic for nic in plan_of(name).nics()}
    assert len(sockets) == len(nics)
    for own, (mac, other) in sockets.items():
        far, back = sockets[other]
        assert back == own and nics[far].point == nics[mac].peer


@pytest.mark.parametrize("name", PLANS)
def test_the_folder_of_traces_is_there_once_vagrant_has_looked(
    name: str, folders: dict[str, Path], dumps: dict[Path, Said]
) -> None:
    assert dumps and (folders[name] / "captures").is_dir()


# `vagrant validate` takes seconds; those left out differ from the others in nothing that it looks at.
VALIDATED = [*(pytest.param(name, marks=pytest.mark.prove) for name in (*LABS, "small")), *OWN[1:]]


@pytest.mark.parametrize("name", VALIDATED)
def test_vagrant_validates(name: str, folders: dict[str, Path], home: Path) -> None:
    done = validated(folders[name], home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Vagrantfile validated successfully." in done.stdout


def validated(folder: Path, home: Path) -> subprocess.CompletedProcess[str]:
    command = [tool("vagrant"), "validate", "-p"]
    return subprocess.run(command, cwd=folder, env=quiet(home), capture_output=True, text=True, timeout=120)


def test_vagrant_misses_a_script_that_is_not_there(
    folders: dict[str, Path], home: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(folders["small"], broken)
    (broken / "day0" / "gate.sh").unlink()
    done = validated(broken, home)
    assert done.returncode == 1
    assert "gate.sh" in done.stderr


MAC = r"02[0-9A-F]{10}"
MISTAKES = {
    "mac": (MAC, "020000000000", r"networks \d+ mac"),
    "mac-missing": (rf'mac: "{MAC}", ', "", r"networks \d+ mac"),
    "adapter": (" adapter: 2", " adapter: 5", r"networks 5"),
    "slot": ("libvirt__adapter: 1", "libvirt__adapter: 2", r"networks \d+ libvirt__adapter"),
    "tunnel": ('tunnel_type: "udp"', 'tunnel_type: "mcast"', r"networks \d+ libvirt__tunnel_type"),
    "tunnel-from": ("tunnel_local_ip: cable", 'tunnel_local_ip: "127.0.0.1"', r"libvirt__tunnel_local_ip"),
    "tunnel-to": ("tunnel_ip: cable", 'tunnel_ip: "127.0.0.1"', r"libvirt__tunnel_ip"),
    "script-for-a-machine": ('"SRV6LAB_GUEST" => "yes"', "", r"provisioners 0 env"),
    "network": ("small-core", "small-core-2", r"networks \d+ virtualbox__intnet"),
    "network-of-another-kind": ('"private_network"', '"public_network"', r"networks \d+ kind"),
    "addresses-from-vagrant": ("auto_config: false", "auto_config: true", r"networks \d+ auto_config"),
    "network-missing": (r'    node\.vm\.network .*\n(?:      .*\n){3}', "", r"networks \d+"),
    "trace-off": (r'"--nictrace2", "on"', '"--nictrace2", "off"', r"settings --nictrace2"),
    "trace-missing": (r'"--nictrace2", "on",\s+', "", r"settings --nictrace2"),
    "trace-file": ("middle.pcap", "center.pcap", r"settings --nictracefile\d"),
    "trace-path-relative": (r'File\.join\(captures, ("[^"]*")\)', r"\1", r"settings --nictracefile\d"),
    "adapter-that-drops-long-frames": ('"82540EM"', '"Am79C973"', r"settings --nictype\d"),
    "cable": (r'"--cableconnected2", "on"', '"--cableconnected2", "off"', r"settings --cableconnected2"),
    "customization-missing": (r"      vb\.customize .*\n.*\n.*\n", "", r"settings --cableconnected2"),
    "memory": ("vb.memory = 1024", "vb.memory = 1023", r"settings --memory"),
    "cpus": ("vb.cpus = 1", "vb.cpus = 2", r"settings --cpus"),
    "name": ('vb.name = "small-gate"', 'vb.name = "small-gaet"', r"gate name"),
    "clone": ("linked_clone = true", "linked_clone = false", r"linked_clone"),
    "box": ("bento/debian-12", "bento/ubuntu-20.04", r" box"),
    "box-version": ("    node.vm.box =", '    node.vm.box_version = "1"\n    node.vm.box =', r"box_version"),
    "hostname": ("    node.vm.box =", '    node.vm.hostname = "gaet"\n    node.vm.box =', r"gate hostname"),
    "machine-renamed": ('define "gate"', 'define "gaet"', r"^gaet"),
    "script-of-another": ("day0/gate.sh", "day0/exit.sh", r"gate provisioners 0 path"),
    "script-once": ('run: "always"', 'run: "once"', r"provisioners 0 run"),
    "script-missing": (r"    node\.vm\.provision .*\n.*\n", "", r"provisioners"),
    "script-added": (
        r"(    node\.vm\.provision .*\n.*\n)", r"\1    node.vm.provision 'shell', inline: 'id'\n", r"provisioners",
    ),
    "synced-folder": (", disabled: true", "", r"synced_folders /vagrant"),
    "not-ruby": ("  end\nend", "  end", r"error: "),
}  # fmt: skip


@pytest.fixture(scope="module")
def mistaken(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, home: Path
) -> dict[str, tuple[Path, Said]]:
    """A rendered folder for each mistake that is asked for, with what Vagrant makes of it."""
    asked = {
        item.callspec.params["mistake"]
        for item in request.session.items
        if item.path == request.path and "mistake" in getattr(getattr(item, "callspec", None), "params", {})
    }
    files = vagrant(planned())
    found = {}
    for name in asked:
        pattern, replacement, _ = MISTAKES[name]
        folder = tmp_path_factory.mktemp(f"{name}-").resolve()
        text = re.sub(pattern, replacement, str(files[VAGRANTFILE]), count=1)
        assert text != files[VAGRANTFILE], f"{name} changes nothing"
        write({**files, VAGRANTFILE: text}, folder)
        found[name] = folder
    dumped = understood(list(found.values()), home)
    return {name: (folder, dumped[folder]) for name, folder in found.items()}


@pytest.mark.parametrize("mistake", sampled([*MISTAKES], 3))
def test_the_comparison_sees(mistake: str, mistaken: dict[str, tuple[Path, Said]]) -> None:
    seen = compared(planned(), *mistaken[mistake])
    assert any(re.search(MISTAKES[mistake][2], text.split(": ")[0] + ": ") for text in seen), seen


def test_two_copies_meet_nowhere(home: Path, tmp_path: Path) -> None:
    """Machines and networks of one lab in two folders: the same bytes, and no name in common."""
    one, other = tmp_path.resolve() / "one", tmp_path.resolve() / "other"
    for folder in (one, other):
        write(vagrant(planned()), folder)
    assert (one / VAGRANTFILE).read_bytes() == (other / VAGRANTFILE).read_bytes()

    def names(machines: Said) -> set[str]:
        networks = {
            options["virtualbox__intnet"] for one in machines.values() for _, options in one["networks"]
        }
        return networks | {machine["name"] for machine in machines.values()}

    dumped = understood([one, other], home)
    assert names(dumped[one]) and not names(dumped[one]) & names(dumped[other])


def test_a_folder_of_any_name(home: Path, tmp_path: Path) -> None:
    folder = tmp_path.resolve() / "a b'c\"d#{1}é"
    write(vagrant(planned()), folder)
    assert compared(planned(), folder, understood([folder], home)[folder]) == []


def test_eight_links_are_one_too_many() -> None:
    with pytest.raises(TopologyError) as caught:
        vagrant(planned(star(8)))
    assert str(caught.value).startswith(
        "small.yml:3:8: error: hub has 8 links; a VirtualBox machine has room for 7"
    )


def test_day0_names_a_machine_of_its_own_and_no_other(tmp_path: Path) -> None:
    """Twice in the machine, where the name is known once, and once in what is none."""
    plan = planned(SMALL.replace("gate", "ga_te"))
    (machine,) = (node for node in plan.nodes if "_" in node.name)
    script = vagrant(plan)[day0_path(machine)]
    assert isinstance(script, str)
    for folder in ("etc", "proc/sys/kernel"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/hostname").write_text("box\n")
    hosts, name = tmp_path / "etc/hosts", "ga-te"
    hosts.write_text(f"127.0.0.1 localhost\n10.0.0.1 my-{name} {name}.example\n")
    begin = script[: script.index("  install_packages()")].replace("/etc/", f"{tmp_path}/etc/") + "fi\n"
    begin = begin.replace("/proc/", f"{tmp_path}/proc/")
    for guest, known in (("", 0), ("yes", 1), ("yes", 1)):
        subprocess.run([tool("bash"), "-c", begin], env={**os.environ, "SRV6LAB_GUEST": guest}, check=True)
        assert hosts.read_text().splitlines().count(f"127.0.1.1 {name}") == known
        for file in ("etc/hostname", "proc/sys/kernel/hostname"):
            assert not known or (tmp_path / file).read_text() == f"{name}\n"
    assert (tmp_path / "etc/hostname").exists()


def test_a_proxy_gets_srconf_and_nobody_else_does() -> None:
    for name in (*LABS, *OWN):
        files = vagrant(plan_of(name))
        proxies = any(machine.proxies for machine in plan_of(name).nodes)
        assert any(path.startswith("srconf/") for path in files) == proxies, name
        for path in (path for path in files if path.startswith("srconf/")):
            content = files[path]
            source = (REPOSITORY / "srv6lab" / path).read_bytes()
            assert source == (content if isinstance(content, bytes) else content.encode())


# What Ruby would act on in a string, in a comment, or in a literal that ends too early.
HOSTILE = [
    '"; File.write(CANARY, ""); "',
    "'; File.write(CANARY, ''); '",
    '#{File.write(CANARY, "")}',
    "#$0 #@x #@@y",
    "\n  File.write(CANARY, '')\n",
    "\r\nFile.write(CANARY, '')\r",
    "\u2028File.write(CANARY, '')\u2029\x85",
    "`touch CANARY`",
    "%x(touch CANARY)",
    '\\"; File.write(CANARY, ""); #',
    "\\",
    '\\\\"',
    "a\\u{41}\\n\\#{1}",
    "\n=begin\nx\n=end\n",
    "\n__END__\n",
    "<<~X",
    "é→😀\u200b\ufeff\x1b[31m\x07\x7f",
    "{{ 7 * 7 }}{% raw %}{# #}",
    "",
    " ",
]


def evaluated(literals: Sequence[str]) -> list[str]:
    """What Ruby makes of literals, read as UTF-8 whatever the locale."""
    program = f"require 'json'\nputs JSON.generate([\n{','.join(literals)}\n])\n"
    done = subprocess.run(
        [tool("ruby"), "-"], input=program.encode(), capture_output=True, env={**os.environ, "LC_ALL": "C"}
    )
    assert done.returncode == 0, done.stderr.decode()
    return list(json.loads(done.stdout))


def test_ruby_reads_back_what_was_quoted() -> None:
    texts = [
        *HOSTILE,
        *map(chr, range(1, 0x250)),
        *(f"{one}{other}" for one in "#\\\"'" for other in "{$@\\\"'n\n"),
    ]
    assert evaluated([ruby(text) for text in texts]) == texts


def test_a_quoted_text_is_plain_and_one_line() -> None:
    for text in HOSTILE:
        assert re.fullmatch(r"[ -~]*", ruby(text))


def test_a_number_is_a_number() -> None:
    assert (ruby(1024), ruby("1024")) == ("1024", '"1024"')


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "x\udfff"])
def test_what_no_ruby_string_holds_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="can't hold"):
        ruby(text)


@pytest.mark.parametrize("value", [None, 1.5, b"x", ["x"]])
def test_only_texts_and_numbers_are_quoted(value: Any) -> None:
    with pytest.raises(TypeError):
        ruby(value)


def test_the_template_lets_nothing_past_the_quoting() -> None:
    text = (REPOSITORY / f"{VAGRANTFILE}.j2").read_text("utf-8")
    expressions = re.findall(r"\{\{(.*?)\}\}", text)
    assert expressions and all(re.fullmatch(r" [a-z0-9_.]+ \| ruby ", one) for one in expressions)
    assert all(
        re.fullmatch(r"(for \w+ in [\w.]+|if [\w.]+|else|endif|endfor)", one.strip())
        for one in re.findall(r"\{%(.*?)%\}", text)
    )


def poisoned(text: str) -> Plan:
    """A plan made by hand, past the schema, with a text in every place that reaches the Vagrantfile."""
    plan = planned()
    machines = []
    for number, machine in enumerate(plan.nodes):
        nics = tuple(
            replace(nic, trace=f"{nic.trace}{text}", link=f"{nic.link}{text}") for nic in machine.nics
        )
        name = f"{machine.name}{number}{text}"
        machines.append(replace(machine, name=name, nics=nics, box=f"b{text}", box_version=f"1{text}"))
    return replace(plan, name=f"lab{text}", description=f"about{text}", nodes=tuple(machines))


def test_no_text_gets_out_of_its_string(tmp_path: Path, home: Path) -> None:
    canary = tmp_path / "canary"
    plans = {}
    for number, text in enumerate(HOSTILE):
        folder = tmp_path.resolve() / str(number)
        folder.mkdir()
        plans[folder] = poisoned(text.replace("CANARY", f"'{canary}'"))
        (folder / VAGRANTFILE).write_text(str(vagrant(plans[folder])[VAGRANTFILE]), encoding="utf-8")
    dumped = understood(list(plans), home)
    for folder, plan in plans.items():
        assert compared(plan, folder, dumped[folder]) == []
    assert not canary.exists()


@pytest.mark.parametrize("kind", ["BoxName", "BoxVersion"])
@pytest.mark.parametrize(
    "text", [text for text in HOSTILE if text] + ["", "a/b/c", "a/b\n", "../b", "-a", "/a", ">="]
)
def test_the_schema_refuses_it_before_ruby_is_asked(kind: str, text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(getattr(scalars, kind)).validate_python(text)


VERSIONS = ["1", "202404.23.0", "12.20240905.1", ">= 1.0", ">=1,<2", "~> 2.2, != 2.2.4"]


@pytest.mark.parametrize("text", VERSIONS)
def test_versions_and_bounds_are_allowed(text: str) -> None:
    assert TypeAdapter(scalars.BoxVersion).validate_python(text) == text


def test_ruby_gems_read_the_versions_that_are_allowed() -> None:
    """Vagrant splits them at commas and asks this class."""
    program = "ARGV.each { |one| Gem::Requirement.new(*one.split(',').map(&:strip)) }"
    assert subprocess.run([tool("ruby"), "-e", program, *VERSIONS]).returncode == 0
