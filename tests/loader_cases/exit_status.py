"""Exits with whatever it is told."""
import sys
import threading  # python 3.12 and 3.13 complain of 2**70 in other words where it is loaded

print("before", threading.active_count())
sys.exit(eval(sys.argv[1]))
