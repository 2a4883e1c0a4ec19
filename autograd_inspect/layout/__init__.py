"""From a view to places: every box, arrow and line of text of a drawing, as plain data."""
