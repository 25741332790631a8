"""The geometry of a person: joints, boxes, coordinates, crops and heatmaps, as numbers alone."""
