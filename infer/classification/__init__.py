"""Classification: predicts the perceived gender of a face crop, as a calibrated probability."""
