"""Starts itself again, by path and by what python was given."""
import os
import subprocess
import sys

if os.environ.get("AGAIN"):
    print("again", sys.argv[1:], flush=True)
else:
    os.environ["AGAIN"] = "1"
    subprocess.run([sys.executable, sys.argv[0], "child"], check=True)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
