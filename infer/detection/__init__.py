"""From pixels to face boxes and crops."""
