"""The viewer: what its page reads of a graph, and the sources that the page is made of."""
