"""The gender classifier: augmentation, distillation, network, training, calibration, saving."""
