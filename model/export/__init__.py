"""A run's network in forms that other programs read, and the check that they agree."""
