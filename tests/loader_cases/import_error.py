"""Imports what is not there, and a module that fails."""
try:
    import surely_not_installed
except ImportError as error:
    print(error, error.name)
import helper

helper.fail()
