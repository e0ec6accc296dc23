"""Measuring models: accuracy, calibration, robustness, boxes, reports."""
