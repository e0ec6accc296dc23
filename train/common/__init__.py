"""What the training of both networks shares: command line, crops, loop, checkpoints, saving."""
