"""What the documents show is what comes out, and what they list is what there is."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from process import run_agi

import autograd_inspect
from autograd_inspect.cli.reference import reference

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```console\n\$ (.*)\n([\s\S]*?)```", README)
#: Verbs whose figures are times: no two runs give the same.
TIMED = {"profile", "train"}
#: The pictures, by sample, with the options they are drawn with.
PICTURES = {"small_gpt": (), "tiny_model": (), "first_nan": ("--color", "grad")}
UPDATE = "renew with: pytest --update-golden tests/test_docs.py"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    return tmp_path


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[command for command, _ in BLOCKS])
def test_the_readme_shows_what_comes_out(command: str, shown: str, checkout: Path) -> None:
    name, *arguments = shlex.split(command)
    done = run_agi(*arguments, cwd=checkout)
    assert name == "agi"
    if arguments[0] in TIMED:
        assert timeless(done.out)[-len(timeless(shown)) :] == timeless(shown)
        return
    # What the sample itself prints comes first and is not what the README is about.
    assert done.out.endswith(shown)


def timeless(text: str) -> list[list[str]]:
    """Give the words of each line, with marks for times and shares, whichever was the longest."""
    marked = re.sub(r"[\d.,]+ (ns|µs|ms|s)\b", "TIME", re.sub(r"[\d.]+%", "SHARE", text))
    lines = [
        sorted(line.replace(":", " ").replace(",", " ").split()) for line in marked.splitlines()
    ]
    return sorted(lines) if "SHARE" in marked else lines


@pytest.mark.parametrize("sample", PICTURES)
def test_the_pictures_in_the_readme_are_drawn_anew_the_same(
    sample: str, checkout: Path, request: pytest.FixtureRequest
) -> None:
    picture = ROOT / "docs" / "pictures" / f"{sample}.svg"
    run_agi("trace", "-q", f"samples/{sample}.py:loss", cwd=checkout)
    done = run_agi("render", "--svg", *PICTURES[sample], cwd=checkout)
    if request.config.getoption("--update-golden"):
        picture.write_text(done.out, "utf-8")
    assert done.out == picture.read_text("utf-8"), UPDATE


def test_the_command_line_page_is_that_of_the_commands(request: pytest.FixtureRequest) -> None:
    page = ROOT / "docs" / "command-line.md"
    if request.config.getoption("--update-golden"):
        page.write_text(reference(), "utf-8")
    assert reference() == page.read_text("utf-8"), UPDATE


def test_the_dependency_table_is_that_of_the_package() -> None:
    declared = re.search(
        r"\ndependencies = \[\n([\s\S]*?)\n\]", (ROOT / "pyproject.toml").read_text()
    )
    assert declared is not None
    names = re.findall(r'^  "([A-Za-z-]+)', declared[1], re.MULTILINE)
    table = README.partition("## Dependencies")[2].partition("## More")[0]
    listed = re.findall(r"^\| ([a-z-]+) \|", table, re.MULTILINE)
    assert sorted(listed) == sorted(["package", *names])


def test_the_versions_agree() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"## {autograd_inspect.__version__} " in changes


def test_links_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            assert link.startswith("https://") or (page.parent / link).exists(), (page, link)
