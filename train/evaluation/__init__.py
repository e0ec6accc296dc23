"""Evaluation of models: metrics, calibration, robustness, face detection, reports."""
