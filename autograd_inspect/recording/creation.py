"""Being asked, at every node that torch makes, what to remember of it.

Anomaly mode does this in C++, in the constructor of every node and on every thread: it calls
`torch.fx.traceback.format_stack`, looked up anew each time, and keeps what that returns in the
node's `metadata`. We take that function's place. What the program itself asks of anomaly mode, it
still gets; what it has not asked for, it does not see.
"""

from __future__ import annotations

import re
import sys
import traceback
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
import torch.fx.traceback as torch_traceback

from autograd_inspect.autograd._torch import runs_compiled_backward, without_anomaly_hint
from autograd_inspect.recording.sites import OUTSIDE
from autograd_inspect.run import loader
from autograd_inspect.run.files import is_ours

_OF_ANOMALY_MODE = re.compile("Error detected in |\\s*Previous calculation was induced by ")

#: Where torch keeps what was returned, in the metadata of a node.
MARK = "traceback_"

Mark = tuple[str, ...]
"""What is remembered of a node: texts, because torch joins them into a message.

Torch is given a list of them: its compilers copy what they find in a node and add to it.
"""


class Creation:
    """Stands in for `format_stack` while it is on, and for the switches of anomaly mode.

    `mark` gives what to remember, given the innermost frame. What it raises is kept in `trouble`.
    """

    def __init__(self, mark: Callable[[FrameType], Mark]) -> None:
        self._mark = mark
        self._original = torch_traceback.format_stack
        self._switches = {
            name: getattr(torch, name)
            for name in (
                "set_anomaly_enabled",
                "is_anomaly_enabled",
                "is_anomaly_check_nan_enabled",
            )
        }
        self._wanted = (False, True)
        self._outside: Mark = ()
        self.trouble: Exception | None = None

    def start(self) -> None:
        """Begin to be asked."""
        self._wanted = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
        replaced: dict[str, Callable[..., Any]] = {
            "set_anomaly_enabled": self._set_by_program,
            "is_anomaly_enabled": lambda: self._wanted[0],
            "is_anomaly_check_nan_enabled": lambda: self._wanted[1],
        }
        for name, function in replaced.items():
            setattr(torch, name, function)
        torch_traceback.format_stack = self._stand_in()
        self._switch(on=True)

    def stop(self) -> None:
        """Leave everything as it would be without us."""
        torch_traceback.format_stack = self._original
        for name, function in self._switches.items():
            setattr(torch, name, function)
        torch.set_anomaly_enabled(*self._wanted)

    def run_backward(self, engine: Callable[[], Any], mark: Mark) -> Any:
        """Run a backward so that an error in it reads as it would without us.

        Backward may make nodes: with create_graph, in hooks, on other threads meanwhile. So anomaly
        mode stays on, and what it says of a failure is taken back. `mark` stands for nodes made on
        a thread that has no frame of Python's.
        """
        if self._wanted[0]:
            return engine()
        if runs_compiled_backward():  # which refuses to run in anomaly mode
            self._switch(on=False)
            try:
                return engine()
            finally:
                self._switch(on=True)
        # Put in by hand: torch's warnings go by the list as it is, and the functions that change it
        # make python forget which warnings it has shown.
        filters, quiet = warnings.filters, ("ignore", _OF_ANOMALY_MODE, UserWarning, None, 0)
        filters.insert(0, quiet)  # type: ignore[attr-defined]
        self._outside = mark
        try:
            return engine()
        except RuntimeError as error:
            error.args = tuple(map(without_anomaly_hint, error.args))
            raise
        finally:
            self._outside = ()
            for place, one in enumerate(filters):
                if one is quiet:
                    del filters[place]  # type: ignore[attr-defined]
                    break

    def _set_by_program(self, mode: bool, check_nan: bool = True) -> None:  # noqa: FBT001, FBT002 - as torch has it
        self._wanted = bool(mode), bool(check_nan)
        self._switch(on=True)

    def _switch(self, *, on: bool) -> None:
        wanted, check_nan = self._wanted
        self._switches["set_anomaly_enabled"](on or wanted, wanted and check_nan)

    def _stand_in(self) -> Callable[[], list[str]]:
        """Make the function that torch calls; it is one, because it is called for every node."""
        mark_of, original, frame_above = self._mark, self._original, sys._getframe
        is_traced = torch_traceback.has_preserved_node_meta
        # Outside of modules a line in a loop makes node after node: they share one mark, so that a
        # million of them are not a million lists for python's collector to look through.
        shared: dict[int, list[str]] = {}

        def format_stack() -> list[str]:
            if is_traced():  # a compiler is at work, and keeps what it needs
                return original()
            try:
                frame = frame_above(1)
                mark = mark_of(frame)
            except ValueError:  # a thread of torch's own, without a frame
                return list(self._outside)
            except Exception as error:  # noqa: BLE001 - the user's program must not see it
                self.trouble = error
                return []
            if self._wanted[0]:
                return [*mark, *_as_torch_has_it(frame)]
            if mark[1] is not OUTSIDE or len(mark) > 2:
                return [*mark]
            known = shared.get(id(mark[0]))
            if known is None:
                known = shared[id(mark[0])] = [*mark]
            return known

        return format_stack


def _as_torch_has_it(frame: FrameType) -> list[str]:
    """Give the stack as anomaly mode prints it: all frames of the program, none of ours."""
    entries = traceback.extract_stack(frame)
    ours = [place for place, entry in enumerate(entries) if entry.filename == loader.__file__]
    program = entries[ours[-1] + 1 :] if ours else entries
    return traceback.format_list([entry for entry in program if not is_ours(entry.filename)])
