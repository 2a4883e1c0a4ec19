"""From facts to findings: rules are run, causes put before consequences, the unwanted left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from autograd_inspect.checks.choice import EVERYTHING, Choice, fits
from autograd_inspect.checks.registry import all_rules
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.places import Place

#: Families of codes, those that cause others first: errors, NaN, missing, wrong, silent, memory.
_FAMILIES = "132645"
_SEVERITIES = list(Severity)


def examine(facts: Facts, choice: Choice = EVERYTHING) -> tuple[Finding, ...]:
    """Find what is wrong: the most causal first, its consequences folded into it."""
    sources = Sources(facts.start)
    found = [
        _complete(one, rule, sources)
        for rule in all_rules()
        if choice.wants(rule.slug)
        for one in rule.find(facts)
    ]
    kept = [one for one in _once_each(found) if not _is_ignored(one, sources)]
    return _folded(sorted(kept, key=_rank))


def _complete(finding: Finding, rule: Rule, sources: Sources) -> Finding:
    """Fill in what the rule leaves open."""
    return replace(
        finding,
        code=rule.code,
        slug=rule.slug,
        severity=finding.severity or rule.severity,
        source=sources.line(finding.place),
        related=tuple(replace(one, source=sources.line(one.place)) for one in finding.related),
    )


def _once_each(found: Sequence[Finding]) -> Iterator[Finding]:
    """Put findings together that name the same line for the same reason."""
    merged: dict[tuple[str, Place | None, str], Finding] = {}
    for one in found:
        key = one.slug, one.place, one.marked or ("" if one.place else one.message)
        known = merged.setdefault(key, one)
        if known is not one:
            tensors = tuple(dict.fromkeys((*known.tensors, *one.tensors)))
            merged[key] = replace(known, tensors=tensors, ends_run=known.ends_run or one.ends_run)
    yield from merged.values()


def _rank(finding: Finding) -> tuple[bool, int, int]:
    severity = _SEVERITIES.index(finding.severity or Severity.INFO)
    return not finding.ends_run, severity, _FAMILIES.index(finding.code[3])


def _folded(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Fold each finding into the one that explains it; that one then tells of the end as well."""
    explainers = [_explainer(place, findings) for place in range(len(findings))]
    folded: dict[int, list[int]] = {}
    for place in range(len(findings)):
        head = _head(place, explainers)
        folded.setdefault(head, [])
        if head != place:
            folded[head].append(place)
    heads = [
        replace(
            findings[head],
            folded=tuple(findings[one] for one in others),
            ends_run=any(findings[one].ends_run for one in (head, *others)),
        )
        for head, others in folded.items()
    ]
    return tuple(sorted(heads, key=_rank))


def _head(place: int, explainers: Sequence[int | None]) -> int:
    """Follow explanations to the first cause; where they go in a circle, to its first finding."""
    way = [place]
    above = explainers[place]
    while above is not None:
        if above in way:
            return min(way[way.index(above) :])
        way.append(above)
        above = explainers[above]
    return way[-1]


def _explainer(place: int, findings: Sequence[Finding]) -> int | None:
    """Give the finding that explains one; of two that explain each other, the earlier does."""
    for other in range(len(findings)):
        if other == place or not _explains(findings[other], findings[place]):
            continue
        if other < place or not _explains(findings[place], findings[other]):
            return other
    return None


def _explains(head: Finding, other: Finding) -> bool:
    rules = {rule.slug: rule for rule in all_rules()}
    is_symptom = head.counts and head.code[3] in rules[other.slug].explained_by
    is_consequence = is_symptom or other.slug in rules[head.slug].explains
    return is_consequence and _concern_the_same(head, other)


def _concern_the_same(head: Finding, other: Finding) -> bool:
    if head.ends_run and other.ends_run:
        return True
    if not head.tensors or not other.tensors:
        return True
    return not set(head.tensors).isdisjoint(other.tensors)


def _is_ignored(finding: Finding, sources: Sources) -> bool:
    ignored = sources.ignored(finding.place)
    if ignored is None:
        return False
    return not ignored or any(fits(finding.slug, name) for name in ignored)
