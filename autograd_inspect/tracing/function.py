"""A function of the user's program, and the inputs it is to be called with, by name."""

from __future__ import annotations

import difflib
import inspect
from collections import UserDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import nn
from torch.func import functional_call
from torch.utils import _pytree as pytree

from autograd_inspect.errors import ExpressionError, FunctionError, UsageError
from autograd_inspect.tracing.expression import Expression, failed, is_a, kind_of, tensors_in
from autograd_inspect.tracing.frames import Scope

#: Callables and names that an error lists.
_LISTED = 8


@dataclass(frozen=True, slots=True)
class Application:
    """A function and what it is to be called with.

    name        as the user calls it; `f` where the expression is more than a name
    inputs      the tensors among its arguments, by parameter, with the path inside of it
    parameters  those of a module, by their names behind that of the module
    buffers     those of a module, by their own names
    """

    name: str
    function: Callable[..., object]
    inputs: Mapping[str, torch.Tensor]
    parameters: Mapping[str, torch.Tensor]
    buffers: Mapping[str, torch.Tensor]
    _leaves: Sequence[tuple[str, object]]
    _shape: pytree.TreeSpec

    def __call__(self, given: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Call the function with these tensors in the place of its own; gives its results by name.

        Tensors that are not given are copies, so that the program's stay as they are. Raises
        FunctionError, from what the function raised.
        """
        leaves = [given[n] if n in given else _copy(leaf) for n, leaf in self._leaves]
        arguments, keywords = pytree.tree_unflatten(leaves, self._shape)
        try:
            value = self._called(given, arguments, keywords)
        except (Exception, SystemExit) as error:
            raise FunctionError(
                f"{self.name} raised {type(error).__name__} when called with {self._described()}"
                f"{_said(error)}"
            ) from error
        return {f"{self.name}{path}": tensor for path, tensor in tensors_in(value).items()}

    def choose(self, wanted: Sequence[str]) -> dict[str, torch.Tensor]:
        """Give the inputs and parameters of these names; without any, all inputs with derivatives.

        A name may be the end of one, behind a dot. Raises UsageError where there is no such.
        """
        if wanted:
            chosen = {name: self._find(text)[name] for text in wanted for name in self._find(text)}
        else:
            chosen = {n: t for n, t in self.inputs.items() if _has_derivative(t)}
            chosen = chosen or dict(self.inputs)
        for name, tensor in chosen.items():
            if not _has_derivative(tensor):
                raise UsageError(
                    f"{name} has dtype {tensor.dtype}: only floating-point and complex tensors "
                    "have a derivative",
                    hint=f"{name}.float() is one",
                )
        return chosen

    def _called(
        self,
        given: Mapping[str, torch.Tensor],
        arguments: Sequence[Any],
        keywords: Mapping[str, Any],
    ) -> object:
        if not isinstance(self.function, nn.Module):
            return self.function(*arguments, **keywords)
        own = {short: given[name] for name, short in self._own_names() if name in given}
        # Statistics that the module keeps of its batches go into copies.
        own |= {name: buffer.clone() for name, buffer in self.buffers.items()}
        return functional_call(self.function, own, tuple(arguments), dict(keywords))

    def _own_names(self) -> list[tuple[str, str]]:
        return [(name, name.removeprefix(f"{self.name}.")) for name in self.parameters]

    def _find(self, text: str) -> dict[str, torch.Tensor]:
        everything = {**self.parameters, **self.inputs}
        if text in everything:
            return {text: everything[text]}
        found = {n: t for n, t in everything.items() if n.endswith(f".{text}")}
        if len(found) == 1:
            return found
        near = list(found) or difflib.get_close_matches(text, list(everything), cutoff=0.5)
        raise UsageError(
            f"--wrt {text}: {'several' if found else 'no'} inputs or parameters of {self.name} are "
            "called so",
            hint=f"there are {_listed(near or list(everything))}",
        )

    def _described(self) -> str:
        given = (f"{name} {list(tensor.shape)}" for name, tensor in self.inputs.items())
        return ", ".join(given)


def application_at_end(function: str, inputs: str, main: ModuleType) -> Application:
    """Find a function among the program's variables once it has ended, and bind its inputs.

    Raises ExpressionError and FunctionError, in the user's words, where that is not possible.
    """
    expression = Expression(function)
    found: Any = value_at_end(expression, main, callables_of(main))
    name = expression.text if expression.is_place else "f"
    if not callable(found) or is_a(found, type):
        raise _not_callable(name, found, main)
    given = Expression(inputs)
    arguments, keywords = _arguments(value_at_end(given, main))
    names = _names_of_arguments(found, name, given, arguments, keywords)
    leaves, shape = pytree.tree_flatten_with_path((arguments, keywords))
    named = [(names(path), leaf) for path, leaf in leaves]
    tensors = {name: leaf.detach() for name, leaf in named if is_a(leaf, torch.Tensor)}
    _check_tensors(tensors, given, named)
    is_module = isinstance(found, nn.Module)
    return Application(
        name=name,
        function=found,
        inputs=tensors,
        parameters={f"{name}.{n}": p.detach() for n, p in found.named_parameters()}
        if is_module
        else {},
        buffers={n: b.detach() for n, b in found.named_buffers()} if is_module else {},
        _leaves=named,
        _shape=shape,
    )


def value_at_end(
    expression: Expression, main: ModuleType, candidates: Sequence[str] = ()
) -> object:
    """Evaluate an expression among the program's variables at its end; `torch` is always there.

    Raises ExpressionError, which suggests those of the candidates whose names are like a missing
    one.
    """
    scope = Scope({"torch": torch, **vars(main)}, vars(main))
    missing = expression.missing_in(scope)
    if missing:
        names = candidates or [name for name in vars(main) if not name.startswith("__")]
        near = difflib.get_close_matches(missing[0], names) or candidates
        raise ExpressionError(
            f"{expression.text}: nothing named {missing[0]!r} when the script ended",
            hint=f"did you mean {' or '.join(near[:_LISTED])}?" if near else "",
        )
    try:
        return expression.value(scope)
    except Exception as error:
        raise failed(expression, error) from error


def callables_of(main: ModuleType) -> list[str]:
    """Name the functions that the program defines and the modules that its variables hold."""
    return [
        name
        for name, value in vars(main).items()
        if (inspect.isfunction(value) and value.__module__ == main.__name__)
        or is_a(value, nn.Module)
    ]


def _not_callable(name: str, found: object, main: ModuleType) -> FunctionError:
    functions = callables_of(main)
    hint = f"functions of the program: {_listed(functions)}" if functions else ""
    if is_a(found, type):
        return FunctionError(f"{name} is a class, not a function or a module", hint=hint)
    shape = f" {list(found.shape)}" if is_a(found, torch.Tensor) else ""
    return FunctionError(f"{name} is {kind_of(found)}{shape}, not a function", hint=hint)


def _arguments(value: object) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Read inputs as arguments: those of a tuple or list one by one, of a dict by keyword."""
    if is_a(value, (dict, UserDict)):
        return (), {str(name): each for name, each in value.items()}
    if is_a(value, (tuple, list)):
        return tuple(value), {}
    return (value,), {}


def _names_of_arguments(
    function: Callable[..., object],
    name: str,
    given: Expression,
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
) -> Callable[[Sequence[Any]], str]:
    """Check that the arguments fit the signature; gives the function that names their parts."""
    try:
        signature = inspect.signature(
            function.forward if isinstance(function, nn.Module) else function
        )
    except (TypeError, ValueError):  # a builtin's parameters are not known
        written = [given.name_of(f"[{number}]") for number in range(len(arguments))]
        written = written if len(written) > 1 else [given.text]
        names = [text if text.isidentifier() else f"x{n}" for n, text in enumerate(written)]
    else:
        try:
            signature.bind(*arguments, **keywords)
        except TypeError as error:
            raise FunctionError(
                f"{name}{signature} does not take --inputs {given.text}: {error}"
            ) from None
        names = _positional(signature, len(arguments))

    def name_of(path: Sequence[Any]) -> str:
        first, *inside = path[1:]  # which of the two, arguments or keywords, tells the key itself
        top = first.key if isinstance(first, pytree.MappingKey) else names[first.idx]
        return f"{top}{pytree.keystr(tuple(inside))}"

    return name_of


def _positional(signature: inspect.Signature, count: int) -> list[str]:
    """Name so many positional arguments by their parameters."""
    kinds = inspect.Parameter
    parameters = list(signature.parameters.values())
    names = [
        one.name
        for one in parameters
        if one.kind in {kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD}
    ]
    rest = next((one.name for one in parameters if one.kind is kinds.VAR_POSITIONAL), "")
    return [*names, *(f"{rest}[{number}]" for number in range(count - len(names)))]


def _check_tensors(
    tensors: Mapping[str, torch.Tensor], given: Expression, named: Sequence[tuple[str, object]]
) -> None:
    if tensors:
        return
    if not named:
        raise FunctionError(f"--inputs {given.text} holds no tensor", hint="as in: (x, y)")
    name, value = named[0]
    hint = f"torch.tensor({value!r}) is one" if isinstance(value, int | float | complex) else ""
    raise FunctionError(f"--inputs: {name} is {kind_of(value)}, not a tensor", hint=hint)


def _has_derivative(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _copy(leaf: object) -> object:
    return leaf.detach().clone() if is_a(leaf, torch.Tensor) else leaf


def _said(error: BaseException) -> str:
    """Give the first line of what an exception says."""
    text = str(error).strip()
    return f": {text.splitlines()[0]}" if text else ""


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
