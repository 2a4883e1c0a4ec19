"""`agi functional`: compute derivatives of a function of a program, and show their blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

from autograd_inspect.cli.functions import Applying, check_expression, run_and_apply
from autograd_inspect.cli.options import DerivativeMode, Strategy
from autograd_inspect.cli.tables import Forms, Printing
from autograd_inspect.cli.terminal import check_free, say, write_file
from autograd_inspect.errors import RenderError

if TYPE_CHECKING:  # these import numpy or torch, which are the program's to import first
    from autograd_inspect.model.derivatives import Derivatives
    from autograd_inspect.tracing.function import Application

#: What arrays are written as; anything else that `-o` names is a table.
_ARRAYS = {"npz": "numpy", "safetensors": "safetensors"}


@dataclass(frozen=True, slots=True)
class Deriving:
    """What to compute and how to print it, as the options say."""

    printing: Printing
    mode: DerivativeMode
    vector: str = ""
    wrt: tuple[str, ...] = ()
    strategy: Strategy = Strategy.REVERSE
    vectorize: bool = False
    check: bool = True

    @property
    def arrays(self) -> str:
        """The extension of the file for arrays, empty where there is to be none."""
        output = self.printing.output
        extension = str(output).rpartition(".")[2].lower() if output is not None else ""
        return extension if extension in _ARRAYS else ""


def functional(applying: Applying, deriving: Deriving) -> int:
    """Run the program, compute, and print; status 1 where another way to compute disagrees."""
    check_expression("--v", deriving.vector or None)
    printing = deriving.printing
    if deriving.arrays:
        if not find_spec(_ARRAYS[deriving.arrays]):
            raise RenderError(
                f"-o FILE.{deriving.arrays} needs {_ARRAYS[deriving.arrays]}, which is not "
                "installed",
                hint=f"pip install 'autograd-inspect[{_ARRAYS[deriving.arrays]}]'",
            )
        if printing.output is not None:
            check_free(printing.output, force=printing.force)
        # The arrays go to the file, and what people read to stdout.
        printing = replace(printing, output=None)
    results = printing.begin()

    def use(application: Application, main: ModuleType) -> Callable[[], int]:
        derivatives = _derive(application, deriving, main)

        def conclude() -> int:
            from autograd_inspect.renderers import derivatives as drawn
            from autograd_inspect.renderers import numbers

            forms = Forms(
                json=lambda: numbers.to_json(derivatives),
                csv=lambda: numbers.csv(derivatives),
                tabbed=lambda: numbers.tabbed(derivatives),
                fitted=lambda terminal: drawn.render(
                    derivatives, width=terminal.width, color=terminal.color, ascii=terminal.ascii
                ),
            )
            _write_arrays(derivatives, deriving)
            printing.finish(results, forms)
            for remark in drawn.remarks(derivatives, verdicts=printing.terminal is None):
                say(f"agi: {remark}")
            return 0 if derivatives.check.agrees else 1

        return conclude

    return run_and_apply(applying, use)


def _derive(application: Application, deriving: Deriving, main: ModuleType) -> Derivatives:
    from autograd_inspect.run.imports import our_imports

    with our_imports():
        from autograd_inspect.model.derivatives import Mode
        from autograd_inspect.tracing.derivatives import Wish, derive
    wish = Wish(
        mode=Mode(deriving.mode.value),
        vector=deriving.vector,
        wrt=deriving.wrt,
        forward=deriving.strategy is Strategy.FORWARD,
        vectorize=deriving.vectorize,
        check=deriving.check,
    )
    return derive(application, wish, main)


def _write_arrays(derivatives: Derivatives, deriving: Deriving) -> None:
    from autograd_inspect.renderers.numbers import FORMATS

    output = deriving.printing.output
    if deriving.arrays and output is not None:
        content = FORMATS[deriving.arrays](derivatives)
        write_file(content, output, force=deriving.printing.force)
        say(f"wrote {output}")
        if any(block.dtype == "bfloat16" for block in derivatives.blocks):
            say("agi: bfloat16 is written as float32, which holds its values exactly")
