"""Training and evaluation of the gender classifier and the face detector (full TensorFlow)."""
