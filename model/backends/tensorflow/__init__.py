"""Steps and devices of TensorFlow."""
