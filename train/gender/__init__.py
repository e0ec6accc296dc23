"""Training of the gender network."""
