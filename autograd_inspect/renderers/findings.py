"""Findings for people: what happens, the line that did it, what this run showed, the repair."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autograd_inspect.model.findings import Finding, Related, Severity
from autograd_inspect.model.places import Place
from autograd_inspect.renderers.text import Segment, counted, listed, paint, safe, width_of

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}
#: Names that are listed on a line.
_NAMES = 6
#: Where what is said of a finding begins.
_INDENT = "  "
#: The shortest line that text is folded to.
_NARROWEST = 30

Line = list[Segment]


@dataclass(frozen=True, slots=True)
class Look:
    """How to print findings.

    width    in terminal columns, None for lines as long as they are
    verbose  also those that may well be meant so
    """

    width: int | None = None
    color: bool = False
    ascii: bool = False
    verbose: bool = False

    def safe(self, text: str) -> str:
        """Show what does not print as its escape."""
        return safe(text, ascii=self.ascii)

    def wrapped(self, text: str, lead: str, style: str = "") -> Iterator[Line]:
        """Fold a text to the width, behind a lead that is written once."""
        text, lines = self.safe(text), [self.safe(text)]
        if self.width is not None:
            room = max(self.width - len(lead), _NARROWEST)
            lines = textwrap.wrap(text, room, break_on_hyphens=False) or [""]
        yield [(lead, style), (lines[0], "")]
        yield from ([(" " * len(lead), ""), (line, "")] for line in lines[1:])


def render(findings: Sequence[Finding], look: Look) -> str:
    """Print the findings, and how many there are."""
    shown = [one for one in findings if look.verbose or one.counts]
    lines = [line for one in shown for line in (*_block(one, look), [])]
    lines.append([(summary(findings, verbose=look.verbose), "bold")])
    return "".join(f"{paint(line, color=look.color)}\n" for line in lines)


def summary(findings: Sequence[Finding], *, verbose: bool) -> str:
    """Count what was found."""
    counts = [
        counted(sum(one.severity is kind for one in findings), kind.value)
        for kind in (Severity.ERROR, Severity.WARNING)
        if any(one.severity is kind for one in findings)
    ]
    remarks = sum(not one.counts for one in findings)
    more = "" if verbose or not remarks else f" ({counted(remarks, 'remark')} with -v)"
    return f"found {' and '.join(counts)}{more}" if counts else f"nothing found{more}"


def _block(finding: Finding, look: Look) -> Iterator[Line]:
    """Give the lines of one finding."""
    severity = finding.severity or Severity.INFO
    place = finding.place
    yield [
        (f"{look.safe(place.file)}:{place.line}: " if place is not None else "", "bold"),
        (f"{finding.code} {finding.slug} ", _STYLES[severity]),
        (f"[{severity.value}]", "dim"),
    ]
    yield from look.wrapped(finding.message, _INDENT)
    yield from _code(finding, look)
    if finding.tensors:
        yield from look.wrapped(listed(finding.tensors, most=_NAMES), f"{_INDENT}tensors: ", "bold")
    for line in finding.evidence:
        yield from look.wrapped(line, f"{_INDENT}seen: ", "bold")
    yield from look.wrapped(finding.repair, f"{_INDENT}repair: ", "bold")
    for one in finding.folded:
        if look.verbose or one.counts:
            where = f" at {one.place}" if one.place is not None else ""
            said = f"{one.code} {one.slug}{where}: {one.message}"
            yield from look.wrapped(said, f"{_INDENT}follows: ", "bold")


def _code(finding: Finding, look: Look) -> Iterator[Line]:
    """Show the line that did it with the culprit marked, and the others with what they did."""
    place, bar = finding.place, "|" if look.ascii else "│"
    numbers = [one.place.line for one in finding.related] + ([place.line] if place else [])
    gutter = len(str(max(numbers, default=0)))
    below = [(f"{_INDENT}{'':{gutter}} {bar} ", "dim")]

    def line(where: Place, source: str) -> Line:
        return [(f"{_INDENT}{where.line:>{gutter}} {bar} ", "dim"), (look.safe(source), "")]

    if place is not None and finding.source:
        yield line(place, finding.source)
        yield [*below, _mark(finding, look)]
    for one in finding.related:
        if one.source:
            yield line(one.place, one.source)
        yield [*below, (look.safe(_role(one, place)), "dim")]


def _mark(finding: Finding, look: Look) -> Segment:
    """Underline what in the line did it."""
    before, found, _ = finding.source.partition(finding.marked) if finding.marked else ("", "", "")
    what = finding.marked if found else finding.source
    indent = width_of([(look.safe(before), "")]) if found else 0
    return " " * indent + "^" * width_of([(look.safe(what), "")]), "bold red"


def _role(one: Related, place: Place | None) -> str:
    """Say what a line did, and in which file where that is another."""
    return one.role if place and one.place.file == place.file else f"{one.role}, {one.place.file}"
