"""Writes predictions to files: XML, CSV, JSON Lines, annotated copies and a contact sheet."""
