"""A search over settings with Optuna, whose trials are runs."""
