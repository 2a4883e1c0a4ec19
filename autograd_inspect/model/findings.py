"""What is wrong with a program: one finding per cause, with its line, evidence and repair."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from autograd_inspect.model.places import Place


class Severity(str, Enum):
    """How sure it is that something is wrong.

    `error`: it cannot be meant so. `warning`: it rarely is. `info`: it may well be.
    """

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def counts(self) -> bool:
        """Whether it makes the check fail."""
        return self is not Severity.INFO


@dataclass(frozen=True, slots=True)
class Related:
    """Another line that has to do with a finding, and what it did.

    source  the line as it is written, filled in at the end
    """

    place: Place
    role: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found.

    message   what happens, in one sentence
    evidence  what this run showed of it: values, versions, shapes, lines
    repair    what to do, in one sentence
    place     the line that did it, None where no line of the program did
    tensors   the tensors or parameters concerned, by name
    related   other lines that matter
    marked    the part of the line that did it, empty for the whole line
    ends_run  it says why the program ended with an error
    severity  None for that of the rule
    slug, code, source, folded  filled in afterwards: of the rule, the line as it is written, and
              the findings that are consequences of this one
    """

    message: str
    repair: str
    place: Place | None = None
    evidence: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    marked: str = ""
    ends_run: bool = False
    severity: Severity | None = None
    slug: str = ""
    code: str = ""
    source: str = ""
    folded: tuple[Finding, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether it makes the check fail."""
        return self.severity is not None and self.severity.counts
