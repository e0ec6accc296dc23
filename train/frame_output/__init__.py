"""Trains the frame output of a gender network, which corrects the frames of detected faces."""
