"""Image decoding: from a path or bytes to upright 8-bit RGB pixels, or a clear error."""
