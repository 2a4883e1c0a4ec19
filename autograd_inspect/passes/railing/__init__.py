"""From scenes to lines of text with rails: which lines there are, and which lane a rail runs in."""
