"""What computes: TensorFlow or JAX, each in a folder of its own, behind one face, `engine.Engine`."""
