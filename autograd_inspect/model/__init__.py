"""Plain data that the rest of the package passes along: no torch, no I/O."""
