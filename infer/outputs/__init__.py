"""From a prediction to files: XML, tables, pages, annotated copies."""
