"""The shipped models and cascades with their manifest; data only."""
