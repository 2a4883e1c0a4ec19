"""Begins with a byte order mark."""
print(ascii(__doc__), ascii("é"))
1 / 0
