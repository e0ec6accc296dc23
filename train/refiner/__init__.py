"""Trains the face refiner, which scores candidates of the face detector and corrects their frames."""
