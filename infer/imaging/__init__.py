"""From a path or bytes to upright 8-bit RGB pixels."""
