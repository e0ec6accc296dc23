"""Face detection: finds the bounding boxes of faces and cuts face crops."""
