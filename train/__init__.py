"""Training and evaluation of the gender classifier and the face detector; requires TensorFlow."""
