"""Missing gradients: what is found in programs that have a fault, and in those that have none.

The programs are in `missing_programs.txt`: after `===` the slug and a name, `ok` for one without a
fault; `# here` marks the line that is to be named, `# or here` another that may be.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from checked import findings_in

_TEXT = Path(__file__).with_name("missing_programs.txt").read_text("utf-8")
_PARTS = [part.partition("\n") for part in re.split(r"^=== ", _TEXT, flags=re.MULTILINE)[1:]]
PROGRAMS = [(*head.split(), body) for head, _, body in _PARTS]
WRONG = [pytest.param(slug, body, id=f"{slug}-{n}") for slug, n, body in PROGRAMS if slug != "ok"]
HEALTHY = [pytest.param(body, id=name) for slug, name, body in PROGRAMS if slug == "ok"]

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(("slug", "program"), WRONG)
def test_the_cause_and_its_line_are_named_first(tmp_path: Path, slug: str, program: str) -> None:
    lines = [n for n, line in enumerate(program.splitlines(), 1) if re.search("# (or )?here", line)]
    first = findings_in(program, tmp_path)[0]
    assert first.slug == slug
    assert first.place is not None
    assert first.place.line in lines


@pytest.mark.parametrize("program", HEALTHY)
def test_what_is_meant_so_raises_no_alarm(tmp_path: Path, program: str) -> None:
    assert findings_in(program, tmp_path) == []
