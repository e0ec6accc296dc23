"""Training (with TensorFlow) and evaluation of the gender classifier and the face detector."""
