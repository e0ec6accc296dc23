"""Code that both networks have in common: command line, crops, training loop, checkpoints."""
