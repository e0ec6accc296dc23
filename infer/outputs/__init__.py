"""Writes predictions to files: XML, tables, a contact sheet, annotated copies."""
