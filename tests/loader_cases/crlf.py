"""Lines that end as on Windows."""
text = """one
two"""
print(repr(text))
raise ValueError(
    "third"
)
