"""Operating system: locks, signals, standard streams, CPU cores, profiling and logging."""
