"""Errors with a cause, a context and a note on what they came from."""


def inner():
    {}["missing"]


def outer():
    try:
        inner()
    except KeyError as error:
        raise ValueError("outer") from error


try:
    outer()
except ValueError:
    1 / 0
