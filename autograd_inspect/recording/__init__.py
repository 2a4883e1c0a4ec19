"""What the program did on the way to its graph: lines, module calls, names, cuts, writes.

Recorded while the program runs, with no change to what it computes or prints.
"""
