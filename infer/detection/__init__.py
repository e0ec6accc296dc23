"""Face detection: from pixels to boxes and crops."""
