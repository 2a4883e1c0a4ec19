"""See the autograd graph of any PyTorch script."""

from autograd_inspect._version import __version__

__all__ = ["__version__"]
