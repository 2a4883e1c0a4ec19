"""A program run once under every kind of watch, for all that the rules of `agi check` look at."""
