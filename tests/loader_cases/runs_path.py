"""Runs another file as `__main__` with runpy."""
import runpy
import sys

facts = runpy.run_path("helper.py", run_name="__main__")
print(facts["name"], sys.modules["__main__"].__dict__ is globals())
