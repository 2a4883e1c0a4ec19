"""Generators, lambdas, comprehensions, decorators, context managers and other forms of Python."""

import asyncio
import contextlib
import functools

import torch


def pieces(x):
    yield x.sin()  # makes: SinBackward0
    yield from (part.cos() for part in x.split(1))  # makes: CosBackward0 SplitBackward0


def doubled(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args) * 2  # makes: MulBackward0

    return wrapper


@doubled
def decorated(x):
    return x.exp()  # makes: ExpBackward0


@functools.lru_cache
def cached():
    return w.abs()  # makes: AbsBackward0


@contextlib.contextmanager
def shifted(x):
    yield x + 1  # makes: AddBackward0
    after.append(x - 1)  # makes: SubBackward0


class Scope:
    def __enter__(self):
        return w.log1p()  # makes: Log1PBackward0

    def __exit__(self, *_):
        after.append(w.expm1())  # makes: Expm1Backward0


async def waited(x):
    await asyncio.sleep(0)
    return x.atan()  # makes: AtanBackward0


async def gathered():
    return sum(await asyncio.gather(waited(w), waited(h)))  # makes: AddBackward0


class Wrapped(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        # makes, on the next line: AliasBackward0 MulBackward0 SumBackward0
        return super().__torch_function__(func, types, args, kwargs or {})


after = []
w = torch.rand(3, requires_grad=True)
halve = lambda x: x / 2  # noqa: E731  # makes: DivBackward0
first, *rest = pieces(w)
h = decorated(first) + cached() * cached()  # makes: AddBackward0 MulBackward0
h = sum([halve(one) for one in rest], h)  # makes: AddBackward0
h = functools.partial(torch.pow, exponent=2)(h)  # makes: PowBackward0
with shifted(h) as s, Scope() as t:
    h = s * t  # makes: MulBackward0
heights = torch.stack(list(map(torch.sinh, after)))  # makes: SinhBackward0 StackBackward0
h = h * heights.sum(0)  # makes: MulBackward0 SumBackward1
h = h if (last := h.tan()).sum() > 1e9 else last  # makes: TanBackward0
h = h + asyncio.run(gathered())  # makes: AddBackward0
wrapped = w.as_subclass(Wrapped)  # makes: AliasBackward0
plain = (wrapped * 2).sum().as_subclass(torch.Tensor)  # makes: AliasBackward0
loss = torch.sum(h) + plain  # makes: AddBackward0 SumBackward0
