"""Evaluation of face detection: sets of pictures, rules, scores, report, command."""
