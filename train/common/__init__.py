"""Code that training and evaluation share: command line, crops, training loop, checkpoints."""
