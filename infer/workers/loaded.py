"""The result of loading in a worker process: a function that answers jobs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from image_gender_classifier.workers.messages import Answer, Job, Ready, Unusable

Answerer = Callable[[Job], Answer | Unusable]
"""Answers a job."""


class Loaded(NamedTuple):
    """The libraries and models are loaded.

    Attributes:
        answer: Answers the jobs.
        ready: The message that reports it.
        memory: Maximum memory in bytes that a picture may take.
    """

    answer: Answerer
    ready: Ready
    memory: int
