"""The stacked hourglass, its losses, and what goes before and after it in the graph."""
