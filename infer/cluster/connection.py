"""Connects to a Ray cluster, or starts one on this machine."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from image_gender_classifier.cluster.inputs import BYTES_PER_BLOCK
from image_gender_classifier.errors import UsageError

_TIMEOUT = 10.0  # seconds in which a cluster must answer


@contextmanager
def connect(address: str | None, debug: bool) -> Iterator[None]:
    """Connects to a cluster while the context is open.

    Args:
        address: Its address; None for RAY_ADDRESS, or a cluster that is started on this machine.
        debug: Whether to print the messages of Ray.

    Raises:
        UsageError: There is no such cluster.
    """
    # "local", because Ray would otherwise join a cluster that it finds on this machine.
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    _check_address(address)
    import ray
    from ray.data import DataContext

    options: dict[str, Any] = {} if debug else {"logging_level": "ERROR", "log_to_driver": False}
    if address == "local":
        options["include_dashboard"] = False
    try:
        ray.init(address, **options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        is_local = address == "local"
        where = "a cluster on this machine" if is_local else f"the cluster {address}"
        hint = "" if is_local else "; a cluster with tokens needs RAY_AUTH_MODE=token"
        why = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
        raise UsageError(f"cannot use {where} ({why}){hint}; --debug shows more") from None
    try:
        context = DataContext.get_current()
        context.enable_progress_bars = debug
        context.raise_original_map_exception = True  # else its class is lost
        context.target_max_block_size = BYTES_PER_BLOCK
        yield
    finally:
        ray.shutdown()


def _check_address(address: str) -> None:
    """Checks that a host and port answer: Ray itself would try for a quarter of an hour.

    Args:
        address: The address; others than a host and port are not checked.

    Raises:
        UsageError: They do not.
    """
    host, _, port = address.rpartition(":")
    if "://" in address or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _TIMEOUT).close()
    except (OSError, ValueError, OverflowError) as error:  # ValueError: no name of a host
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot use the cluster {address} ({why}); check --address") from None
