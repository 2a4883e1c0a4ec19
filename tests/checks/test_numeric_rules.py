"""NaN, silent and wrong gradients: each program of `cases/` names its fault and marks its lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from checked import findings_in

CASES = sorted((Path(__file__).parent / "cases").glob("*.py"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_first_finding_is_the_fault_that_the_program_has(case: Path, tmp_path: Path) -> None:
    program = case.read_text("utf-8")
    slug = program.splitlines()[0].removeprefix("# slug: ")
    marked = [n for n, line in enumerate(program.splitlines(), 1) if "# <<" in line]
    found = findings_in(program, tmp_path)
    if slug == "healthy":
        assert [(one.slug, one.place) for one in found] == []
        return
    assert found
    first = found[0]
    assert first.slug == slug
    assert first.place is not None
    assert first.place.line in marked
    assert first.message
    assert first.repair
