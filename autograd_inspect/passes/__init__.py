"""From a graph to what is shown of it: plain functions over plain data."""
