"""Flame graphs for https://www.speedscope.app: sampled profiles, in nanoseconds."""

from __future__ import annotations

import json
from collections.abc import Sequence

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.times import Frame, Samples

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def render(capture: Capture, profiles: Sequence[Samples]) -> str:
    """Write the profiles as one file, which shows them side by side."""
    rows: dict[Frame, int] = {}
    written = [_profile(profile, rows) for profile in profiles]
    file = {
        "$schema": SCHEMA,
        "exporter": f"autograd-inspect {dict(capture.about.versions).get('agi', '')}".rstrip(),
        "name": capture.about.source,
        "activeProfileIndex": 0,
        "shared": {"frames": [_frame(frame) for frame in rows]},
        "profiles": written,
    }
    return json.dumps(file, allow_nan=False)


def _profile(profile: Samples, rows: dict[Frame, int]) -> dict[str, object]:
    """Write one profile; frames that it has first get the next numbers."""
    samples = [
        [rows.setdefault(frame, len(rows)) for frame in sample.stack] for sample in profile.samples
    ]
    weights = [sample.time for sample in profile.samples]
    return {
        "type": "sampled",
        "name": profile.name,
        "unit": "nanoseconds",
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }


def _frame(frame: Frame) -> dict[str, object]:
    placed = {"file": frame.file, "line": frame.line} if frame.file else {}
    return {"name": frame.name, **placed}
