"""Each program of `cases/` has the fault after which its folder is named, or is healthy.

`# <<` marks the lines that may be named.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from checked import findings_in

from autograd_inspect.checks.codes import CODES

_FOLDER = Path(__file__).parent / "cases"
FAULTY = sorted(one for one in _FOLDER.glob("*/*.py") if one.parent.name != "healthy")
HEALTHY = sorted(_FOLDER.glob("healthy/*.py"))

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def test_the_folders_are_named_after_causes() -> None:
    assert {one.parent.name for one in FAULTY} <= set(CODES)


@pytest.mark.parametrize("case", FAULTY, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_the_cause_and_its_line_are_named_first(case: Path, tmp_path: Path) -> None:
    program = case.read_text("utf-8")
    marked = [n for n, line in enumerate(program.splitlines(), 1) if "# <<" in line]
    found = findings_in(program, tmp_path)
    assert found
    first = found[0]
    assert first.slug == case.parent.name
    assert first.place is not None
    assert first.place.line in marked
    assert first.message
    assert first.repair


@pytest.mark.parametrize("case", HEALTHY, ids=lambda case: case.stem)
def test_what_is_in_order_raises_no_alarm(case: Path, tmp_path: Path) -> None:
    found = findings_in(case.read_text("utf-8"), tmp_path)
    assert [(one.slug, one.place) for one in found] == []
