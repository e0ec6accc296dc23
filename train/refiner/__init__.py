"""Trains the face refiner, which scores the detector's candidates and corrects their frames."""
