"""Annotated names at the top level."""
import __main__

rate: float = 0.1
later: "undefined" if False else str

print(sorted(__main__.__annotations__))
print(rate, "later" in globals(), __doc__)
