"""What the watches noticed beside graphs and steps, as plain data."""

from __future__ import annotations

from pathlib import Path
from types import FrameType

from autograd_inspect.checking.spoiling import chain_of, stack_of
from autograd_inspect.checking.witness import Witness
from autograd_inspect.model.observed import Broadcast, LostConstant, Observed, Overwritten
from autograd_inspect.model.places import Place
from autograd_inspect.recording.flow import Flow
from autograd_inspect.recording.overwriting import Line
from autograd_inspect.run.files import relative_to
from autograd_inspect.tracing.frames import scopes_at
from autograd_inspect.training.ledger import Ledger


def variables_of(frame: FrameType) -> dict[str, object]:
    """Give the variables of a frame with what they stand for just now."""
    with scopes_at(frame) as scopes:
        return dict(scopes[0].variables)


def observed_by(witness: Witness, ledger: Ledger) -> Observed:
    """Put together what was noticed."""
    flow, modules, start = witness.recorder.flow, witness.modules, witness.scene.start
    noticing = flow.noticing if flow is not None else None

    return Observed(
        spoils=tuple(witness.spoils),
        poles=tuple(
            chain_of(one, start)[0]
            for one in (flow.values.seen.values() if flow is not None else ())
        ),
        constants=tuple(
            LostConstant(one.op, one.number, one.rounded, one.dtype, stack_of(one.spot, start))
            for one in (noticing.lost.values() if noticing else ())
        ),
        broadcasts=tuple(
            Broadcast(one.op, one.shapes, stack_of(one.spot, start), one.is_loss, one.is_wanted)
            for one in (noticing.squared.values() if noticing else ())
        ),
        overwritten=_overwritten(flow, start) if flow is not None else (),
        shares=witness.deeds.shares(ledger.fates.name_by_id),
        drifts=witness.deeds.drifts(ledger.fates.name_by_id),
        hidden=tuple(witness.hidden),
        aliases=tuple(modules.aliases.values()),
        misnomers=tuple(modules.misnomers.values()),
        ties=tuple(modules.ties.found.values()),
        may_be_unused=modules.may_be_unused,
    )


def _overwritten(flow: Flow, start: Path) -> tuple[Overwritten, ...]:
    def place(line: Line) -> Place:
        code, number = line
        return Place(relative_to(code.co_filename, start), number, code.co_name)

    return tuple(
        Overwritten(
            one.variable,
            one.is_list,
            one.op,
            place(one.called),
            place(one.wrote),
            place(one.used),
        )
        for one in flow.overwriting.uses
    )
