"""Training of the perceived-gender network."""
