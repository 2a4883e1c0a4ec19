"""What autograd refuses at once: the line that raised is the line that did it."""

from __future__ import annotations

from collections.abc import Iterator

from autograd_inspect.checks.reading import failing, related
from autograd_inspect.checks.rule import Rule
from autograd_inspect.checks.sources import Sources
from autograd_inspect.checks.written import leads_to, tensors_at, written_to
from autograd_inspect.model.facts import Facts, Failure, LiveTensor
from autograd_inspect.model.findings import Finding, Related, Severity


def inplace_on_leaf(facts: Facts) -> Iterator[Finding]:
    """Explain an in-place operation on a leaf, or on a view of one."""
    failure = failing(facts, "leaf Variable that requires grad is being used in an in-place")
    if failure is None:
        return
    is_view = failure.message.startswith("a view of a leaf")
    target, leaves = _written(facts, failure)
    what = target or "a tensor"
    yield Finding(
        message=f"{what} is {'a view of a leaf' if is_view else 'a leaf'} that requires grad, and "
        "is changed in place while gradients are recorded",
        evidence=_described(leaves),
        repair="put the update under torch.no_grad(), or compute a new tensor instead",
        place=failure.place,
        tensors=_names(leaves) or _named(target),
        marked=target,
        ends_run=True,
    )


def inplace_on_multi_view(facts: Facts) -> Iterator[Finding]:
    """Explain an in-place operation on one of several views that a function gave."""
    failure = failing(facts, "is the output of a function that returns multiple views")
    if failure is None:
        return
    target, views = _written(facts, failure)
    maker = failure.message.partition(" is a view")[0].rpartition(" ")[2]
    operation = maker.partition("Backward")[0].lower() or "a function"
    said = (
        f"what {operation} cut into views was changed in place, and this uses one of the views"
        if "its base or another view" in failure.message
        else f"{target or 'a view'} is one of the views that {operation} gave, and such a view "
        "must not be changed in place"
    )
    yield Finding(
        message=said,
        evidence=_described(views),
        repair="compute a new tensor (x = x - m instead of x.sub_(m)) and put the parts together "
        "again with torch.stack or torch.cat",
        place=failure.place,
        tensors=_names(views) or _named(target),
        related=_made(views, f"{operation} made the views here"),
        marked=target,
        ends_run=True,
    )


def view_made_in_no_grad(facts: Facts) -> Iterator[Finding]:
    """Explain an in-place operation on a view that was made while gradients were off."""
    failure = failing(facts, "view was created in no_grad mode", "view was created in inference")
    if failure is None:
        return
    target, views = _written(facts, failure)
    yield Finding(
        message=f"{target or 'a view'} was made under no_grad and is changed in place with "
        "gradients on, so autograd cannot tell which of both is meant",
        evidence=_described(views),
        repair="make the view and change it either both under no_grad or both outside of it",
        place=failure.place,
        tensors=_names(views) or _named(target),
        related=(*_made(views, "the view was made here"), *_switched_off(views)),
        marked=target,
        ends_run=True,
    )


def inference_tensor_in_graph(facts: Facts) -> Iterator[Finding]:
    """Explain a tensor made under inference_mode where autograd needs an ordinary one."""
    failure = failing(facts, "nference tensor")
    if failure is None:
        return
    sources = Sources(facts.start)
    having = [one for one in failure.tensors if one.inference]
    near = tensors_at(sources, failure.place, having) or having
    name = near[0].name if near else "a tensor"
    region = next((one.region for one in near if one.region is not None), None)
    used = (failure.place, "autograd needed an ordinary tensor here")
    yield Finding(
        message=f"{name} was made under inference_mode, and such a tensor can never take part in "
        "a graph",
        evidence=_described(near),
        repair="make it under torch.no_grad() instead of inference_mode, or take a clone() of it "
        "outside",
        place=region or failure.place,
        tensors=_names(near),
        related=(*_made(near, "it was made here"), *(related(used) if region else ())),
        ends_run=True,
    )


def out_argument(facts: Facts) -> Iterator[Finding]:
    """Explain out= with tensors that require grad."""
    failure = failing(facts, "functions with out=... arguments don't support automatic")
    if failure is None:
        return
    function = failure.message.partition("(")[0]
    having = [one for one in failure.tensors if one.requires_grad]
    near = tensors_at(Sources(facts.start), failure.place, having)
    yield Finding(
        message=f"{function} writes its result to out=, which autograd does not record, and an "
        "argument requires grad",
        evidence=_described(near),
        repair=f"use the result that {function} returns: x = torch.{function}(...)",
        place=failure.place,
        tensors=_names(near),
        marked="out=",
        ends_run=True,
    )


def deepcopy_nonleaf(facts: Facts) -> Iterator[Finding]:
    """Explain a deepcopy of something that holds the result of an operation."""
    failure = failing(facts, "support the deepcopy protocol")
    if failure is None:
        return
    computed = [one for one in failure.tensors if one.requires_grad and not one.is_leaf]
    near = tensors_at(Sources(facts.start), failure.place, computed) or computed
    name = near[0].name if near else "a tensor in it"
    yield Finding(
        message=f"deepcopy is to copy {name}, which is the result of an operation and has a graph",
        evidence=_described(near),
        repair="copy the state_dict() instead, or keep the cached value detached",
        place=failure.place,
        tensors=_names(near),
        related=_made(near, f"{name} was computed here"),
        marked="deepcopy",
        ends_run=True,
    )


def nonscalar_backward(facts: Facts) -> Iterator[Finding]:
    """Explain backward on a tensor of several elements."""
    failure = failing(facts, "grad can be implicitly created only for scalar outputs")
    if failure is None:
        return
    several = [one for one in failure.tensors if one.requires_grad and one.spec.shape]
    near = tensors_at(Sources(facts.start), failure.place, several)
    name = near[0].name if near else "the tensor"
    shape = f" has shape {near[0].spec.shape_text} and" if near else ""
    yield Finding(
        message=f"backward starts at {name}, which{shape} is not reduced to one number",
        evidence=_described(near),
        repair="reduce it with .mean() or .sum(), or give backward the gradient to start with",
        place=failure.place,
        tensors=_names(near[:1]),
        related=_made(near, f"{name} was computed here"),
        ends_run=True,
    )


def numpy_of_tensor_with_graph(facts: Facts) -> Iterator[Finding]:
    """Explain the way to numpy that a tensor with a graph cannot go."""
    failure = failing(facts, "Can't call numpy() on Tensor that requires grad")
    if failure is None:
        return
    having = [one for one in failure.tensors if one.requires_grad]
    near = tensors_at(Sources(facts.start), failure.place, having)
    yield Finding(
        message="numpy is to take over a tensor that requires grad, where its graph would end",
        evidence=_described(near),
        repair="stay with torch (torch.stack(...).sum(), torch.sin ...) where the gradient is "
        "needed; .detach() first where it is not",
        place=failure.place,
        tensors=_names(near),
        ends_run=True,
    )


def nonleaf_to_optimizer(facts: Facts) -> Iterator[Finding]:
    """Explain the result of an operation that was given to an optimizer."""
    failure = failing(facts, "can't optimize a non-leaf Tensor")
    if failure is None:
        return
    computed = [one for one in failure.tensors if one.requires_grad and not one.is_leaf]
    near = tensors_at(Sources(facts.start), failure.place, computed) or computed
    made = near[0].made if near else None
    name = near[0].name if near else "a tensor given to the optimizer"
    yield Finding(
        message=f"{name} is the result of an operation, not a leaf: an optimizer could change it, "
        "but what it was computed from would stay",
        evidence=_described(near),
        repair="compute the start value first and call requires_grad_() on the result",
        place=made or failure.place,
        tensors=_names(near),
        related=related((failure.place, "the optimizer was given it here")) if made else (),
        ends_run=True,
    )


def _written(facts: Facts, failure: Failure) -> tuple[str, list[LiveTensor]]:
    """Give what the line that failed writes to, by its text and as tensors."""
    sources = Sources(facts.start)
    target = written_to(sources, failure.place)
    found = [one for one in failure.tensors if target and leads_to(target, one.name)]
    return target, found[:1] or found


def _described(tensors: list[LiveTensor]) -> tuple[str, ...]:
    """Say what is known of a few tensors."""
    return tuple(
        f"{one.name} {one.spec}: {'a leaf' if one.is_leaf else f'made by {one.node}'}"
        + (f", a view of {one.base}" if one.base else "")
        + (", requires grad" if one.requires_grad and one.is_leaf else "")
        for one in tensors[:3]
    )


def _names(tensors: list[LiveTensor]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.name for one in tensors))


def _named(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _made(tensors: list[LiveTensor], role: str) -> tuple[Related, ...]:
    return related(*((one.made, role) for one in tensors[:1]))


def _switched_off(tensors: list[LiveTensor]) -> tuple[Related, ...]:
    return related(*((one.region, "gradients were switched off here") for one in tensors[:1]))


RULES = (
    Rule(
        "inplace_on_leaf",
        Severity.ERROR,
        "A leaf that requires grad, or a view of one, is changed in place",
        inplace_on_leaf,
    ),
    Rule(
        "inplace_on_multi_view",
        Severity.ERROR,
        "One of several views of a tensor is changed in place",
        inplace_on_multi_view,
    ),
    Rule(
        "view_made_in_no_grad",
        Severity.ERROR,
        "A view made under no_grad is changed in place with gradients on",
        view_made_in_no_grad,
    ),
    Rule(
        "inference_tensor_in_graph",
        Severity.ERROR,
        "A tensor made under inference_mode is used where gradients are recorded",
        inference_tensor_in_graph,
    ),
    Rule(
        "out_argument",
        Severity.ERROR,
        "The result of an operation on tensors that require grad is written to out=",
        out_argument,
    ),
    Rule(
        "deepcopy_nonleaf",
        Severity.ERROR,
        "deepcopy of something that holds the result of an operation",
        deepcopy_nonleaf,
    ),
    Rule(
        "nonscalar_backward",
        Severity.ERROR,
        "backward on a tensor that is not reduced to one number",
        nonscalar_backward,
    ),
    Rule(
        "numpy_roundtrip",
        Severity.ERROR,
        "A value goes through numpy or Python numbers and comes back without its graph",
        numpy_of_tensor_with_graph,
    ),
    Rule(
        "nonleaf_made_by_op",
        Severity.ERROR,
        "What an optimizer is given, or .grad is read of, is the result of an operation",
        nonleaf_to_optimizer,
    ),
)
