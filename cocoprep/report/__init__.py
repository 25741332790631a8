"""Pages: an evaluation, with its charts, and what a data set holds. The only home of matplotlib besides training."""
