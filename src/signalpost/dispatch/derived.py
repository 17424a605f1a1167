"""An attribute that is worked out when it is read, unless somebody has assigned one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from builtins import property as derived
    from collections.abc import Callable
    from typing import Any
else:

    class derived:  # noqa: N801 - a decorator, as property is
        """Like `property`, but assignable: existing subclasses of Django's `Signal` have a `name`."""

        def __init__(self, function: Callable[[Any], Any]) -> None:
            self.function = function
            self.__doc__ = function.__doc__

        def __get__(self, instance: object, owner: type) -> Any:
            return self if instance is None else self.function(instance)


__all__ = ["derived"]
