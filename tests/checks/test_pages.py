"""Every rule has a page, whose first example it finds and whose second nobody objects to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from checked import findings_in

from autograd_inspect.checks.codes import CODES
from autograd_inspect.checks.pages import index, page_of, rule_named
from autograd_inspect.checks.registry import all_rules
from autograd_inspect.errors import UsageError

FOLDER = Path(__file__).parents[2] / "docs" / "rules"
SLUGS = sorted({rule.slug for rule in all_rules()}, key=CODES.__getitem__)
SECTIONS = ["Why it is bad", "Example", "Repaired", "When it is fine"]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_page_says_what_a_page_says(slug: str) -> None:
    rule = rule_named(slug)
    page = page_of(rule)
    assert page == (FOLDER / f"{slug}.md").read_text("utf-8")
    assert page.startswith(f"# {rule.code} {slug}\n\n**{rule.title}.** Severity: ")
    assert re.findall(r"^## (.*)$", page, re.MULTILINE) == SECTIONS


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")
@pytest.mark.filterwarnings("ignore:find_unused_parameters:UserWarning")
@pytest.mark.parametrize("slug", SLUGS)
def test_the_example_is_found_and_the_repaired_one_is_in_order(tmp_path: Path, slug: str) -> None:
    bad, good = re.findall(r"```python\n(.*?)```", page_of(rule_named(slug)), re.DOTALL)
    torch.manual_seed(0)
    assert findings_in(bad, tmp_path)[0].slug == slug
    assert findings_in(good, tmp_path) == []


def test_there_is_no_page_of_no_rule() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} - {"README"} <= set(SLUGS)


def test_the_list_of_rules_is_up_to_date() -> None:
    listed = (FOLDER / "README.md").read_text("utf-8")
    assert listed == index(), "renew with: python -m autograd_inspect.checks.pages"


def test_a_rule_goes_by_code_and_slug() -> None:
    assert rule_named("agi101") is rule_named("inplace_on_saved")
    with pytest.raises(UsageError, match="there is no rule 'AGI1'"):
        rule_named("AGI1")
