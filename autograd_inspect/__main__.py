"""`python -m autograd_inspect` is `agi`."""

import sys

if __name__ == "__main__":
    # `-m` has put the current directory first, where a `typer.py` would be the program's, not ours;
    # the command `agi` has the directory that it lies in.
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = sys.exec_prefix
    from autograd_inspect.cli import main

    main()
