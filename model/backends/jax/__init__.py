"""Steps and devices of JAX."""
