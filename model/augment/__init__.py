"""What training varies of a person: window, rotation, flip and colour, with heatmaps drawn anew."""
