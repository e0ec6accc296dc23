"""The face detector: synthetic scenes, heatmap targets, losses, network, training, saving."""
