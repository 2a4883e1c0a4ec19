"""Imports its own modules, though well-known libraries have the same names."""
import rich
import typer

import graphviz

for module in (typer, rich, graphviz):
    print(module.__name__, module.origin, module.__file__.startswith(__file__.rpartition("/")[0]))
