"""Runs the classifier in worker processes that may crash or hang."""
