"""The exit() of the site module."""
exit()
print("never")
