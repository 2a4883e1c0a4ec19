"""Watching a program while it trains: every step of its optimizers, and the graphs in between."""
