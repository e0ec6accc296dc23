"""Classification: from a crop to a calibrated probability."""
