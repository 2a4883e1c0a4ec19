"""Every sample runs as its header says, and as it runs without agi.

A header names its commands under `Try:`, one per line, with the status they end in unless that is
0: `agi trace samples/nothing_to_trace.py    # exits with 5`.
"""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from process import Done, run, run_agi

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*.py"))
COMMAND = re.compile(r" {4}(?P<words>\S.*?)(?: +# exits with (?P<status>\d+))?")

#: What a sample shows when it fails, as it does under python: the others end in 0.
OWN_STATUS = {"carried_state": 1, "inplace_on_leaf": 1, "overwritten": 1}
#: Programs that leave nothing to capture.
WITHOUT_GRAPH = {"nothing_to_trace"}


@dataclass(frozen=True)
class Command:
    """A line below `Try:`."""

    words: tuple[str, ...]
    status: int

    def run(self, where: Path) -> Done:
        program, *arguments = self.words
        if program == "python":
            return run(sys.executable, *arguments, cwd=where)
        assert program == "agi", f"{program}: a header names agi and python only"
        return run_agi(*arguments, cwd=where)


def header(sample: Path) -> str:
    return ast.get_docstring(ast.parse(sample.read_text("utf-8"))) or ""


def commands(sample: Path) -> list[Command]:
    _, _, below = header(sample).partition("\nTry:\n")
    block, _, _ = below.partition("\n\n")
    found = [COMMAND.fullmatch(line) for line in block.splitlines()]
    assert all(found), f"{sample.name}: a line below Try: is no command"
    return [
        Command(tuple(shlex.split(match["words"])), int(match["status"] or 0))
        for match in found
        if match
    ]


@pytest.fixture
def where(tmp_path: Path, sample: Path) -> Path:
    """Give a directory that has nothing in it but `samples/` with the one sample."""
    (tmp_path / "samples").mkdir()
    shutil.copy(sample, tmp_path / "samples")
    return tmp_path


each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)


def test_there_is_a_sample_for_every_feature_promised() -> None:
    promised = (
        "sine_chain tiny_model requires_grad_off no_grad_regions detach inplace_on_leaf "
        "vector_backward only_leaves several_losses several_roots custom_function double_backward "
        "checkpointed shared_weights residual_net split_and_unbind complex_and_sparse small_gpt "
        "deep_chain unused_parameters nothing_to_trace library_use functional_api"
    )
    assert {sample.stem for sample in SAMPLES} >= set(promised.split())


@each_sample
def test_the_header_says_what_to_try_and_what_to_look_at(sample: Path) -> None:
    text = header(sample)
    assert re.match(r"[^\n]+\.\n\nTry:\n", text)
    assert "\n\nLook at: " in text
    assert all(len(line) <= 100 for line in sample.read_text("utf-8").splitlines())
    first, *_ = commands(sample)
    assert f"samples/{sample.name}" in " ".join(first.words)


@each_sample
def test_the_commands_of_the_header_end_as_it_says(sample: Path, where: Path) -> None:
    for command in commands(sample):
        done = command.run(where)
        assert done.status == command.status, f"{shlex.join(command.words)}\n{done.err}"
        assert "autograd_inspect" not in done.err, done.err  # no line of a traceback of ours
        if command.status in {0, OWN_STATUS.get(sample.stem)}:
            said = done.out or "wrote" in done.err
            assert said, f"{shlex.join(command.words)} printed nothing"


@each_sample
def test_it_prints_the_same_with_and_without_agi(sample: Path, where: Path) -> None:
    script = f"samples/{sample.name}"
    plain = run(sys.executable, script, cwd=where)
    traced = run_agi("trace", "-q", "--keep-running", script, cwd=where)
    assert plain.status == OWN_STATUS.get(sample.stem, 0), plain.err
    assert plain.out
    assert traced.out == plain.out
    assert traced.err.startswith(plain.err)
    if sample.stem in WITHOUT_GRAPH:
        assert traced.status == 5
    else:
        assert traced.status == plain.status
        assert traced.err == plain.err
        assert len(list(where.glob(".agi/*.agi"))) == 1


@pytest.mark.parametrize("sample", [path for path in SAMPLES if path.stem == "checkpointed"])
def test_reentrant_checkpoints_deliver_in_this_very_backward(sample: Path, where: Path) -> None:
    target = f"samples/{sample.name}:loss"
    plain = run_agi("grads", "--json", target, cwd=where)
    reentrant = run_agi("grads", "--json", target, "--", "--reentrant", cwd=where)
    expected, found = (
        {row["name"]: row for row in json.loads(done.out)["rows"]} for done in (plain, reentrant)
    )
    parameters = [f"blocks.{n}.0.{kind}" for n in range(3) for kind in ("weight", "bias")]
    for name in parameters:
        assert found[name]["norm"] == expected[name]["norm"]
        assert found[name]["before"] is False
        assert found[name]["reason"] != "left_by_earlier"  # there was no earlier one
