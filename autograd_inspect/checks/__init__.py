"""Rules that say what is wrong with a program, of the facts that one run of it shows."""
