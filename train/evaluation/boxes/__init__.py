"""Measures face finding: sets of pictures with known faces, rules, scores, the command."""
