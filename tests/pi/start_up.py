"""The start-up of a worker in marked parts: runs on the emulated processor for counting.py.

Prints the name of each part and calls `getppid` at its end. The first part is Python's own start.
"""

import os

os.getppid()

import numpy  # noqa: E402, F401

os.getppid()

import cv2  # noqa: E402, F401

os.getppid()

from image_gender_classifier.loading import open_parts  # noqa: E402
from image_gender_classifier.settings import Settings  # noqa: E402

os.getppid()
open_parts(Settings())
os.getppid()

print("Python", "NumPy", "OpenCV", "this package", "runtime, models, cascade", sep="\n")
