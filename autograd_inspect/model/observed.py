"""Single things that a run showed beside its graphs: what values, gradients and modules did."""

from __future__ import annotations

from dataclasses import dataclass

from autograd_inspect.model.places import Place
from autograd_inspect.model.probes import Operand

Stack = tuple[Place, ...]
"""Lines of the user's, innermost first."""


@dataclass(frozen=True, slots=True)
class Origin:
    """An operation that gave a value which is NaN or infinite.

    value  the first such element, as text
    given  what it was given, at that element
    """

    op: str
    value: str
    stack: Stack
    given: tuple[Operand, ...] = ()

    @property
    def place(self) -> Place | None:
        """The innermost line."""
        return self.stack[0] if self.stack else None


@dataclass(frozen=True, slots=True)
class Spoil:
    """A value that was not finite where a backward began, or in what it needed.

    capture  a number of `Facts.captures`
    birth    row in `Graph.births` of the node that had saved it; -1 for the loss itself
    name     of the loss, empty for a saved tensor
    chain    where it came from: the operation that made it so, then that which gave this one
             infinite values
    """

    capture: int
    birth: int
    name: str
    chain: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class LostConstant:
    """A number that the dtype of the tensor it was combined with cannot represent."""

    op: str
    number: float
    rounded: float
    dtype: str
    stack: Stack


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A column combined with a row: both were expanded into a square.

    shapes     of the two
    is_loss    the operation is a loss function
    is_wanted  the column is the row, or was made a column for this
    """

    op: str
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    stack: Stack
    is_loss: bool
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A variable whose tensor an operation in a function called by it overwrote, and its next use.

    variable  in the function of `called`: it stood for the values that were overwritten
    is_list   it stood for a list that kept the tensor
    op        the operation that wrote
    called    the line at which `variable` was handed on
    wrote     the line of the user's that wrote
    used      the line that used the variable afterwards
    """

    variable: str
    is_list: bool
    op: str
    called: Place
    wrote: Place
    used: Place


@dataclass(frozen=True, slots=True)
class Hidden:
    """A write through `.data` to what a node had saved, which no version shows.

    capture, saved  a number of `Facts.captures`, and the row of its `SavedTable`
    """

    capture: int
    saved: int
    op: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Share:
    """Losses whose gradients an optimizer's step used together, for one of its parameters.

    optimizer  that stepped
    parameter  its name, or an empty text
    own        lines of backward calls that reach parameters of this optimizer alone
    foreign    lines of those that reach parameters of another optimizer, and its name
    """

    optimizer: str
    step: Place | None
    parameters: tuple[str, ...]
    own: Place | None
    foreign: Place | None
    other: str


@dataclass(frozen=True, slots=True)
class Drift:
    """Parameters that a step moved although they were frozen, by what was left in `.grad`."""

    optimizer: str
    step: Place | None
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alias:
    """Two names of one object for one module, or for modules that share all parameters.

    owner   the object's name
    names   the attributes or variables, in the order they were set
    file, function  where the class of the object, or the function of the variables, is written
    is_copied  one is a copy of the other that took over its parts
    """

    owner: str
    names: tuple[str, ...]
    cls: str
    file: str = ""
    is_copied: bool = False


@dataclass(frozen=True, slots=True)
class Misnomer:
    """An attribute that was set to freeze something, and freezes nothing.

    holder     the module or parameter
    attribute  its name: `requires_grad` on a module, `require_grad` on a parameter
    """

    holder: str
    attribute: str
    on_module: bool
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tie:
    """A parameter that two modules shared, and that became two.

    tied    the line that made them one, and `broken` the one that made them two
    equal   they never were one, but began with equal values
    shares  these are two parameters with the same values in memory
    """

    names: tuple[str, str]
    tied: Place | None
    broken: Place | None
    equal: bool = False
    shares: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """All of these.

    poles          the operations that first gave a value which is not finite
    may_be_unused  a DistributedDataParallel was told to look for parameters without a part
    """

    spoils: tuple[Spoil, ...] = ()
    poles: tuple[Origin, ...] = ()
    constants: tuple[LostConstant, ...] = ()
    broadcasts: tuple[Broadcast, ...] = ()
    overwritten: tuple[Overwritten, ...] = ()
    shares: tuple[Share, ...] = ()
    drifts: tuple[Drift, ...] = ()
    aliases: tuple[Alias, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    misnomers: tuple[Misnomer, ...] = ()
    ties: tuple[Tie, ...] = ()
    may_be_unused: bool = False
