"""A run on the disk: its config, folder, log, checkpoints and curves."""
