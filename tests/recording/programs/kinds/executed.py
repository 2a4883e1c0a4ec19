"""Code that no file holds, and code whose file is not there."""

import textwrap
import types
from pathlib import Path

import torch

CODE = """
def made(x):
    y = x.sin()
    return y.cos()


h = made(w)
"""

w = torch.randn(3, requires_grad=True)
exec(CODE)
h = eval("h.exp()")
missing = Path(__file__).with_name("is_not_there.py")
space = {"w": w}
exec(compile(textwrap.dedent(CODE), str(missing), "exec"), space)
again = types.FunctionType(space["made"].__code__, globals())
loss = (h + again(space["h"])).sum()  # makes: AddBackward0 SumBackward0
