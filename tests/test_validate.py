"""`invoke validate`: all problems of all files, of the course too, and for other people's repositories."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from srv6lab.cli import validate as validation
from srv6lab.cli.validate import main, validate
from srv6lab.errors import Location, Problem, UsageError
from srv6lab.report.problems import problems_github
from tests.conftest import LABS, REPOSITORY, invoke, tool

SOUND = """\
name: NAME
REQUIRES
nodes:
  pa: {role: host}
  pb: {role: host}
links:
  - {name: cable, prefix: 10.0.1.0/24, endpoints: ["pa:eth1", "pb:eth1"]}
"""


def written(folder: Path, **requires: str) -> Path:
    """A folder of labs; each requires those that are named, with commas."""
    for name, names in requires.items():
        (folder / name).mkdir(parents=True)
        text = SOUND.replace("NAME", name).replace("REQUIRES\n", f"requires: [{names}]\n" if names else "")
        (folder / name / "topology.yml").write_text(text, encoding="utf-8")
    return folder


def told(folder: Path) -> list[str]:
    """What is wrong, each with the lab that it is in and its line."""
    return [
        f"{Path(one.file).parent.name}:{problem.location.line}: {problem.what}"
        for one in validate(validation.files_in(folder))
        for problem in one.problems
    ]


def test_what_is_required_is_there(tmp_path: Path) -> None:
    assert told(written(tmp_path, first="", second="first", third="first, second")) == []


def test_a_lab_that_is_not_there_is_told_at_its_place(tmp_path: Path) -> None:
    folder = written(tmp_path, first="", second="frist")
    (one,) = [problem for checked in validate(validation.files_in(folder)) for problem in checked.problems]
    assert one.what == "there is no lab frist beside this one"
    assert one.mend == "did you mean `first`?"
    assert (one.location.line, one.location.column) == (2, 12)


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        ({"one": "one"}, ["one:2: one requires one: nobody could begin"]),
        (
            {"one": "two", "two": "one"},
            [
                "one:2: one requires two, which requires one: nobody could begin",
                "two:2: two requires one, which requires two: nobody could begin",
            ],
        ),
        (
            {"one": "two", "three": "one", "two": "three", "zero": "one"},
            [
                "one:2: one requires two, which requires three, which requires one: nobody could begin",
                "three:2: three requires one, which requires two, which requires three: nobody could begin",
                "two:2: two requires three, which requires one, which requires two: nobody could begin",
            ],
        ),
    ],
)
def test_a_circle_is_told_to_everybody_in_it(
    tmp_path: Path, requires: dict[str, str], expected: list[str]
) -> None:
    assert told(written(tmp_path, **requires)) == expected


def test_a_file_with_problems_hides_neither_its_requirements_nor_another_file(tmp_path: Path) -> None:
    folder = written(tmp_path, first="gone", second="", third="nowhere")
    path = folder / "first" / "topology.yml"
    path.write_text(path.read_text("utf-8").replace("role: host", "role: hots", 1), encoding="utf-8")
    assert told(folder) == [
        "first:2: there is no lab gone beside this one",
        "first:4: `role` can't be `hots`",
        "third:2: there is no lab nowhere beside this one",
    ]


@pytest.mark.parametrize("name", ["..", "a/b", "/etc", ".", "a\\0b", "../first"])
def test_a_requirement_is_no_path(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path, first=f'"{name}"')
    said = told(folder)
    assert len(said) == 1
    assert "item 1 of `requires` can't be" in said[0]


def test_a_file_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    folder = written(tmp_path, first="", second="gone")
    (folder / "first" / "topology.yml").unlink()
    (folder / "first" / "topology.yml").mkdir()
    said = [problem.what for one in validate(validation.files_in(folder)) for problem in one.problems]
    assert "is a folder" in said[0]
    assert said[1] == "there is no lab gone beside this one"


def test_no_labs_is_1(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no labs"):
        validation.files_in(tmp_path)
    assert main(["--labs", str(tmp_path)]) == 1
    assert main(["--labs", str(tmp_path / "none")]) == 1
    assert main(["--no-such-option"]) == 1


def test_json_has_all_problems_and_nothing_else_on_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path, first="gone", second="")
    assert main(["--labs", str(folder), "--format", "json"]) == 2
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert err == ""
    assert [one["valid"] for one in document["files"]] == [False, True]
    (problem,) = document["problems"]
    assert (problem["line"], problem["column"], problem["severity"]) == (2, 12, "error")
    assert problem["mend"] == "there are: second"


def test_a_warning_is_shown_and_is_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path, first="")
    path = folder / "first" / "topology.yml"
    path.write_text(path.read_text("utf-8").replace("links:", "  pc: {role: host}\nlinks:"), encoding="utf-8")
    assert main([str(path)]) == 0
    out, err = capsys.readouterr()
    assert out == "first: 3 nodes, 1 links: valid\n"
    assert "warning: pc has no links" in err
    assert main([str(path), "--format", "github"]) == 0
    assert capsys.readouterr().out.startswith("::warning file=")


def test_an_annotation_is_one_line_that_ends_no_other() -> None:
    where = Location("a,b:c%/d\n::e.yml", 3, 7)
    (line,) = problems_github([Problem(where, "50% of\r\n::error::x", "mend: it")]).splitlines()
    assert line == (
        "::error file=a%2Cb%3Ac%25/d%0A%3A%3Ae.yml,line=3,col=7::50%25 of%0D%0A::error::x%0Amend: mend: it"
    )


def test_the_task_takes_all_labs_one_lab_or_another_folder(tmp_path: Path) -> None:
    folder = written(tmp_path / "theirs", first="", second="gone")
    every = invoke("validate")
    assert (every.returncode, every.stderr, len(every.stdout.splitlines())) == (0, "", len(LABS))
    assert invoke("validate", f"lab={LABS[0]}").stdout in every.stdout
    theirs = invoke("validate", "--labs", str(folder), "--format", "github")
    assert theirs.returncode == 2
    assert re.fullmatch(
        r"::error file=\S+/second/topology.yml,line=2,col=12::there is no lab .*\n", theirs.stdout
    )
    first = invoke("validate", "--labs", str(folder), "lab=first")
    assert (first.returncode, first.stdout) == (0, "first: 2 nodes, 1 links: valid\n")
    by_environment = invoke("validate", env={**os.environ, "SRV6LAB_LABS": str(folder)})
    assert by_environment.returncode == 2


def copy_of_the_repository(folder: Path) -> Path:
    """What a clone of it would hold."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (REPOSITORY / name).is_file() and not name.startswith(("tests/", "benchmarks/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, folder / name)
    return folder


def hook() -> dict[str, Any]:
    (found,) = yaml.safe_load((REPOSITORY / ".pre-commit-hooks.yaml").read_text("utf-8"))
    return dict(found)


def run(*words: str, cwd: Path, env: Mapping[str, str] = os.environ) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=cwd, env=dict(env), capture_output=True, text=True)


@pytest.mark.parametrize(("required", "code"), [("", 0), ("gone", 2)])
def test_the_hook_runs_in_a_repository_of_labs(tmp_path: Path, required: str, code: int) -> None:
    """Its command, as pre-commit would run it in an environment with this package."""
    written(tmp_path / "labs", first=required)
    words = [*hook()["entry"].split(), *hook()["args"]]
    done = run(sys.executable, *words[1:], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    assert words[0] == "python"
    assert done.returncode == code, done.stderr
    assert ("labs/first/topology.yml:2:12: error: there is no lab gone" in done.stderr) == bool(code)


@pytest.mark.prove
def test_pre_commit_installs_and_runs_the_hook(tmp_path: Path) -> None:
    """pre-commit itself: it clones this repository, installs it, and stops a commit of a wrong lab."""
    ours = copy_of_the_repository(tmp_path / "srv6lab")
    identity = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {**os.environ, **identity, "PRE_COMMIT_HOME": str(tmp_path / "cache")}
    for folder in (ours, tmp_path / "theirs"):
        folder.mkdir(exist_ok=True)
        run("git", "init", "-q", cwd=folder)
    run("git", "add", "-A", cwd=ours)
    assert run("git", "commit", "-qm", "all", cwd=ours, env=env).returncode == 0
    revision = run("git", "rev-parse", "HEAD", cwd=ours).stdout.strip()
    theirs = tmp_path / "theirs"
    repo = {"repo": str(ours), "rev": revision, "hooks": [{"id": hook()["id"]}]}
    (theirs / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [repo]}), encoding="utf-8")
    written(theirs / "labs", first="", second="gone")
    run("git", "add", "-A", cwd=theirs)
    done = run(sys.executable, "-m", "pre_commit", "run", cwd=theirs, env=env)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "labs/second/topology.yml:2:12: error: there is no lab gone beside this one" in done.stdout
    shutil.rmtree(theirs / "labs" / "second")
    run("git", "add", "-A", cwd=theirs)
    done = run(sys.executable, "-m", "pre_commit", "run", cwd=theirs, env=env)
    assert done.returncode == 0, done.stdout + done.stderr


def action() -> dict[str, Any]:
    return dict(yaml.safe_load((REPOSITORY / "action.yml").read_text("utf-8")))


def _filled(text: str, inputs: Mapping[str, str]) -> str:
    """The few expressions that the action uses, as the runner fills them in."""
    known = {"steps.python.outputs.python-path": sys.executable} | {
        f"inputs.{key}": value for key, value in inputs.items()
    }
    return re.sub(r"\$\{\{ *(\S+) *\}\}", lambda found: known[found.group(1)], text)


def run_the_action(steps: list[dict[str, Any]], temp: Path, here: Path, ours: Path, **inputs: str) -> Any:
    done = None
    for step in steps:
        env = {key: _filled(value, inputs) for key, value in step["env"].items()}
        env |= {"RUNNER_TEMP": str(temp), "GITHUB_ACTION_PATH": str(ours)}
        bash = [tool("bash"), "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]
        done = run(*bash, cwd=here, env={**os.environ, **env})
        if done.returncode:
            break
    return done


def test_the_action_is_a_composite_one_whose_scripts_hold_no_expression() -> None:
    steps = action()["runs"]["steps"]
    assert action()["runs"]["using"] == "composite"
    assert action()["inputs"]["labs_dir"]["default"] == "labs"
    for step in steps:
        assert "uses" in step or (step["shell"] == "bash" and "${{" not in step["run"])


@pytest.mark.parametrize("labs", ["labs", "their labs", "$(touch canary)", "--help"])
def test_the_action_annotates(tmp_path: Path, labs: str) -> None:
    """Its last step; the one before it installs what stands here already."""
    written(tmp_path / labs, first="gone")
    installed = tmp_path / "temp" / "srv6lab"
    installed.mkdir(parents=True)
    (installed / "srv6lab").symlink_to(REPOSITORY / "srv6lab")
    last = action()["runs"]["steps"][-1:]
    done = run_the_action(last, tmp_path / "temp", tmp_path, REPOSITORY, labs_dir=labs)
    assert done.returncode == 2, done.stderr
    assert done.stdout.startswith("::error file=")
    assert "first/topology.yml,line=2,col=12::there is no lab gone" in done.stdout
    assert not (tmp_path / "canary").exists()


@pytest.mark.prove
def test_the_action_installs_itself(tmp_path: Path) -> None:
    ours = copy_of_the_repository(tmp_path / "srv6lab")
    here = tmp_path / "here"
    written(here / "labs", first="")
    steps = [step for step in action()["runs"]["steps"] if "run" in step]
    done = run_the_action(steps, tmp_path / "temp", here, ours, labs_dir="labs")
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("first: 2 nodes, 1 links: valid\n")
