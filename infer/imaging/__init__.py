"""Image decoding: converts picture files to upright 8-bit RGB pixels."""
