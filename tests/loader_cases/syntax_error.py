"""Does not compile."""
print("never")
values = [1, 2
print(values)
