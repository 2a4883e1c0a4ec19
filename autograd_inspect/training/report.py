"""The report of a training: the ledger, with the names that the program's variables give."""

from __future__ import annotations

from collections.abc import Sequence

from autograd_inspect.model.training import Held, Training
from autograd_inspect.tracing.frames import Scope
from autograd_inspect.tracing.optimizers import held_by_optimizers
from autograd_inspect.training.graphs import step_of
from autograd_inspect.training.ledger import Ledger
from autograd_inspect.training.naming import graphs_held
from autograd_inspect.training.shown import ShownValues

#: Tensors with a graph that are listed.
_HELD = 1000


def report(ledger: Ledger, values: ShownValues, scopes: Sequence[Scope]) -> Training:
    """Put together what was seen; `scopes` are the program's at the end, or at the last step."""
    named = ledger.name_all(scopes)
    ledger.fates.wait(held_by_optimizers())
    held = graphs_held(scopes)
    failed = ledger.failed
    return Training(
        target="",
        arguments=(),
        wanted=0,
        seen=ledger.seen,
        by=ledger.groups.by,
        steps=tuple(ledger.steps),
        optimizers=tuple(ledger.optimizers.names),
        groups=ledger.groups.table(),
        parameters=ledger.fates.table(map(id, named.parameters.values())),
        shown=values.table(),
        held=tuple(
            Held(name, tuple(tensor.shape), step_of(tensor))
            for name, tensor in list(held.items())[:_HELD]
        ),
        growing=0 if ledger.held is None else max(len(held) - ledger.held, 0),
        unfinished=sum(seen.earlier for seen in ledger.since.seen) if failed else 0,
        skipped=ledger.skipped,
        sampled=max((tracked.stride for tracked in ledger.optimizers), default=1),
        stride=ledger.stride,
        failed=failed,
        calls=ledger.calls,
        reused_steps=ledger.reused[0],
        reused_place=ledger.reused[1],
    )
