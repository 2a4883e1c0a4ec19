"""The options that several verbs share: one meaning and one help text each."""

from __future__ import annotations

from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from autograd_inspect.model.levels import Probe

#: Every option can be set by `AGI_COMMAND_OPTION`; saying so at each would drown the help.
Option = partial(typer.Option, show_envvar=False)
Argument = partial(typer.Argument, show_envvar=False)


class Color(str, Enum):
    """When to use colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class By(str, Enum):
    """What saved tensors are summed up by."""

    OP = "op"
    MODULE = "module"
    LINE = "line"
    TENSOR = "tensor"


class TrainBy(str, Enum):
    """What the parameters of a training are summed up by."""

    GROUP = "group"
    MODULE = "module"
    PARAMETER = "parameter"


class TimeBy(str, Enum):
    """What times are summed up by."""

    OP = "op"
    MODULE = "module"
    LINE = "line"
    NODE = "node"


class CheckFormat(str, Enum):
    """What findings are written as, beside JSON."""

    TEXT = "text"
    GITHUB = "github"
    SARIF = "sarif"


class Rank(str, Enum):
    """Which processes of a distributed run write a capture."""

    ZERO = "0"
    ALL = "all"


class DerivativeMode(str, Enum):
    """What of a function is computed."""

    JACOBIAN = "jacobian"
    HESSIAN = "hessian"
    VJP = "vjp"
    JVP = "jvp"
    VHP = "vhp"
    HVP = "hvp"


class Strategy(str, Enum):
    """Which mode of differentiation computes it."""

    REVERSE = "reverse"
    FORWARD = "forward"


Target = Annotated[
    str,
    Argument(
        metavar="TARGET",
        help="Script, directory, MODULE (-m), CODE (-c) or - for stdin; :EXPR behind it.",
    ),
]
Arguments = Annotated[
    list[str] | None, Argument(metavar="[ARGS]...", help="Arguments of the program.")
]
Source = Annotated[
    str | None,
    Argument(
        metavar="[SOURCE]",
        help="A capture (x.agi), or a target to run first. Default: the last capture.",
    ),
]
TensorName = Annotated[
    str,
    Argument(
        metavar="LEAF",
        help="A leaf, root or variable, the end of its name, or a node's number: '#12'.",
    ),
]
Module = Annotated[bool, Option("-m", help="TARGET is a module name.")]
Code = Annotated[bool, Option("-c", help="TARGET is Python code.")]
Expr = Annotated[
    str | None,
    Option("-e", "--expr", help="Trace what EXPR gives.", metavar="EXPR"),
]
Step = Annotated[
    int, Option("--step", min=1, help="Capture at the N-th matching backward call.", metavar="N")
]
KeepRunning = Annotated[
    bool, Option("--keep-running", help="Let the program run on after the capture.")
]
NoBackward = Annotated[
    bool, Option("--no-backward", help="Run no backward of our own where the program runs none.")
]
GradOutput = Annotated[
    str | None,
    Option("--grad-output", help="The gradient a non-scalar root starts with.", metavar="EXPR"),
]
Retain = Annotated[
    list[str] | None,
    Option("--retain", help="Also show the gradient of this tensor; repeatable.", metavar="NAME"),
]
SaveOnSignal = Annotated[
    str | None,
    Option(
        "--save-on-signal",
        help="Capture the next backward call after each such signal (USR1).",
        metavar="SIGNAL",
    ),
]
Watch = Annotated[bool, Option("--watch", help="Also record cuts and in-place writes; slower.")]
NoRecord = Annotated[
    bool, Option("--no-record", help="Record no lines, modules and variables while it runs.")
]
ProbeLevel = Annotated[
    Probe | None,
    Option(
        "--probe",
        help="Measure of backward: nothing, leaf gradients, also time per node, norms between "
        "nodes, or all of these gradients. Default: nodes, leaves above 50,000 nodes.",
    ),
]
Ranks = Annotated[
    Rank, Option("--rank", help="Which processes of a distributed run write a capture.")
]
Output = Annotated[
    Path | None, Option("-o", "--output", help="Where to write; - is stdout.", metavar="FILE")
]
Force = Annotated[bool, Option("--force", help="Overwrite an existing file.")]
Everything = Annotated[bool, Option("--all", help="Show every node, however many.")]
Depth = Annotated[
    int | None,
    Option("--depth", min=0, help="Show nodes at most N edges from a root.", metavar="N"),
]
Top = Annotated[
    int | None, Option("-n", "--top", min=1, help="Show the first N rows.", metavar="N")
]
Grouping = Annotated[By, Option("--by", help="What to sum up by.")]
Steps = Annotated[
    int, Option("--steps", min=1, help="Watch N steps of the optimizers.", metavar="N")
]
RuleName = Annotated[
    str | None, Argument(metavar="[RULE]", help="A rule's code or slug: AGI101, inplace_on_saved.")
]
CheckSteps = Annotated[
    int,
    Option(
        "--steps",
        min=1,
        help="Stop the program after N steps of its optimizers, or backward calls without any.",
        metavar="N",
    ),
]
TimeLimit = Annotated[
    float,
    Option(
        "--time-limit",
        min=0.1,
        help="Stop a program that has not called backward by then.",
        metavar="SECONDS",
    ),
]
Select = Annotated[
    str | None,
    Option("--select", help="Only these rules: codes, AGI1, or slugs.", metavar="LIST"),
]
Ignore = Annotated[str | None, Option("--ignore", help="Leave these rules out.", metavar="LIST")]
CheckFormatName = Annotated[
    CheckFormat, Option("-f", "--format", help="What findings are written as; see also --json.")
]
ExitZero = Annotated[bool, Option("--exit-zero", help="Exit 0 whatever is found.")]
Verbose = Annotated[bool, Option("-v", "--verbose", help="Also print what may well be meant so.")]
KeepTraining = Annotated[
    bool, Option("--keep-running", help="Let the program run on after the last of them.")
]
TrainGrouping = Annotated[TrainBy, Option("--by", help="What to sum parameters up by.")]
ShowValues = Annotated[
    list[str] | None,
    Option(
        "--show",
        help="Values to show before and after: layer2.weight[0][0:10]; repeatable.",
        metavar="EXPR",
    ),
]
PlotFile = Annotated[
    Path | None, Option("--plot", help="Also plot it: FILE.png, .svg or .pdf.", metavar="FILE")
]
TimeGrouping = Annotated[TimeBy, Option("--by", help="What to sum up by.")]
AllThreads = Annotated[
    bool, Option("--all-threads", help="Time what other threads do, too, without memory.")
]
Chrome = Annotated[
    Path | None,
    Option(
        "--chrome",
        help="Also write torch's own trace, for Chrome or Perfetto; .gz compresses it.",
        metavar="FILE",
    ),
]
Speedscope = Annotated[
    Path | None,
    Option("--speedscope", help="Also write a flame graph for speedscope.", metavar="FILE"),
]
PathTop = Annotated[
    int, Option("-n", "--top", min=0, help="Print up to N paths in full.", metavar="N")
]
Cuts = Annotated[bool, Option("--cuts", help="List the places that cut the graph.")]
Ascii = Annotated[bool, Option("--ascii", help="Draw with ASCII characters only.")]
Width = Annotated[int | None, Option("--width", min=20, help="Columns to use.", metavar="COLUMNS")]
ColorWhen = Annotated[Color, Option("--color", help="When to use colour.")]
Quiet = Annotated[bool, Option("-q", "--quiet", help="Print nothing but errors.")]

#: Nodes drawn unless asked otherwise: more cannot be read on one screen.
DEFAULT_LIMIT = 300


class Format(str, Enum):
    """What a picture is written as."""

    SVG = "svg"
    DOT = "dot"
    PNG = "png"
    PDF = "pdf"
    HTML = "html"
    MERMAID = "mermaid"
    JSON = "json"


class Coloring(str, Enum):
    """What boxes are coloured by."""

    KIND = "kind"
    GRAD = "grad"
    MEMORY = "memory"
    TIME = "time"


class Engine(str, Enum):
    """What places the boxes."""

    OWN = "own"
    DOT = "dot"


FormatName = Annotated[
    Format | None, Option("-f", "--format", help="What to write; also told by -o's extension.")
]
Svg = Annotated[bool, Option("--svg", help="Write SVG.")]
Dot = Annotated[bool, Option("--dot", help="Write Graphviz DOT.")]
Png = Annotated[bool, Option("--png", help="Write PNG.")]
Pdf = Annotated[bool, Option("--pdf", help="Write PDF.")]
Html = Annotated[bool, Option("--html", help="Write one HTML page.")]
Mermaid = Annotated[bool, Option("--mermaid", help="Write a Mermaid flowchart.")]
Json = Annotated[bool, Option("--json", help="Write JSON.")]
Csv = Annotated[bool, Option("--csv", help="Write CSV.")]
Limit = Annotated[int, Option("--limit", min=1, help="Draw at most N nodes.", metavar="N")]
Reverse = Annotated[bool, Option("--reverse", help="Root on top, arrows towards the leaves.")]
EngineName = Annotated[
    Engine, Option("--engine", help="Layout: our own, or Graphviz dot (must be installed).")
]
Scale = Annotated[
    float, Option("--scale", min=0.1, max=10, help="Pixels per unit of a PNG.", metavar="N")
]
ColorBy = Annotated[
    Coloring, Option("--color", help="What colours stand for, in SVG, PNG, PDF and HTML.")
]
Open = Annotated[bool, Option("--open", help="Open the file when it is written.")]
Sort = Annotated[
    str | None,
    Option(
        "--sort", help="Order by this column, largest first; +KEY: smallest first.", metavar="KEY"
    ),
]
AtNodes = Annotated[
    bool, Option("--nodes", help="Print the gradient at every node, in the order of backward.")
]
FailOn = Annotated[
    str | None,
    Option(
        "--fail-on", help="Exit 1 where a gradient is one of nan,inf,none,zero.", metavar="LIST"
    ),
]
ModeOfDerivative = Annotated[
    DerivativeMode,
    Argument(metavar="MODE", help="jacobian, hessian, vjp, jvp, vhp or hvp."),
]
FunctionTarget = Annotated[
    str,
    Argument(
        metavar="TARGET",
        help="Script, MODULE (-m), CODE (-c) or -; behind it :EXPR, a function or a module.",
    ),
]
FunctionExpr = Annotated[
    str | None, Option("-e", "--expr", help="The function or module.", metavar="EXPR")
]
Inputs = Annotated[
    str,
    Option(
        "--inputs",
        help="What it is called with: a tensor, a tuple of arguments, or a dict by keyword.",
        metavar="EXPR",
    ),
]
Vector = Annotated[
    str | None,
    Option("--v", help="The vector: a tensor, or several in a tuple or dict.", metavar="EXPR"),
]
Wrt = Annotated[
    list[str] | None,
    Option(
        "--wrt",
        help="Differentiate by this input, or parameter of a module; repeatable.",
        metavar="NAME",
    ),
]
StrategyName = Annotated[Strategy, Option("--strategy", help="The mode of differentiation.")]
Vectorize = Annotated[
    bool, Option("--vectorize", help="Compute all rows at once (torch.func.vmap).")
]
NoCheck = Annotated[bool, Option("--no-check", help="Do not compute it another way, too.")]
Second = Annotated[
    bool | None,
    Option("--second/--no-second", help="Check second derivatives, too."),
]
CheckedInputs = Annotated[
    str | None,
    Option("--inputs", help="What to call the function with.", metavar="EXPR"),
]
Fast = Annotated[bool, Option("--fast", help="Look along directions and at a few elements only.")]
Eps = Annotated[
    float | None, Option("--eps", min=0, help="Size of a step (1e-6).", metavar="NUMBER")
]
Atol = Annotated[
    float | None,
    Option("--atol", min=0, help="How far off a derivative may be (1e-5).", metavar="NUMBER"),
]
Rtol = Annotated[
    float | None,
    Option("--rtol", min=0, help="The same, as a share of it (1e-3).", metavar="NUMBER"),
]


def listed(text: str | None) -> tuple[str, ...]:
    """Take apart what is given with commas between."""
    return tuple(one.strip() for one in (text or "").split(",") if one.strip())
