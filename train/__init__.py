"""Training of the perceived-gender classifier (full TensorFlow and Keras)."""
