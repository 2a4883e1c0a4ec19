"""The graph in a terminal to walk through, with textual."""
