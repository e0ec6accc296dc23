"""Operating system: files, locks, signals, memory, CPU cores, console, profiling and logging."""
