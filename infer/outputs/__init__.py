"""Writes predictions to files: XML, CSV, JSON Lines, annotated copies, a report and others."""
