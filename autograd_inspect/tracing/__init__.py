"""Where the running program and the walk meet: when to capture, from which frame, under which names.

`run/` knows the program and nothing of torch; `autograd/` knows torch and nothing of the program.
"""
