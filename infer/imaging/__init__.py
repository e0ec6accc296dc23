"""Image decoding: reads picture files and returns upright 8-bit RGB pixels."""
