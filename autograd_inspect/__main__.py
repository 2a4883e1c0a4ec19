"""`python -m autograd_inspect` is `agi`."""

from autograd_inspect.cli import main

if __name__ == "__main__":
    main()
