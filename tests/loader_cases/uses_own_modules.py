"""Imports its own modules, though well-known libraries have the same names."""
import calendar
import dataclasses
import encodings
import os
import sys
import time

import graphviz
import rich
import typer

for module in (typer, rich, graphviz, dataclasses, calendar):
    print(module.__name__, module.origin, module.__file__.startswith(sys.path[0]))
print([hasattr(module, "origin") for module in (encodings, os, time)])
