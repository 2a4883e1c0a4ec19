"""Compiles with a warning."""
print("\d", len("\d") is 2)
