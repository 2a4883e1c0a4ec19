"""Compiles something that does not."""


def build():
    return compile("a = = 1", "generated", "exec")


build()
