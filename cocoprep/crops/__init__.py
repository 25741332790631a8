"""From a photograph and a box to the crop of one person."""
