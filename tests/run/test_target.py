from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_inspect.errors import ExpressionError, TargetError, UsageError
from autograd_inspect.run.target import Target, parse_target

EXPRESSIONS = [
    "loss",
    "out[0:1].sum()",
    "{'a': x}['a']",
    "(lambda y: y)(x)",
    "f'{x:>3}'",
    "a if b else c",
]


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("train.py", "train_large.py", "odd:name.py", "notes.txt"):
        (tmp_path / name).write_text("")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "train.py").write_text("")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "kind", "name", "expression"),
    [
        ("train.py", "path", "train.py", None),
        ("train.py:loss", "path", "train.py", "loss"),
        ("./pkg/../train.py:loss", "path", "./pkg/../train.py", "loss"),
        ("app", "path", "app", None),
        ("app/:loss", "path", "app/", "loss"),
        ("odd:name.py", "path", "odd:name.py", None),
        ("train.py:out[0:1]", "path", "train.py", "out[0:1]"),
        ("-", "stdin", "-", None),
        ("-:loss", "stdin", "-", "loss"),
    ],
)
def test_path_and_expression(text: str, kind: str, name: str, expression: str | None) -> None:
    target = parse_target(text)
    assert (target.kind, target.name, target.expression) == (kind, name, expression)


@given(st.sampled_from(EXPRESSIONS), st.sampled_from(["train.py", "app"]))
def test_everything_after_the_first_colon_is_the_expression(expression: str, name: str) -> None:
    assert parse_target(f"{name}:{expression}") == parse_target(name, expression=expression)
    module = parse_target(f"pkg.train:{expression}", module=True)
    assert (module.kind, module.name, module.expression) == ("module", "pkg.train", expression)


@pytest.mark.parametrize("path", [r"C:\code\train.py", "C:/code/train.py"])
def test_a_drive_letter_is_part_of_the_path(path: str, directory: Path) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("")
    assert parse_target(f"{path}:loss") == Target("path", path, "loss")


def test_code_keeps_its_colons() -> None:
    code = "x: int = 1; print({1: x})"
    assert parse_target(code, code=True) == Target("code", code)
    assert parse_target(code, code=True, expression="x").expression == "x"


def test_a_directory_wins_over_an_expression(directory: Path) -> None:
    (directory / "app:loss").mkdir()
    (directory / "app:loss" / "__main__.py").write_text("")
    assert parse_target("app:loss").expression is None


def test_arguments_are_kept_as_they_are() -> None:
    arguments = ["--lr", ".1", "", "-o", "a:b", "--"]
    assert parse_target("train.py", arguments=arguments).arguments == tuple(arguments)


@pytest.mark.parametrize(
    ("target", "text", "stem"),
    [
        (Target("path", "pkg/train.py", "loss"), "pkg/train.py:loss", "train"),
        (Target("path", "app/"), "app/", "app"),
        (Target("path", "my run (2).py"), "my run (2).py", "my_run__2_"),
        (Target("module", "pkg.train", "loss"), "-m pkg.train:loss", "pkg.train"),
        (Target("module", "../up"), "-m ../up", ".._up"),
        (Target("code", "x = 1\nprint(x)"), "-c x = 1 print(x)", "command"),
        (Target("code", "x = 1", "x"), "-c x = 1 -e x", "command"),
        (Target("code", "a" * 41), "-c " + "a" * 37 + "...", "command"),
        (Target("stdin", "-", "x"), "-:x", "stdin"),
    ],
)
def test_short_forms(target: Target, text: str, stem: str) -> None:
    assert (target.text, target.stem) == (text, stem)


def test_the_stem_of_the_current_directory_is_its_name(directory: Path) -> None:
    assert Target("path", ".").stem == directory.name


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("trian.py", "there is no file trian.py", "did you mean train.py?"),
        ("train.pyy:loss", "there is no file train.pyy", "did you mean train.py?"),
        ("train", "there is no file train", "did you mean train.py?"),
        ("train_larg.py", "no file train_larg.py", "did you mean train_large.py or train.py?"),
        ("pkg/trian.py", "there is no file pkg/trian.py", "did you mean pkg/train.py?"),
        ("pkg.train", "there is no file pkg.train", "for a module: -m pkg.train"),
        ("nowhere/train.py", "there is no file", "there is no directory nowhere"),
        ("zebra.py", "there is no file zebra.py", ""),
        ("pkg", "pkg is a directory without a __main__.py", "name a file in it to run"),
        (":loss", "no program is named", "as in train.py:loss"),
        ("", "no program is named", "as in train.py:loss"),
    ],
)
def test_what_cannot_be_run(text: str, message: str, hint: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse_target(text)
    assert message in caught.value.message
    assert caught.value.hint == hint
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(("text", "hint"), [("", "as in"), ("train.py", "leave out -m")])
def test_what_is_no_module(text: str, hint: str) -> None:
    with pytest.raises(TargetError) as caught:
        parse_target(text, module=True)
    assert hint in caught.value.hint


def test_a_module_is_not_looked_for_yet() -> None:
    assert parse_target("surely.not.there", module=True).name == "surely.not.there"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions bind no superuser")
def test_an_unreadable_file(directory: Path) -> None:
    (directory / "train.py").chmod(0)
    with pytest.raises(TargetError, match="cannot be read"):
        parse_target("train.py")


@pytest.mark.parametrize(
    ("expression", "where"),
    [("loss[", "character 5"), ("loss = 1", "character 6"), ("", "empty")],
)
def test_an_expression_that_does_not_parse(expression: str, where: str) -> None:
    with pytest.raises(ExpressionError) as after_colon:
        parse_target(f"train.py:{expression}")
    with pytest.raises(ExpressionError) as by_option:
        parse_target("train.py", expression=expression)
    assert by_option.value.message == after_colon.value.message
    assert where in after_colon.value.message
    assert expression in after_colon.value.message


def test_an_expression_is_given_once() -> None:
    with pytest.raises(UsageError, match=r"two expressions: 'loss' .* 'out'"):
        parse_target("train.py:loss", expression="out")


def test_module_and_code_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="-m and -c"):
        parse_target("x", module=True, code=True)
