"""Fold a graph: rows in forward order, and the spans of them that may be shown as one."""
