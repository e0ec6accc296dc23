"""Code that both networks share: command line, crops, training loop, checkpoints, saving."""
