"""From a crop to a calibrated probability."""
