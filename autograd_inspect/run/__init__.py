"""What touches the user's program: finding it, running it, watching it."""
