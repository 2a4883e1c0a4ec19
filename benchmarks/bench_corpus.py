"""`agi check` over a folder of cases: what it says first, of which line, and of healthy programs.

A case is a folder with `case.json` (`cause_key`, `acceptable_lines`, `detectability`), `case.py`
and perhaps `fixed.py`, of which nothing may be said, as of cases of the category `healthy`.

    python benchmarks/bench_corpus.py FOLDER [PART OF A CASE'S NAME]...
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from measure import Row, report

#: Programs that run at the same time, and seconds that each may take.
_AT_ONCE, _LIMIT = 2, 180
#: The share that is to be right, by detectability.
_BARS = {"objective": 0.95, "heuristic": 0.8}


@dataclass(frozen=True, slots=True)
class Checked:
    """What was said of one program; `trouble` where nothing could be made of it."""

    findings: Sequence[dict[str, Any]] = ()
    seconds: float = 0.0
    trouble: str = ""

    @property
    def alarms(self) -> list[dict[str, Any]]:
        """Those that make the check fail."""
        return [one for one in self.findings if one["severity"] != "info"]

    @property
    def first(self) -> dict[str, Any]:
        """What was said first, in three words."""
        return self.alarms[0] if self.alarms else {}


@dataclass(frozen=True, slots=True)
class Case:
    """A folder, what is known of it, and what was said of its programs."""

    folder: Path
    known: dict[str, Any]
    wrong: Checked = field(default_factory=Checked)
    fixed: Checked = field(default_factory=Checked)

    @property
    def kind(self) -> str:
        """`objective`, `heuristic`, `intent` or `healthy`."""
        return str(self.known.get("detectability") or "healthy")

    @property
    def line_is_right(self) -> bool:
        """Whether the first finding names a line that is to blame."""
        return self.wrong.first.get("line") in self.known["acceptable_lines"]

    @property
    def line_is_shown(self) -> bool:
        """Whether the first finding shows such a line, perhaps beside its own."""
        lines = {one["line"] for one in self.wrong.first.get("related", ())}
        return self.line_is_right or not lines.isdisjoint(self.known["acceptable_lines"])

    @property
    def slug_is_right(self) -> bool:
        """Whether the first finding names the cause."""
        return self.wrong.first.get("slug") == self.known["cause_key"]

    @property
    def false_alarms(self) -> list[str]:
        """What was said of a program that is in order."""
        healthy = self.wrong.alarms if self.kind == "healthy" else []
        return [f"{one['slug']}:{one['line']}" for one in (*healthy, *self.fixed.alarms)]


def main() -> None:
    """Check all cases, print a line for each, then the totals."""
    folder, parts = Path(sys.argv[1]).resolve(), sys.argv[2:]
    folders = sorted(one.parent for one in folder.glob("*/case.json"))
    wanted = [one for one in folders if not parts or any(part in one.name for part in parts)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        cases = list(pool.map(judge, wanted))
    for case in cases:
        print(told(case))
    print()
    report(totals(cases))


def judge(folder: Path) -> Case:
    """Check the programs of one case."""
    known = json.loads((folder / "case.json").read_text("utf-8"))
    fixed = folder / "fixed.py"
    return Case(
        folder,
        known,
        wrong=check(folder / "case.py"),
        fixed=check(fixed) if fixed.exists() else Checked(),
    )


def check(script: Path) -> Checked:
    """Run `agi check` on a script in a directory of its own."""
    with TemporaryDirectory() as place:
        command = [sys.executable, "-m", "autograd_inspect", "check", "-o", "found.json"]
        began = time.monotonic()
        try:
            done = subprocess.run(
                [*command, str(script)],
                cwd=place,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                capture_output=True,
                text=True,
                check=False,
                timeout=_LIMIT,
            )
        except subprocess.TimeoutExpired:
            return Checked(trouble=f"no end after {_LIMIT} s")
        seconds = time.monotonic() - began
        file = Path(place) / "found.json"
        if not file.exists() or "this is a bug" in done.stderr:
            last = done.stderr.strip().splitlines() or [""]
            return Checked(trouble=f"status {done.returncode}: {last[-1]}", seconds=seconds)
        return Checked(json.loads(file.read_text("utf-8"))["findings"], seconds)


def told(case: Case) -> str:
    """Say in one line what came of a case."""
    first = case.wrong.first
    said = f"{first['slug']}:{first['line']}" if first else "-"
    marks = "-"
    if case.kind != "healthy":
        line = "line" if case.line_is_right else "beside" if case.line_is_shown else "LINE"
        marks = f"{line} {'slug' if case.slug_is_right else 'SLUG'}"
    wanted = f"{case.known['cause_key']}:{case.known['acceptable_lines']}"
    trouble = case.wrong.trouble or case.fixed.trouble
    alarms = f" FALSE {' '.join(case.false_alarms)}" if case.false_alarms else ""
    return (
        f"{case.folder.name[:38]:38} {case.kind[:9]:9} {marks:11} {said:38} "
        f"{wanted if 'SLUG' in marks or 'LINE' in marks else '':44}"
        f"{case.wrong.seconds:5.1f} s{alarms}{' ' + trouble if trouble else ''}"
    )


def totals(cases: Sequence[Case]) -> list[Row]:
    """Count, by what can be known of a case."""
    rows = []
    for kind in ("objective", "heuristic", "intent"):
        of_kind = [case for case in cases if case.kind == kind]
        if not of_kind:
            continue
        for what, right in (
            ("line of the first finding", [case.line_is_right for case in of_kind]),
            ("line shown by the first finding", [case.line_is_shown for case in of_kind]),
            ("cause of the first finding", [case.slug_is_right for case in of_kind]),
        ):
            share, bar = sum(right) / len(right), _BARS.get(kind)
            rows.append(
                Row(
                    f"{kind}: {what}",
                    "stated" if bar is None else f">= {bar:.0%}",
                    f"{sum(right)} of {len(right)} ({share:.0%})",
                    None if bar is None else share >= bar,
                )
            )
    alarms = sum(bool(case.false_alarms) for case in cases)
    healthy = sum(case.kind == "healthy" or (case.folder / "fixed.py").exists() for case in cases)
    rows.append(Row("false alarms", "0", f"{alarms} of {healthy} programs", alarms == 0))
    trouble = sum(bool(case.wrong.trouble or case.fixed.trouble) for case in cases)
    rows.append(Row("programs that could not be checked", "0", str(trouble), trouble == 0))
    return rows


if __name__ == "__main__":
    main()
