"""The command line as a person types it: on a real lab, wrongly, from odd places, into pipes."""

from __future__ import annotations

import inspect
import json
import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
import uuid
import xml.etree.ElementTree as xml
from collections.abc import Iterator
from pathlib import Path

import pytest
from invoke import Task
from invoke.parser.context import ParserContext

import tasks
from srv6lab.cli.program import form_of
from srv6lab.cli.words import read
from srv6lab.providers.records import DEFAULT_PROVIDER
from srv6lab.providers.registry import PROVIDERS
from tests.conftest import INVOKE, LABS, REPOSITORY, SITE, need_root, tool
from tests.in_process import Done, Typed

NAME = LABS[0]
PLAN = SITE.load(SITE.refer(NAME))[0]
NODE = PLAN.nodes[0].name
NIC = PLAN.nodes[0].nics[0].name
EXERCISE = PLAN.exercises[0].name
ALL = {name: task for name, task in tasks.namespace.tasks.items() if isinstance(task, Task)}

LAB_MAY_BE_LEFT_OUT = ("validate", "doctor", "status")
COURSE = SITE.course()[0]


def run(*words: str, cwd: Path = REPOSITORY, given: str | None = None, **env: str) -> Done:
    return subprocess.run(
        [*INVOKE, *words],
        cwd=cwd,
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=60,
    )


def options(name: str) -> list[str]:
    """The options of a task, as they are typed."""
    return [
        one.strip("_").replace("_", "-") for one in inspect.signature(ALL[name].body).parameters if one != "_"
    ]


def said(done: Done, code: int, *words: str) -> None:
    """One clear message on stderr, this exit code, nothing on stdout, no traceback."""
    assert (done.returncode, done.stdout) == (code, ""), done
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


@pytest.fixture(scope="module")
def instance() -> Iterator[str]:
    """A lab that a person brought up, under a name of its own."""
    need_root()
    name = f"test-{uuid.uuid4().hex[:12]}"
    done = run("up", f"lab={NAME}", "--instance", name)
    assert done.returncode == 0, done.stderr
    try:
        yield name
    finally:
        run("destroy", NAME, "--instance", name, "--purge")


def shlex_join(words: list[str]) -> str:
    return shlex.join([*INVOKE, *words])


def on(instance: str, task: str, *words: str, **options: object) -> Done:
    return run(task, f"lab={NAME}", "--instance", instance, *words, **options)  # type: ignore[arg-type]


class TestUp:
    def test_the_first_line_says_where_it_runs_and_how_to_choose(self, instance: str) -> None:
        done = on(instance, "up")
        first = done.stderr.splitlines()[0]
        assert first.startswith(f"provider: {DEFAULT_PROVIDER} (")
        assert f"--provider {'|'.join(PROVIDERS)}" in first

    def test_twice_is_as_good_as_once(self, instance: str) -> None:
        before = on(instance, "status", "--format", "json").stdout
        done = on(instance, "up")
        assert done.returncode == 0, done.stderr
        assert "already up" in done.stderr
        assert on(instance, "status", "--format", "json").stdout == before

    def test_it_says_what_to_type_next(self, instance: str) -> None:
        done = on(instance, "up", "--provider", DEFAULT_PROVIDER)
        assert f"invoke check lab={NAME} --instance {instance}" in done.stdout
        assert len(done.stdout.splitlines()) == 1
        assert "choose with" not in done.stderr, "it was chosen"


class TestCheck:
    def test_pass_is_0_and_text_goes_to_stdout(self, instance: str) -> None:
        done = on(instance, "check", "--exercise", EXERCISE)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.startswith(f"exercise {EXERCISE}: PASS\n")
        assert done.stdout.endswith("exercises: 1 pass\n")
        assert "reading" in done.stderr

    def test_json_alone_is_on_stdout(self, instance: str) -> None:
        (document,) = json.loads(on(instance, "check", "--exercise", EXERCISE, "--format", "json").stdout)
        assert (document["exercise"], document["status"]) == (EXERCISE, "pass")

    def test_junit_alone_is_on_stdout(self, instance: str) -> None:
        done = on(instance, "check", "--exercise", EXERCISE, "--format", "junit")
        (suite,) = xml.fromstring(done.stdout.encode())
        assert (suite.get("failures"), suite.get("errors")) == ("0", "0")

    def test_a_lab_that_fails_is_4_and_up_mends_it(self, instance: str) -> None:
        assert on(instance, "exec", "--node", NODE, "--", "ip", "link", "set", NIC, "down").returncode == 0
        done = on(instance, "check", "--exercise", EXERCISE)
        assert done.returncode == 4
        assert "FAIL" in done.stdout
        assert on(instance, "up").returncode == 0
        assert on(instance, "check", "--exercise", EXERCISE).returncode == 0

    def test_captures_are_graded_with_no_lab_running_and_from_a_relative_path(
        self, instance: str, tmp_path: Path
    ) -> None:
        on(instance, "check", "--exercise", EXERCISE)
        runs = REPOSITORY / ".srv6lab" / instance / "runs" / EXERCISE
        shutil.copytree(runs, tmp_path / "mine")
        words = ("check", str(SITE.refer(NAME).path), "--exercise", EXERCISE, "--captures", "mine")
        done = run("-r", str(REPOSITORY), *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr

    def test_half_the_captures_are_inconclusive_which_is_3(self, instance: str, tmp_path: Path) -> None:
        on(instance, "check", "--exercise", EXERCISE)
        shutil.copytree(REPOSITORY / ".srv6lab" / instance / "runs" / EXERCISE, tmp_path / "half")
        nic = next(iter(PLAN.nics()))
        (tmp_path / "half" / "captures" / f"{nic.trace}.pcap").unlink()
        done = run("check", NAME, "--exercise", EXERCISE, "--captures", str(tmp_path / "half"))
        assert done.returncode == 3
        assert "INCONCLUSIVE" in done.stdout

    def test_a_closed_stdout_changes_no_exit_code(self, instance: str) -> None:
        command = shlex_join(["status", NAME, "--instance", instance]) + " >&-"
        assert subprocess.run(["bash", "-c", command], cwd=REPOSITORY).returncode == 0


class TestExec:
    def test_words_arrive_as_they_are(self, instance: str) -> None:
        words = ["a b", "it's", '"', "$HOME", "$(id)", "*", "", "--node", "é", "a\nb", "--"]
        done = on(instance, "exec", "--node", NODE, "--", "printf", "<%s>\\0", *words)
        assert done.stdout.split("\0")[:-1] == [f"<{word}>" for word in words]
        assert done.stderr == ""

    @pytest.mark.parametrize(
        ("script", "code"), [("exit 37", 37), ("kill -9 $$", 137), ("nosuchprogram", 127)]
    )
    def test_its_exit_code_is_the_command_s(self, instance: str, script: str, code: int) -> None:
        assert on(instance, "exec", "--node", NODE, "--", "sh", "-c", script).returncode == code

    def test_it_reads_stdin(self, instance: str) -> None:
        assert on(instance, "exec", "--node", NODE, "--", "cat", given="one\ntwo\n").stdout == "one\ntwo\n"

    def test_a_reader_that_has_seen_enough_ends_it(self, instance: str) -> None:
        command = shlex_join(["exec", NAME, "--instance", instance, "--node", NODE, "--", "yes"])
        done = subprocess.run(
            ["bash", "-c", f"{command} | head -1; echo ${{PIPESTATUS[0]}}"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert (done.stdout, done.stderr) == ("y\n141\n", "")

    def test_a_program_that_is_not_there_is_named(self, instance: str) -> None:
        done = on(instance, "exec", "--node", NODE, "--", "no-such-program")
        assert done.returncode == 127
        assert "no-such-program" in done.stderr

    def test_a_wrong_node_is_1_and_the_right_one_is_guessed(self, instance: str) -> None:
        said(on(instance, "exec", "--node", f"{NODE}x", "--", "true"), 1, f"did you mean `{NODE}`?")

    def test_no_node_lists_them(self, instance: str) -> None:
        said(on(instance, "exec", "--", "true"), 1, "none named", NODE)

    def test_no_command_says_how_to_write_it(self, instance: str) -> None:
        said(on(instance, "exec", "--node", NODE), 1, "no command", "-- COMMAND")


class TestConnect:
    def test_a_script_on_stdin_is_run(self, instance: str) -> None:
        done = on(instance, "connect", "--node", NODE, given="hostname; exit 5\n")
        assert (done.stdout, done.returncode) == (f"{NODE}\n", 5)

    @pytest.mark.parametrize("closed", ["</dev/null", "<&-"])
    def test_no_stdin_is_an_empty_script(self, instance: str, closed: str) -> None:
        command = shlex_join(["connect", NAME, "--instance", instance, "--node", NODE])
        done = subprocess.run(
            ["bash", "-c", f"{command} {closed}"], cwd=REPOSITORY, capture_output=True, text=True, timeout=30
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_on_a_terminal_it_is_a_terminal(self, instance: str) -> None:
        pid, master = pty.fork()
        if pid == 0:
            os.chdir(REPOSITORY)
            os.execv(sys.executable, [*INVOKE, "connect", NAME, "--instance", instance, "--node", NODE])
        os.write(master, b"tty; stty size; echo name=$(hostname); exit 7\n")
        seen = _read_all(master)
        _, status = os.waitpid(pid, 0)
        assert "/dev/pts/" in seen
        assert f"name={NODE}" in seen
        assert os.waitstatus_to_exitcode(status) == 7, seen


def _read_all(descriptor: int, seconds: float = 20) -> str:
    seen, deadline = b"", time.monotonic() + seconds
    while select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        seen += chunk
    os.close(descriptor)
    return seen.decode(errors="replace")


class TestStatusAndCapture:
    def test_all_is_alive(self, instance: str) -> None:
        done = on(instance, "status")
        assert done.returncode == 0
        assert done.stdout.count("  ok  ") == len(PLAN.nodes) + len(list(PLAN.traced()))

    def test_alone_it_lists_all_that_is_up(self, instance: str) -> None:
        (line,) = [text for text in run("status").stdout.splitlines() if text.startswith(instance)]
        nodes, tracers = len(PLAN.nodes), len(list(PLAN.traced()))
        assert f" {NAME} " in line and f"{nodes} of {nodes} nodes, {tracers} of {tracers} tracers" in line
        assert re.search(r" \d{4}-\d\d-\d\d \d\d:\d\d ", line)
        assert f"invoke check lab={NAME} --instance {instance}" in run("status").stdout
        found = json.loads(run("status", "--format", "json").stdout)
        assert instance in [one["instance"] for one in found]

    def test_what_differs_from_day0_is_told_and_up_brings_it_back(self, instance: str) -> None:
        assert "settings are as Day0 left them" in on(instance, "status").stdout
        assert on(instance, "exec", NODE, "ip", "link", "set", NIC, "mtu", "1400").returncode == 0
        assert f"  {NODE} link: {NIC}: mtu 1500 → 1400\n" in on(instance, "status").stdout
        assert re.search(
            rf"brought back what was dead or differed from Day0:\n\S* *.*  {NODE} link: {NIC}: mtu 1500 → 1400",
            on(instance, "up").stderr,
        )
        assert "settings are as Day0 left them" in on(instance, "status").stdout
        assert "nothing had to be brought back" in on(instance, "up").stderr

    def test_json(self, instance: str) -> None:
        document = json.loads(on(instance, "status", "--format", "json").stdout)
        assert {one["name"] for one in document if one["kind"] == "node"} == {m.name for m in PLAN.nodes}

    def test_a_reader_that_has_seen_enough_is_no_error(self, instance: str) -> None:
        command = shlex_join(["status", NAME, "--instance", instance])
        done = subprocess.run(
            ["bash", "-c", f"{command} | true; echo ${{PIPESTATUS[0]}}"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
        )
        assert (done.stdout, done.stderr) == ("0\n", "")

    @pytest.mark.parametrize("words", [["labs"], ["up", "--help"], ["--list"]])
    def test_so_it_is_of_what_only_tells(self, words: list[str]) -> None:
        command = f"env -u PYTHONUNBUFFERED {shlex_join(words)} | true; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], cwd=REPOSITORY, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("0\n", "")

    def test_captures_are_written_where_asked_and_listed(self, instance: str, tmp_path: Path) -> None:
        out = tmp_path / "o u't"
        done = on(instance, "capture", "--out", str(out))
        assert done.returncode == 0, done.stderr
        assert set(done.stdout.splitlines()) == {str(out / f"{nic.trace}.pcap") for nic in PLAN.traced()}
        for line in done.stdout.splitlines():
            shown = subprocess.run([tool("tcpdump"), "-r", line, "--count"], capture_output=True, text=True)
            assert shown.returncode == 0, shown.stderr

    def test_captures_never_replace_what_a_tracer_writes(self, instance: str) -> None:
        live = REPOSITORY / ".srv6lab" / instance / "captures"
        before = {path.name: path.stat().st_size for path in live.iterdir()}
        said(on(instance, "capture", "--out", str(live)), 1, "--out takes another folder")
        assert all((live / name).stat().st_size >= size for name, size in before.items())

    def test_a_file_in_the_place_of_the_folder_is_named(self, instance: str, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        said(on(instance, "capture", "--out", str(tmp_path / "file")), 1, str(tmp_path / "file"))


class TestWrongWords:
    @pytest.mark.parametrize("name", ALL)
    def test_a_wrong_option_is_guessed(self, typed: Typed, name: str) -> None:
        for option in options(name):
            for wrong in (f"--{option}x", f"{option}x=1"):
                said(typed(name, wrong), 1, f"{name} has no option", f"{option}`?")

    @pytest.mark.parametrize("task", ["check", "predict"])
    def test_a_wrong_exercise_in_its_place_is_guessed(self, typed: Typed, task: str) -> None:
        said(typed(task, NAME, EXERCISE[:-1]), 1, f"did you mean `{EXERCISE}`?")

    def test_two_values_for_one_thing_are_refused(self, typed: Typed) -> None:
        said(
            typed("up", f"lab={NAME}", "--lab", LABS[1]),
            1,
            "lab is given twice",
            f"lab={NAME} or lab={LABS[1]}",
        )

    @pytest.mark.parametrize("words", [("chekc", NAME), ("--help", "chekc")])
    def test_a_wrong_task_is_guessed(self, typed: Typed, words: tuple[str, ...]) -> None:
        said(typed(*words), 1, "there is no task chekc", "did you mean `check`?")

    @pytest.mark.parametrize("task", ["up", "check", "validate"])
    def test_a_wrong_lab_is_guessed(self, typed: Typed, task: str) -> None:
        said(typed(task, f"lab={NAME[:-1]}"), 1, f"did you mean `{NAME}`?")

    def test_a_lab_far_from_all_lists_them(self, typed: Typed) -> None:
        said(typed("up", "zzz"), 1, *LABS)

    @pytest.mark.parametrize(
        "task", [name for name in ALL if "lab" in options(name) and name not in LAB_MAY_BE_LEFT_OUT]
    )
    def test_no_lab_lists_them_and_says_how_to_go_on(self, typed: Typed, task: str) -> None:
        more = ("--", "true") if task == "exec" else ()
        said(
            typed(task, *more), 1, "no lab is named", "lab=NAME", *LABS, *(one.description for one in COURSE)
        )

    @pytest.mark.parametrize("words", [("lab=",), ("--lab", "")])
    def test_an_empty_name_is_none(self, typed: Typed, words: tuple[str, ...]) -> None:
        said(typed("up", *words), 1, "no lab is named", *LABS)

    @pytest.mark.parametrize("task", ["check", "status", "connect", "capture"])
    def test_a_lab_that_is_not_up_is_3_and_says_what_to_type(self, typed: Typed, task: str) -> None:
        said(typed(task, NAME, "--instance", "test-nobody"), 3, "isn't up", f"invoke up lab={NAME}")

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            (("up", NAME, "--provider", "netsn"), "there are: "),
            (("check", NAME, "--format", "yaml"), "there are: text, json, junit"),
            (("check", NAME, "--exercise", "nope"), EXERCISE),
            (("check", NAME, "--exercise", EXERCISE[:-1]), f"did you mean `{EXERCISE}`?"),
            (("check", NAME, "--captures", "/nowhere", "--exercise", EXERCISE), "/nowhere"),
            (("up", NAME, "--instance", "../x"), "--instance"),
            (("up", NAME, "--instance", "a b"), "--instance"),
            (("up", NAME, "--no-such-option"), "no-such-option"),
            (("upp", NAME), "upp"),
            (("up", NAME, "extra"), "extra"),
        ],
        ids=lambda value: " ".join(value[2:]) if isinstance(value, tuple) else "",
    )
    def test_a_wrong_value_is_1(self, typed: Typed, words: tuple[str, ...], expected: str) -> None:
        said(typed(*words), 1, expected)

    def test_a_node_in_the_lab_s_place_is_told_from_a_lab(self, typed: Typed, instance: str) -> None:
        called = f"lab={NAME} --instance {instance}"
        said(typed("connect", NODE), 3, f"{NODE} isn't up", "it is a node", f"{called} {NODE}")

    def test_no_lab_tells_which_are_up(self, typed: Typed, instance: str) -> None:
        said(typed("connect"), 1, "up now: ", f"lab={NAME} --instance {instance}")

    def test_a_wrong_instance_is_guessed(self, typed: Typed, instance: str) -> None:
        wrong = f"{instance}x"
        said(
            typed("check", NAME, "-i", wrong), 3, "isn't up", f"did you mean `{instance}`?", "Else: invoke up"
        )

    def test_a_wrong_node_in_its_place_is_guessed(self, typed: Typed, instance: str) -> None:
        for words in ((NAME, f"{NODE}x"), (f"node={NODE}x", NAME), (f"{NODE}x", f"lab={NAME}")):
            wanted = f"did you mean `{NODE}`?"
            said(typed("connect", "--instance", instance, *words), 1, wanted)
            said(typed("exec", "--instance", instance, *words, "ip", "address"), 1, wanted)

    def test_a_command_needs_no_dashes_before_it(self, instance: str) -> None:
        for words in (
            (NAME, NODE, "sh", "-c", "hostname; exit 3"),
            (f"node={NODE}", f"lab={NAME}", "--", "sh", "-c", "hostname; exit 3"),
        ):
            done = run("exec", "--instance", instance, *words)
            assert (done.stdout, done.returncode) == (f"{NODE}\n", 3)

    def test_a_wrong_format_of_status_is_1(self, instance: str) -> None:
        said(on(instance, "status", "--format", "junit"), 1, "there are: text, json")

    def test_captures_of_several_exercises_at_once_are_refused(self, typed: Typed) -> None:
        if len(PLAN.exercises) > 1:
            said(typed("check", NAME, "--captures", "."), 1, "--exercise, one of")

    def test_destroying_what_is_not_up_is_0(self, typed: Typed) -> None:
        done = typed("destroy", NAME, "--instance", "test-nobody")
        assert (done.returncode, done.stderr) == (0, "")
        assert "nothing to take away" in done.stdout

    def test_destroying_what_never_was_is_1_and_suggests(self, typed: Typed) -> None:
        said(typed("destroy", f"{NAME}x"), 1, f"there is no lab {NAME}x", f"did you mean `{NAME}`?")
        said(typed("destroy", "no/where.yml"), 1, "there is no lab where")


@pytest.fixture
def typo(tmp_path: Path) -> Path:
    """A learner's copy of a lab, in which a key is misspelled."""
    folder = tmp_path / "my labs"
    shutil.copytree(SITE.refer(NAME).path.parent, folder)
    path = folder / "mine.yml"
    (folder / "topology.yml").rename(path)
    path.write_text(path.read_text().replace("endpoints:", "endpionts:", 1))
    return path


class TestAWrongFile:
    @pytest.mark.parametrize("task", ["validate", "up", "check"])
    def test_it_is_2_with_its_place_and_what_was_meant(self, typed: Typed, typo: Path, task: str) -> None:
        done = typed(task, str(typo))
        line = next(n for n, text in enumerate(typo.read_text().splitlines(), 1) if "endpionts" in text)
        said(done, 2, f"{typo}:{line}:", "did you mean `endpoints`?")

    def test_debug_shows_where(self, typo: Path) -> None:
        done = run("--debug", "check", str(typo))
        assert done.returncode != 0
        assert "Traceback" in done.stderr
        assert "load.py" in done.stderr

    def test_the_way_to_it_may_be_relative_or_a_folder(self, typo: Path) -> None:
        typo.rename(typo.with_name("topology.yml"))
        for spec in ("lab=topology.yml", "./", "lab=./topology.yml"):
            done = run("-r", str(REPOSITORY), "validate", spec, cwd=typo.parent)
            said(done, 2, "topology.yml:")

    def test_a_file_that_is_none_is_1(self, typed: Typed, tmp_path: Path) -> None:
        said(typed("validate", str(tmp_path / "nope.yml")), 1, "nope")

    def test_a_name_that_serves_for_no_instance_says_which_option_names_one(
        self, typed: Typed, tmp_path: Path
    ) -> None:
        folder = tmp_path / "my lab"
        shutil.copytree(SITE.refer(NAME).path.parent, folder)
        said(typed("up", str(folder / "topology.yml")), 1, "--instance")


def test_validate_says_that_a_file_is_sound(typed: Typed) -> None:
    done = typed("validate", NAME)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("valid\n")


def test_labs_lists_them(typed: Typed) -> None:
    done = typed("labs")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == [one.name for one in COURSE]


@pytest.mark.parametrize("name", ALL)
def test_help_explains_every_option(typed: Typed, name: str) -> None:
    text = typed("--help", name).stdout
    flat = " ".join(text.split())
    assert set(ALL[name].help) == set(options(name)), "an option without a word of help"
    for option in options(name):
        assert f"--{option}" in flat
        assert " ".join(str(ALL[name].help[option]).split()) in flat
    assert (ALL[name].__doc__ or "").strip().splitlines()[0] in flat


@pytest.mark.parametrize("name", [name for name in ALL if name not in ("labs", "frr", "course")])
def test_help_has_examples_that_say_the_same(typed: Typed, name: str) -> None:
    lines = typed(name, "--help").stdout.splitlines()
    short, long = (line.split()[1:] for line in lines if line.startswith(f"  invoke {name} "))
    forms = {one.name: form_of(one) for one in tasks.namespace.to_contexts()}
    core = form_of(ParserContext())
    assert read(short, forms, core)[0].values == read(long, forms, core)[0].values
    assert [word for word in long if "=" in word] or name == "exec"


def test_help_may_be_asked_for_as_a_task(typed: Typed) -> None:
    assert typed("help", "up").stdout == typed("up", "--help").stdout
    assert typed("help").stdout == typed().stdout
    said(typed("help", "upp"), 1, "there is no task upp", "did you mean `up`?")


@pytest.mark.parametrize("words", [(), ("--list",)])
def test_nothing_and_a_list_show_how_to_begin(typed: Typed, words: tuple[str, ...]) -> None:
    done = typed(*words)
    first = COURSE[0].name
    assert (done.returncode, done.stderr) == (0, "")
    flat = " ".join(done.stdout.split())
    for line in (f"invoke up {first}", f"invoke check {first} ", f"invoke destroy {first}", "--help", *ALL):
        assert line in flat


def test_a_list_for_programs_is_only_that(typed: Typed) -> None:
    names = {one["name"] for one in json.loads(typed("--list", "--list-format", "json").stdout)["tasks"]}
    assert names == set(ALL)


@pytest.mark.parametrize("word", ["-h", "--help"])
@pytest.mark.parametrize("name", ["up", "exec", "predict"])
def test_help_is_given_after_a_task_s_name_too(typed: Typed, name: str, word: str) -> None:
    after, before = typed(name, word), typed("--help", name)
    assert (after.returncode, after.stderr) == (0, "")
    assert after.stdout.splitlines()[1:] == before.stdout.splitlines()[1:]


def test_destroy_needs_no_file_and_a_subfolder_will_do(tmp_path: Path) -> None:
    """Up from a path and from a folder below the repository's; gone is the file before `destroy`."""
    folder = tmp_path / "gone"
    shutil.copytree(SITE.refer(NAME).path.parent, folder)
    instance = f"test-{uuid.uuid4().hex[:12]}"
    below = REPOSITORY / "docs"
    done = run("up", str(folder / "topology.yml"), "--instance", instance, cwd=below)
    try:
        assert done.returncode == 0, done.stderr
        shutil.rmtree(folder)
    finally:
        gone = run("destroy", str(folder / "topology.yml"), "--instance", instance, cwd=below)
    assert (gone.returncode, gone.stdout) == (0, f"{instance} is gone\n")
    assert not (REPOSITORY / ".srv6lab" / instance).exists()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone where nobody would look for one."""
    folder = tmp_path_factory.mktemp("odd") / 'it\'s a "lab": x,y \\ $HOME é 实验' / ("x" * 200)
    kept = ("srv6lab", "labs", "templates")
    for name in kept:
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "tasks.py", folder)
    return folder


class TestOddPlaces:
    def test_with_nothing_up_status_says_how_to_begin(self, checkout: Path) -> None:
        done = run("status", cwd=checkout)
        assert (done.returncode, done.stderr) == (0, "")
        assert "nothing is up" in done.stdout and f"invoke up lab={COURSE[0].name}" in done.stdout

    def test_up_check_and_destroy(self, checkout: Path) -> None:
        odd = {"HOME": "/nonexistent", "LC_ALL": "C", "TMPDIR": "/nonexistent", "PATH": "/usr/bin:/bin"}
        try:
            up = run("up", NAME, cwd=checkout, **odd)
            check = run("check", NAME, "--exercise", EXERCISE, cwd=checkout, **odd)
        finally:
            destroy = run("destroy", NAME, "--purge", cwd=checkout, **odd)
        assert up.returncode == 0, up.stderr
        assert check.returncode == 0, check.stdout + check.stderr
        assert destroy.returncode == 0, destroy.stderr
        assert not (checkout / ".srv6lab").exists()

    def test_a_disk_that_is_full_leaves_nothing_and_says_so(self, checkout: Path, tmp_path: Path) -> None:
        home = checkout / ".srv6lab"
        home.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", home], check=True)
        try:
            done = run("up", NAME, cwd=checkout)
            left = list(home.iterdir())
        finally:
            subprocess.run(["umount", home], check=True)
            home.rmdir()
        said(done, 3, "No space left on device")
        assert left == []

    def test_a_folder_that_can_only_be_read_is_named(self, checkout: Path) -> None:
        home = checkout / ".srv6lab"
        home.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", home], check=True)
        try:
            done = run("up", NAME, cwd=checkout)
        finally:
            subprocess.run(["umount", home], check=True)
            home.rmdir()
        said(done, 3, "Read-only file system", ".srv6lab")

    def test_without_root_the_hint_is_sudo(self, checkout: Path) -> None:
        for folder in (checkout, *checkout.parents):
            if folder.stat().st_uid == 0 and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o055)
            if folder.name == "tmp":
                break
        nobody = [tool("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"]
        done = subprocess.run(
            [*nobody, *INVOKE, "up", NAME],
            cwd=checkout,
            capture_output=True,
            text=True,
            env={**os.environ, "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"},
        )
        said(done, 3, "sudo")

    def test_letters_that_a_terminal_lacks_are_replaced(self, instance: str) -> None:
        done = subprocess.run(
            [*INVOKE, "check", NAME, "--instance", instance, "--exercise", EXERCISE],
            cwd=REPOSITORY,
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
        )
        assert done.returncode == 0, done.stderr
        assert re.search(rb"10\.\S+ \? 10\.|\S+ \? \S+ hl", done.stdout)

    def test_a_closed_stderr_leaves_stdout_to_the_data(self, instance: str) -> None:
        command = shlex_join(["up", NAME, "--instance", instance]) + " 2>&-"
        done = subprocess.run(["bash", "-c", command], cwd=REPOSITORY, capture_output=True, text=True)
        assert done.returncode == 0
        assert len(done.stdout.splitlines()) == 1


def test_two_ups_at_once(instance: str) -> None:
    """One of them works, the other one is told so; or they come one after the other."""
    command = [*INVOKE, "up", NAME, "--instance", instance]
    pipe = subprocess.PIPE
    both = [subprocess.Popen(command, cwd=REPOSITORY, stdout=pipe, stderr=pipe, text=True) for _ in range(2)]
    ends = [(popen.communicate(timeout=60), popen.returncode) for popen in both]
    assert {code for _, code in ends} <= {0, 1}
    assert 0 in {code for _, code in ends}
    assert all("another command is at work" in err for (_, err), code in ends if code)
    assert on(instance, "status").returncode == 0
