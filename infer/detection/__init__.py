"""Face detection: returns the bounding boxes of faces and cuts face crops."""
