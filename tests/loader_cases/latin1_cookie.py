# -*- coding: latin-1 -*-
"""Not UTF-8, and says so."""
name = "café"
print(len(name), ascii(name))
raise ValueError(ascii(name))  # café
