"""Trains the face output of a gender network, which decides about doubtful faces."""
