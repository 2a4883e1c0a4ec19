"""The commands and their options, a function for each; what they do is in the file of their name.

A function only says which verb was asked for: it returns it, to be carried out once the command
line library is done. Its docstring is its help.
"""
