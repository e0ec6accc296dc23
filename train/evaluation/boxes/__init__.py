"""Evaluation of face detection: test sets, rules for correct detections, scores, CPU time."""
