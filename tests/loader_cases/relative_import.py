"""Imports relative to its package, where there is one."""
from . import helper

print(helper.name, __package__)
