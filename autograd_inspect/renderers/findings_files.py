"""Findings for machines: JSON, GitHub's annotations, and SARIF."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from autograd_inspect.model.findings import Finding, Related, Severity
from autograd_inspect.model.places import Place

SCHEMA = "agi.check/1"
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}

#: What is known of the run beside the findings, for the JSON.
About = Mapping[str, object]


def to_json(findings: Sequence[Finding], about: About) -> str:
    """Write all there is as one object."""
    return json.dumps(
        {"schema": SCHEMA, **about, "findings": [_as_object(one) for one in findings]},
        indent=2,
        ensure_ascii=False,
    )


def github(findings: Sequence[Finding]) -> str:
    """Write workflow commands, which GitHub shows beside the lines of a pull request."""
    lines = []
    for one in findings:
        where = f"file={_property(one.place.file)},line={one.place.line}," if one.place else ""
        title = _property(f"{one.code} {one.slug}")
        text = "\n".join([one.message, *one.evidence, f"Repair: {one.repair}"])
        lines.append(f"::{_COMMANDS[_severity(one)]} {where}title={title}::{_data(text)}\n")
    return "".join(lines)


def sarif(findings: Sequence[Finding], version: str) -> str:
    """Write the Static Analysis Results Interchange Format, version 2.1.0."""
    rules = {one.code: one.slug for one in findings}
    driver = {
        "name": "autograd-inspect",
        "version": version,
        "rules": [{"id": code, "name": slug} for code, slug in sorted(rules.items())],
    }
    results = [
        {
            "ruleId": one.code,
            "level": _LEVELS[_severity(one)],
            "message": {"text": "\n".join([one.message, *one.evidence, f"Repair: {one.repair}"])},
            "locations": [_location(one.place)] if one.place else [],
            "relatedLocations": [_location(r.place, r.role) for r in one.related],
        }
        for one in findings
    ]
    runs = [{"tool": {"driver": driver}, "results": results}]
    return json.dumps({"$schema": _SARIF, "version": "2.1.0", "runs": runs}, indent=2)


def _as_object(finding: Finding) -> dict[str, object]:
    return {
        "code": finding.code,
        "slug": finding.slug,
        "severity": _severity(finding).value,
        "file": finding.place.file if finding.place else None,
        "line": finding.place.line if finding.place else None,
        "source": finding.source,
        "related": [_related(one) for one in finding.related],
        "tensors": list(finding.tensors),
        "message": finding.message,
        "evidence": list(finding.evidence),
        "repair": finding.repair,
        "explains_failure": finding.ends_run,
        "consequences": [_as_object(one) for one in finding.folded],
    }


def _related(one: Related) -> dict[str, object]:
    return {
        "file": one.place.file,
        "line": one.place.line,
        "role": one.role,
        "source": one.source,
    }


def _location(place: Place, message: str = "") -> dict[str, Any]:
    uri = place.file.replace("\\", "/")
    found: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": f"file://{uri}" if uri.startswith("/") else uri},
            "region": {"startLine": max(place.line, 1)},
        }
    }
    return {**found, "message": {"text": message}} if message else found


def _severity(finding: Finding) -> Severity:
    return finding.severity or Severity.INFO


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
