"""The training loop: steps, schedule, validation and metrics."""
