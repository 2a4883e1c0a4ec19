"""What a rule is: a slug with its code, and a function from facts to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from autograd_inspect.checks.codes import CODES
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of mistake.

    slug      the kind in words: `inplace_on_saved`
    severity  of its findings, unless one says otherwise
    title     what is wrong, as the heading of its page
    find      looks for it
    explains  slugs whose findings are consequences where they concern some of the same tensors
    explained_by  families whose findings explain these, the first digits of codes: the symptom
    """

    slug: str
    severity: Severity
    title: str
    find: Callable[[Facts], Iterable[Finding]]
    explains: frozenset[str] = frozenset()
    explained_by: str = ""

    @property
    def code(self) -> str:
        """Its code: `AGI101`."""
        return CODES[self.slug]
