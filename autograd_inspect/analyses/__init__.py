"""From a capture to figures: plain functions over plain data."""
