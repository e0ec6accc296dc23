"""Operating-system odds and ends, free of pictures and models."""
