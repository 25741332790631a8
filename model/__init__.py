"""The TensorFlow side of cocoprep: reading shards into training."""
