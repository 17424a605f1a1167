"""What the contenders are called in every table, budget and figure."""

from __future__ import annotations

from typing import Final

HAND: Final = "hand"
OURS: Final = "signalpost"
DJANGO: Final = "Django"
CACHING: Final = "Django caching"
BLINKER: Final = "blinker"
PSYGNAL: Final = "psygnal"
PLUGGY: Final = "pluggy"
ADOPTED: Final = "adopted"
UNTOUCHED: Final = "untouched"

PEERS: Final = (OURS, DJANGO, CACHING, BLINKER, PSYGNAL, PLUGGY)
