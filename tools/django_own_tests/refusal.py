"""Why Django's tests could not be run."""

from __future__ import annotations


class Refusal(Exception):
    """Nothing was shown about the dispatcher: what has to be put right first is in the text."""
