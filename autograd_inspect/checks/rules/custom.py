"""Wrong gradients without any error: custom backwards, and writes that autograd cannot see."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from autograd_inspect.checks.functions import function_named
from autograd_inspect.checks.reading import name_of_saved, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.model.facts import Facts
from autograd_inspect.model.findings import Finding, Severity
from autograd_inspect.model.gradcheck import Cause, Fault, FunctionCheck, InputCheck
from autograd_inspect.model.places import Place
from autograd_inspect.model.rows import Saved


def custom_backward_missing_factor(facts: Facts) -> Iterator[Finding]:
    """Find custom Functions whose gradient is not that of their forward."""
    for check, wrong in _wrong(facts):
        if wrong.cause is not Cause.SIGN and wrong.order == 1:
            yield _wrong_gradient(facts, check, wrong)


def wrong_custom_backward_sign(facts: Facts) -> Iterator[Finding]:
    """Find custom Functions whose gradient has the opposite sign."""
    for check, wrong in _wrong(facts):
        if wrong.cause is Cause.SIGN and wrong.order == 1:
            yield _wrong_gradient(facts, check, wrong)


def _wrong(facts: Facts) -> Iterator[tuple[FunctionCheck, InputCheck]]:
    for check in facts.gradcheck.checks if facts.gradcheck is not None else ():
        muddled = any(fault.is_finding for fault, _ in check.faults)
        if any(one.cause is Cause.UNUSED for one in check.inputs):
            continue  # a gradient for what the forward does not look at is sent there on purpose
        for one in check.inputs:
            if one.verdict.is_finding and not muddled:
                yield check, one


def _wrong_gradient(facts: Facts, check: FunctionCheck, wrong: InputCheck) -> Finding:
    worst = wrong.worst
    evidence = [f"{wrong.wrong} of {wrong.checked} elements of the gradient of {wrong.name} differ"]
    if worst is not None:
        evidence.append(
            f"{wrong.name}{list(worst.index)}: backward says {_number(worst.analytic)}, "
            f"differences of forward say {_number(worst.numeric)}"
        )
    cause = f" ({wrong.cause.value})" if wrong.cause.value else ""
    # A Function that changes one gradient on purpose may do so with the others.
    is_meant = any(one.verdict.is_meant for one in check.inputs)
    return Finding(
        message=f"the backward of {check.name} gives {wrong.name} a gradient that is not that of "
        f"its forward{cause}",
        evidence=tuple(evidence),
        repair="multiply by grad_output, and derive each input's gradient from the forward",
        severity=Severity.INFO if is_meant else None,
        place=_giving_line(facts, check, wrong) or _backward_line(facts, check),
        tensors=(wrong.name,),
        related=related((check.place, f"{check.name} was called here")),
    )


def _giving_line(facts: Facts, check: FunctionCheck, wrong: InputCheck) -> Place | None:
    written = function_named(facts, check.name.rpartition(".")[2])
    return written.giving(wrong.name) if written is not None else None


def _number(value: complex) -> str:
    return f"{value.real:.6g}" if not value.imag else f"{value:.6g}"


def ctx_breaks_double_backward(facts: Facts) -> Iterator[Finding]:
    """Find custom Functions whose gradient is right and whose second derivative is wrong."""
    for check in facts.gradcheck.checks if facts.gradcheck is not None else ():
        wrong = [one for one in check.inputs if one.order == 2 and one.verdict.is_finding]
        right = all(one.verdict.value == "ok" for one in check.inputs if one.order == 1)
        if right and (wrong or check.second not in {"", "passes"}):
            yield Finding(
                message=f"the gradient of {check.name} is right, and its second derivative is "
                "wrong: what its backward reads from ctx has no graph",
                evidence=(check.second,) if check.second else (),
                repair="save inputs and outputs alone, with save_for_backward, and compute the "
                "rest again in backward",
                place=_backward_line(facts, check),
                related=related((check.place, f"{check.name} was called here")),
            )


def backward_mutates_saved(facts: Facts) -> Iterator[Finding]:
    """Find custom backwards that write into what was saved, or into the gradient they are given."""
    faults = {Fault.MUTATES_SAVED, Fault.MUTATES_GRAD_OUTPUT}
    for check in facts.gradcheck.checks if facts.gradcheck is not None else ():
        for fault, what in check.faults:
            own = fault is Fault.MUTATES_BUFFER and _ran_twice(facts, check)
            if fault in faults or own:
                name = what or "grad_output"
                yield Finding(
                    message=f"the backward of {check.name} overwrites {name}, which others may "
                    "still need",
                    evidence=(f"{name} is another after backward than before",),
                    repair="write the gradient into a new tensor",
                    place=_backward_line(facts, check, writes=True),
                    tensors=(name,),
                    related=related((check.place, f"{check.name} was called here")),
                )


def _ran_twice(facts: Facts, check: FunctionCheck) -> bool:
    """Tell whether two backward calls went through one and the same node of a Function."""
    name = f"{check.name}Backward"
    seen: set[int] = set()
    for capture in facts.captures:
        of_capture = {one.sequence for one in capture.graph.nodes if one.op == name}
        if seen & of_capture:
            return True
        seen |= of_capture
    return False


def _backward_line(facts: Facts, check: FunctionCheck, *, writes: bool = False) -> Place | None:
    """Find the line of a Function's backward that gives the gradient, or that writes."""
    written = function_named(facts, check.name.rpartition(".")[2])
    if written is None:
        return check.place
    telling = [one for one in ast.walk(written.backward) if _writes(one)] if writes else []
    return written.place([*telling, *written.returns[-1:], written.backward][0])


def _writes(node: ast.AST) -> bool:
    """Tell what writes in place: `x += 1`, `x[0] = 1`, `x.add_(1)` and `out=x`."""
    if isinstance(node, ast.Assign):
        return isinstance(node.targets[0], ast.Subscript)
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", "")
        into = any(word.arg == "out" for word in node.keywords)
        return into or (name.endswith("_") and not name.startswith("_"))
    return isinstance(node, ast.AugAssign)


def data_mutation_hidden(facts: Facts) -> Iterator[Finding]:
    """Find writes to saved tensors that their version does not show."""
    for one in facts.observed.hidden:
        capture = facts.captures[one.capture]
        saved = Saved(capture.graph, one.saved)
        name, node = name_of_saved(saved), saved.node
        yield Finding(
            message=f"{one.op} changes {name} through .data after {node.title} saved it: backward "
            "uses the new values, and autograd cannot tell",
            evidence=(f"{node.title} saved it as {saved.name}; its version did not change",),
            repair="call backward before the values change, or write under no_grad() without "
            ".data, so that autograd notices",
            place=one.place,
            tensors=(name,),
            related=related(
                (node.place, f"{node.title} saved it here"),
                (capture.about.place, "backward needed it here"),
            ),
        )
        return


RULES = (
    Rule("custom_backward_missing_factor", Severity.ERROR,
         "A custom backward that gives a wrong gradient", custom_backward_missing_factor),
    Rule("wrong_custom_backward_sign", Severity.ERROR, "A custom backward that turns the sign",
         wrong_custom_backward_sign),
    Rule("ctx_breaks_double_backward", Severity.ERROR,
         "Intermediates kept on ctx make double backward wrong", ctx_breaks_double_backward,
         frozenset(["missing_create_graph", "unused_parameter"])),
    Rule("backward_mutates_saved", Severity.ERROR,
         "A backward that overwrites what another node saved", backward_mutates_saved,
         frozenset(["data_mutation_hidden"])),
    Rule("data_mutation_hidden", Severity.ERROR, ".data changes a saved tensor unseen",
         data_mutation_hidden),
)  # fmt: skip
