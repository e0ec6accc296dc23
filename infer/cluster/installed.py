"""Imports Ray, which is an optional dependency, and sets its environment variables before."""

from __future__ import annotations

import os

from image_gender_classifier.errors import RuntimeMissing

# For this process and a cluster that it starts; variables that the user has set stay as they are.
_ENVIRONMENT = {
    # Seconds (Ray: 180) for which a killed run keeps its share of the resources from the next one.
    "RAY_DATA_AUTOSCALING_REQUEST_EXPIRE_TIME_S": "30",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",  # busy machines starve nicer processes, as those of Ray are
}


def set_environment() -> None:
    """Sets environment variables of Ray; call it before Ray is imported."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def require_ray() -> None:
    """Checks that Ray Data is installed.

    Raises:
        RuntimeMissing: It is not, or cannot be imported.
    """
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise RuntimeMissing(
            "Ray Data is needed: pip install 'image-gender-classifier[ray]' "
            f"({' '.join(str(error).split())})"
        ) from None
