"""Exits with whatever it is told."""
import sys

print("before")
sys.exit(eval(sys.argv[1]))
