"""What timing a step costs, beside torch's own profiler alone."""

from __future__ import annotations

from collections.abc import Iterator

from measure import Row, own_part, report

WIDTHS = (64, 512)


def rows_for(width: int) -> Iterator[Row]:
    ended = own_part("profiled_steps.py", str(width))
    if ended.status or not ended.facts:
        yield Row(f"width {width}", "", f"status {ended.status}: {ended.errors.strip()[-80:]}")
        return
    for side, ratio in ended.facts["steps"].items():
        yield Row(f"width {width}, a step under {side}", "stated", f"{ratio:.2f}x")
    ending, linked = ended.facts["ending"], ended.facts["linked"]
    yield Row(
        f"width {width}: reading it and linking {linked} nodes", "stated", f"{ending:.2f} steps"
    )


if __name__ == "__main__":
    report([row for width in WIDTHS for row in rows_for(width)])
