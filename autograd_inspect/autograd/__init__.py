"""What touches torch's graph: walking it, reading its nodes, running its backward."""
