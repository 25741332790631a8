"""The trainer: reading shards, the network, training, prediction and export. Imported as `cocoprep.model`."""
