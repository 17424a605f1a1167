"""The observers that the settings name."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from signalpost.dispatch import observing


def install(named: Any) -> None:
    """Make each observer and have it told from now on, for as long as the process lives.

    Raises an ImproperlyConfigured that names the setting for one that can't be made.
    """
    for item in named:
        path, arguments = (item, None) if isinstance(item, str) else item
        observing.add(_make(path, arguments or {}))


def _make(path: str, arguments: dict[str, Any]) -> Any:
    try:
        observer = import_string(path)(**arguments)
    except (ImportError, TypeError, ValueError) as error:
        raise ImproperlyConfigured(
            f"Cannot make the observer {path!r} that SIGNALPOST['OBSERVERS'] names: {error}"
        ) from error
    for method in ("started", "finished"):
        if not callable(getattr(observer, method, None)):
            raise ImproperlyConfigured(
                f"{path!r}, which SIGNALPOST['OBSERVERS'] names, makes a "
                f"{type(observer).__name__} without a method {method!r}: see "
                "signalpost.tracing.Observer for what an observer has."
            )
    return observer
