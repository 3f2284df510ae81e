"""What is said of rules for each engine, where `tests/errors/service-rules-of-*` have no place for it."""

from __future__ import annotations

import subprocess

import pytest

from srv6lab.engines import AUTO, ENGINES
from srv6lab.engines.engine import Dialect
from srv6lab.topology.rule_dialects import problems

DIALECTS = [one for engine in ENGINES.values() for one in engine.dialects]
HEAD = "alert tcp any any -> any any "


def said(choice: str, *rules: str) -> list[tuple[int, str, str]]:
    found = problems("\n".join(rules), "x.rules", choice)
    return [(one.location.column, one.severity, one.what) for one in found]


@pytest.mark.parametrize(
    "rule",
    [
        HEAD
        + '(msg:"a; foo:1; \\"b\\; ) ("; content:"|3b|a\\;b"; pcre:!"/a;nocase2;(b)\\"/Ri"; sid:1; rev:2;)',
        HEAD + '(content:!"a\\",nocase"; nocase; sid:1;) ',
        "\tdrop udp ![10.0.0.0/8, fc00::/16] [53,1024:] <> any !80 (reference:url,a.b/c?d=e&f; sid:1;)",
        "alert TCP any any -> any any (MSG:x; SID:1; Content:x;)",
        "# alert nothing => (foo)",
    ],
)
def test_a_right_rule_is_right_for_all_that_debian_or_ubuntu_have(rule: str) -> None:
    assert [one for one in said(AUTO, rule) if one[1] == "error"] == []


def test_one_version_of_a_named_engine_is_enough() -> None:
    two, three = HEAD + '(content:"a"; nocase; sid:1;)', HEAD + '(content:"a", nocase; service:http; sid:2;)'
    assert said("snort", two, two) == [(44, "warning", "Snort 3 doesn't know the option `nocase`")]
    assert said("snort", three) == [(52, "warning", "Snort 2.9 doesn't know the option `service`")]
    # A variable that neither knows must not hide which version the rules are for.
    other = three.replace("any any ->", "$NET any ->")
    kinds = [one[1:] for one in said("snort", other)]
    assert kinds == [
        ("error", "nothing says what `$NET` is"),
        ("warning", "Snort 2.9 doesn't know the option `service`"),
    ]
    # Of a file for both versions none is right, and archives have the older one.
    assert [one[1] for one in said("snort", two, three)] == ["warning", "error"]


@pytest.mark.parametrize("part", ['a:"b', 'content:"\\\\",', " ", "[", "\\\\", ";"], ids=repr)
def test_no_line_takes_more_time_than_its_length(part: str) -> None:
    """Each of them took minutes with a pattern that begins anew at each place."""
    assert said(AUTO, HEAD + "(" + part * 50000 + "\\)")
    said(AUTO, "alert " + part * 50000 + "(sid:1;)")


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.title)
def test_its_words_are_options_and_what_stands_instead_is_one(dialect: Dialect) -> None:
    assert {"msg", "sid", "rev", "content", "itype", "pcre", "flow"} <= dialect.options
    assert all(word == word.lower() and not set(word) & set(':;#("') for word in dialect.options)
    assert not dialect.instead.keys() & dialect.options
    assert {text.replace(";", ":").split(":")[0] for text in dialect.instead.values()} <= dialect.options


def test_suricata_has_no_option_that_isn_t_known_here() -> None:
    told = subprocess.run(["suricata", "--list-keywords=csv"], capture_output=True, text=True, check=True)
    there = {line.split(";")[0] for line in told.stdout.splitlines() if ";" in line} - {"name"}
    suricata = ENGINES["suricata"].dialects[0].options
    assert len(there) > 150
    assert {one for one in there if not one.startswith("template")} <= suricata
