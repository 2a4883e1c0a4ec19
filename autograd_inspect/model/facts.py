"""All that one run of a program shows, as plain data: what the rules of `agi check` look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.gradcheck import Gradcheck
from autograd_inspect.model.observed import Observed
from autograd_inspect.model.places import Place
from autograd_inspect.model.tables import Spec
from autograd_inspect.model.training import Training


class EventKind(str, Enum):
    """What a program does to train."""

    BACKWARD = "backward"
    GRAD = "autograd.grad"
    STEP = "step"
    RESCALE = "rescale gradients"
    UNSCALE = "unscale gradients"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the program did, in order.

    name      of the loss, or of the optimizer
    place     the line that called it
    sequence  autograd's next sequence number then: nodes made before have smaller ones
    scaled    backward was called on a loss that a GradScaler had scaled
    number    of the backward call, from 1, as in `About.number`; 0 for a step
    retains   it was to keep the graph
    creates   it was to make a graph of the gradients
    optimizer which one stepped or had its gradients unscaled, by its first parameter; 0 for none
    """

    kind: EventKind
    name: str
    place: Place | None
    sequence: int = -1
    scaled: bool = False
    number: int = 0
    retains: bool = False
    creates: bool = False
    optimizer: int = 0


@dataclass(frozen=True, slots=True)
class LiveTensor:
    """A tensor that something in the program leads to, where it failed or when it ended.

    name       the variable that leads to it: `sampler.episodes[0]['value']`
    node       autograd's name for what made it, empty for a leaf
    made       the line that made it, None where that is not known
    stack      this line and those that led to it, innermost first
    sequence   autograd's number of the node, -1 for a leaf
    version    how often it was written to in place, -1 where that is not counted
    is_view    it shares the memory of another, `base`
    base       the name of that one, empty where none is known
    inference  it was made under inference_mode
    region     where gradients were switched off when it was made, None where they were on
    step       in which backward was called on its graph, 0 for never
    steps      how many steps there are whose graphs its own contains, as far as was looked
    """

    name: str
    spec: Spec
    requires_grad: bool
    is_leaf: bool
    node: str = ""
    made: Place | None = None
    stack: tuple[Place, ...] = ()
    sequence: int = -1
    version: int = -1
    is_view: bool = False
    base: str = ""
    inference: bool = False
    region: Place | None = None
    step: int = 0
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Holder:
    """An optimizer that was given a tensor.

    place    the line that gave it
    at       when, in the order of all that is told of learners
    stepped  it has moved what it holds at least once
    """

    name: str
    place: Place | None
    at: int
    stepped: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A plain attribute, list or dict of a module that keeps a tensor without registering it.

    place  the first line of what made the module
    """

    module: str
    attribute: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class Learner:
    """A tensor that the program means to train, or at first sight may mean to.

    is_parameter   it is an `nn.Parameter`
    is_registered  a module has it among its parameters
    requires_grad  at the end, or when it was last seen
    is_leaf        no operation made it
    holders        the optimizers that it was given to
    reached        backward calls that led to it
    arrived        there is or was a gradient
    made           the line that made it as a Parameter, `made_at` when, in the order of all such
                   moments, and `made_after` how many backward calls
    built          the line that called the outermost module in whose `__init__` it was made
    is_copy        it was made by deepcopy
    in_forward     it was made within the forward of a module
    frozen         the line that switched `requires_grad` off last, and `thawed` on
    used           the line of the first operation that took it
    grad_read      the line that read its `.grad` though it is no leaf, so that it was None
    taken          the line that first read its `.grad`, as of a leaf that has one
    moved          it was written to since a backward first led to it, or that is not known
    missed         the line that asked `autograd.grad` for its derivative, of something that it did
                   not lead to
    base           the tensor that it is a view of, by name
    came_after     it was made after all that `autograd.grad` was to derive
    born           the line of the operation that made it, where it is no leaf, and `born_at` the
                   sequence number of its node
    kept           where a module keeps it without registering it
    """

    name: str
    shape: tuple[int, ...]
    is_parameter: bool
    is_registered: bool
    requires_grad: bool
    is_leaf: bool
    holders: tuple[Holder, ...] = ()
    reached: int = 0
    arrived: bool = False
    made: Place | None = None
    made_at: int = -1
    made_after: int = 0
    built: Place | None = None
    is_copy: bool = False
    in_forward: bool = False
    frozen: Place | None = None
    frozen_at: int = -1
    thawed: Place | None = None
    thawed_at: int = -1
    used: Place | None = None
    grad_read: Place | None = None
    taken: Place | None = None
    moved: bool = True
    missed: Place | None = None
    base: str = ""
    came_after: bool = False
    born: Place | None = None
    born_at: int = -1
    kept: Kept | None = None

    @property
    def is_trained(self) -> bool:
        """Whether an optimizer that steps holds it."""
        return any(holder.stepped for holder in self.holders)


@dataclass(frozen=True, slots=True)
class Failure:
    """The error that the program died of.

    type      the exception's class: `RuntimeError`
    places    the lines of the user's that led there, innermost first
    through   functions of torch and other libraries further in, innermost first: `backward`
    tensors   those that its frames lead to, the innermost first
    unused    what a gradient was asked for by, and the graph does not lead to
    capture   the graph of the backward call that raised, a number of `Facts.captures`; -1 for none
    """

    type: str
    message: str
    places: tuple[Place, ...] = ()
    through: tuple[str, ...] = ()
    tensors: tuple[LiveTensor, ...] = ()
    unused: tuple[LiveTensor, ...] = ()
    capture: int = -1

    @property
    def place(self) -> Place | None:
        """The line it came from."""
        return self.places[0] if self.places else None


@dataclass(frozen=True, slots=True)
class ContextTensor:
    """A tensor that custom Functions keep as an attribute of ctx, which backward does not free.

    function  the class's name
    alive     backward calls of which such a ctx was alive at the end
    in_graph  it requires grad: it is what the Function was given or what it gave back, no
              intermediate
    """

    function: str
    name: str
    spec: Spec
    alive: int
    in_graph: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What one run showed.

    start      the directory that the program was started in; places are relative to it
    captures   graphs that backward was called on, in order: of each line that calls it the first
               few, those that failed, and those with gradients that are not finite. The last may
               have no nodes: then it holds the cuts that are why there was no graph
    events     backward calls and steps, in order
    training   what the steps did; None where there was no step and no backward
    gradcheck  custom Functions held against numeric derivatives, None where there are none
    failure    the error that the program died of
    held       tensors with a graph that the program led to when it ended, or after a few steps
    learners   parameters, and what else may have been meant to learn
    grad_off   gradients were switched off when the program ended
    gradients  those in `.grad` that have a graph of their own: `model.weight.grad`
    contexts   tensors on the ctx of custom Functions
    stopped    we ended the program, it might have gone on
    omitted    what could not be looked at, and why
    observed   single things that values, gradients and modules did
    """

    start: str
    captures: tuple[Capture, ...] = ()
    events: tuple[Event, ...] = ()
    training: Training | None = None
    gradcheck: Gradcheck | None = None
    failure: Failure | None = None
    held: tuple[LiveTensor, ...] = ()
    learners: tuple[Learner, ...] = ()
    grad_off: bool = False
    gradients: tuple[LiveTensor, ...] = ()
    contexts: tuple[ContextTensor, ...] = ()
    stopped: bool = False
    omitted: tuple[str, ...] = field(default=())
    observed: Observed = field(default_factory=Observed)
