"""Names of the heads of networks in training."""

GENDER = "gender"
"""The head that inference uses."""
