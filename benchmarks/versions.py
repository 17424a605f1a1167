"""What was measured: versions and the kind of machine, never its name."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version

PACKAGES = ("blinker", "psygnal", "pluggy")


@dataclass(frozen=True, slots=True)
class Versions:
    """The header of one section of the results."""

    python: str
    django: str
    peers: tuple[tuple[str, str], ...]
    machine: str
    day: date

    def headline(self) -> str:
        """Minor versions: a later run with the same ones takes the section's place."""
        return f"Python {_minor(self.python)}, Django {_minor(self.django)}"

    def sentence(self) -> str:
        peers = ", ".join(f"{name} {release}" for name, release in self.peers)
        return f"CPython {self.python}, Django {self.django}, {peers}; {self.machine}"


def installed_versions() -> Versions:
    """The versions of this process."""
    return Versions(
        python=platform.python_version(),
        django=version("django"),
        peers=tuple((name, version(name)) for name in PACKAGES),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        day=datetime.now(UTC).date(),
    )


def _minor(release: str) -> str:
    return ".".join(release.split(".")[:2])
