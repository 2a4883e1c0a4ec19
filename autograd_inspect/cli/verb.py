"""What a command line asks for, ready to be carried out."""

from __future__ import annotations

from collections.abc import Callable

#: Carries the command out and gives the exit status; may instead end the process like the program.
Verb = Callable[[], int]
