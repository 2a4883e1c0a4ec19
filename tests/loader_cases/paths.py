"""Where it looks for modules, and what it was called with."""
import os
import sys

print(sys.argv, sys.orig_argv[1:])
print(sys.path)
print(os.getcwd(), sys.executable)
print(sys.flags.optimize, __debug__, sys.warnoptions, getattr(sys.flags, "safe_path", None))
