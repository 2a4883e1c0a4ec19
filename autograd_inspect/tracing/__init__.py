"""Where the running program and the walk meet: when to capture, where from, under which names.

`run/` knows the program and nothing of torch; `autograd/` knows torch and nothing of the program.
"""
