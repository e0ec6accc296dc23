"""The face detector: synthetic scenes, heat-map targets, losses, network, training, saving."""
