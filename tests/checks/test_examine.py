"""Causes before consequences, and what is left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from checked import findings_in, line_of
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.checks import registry
from autograd_inspect.checks.choice import Choice, fits
from autograd_inspect.checks.codes import CODES
from autograd_inspect.checks.examine import examine
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.errors import UsageError
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.places import Place

OVERWRITTEN = """
    import torch
    w = torch.ones(3, requires_grad=True)
    y = torch.relu(w * 2)
    y += 1  # the write
    y.sum().backward()
"""


def rule(
    slug: str, *found: Finding, severity: Severity = Severity.ERROR, explains: str = ""
) -> Rule:
    return Rule(slug, severity, slug, lambda _: found, frozenset(explains.split()))


def use(monkeypatch: pytest.MonkeyPatch, *rules: Rule) -> tuple[Finding, ...]:
    monkeypatch.setattr("autograd_inspect.checks.examine.all_rules", lambda: rules)
    return examine(Facts("/nowhere"))


def test_every_rule_has_a_code_and_no_code_two_rules() -> None:
    rules = registry.all_rules()
    assert rules
    assert len(set(CODES.values())) == len(CODES)
    for one in rules:
        assert one.code[:3] == "AGI"
        assert one.explains <= set(CODES), one.slug
        assert one.title


def test_consequences_are_folded_under_their_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    cause = Finding("cause", "mend it", tensors=("w",))
    same, other = Finding("same", "-", tensors=("w",)), Finding("other", "-", tensors=("v",))
    found = use(
        monkeypatch,
        rule("unused_parameter", same, other),
        rule("nondiff_argmax", cause, severity=Severity.WARNING, explains="unused_parameter"),
    )
    assert [(one.message, [f.message for f in one.folded]) for one in found] == [
        ("other", []),
        ("cause", ["same"]),
    ]


def test_what_ended_the_run_comes_first_and_so_does_its_cause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end = Finding("end", "-", ends_run=True)
    found = use(
        monkeypatch,
        rule("inplace_on_saved", Finding("else", "-")),
        rule("nonscalar_backward", end),
        rule("dead_relu", Finding("why", "-"), explains="nonscalar_backward"),
    )
    assert [one.message for one in found] == ["why", "else"]
    assert found[0].ends_run


def test_two_that_explain_each_other_leave_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = use(
        monkeypatch,
        rule("inplace_on_saved", Finding("first", "-"), explains="dead_relu"),
        rule("dead_relu", Finding("second", "-"), explains="inplace_on_saved"),
    )
    assert [one.message for one in found] == ["first"]
    assert [one.message for one in found[0].folded] == ["second"]


def test_the_same_line_is_named_once_for_one_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place("a.py", 3, "f")
    found = use(
        monkeypatch,
        rule(
            "dead_relu",
            Finding("a", "-", place, tensors=("x",)),
            Finding("b", "-", place, tensors=("y",)),
            Finding("c", "-", Place("a.py", 4, "f")),
        ),
    )
    assert [(one.message, one.tensors) for one in found] == [("a", ("x", "y")), ("c", ())]


@given(st.permutations(range(6)), st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_nothing_is_lost_however_causes_are_linked(
    order: list[int], links: set[tuple[int, int]]
) -> None:
    slugs = list(CODES)[:6]
    rules = [
        rule(
            slugs[one],
            Finding(str(one), "-"),
            explains=" ".join(slugs[other] for which, other in links if which == one),
        )
        for one in order
    ]
    with pytest.MonkeyPatch.context() as patch:
        found = use(patch, *rules)
    told = [one.message for head in found for one in (head, *head.folded)]
    assert sorted(told) == [str(one) for one in range(6)]


def test_rules_can_be_chosen(tmp_path: Path) -> None:
    assert [one.code for one in findings_in(OVERWRITTEN, tmp_path)] == ["AGI101"]
    for choice in (
        Choice(ignore=["inplace_on_saved"]),
        Choice(ignore=["AGI101"]),
        Choice(ignore=["agi1"]),
        Choice(select=["AGI3"]),
    ):
        assert findings_in(OVERWRITTEN, tmp_path, choice=choice) == []


@pytest.mark.parametrize("name", ["AGI9", "inplace", "xyz", "101"])
def test_a_name_of_no_rule_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="there is no rule"):
        Choice(select=[name]).check()


def test_every_code_fits_its_own_slug_alone() -> None:
    for slug, code in CODES.items():
        assert [one for one in CODES if fits(one, code)] == [slug]


@pytest.mark.parametrize(
    ("comment", "is_told"),
    [
        ("# agi: ignore", False),
        ("# agi: ignore[AGI101]", False),
        ("#agi:ignore[ AGI3 , inplace_on_saved ]  # why", False),
        ("# agi: ignore[AGI102]", True),
        ("# agi ignore", True),
    ],
)
def test_a_comment_on_the_line_silences(tmp_path: Path, comment: str, *, is_told: bool) -> None:
    program = OVERWRITTEN.replace("# the write", comment)
    assert bool(findings_in(program, tmp_path)) is is_told


def test_sources_find_the_statement_of_a_line(tmp_path: Path) -> None:
    text = "def f():\n    x = [\n        1,  # agi: ignore\n    ]\n    return x\n"
    (tmp_path / "a.py").write_text(text)
    sources = Sources(str(tmp_path))
    place = Place("a.py", 2, "f")

    assert sources.line(place) == "x = ["
    assert sources.ignored(place) == frozenset()
    assert sources.ignored(Place("a.py", 5, "f")) is None
    statement, function = sources.statement(Place("a.py", 3, "f")), sources.function(place)
    assert statement is not None
    assert statement.lineno == 2
    assert function is not None
    assert function.name == "f"
    assert sources.line(Place("a.py", 99, "f")) == ""
    assert sources.line(Place("missing.py", 1, "")) == ""
    assert sources.statement(Place("missing.py", 1, "")) is None


def test_the_line_of_the_write_is_named(tmp_path: Path) -> None:
    (found,) = findings_in(OVERWRITTEN, tmp_path)
    assert found.place is not None
    assert found.place.line == line_of(OVERWRITTEN, "# the write")
    assert found.source == "y += 1  # the write"
    assert found.ends_run
