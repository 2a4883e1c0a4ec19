"""`agi check` as users run it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from process import run, run_agi

OVERWRITTEN = dedent(
    """
    import sys
    import torch
    print("before", *sys.argv[1:])
    w = torch.ones(3, requires_grad=True)
    y = torch.relu(w * 2)
    y += 1
    y.sum().backward()
    """
)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "program.py"
    path.write_text(OVERWRITTEN, "utf-8")
    return path


def test_the_explanation_follows_the_programs_own_traceback(script: Path) -> None:
    plain = run(sys.executable, script.name, "a", "b", cwd=script.parent)
    done = run_agi("check", script.name, "a", "b", cwd=script.parent)

    assert done.status == plain.status == 1
    assert done.err == plain.err
    assert done.out == plain.out + dedent(
        """\
        program.py:7: AGI101 inplace_on_saved [error]
          Tensor.add_ overwrites y, which relu saved to compute its gradient
          7 │ y += 1
            │ ^^^^^^
          6 │ y = torch.relu(w * 2)
            │ relu saved it here
          8 │ y.sum().backward()
            │ backward needed it here
          tensors: y
          seen: relu saved it as result [3]: at version 1, saved at 0
          repair: compute a new tensor instead of writing in place (x = x + y for x += y), or write to a clone()

        found 1 error
        """  # noqa: E501 - as it is printed
    )


def test_json_has_stdout_to_itself(script: Path) -> None:
    done = run_agi("check", "--json", script.name, cwd=script.parent)

    found = json.loads(done.out)
    assert done.status == 1
    assert "before" in done.err
    assert found["schema"] == "agi.check/1"
    assert found["failure"].startswith("RuntimeError: one of the variables")
    (finding,) = found["findings"]
    assert finding["code"] == "AGI101"
    assert finding["slug"] == "inplace_on_saved"
    assert finding["severity"] == "error"
    assert (finding["file"], finding["line"]) == ("program.py", 7)
    assert [(one["line"], one["role"]) for one in finding["related"]] == [
        (6, "relu saved it here"),
        (8, "backward needed it here"),
    ]
    assert finding["tensors"] == ["y"]


def test_a_healthy_program_ends_as_it_does(script: Path) -> None:
    script.write_text(OVERWRITTEN.replace("y += 1", "y = y + 1") + "sys.exit(0)\n")
    done = run_agi("check", script.name, cwd=script.parent)
    assert (done.status, done.out, done.err) == (0, "before\nnothing found\n", "")


def test_findings_of_a_program_that_ends_well_give_status_1(script: Path) -> None:
    script.write_text(
        "import torch\nx = torch.zeros(2, requires_grad=True)\nx.sqrt().sum().backward()\n"
    )
    done = run_agi("check", "-f", "github", script.name, cwd=script.parent)
    assert done.status == 1
    assert done.out.startswith("::error file=program.py,line=3,title=AGI303 sqrt_at_zero::")
    assert run_agi("check", "--exit-zero", script.name, cwd=script.parent).status == 0


def test_sarif_is_written_where_it_is_wanted(script: Path) -> None:
    done = run_agi("check", "-f", "sarif", "-o", "x.sarif", script.name, cwd=script.parent)
    assert done.out == "before\n"
    log = json.loads((script.parent / "x.sarif").read_text())
    (result,) = log["runs"][0]["results"]
    assert log["version"] == "2.1.0"
    assert result["ruleId"] == "AGI101"
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "program.py"}, "region": {"startLine": 7}}


def test_what_cannot_be_checked_is_told_before_the_program_runs(script: Path) -> None:
    done = run_agi("check", "--select", "AGI999", script.name, cwd=script.parent)
    assert (done.status, done.out) == (2, "")
    assert "there is no rule 'AGI999'" in done.err
    done = run_agi("check", f"{script.name}:loss", cwd=script.parent)
    assert (done.status, done.out) == (2, "")


def test_options_come_from_the_table(script: Path) -> None:
    (script.parent / "pyproject.toml").write_text('[tool.agi.check]\nignore = "AGI1"\n')
    done = run_agi("check", script.name, cwd=script.parent)
    assert done.out.endswith("nothing found\n")
    assert done.status == 1  # the program's own


def test_a_program_without_backward_is_nothing_to_check(tmp_path: Path) -> None:
    done = run_agi("check", "-c", "import torch; print(1)", cwd=tmp_path)
    assert (done.status, done.out) == (5, "1\n")
    assert done.err == "agi: nothing to check: the program called no backward\n"
