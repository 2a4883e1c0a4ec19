"""Several errors at once, one with a note."""


def fail(number):
    raise ValueError(number)


errors = []
for number in range(2):
    try:
        fail(number)
    except ValueError as error:
        error.add_note(f"note {number}")
        errors.append(error)
raise ExceptionGroup("both", errors)
