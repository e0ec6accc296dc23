"""Locks, signals, standard streams, CPU cores, timing and logging."""
