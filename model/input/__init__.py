"""From shards to batches, with NumPy alone or in `tf.data`."""
