"""Tests of what computes: TensorFlow and JAX."""
