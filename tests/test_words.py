"""The words of a command line: every way to say the same thing, and what is answered to a wrong one."""

from __future__ import annotations

import random
from itertools import permutations, product

import pytest

from srv6lab.cli.words import Form, Option, Value, read
from srv6lab.errors import UsageError

LAB = Option("lab", ("--lab", "-l"), required=True)
NODE = Option("node", ("--node", "-n"))
INSTANCE = Option("instance", ("--instance", "-i"))
FORMS = {
    form.name: form
    for form in (
        Form("list"),
        Form("enter", (LAB, NODE, INSTANCE), ("lab", "node")),
        Form(
            "run",
            (LAB, NODE, INSTANCE, Option("command", ("--command",), list)),
            ("lab", "node", "command"),
            True,
        ),
        Form(
            "judge",
            (
                LAB,
                Option("exercise", ("--exercise", "-e"), list),
                Option("strict", ("--strict", "-s"), bool),
                Option("again", ("--again", "-a"), bool),
                Option("single-vm", ("--single-vm",), bool),
                Option("count", ("--count", "-c"), int),
            ),
            ("lab", "exercise"),
        ),
    )
}
CORE = Form("", (Option("help", ("--help", "-h"), bool), Option("debug", ("--debug", "-d"), bool)))


def said(line: str) -> list[tuple[str, dict[str, list[Value]]]]:
    return [(one.form.name, one.values) for one in read(line.split(), FORMS, CORE)]


@pytest.mark.parametrize(
    "line",
    [
        "enter one n1",
        "enter lab=one n1",
        "enter n1 lab=one",
        "enter one node=n1",
        "enter node=n1 one",
        "enter --node n1 one",
        "enter one --node=n1",
        "enter -n n1 -l one",
        "enter -nn1 one",
        "enter -n=n1 one",
        "enter lab=one node=n1",
    ],
)
def test_all_ways_say_the_same(line: str) -> None:
    assert said(line) == [("enter", {"lab": ["one"], "node": ["n1"]})]


def test_every_mixture_and_order_says_the_same() -> None:
    """Words without a name stand in their order; all else stands where it likes."""
    wanted = {"lab": ["one"], "node": ["n1"], "instance": ["two"]}
    ways = [
        [f"--{name} {value}", f"--{name}={value}", f"{name}={value}", f"-{name[0]} {value}", value]
        for name, (value,) in wanted.items()
    ]
    for lab, node, instance in product(ways[0], ways[1], ways[2][:-1]):
        for words in permutations((lab, node, instance)):
            if (lab, node) != ("one", "n1") or words.index(lab) < words.index(node):
                assert said(f"enter {' '.join(words)}") == [("enter", wanted)], words


@pytest.mark.parametrize(
    "line",
    [
        "run one n1 ip -6 r lab=x -- --node --help list",
        "run one n1 -- ip -6 r lab=x -- --node --help list",
        "run lab=one --node n1 ip -6 r lab=x -- --node --help list",
        "run n1 lab=one ip -6 r lab=x -- --node --help list",
        "run one --node n1 -- ip -6 r lab=x -- --node --help list",
    ],
)
def test_a_command_s_words_are_its_own(line: str) -> None:
    ((_, values),) = said(line)
    assert values["command"] == line.split()[-8:]
    assert (values["lab"], values["node"]) == (["one"], ["n1"])


def test_options_may_stand_before_the_command() -> None:
    ((_, values),) = said("run one n1 --instance two X=1 make")
    assert (values["instance"], values["command"]) == (["two"], ["X=1", "make"])


def test_the_last_place_may_take_several() -> None:
    ((_, values),) = said("judge one a b")
    assert values["exercise"] == ["a", "b"]
    assert said("judge one -e a b")[0][1]["exercise"] == ["a", "b"]
    assert said("judge one -e a exercise=b --exercise c")[0][1]["exercise"] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("--strict", True),
        ("strict=no", False),
        ("--strict=false", False),
        ("strict=YES", True),
        ("-s", True),
        ("-s=no", False),
    ],
)
def test_a_switch(word: str, expected: bool) -> None:
    assert said(f"judge one {word}")[0][1]["strict"] == [expected]


def test_letters_may_stand_together_and_a_dash_for_an_underline() -> None:
    assert said("judge -sa one") == [("judge", {"strict": [True], "again": [True], "lab": ["one"]})]
    assert said("judge one --single_vm")[0][1]["single-vm"] == [True]
    assert said("judge one count=-3 ")[0][1]["count"] == [-3]


def test_tasks_one_after_the_other() -> None:
    names = [name for name, _ in said("list enter one n1 list enter node=n1 lab=one list list")]
    assert names == ["list", "enter", "list", "enter", "list", "list"]


def test_a_task_s_name_may_stand_in_a_place() -> None:
    assert said("enter one list") == [("enter", {"lab": ["one"], "node": ["list"]})]
    assert said("judge one run list") == [("judge", {"lab": ["one"], "exercise": ["run", "list"]})]


def test_what_all_tasks_take_is_kept_apart() -> None:
    (one,) = read(["enter", "one", "--help", "-d"], FORMS, CORE)
    assert (one.values, one.core) == ({"lab": ["one"]}, {"help": [True], "debug": [True]})


@pytest.mark.parametrize("path", ["./a=b/lab.yml", "=one", "-", "a/b=c.yml"])
def test_a_path_is_no_option(path: str) -> None:
    assert said(f"enter {path}") == [("enter", {"lab": [path]})]


def test_whatever_is_typed_is_read_or_refused() -> None:
    """Any words of a command line in any order: no error but ours, and no word is lost."""
    chosen = random.Random(16)
    names = [*FORMS, "lab", "node", "exercise", "strict", "single_vm", "x"]
    words = [*names, *(f"{name}=1" for name in names), *(f"--{name}" for name in names)]
    words += [
        "",
        "-",
        "--",
        "---",
        "=",
        "--=",
        "-=x",
        "-sax",
        "-nlab",
        "-n=",
        "-l",
        "--lab=",
        "lab=",
        "é=ü",
        "a b",
        "\n",
    ]
    read_ = 0
    for _ in range(5000):
        line = [chosen.choice([*FORMS]), *chosen.choices(words, k=chosen.randrange(6))]
        try:
            found = read(line, FORMS, CORE)
        except UsageError as error:
            assert error.what and error.mend
            continue
        read_ += 1
        values = [str(one) for each in found for list_ in each.values.values() for one in list_]
        assert all(any(word in value for value in values) for word in line if word in ("x", "a b")), line
    assert read_ > 500


def test_nothing_is_nothing() -> None:
    assert said("") == []


@pytest.mark.parametrize(
    ("line", "what", "mend"),
    [
        ("jugde one", "no task jugde", "did you mean `judge`?"),
        ("zzz", "no task zzz", "there are: list, enter, run, judge"),
        ("--halp", "no option --halp", "did you mean `--help`?"),
        ("enter one --nod n1", "enter has no option --nod", "did you mean `--node`?"),
        ("enter one nod=n1", "enter has no option nod", "did you mean `node`?"),
        ("enter Lab=one", "enter has no option Lab", "did you mean `lab`?"),
        ("enter zzz=one", "enter has no option zzz", "there are: lab, node, instance"),
        ("run nod=n1 x", "run has no option nod", "did you mean `node`?"),
        ("enter one -x n1", "enter has no option -x", "there are: --lab, --node, --instance"),
        ("list x=1", "list has no option x", "list takes none: invoke list"),
        ("list one", "no place for 'one'", "invoke list"),
        (
            "enter one n1 zzz",
            "no place for 'zzz' beside lab=one node=n1",
            "invoke enter LAB [NODE] [instance=…]",
        ),
        ("enter one n1 instanc", "no place for 'instanc'", "did you mean `instance`?"),
        ("enter one n1 jugde one", "no place for 'jugde'", "did you mean `judge`?"),
        ("enter lab=one lab=two", "lab is given twice", "lab=one or lab=two"),
        ("enter lab=one --lab one", "lab is given twice", "once will do"),
        ("enter one -n n1 --node n2", "node is given twice", "node=n1 or node=n2"),
        ("judge one --strict strict=no", "strict is given twice", ""),
        ("enter one --node", "--node needs a value", "--node NODE"),
        ("enter one --node --instance x", "--node needs a value", ""),
        ("judge one count=x", "count is a whole number, not 'x'", ""),
        ("judge one strict=perhaps", "strict is yes or no, not 'perhaps'", "--strict"),
        ("enter one -- ls", "enter takes no command: -- ls", "invoke enter"),
    ],
)
def test_a_wrong_word_is_refused_with_what_may_be_meant(line: str, what: str, mend: str) -> None:
    with pytest.raises(UsageError) as refused:
        said(line)
    assert what in refused.value.what
    assert mend in refused.value.mend
