from __future__ import annotations

from signalpost import receiver
from tests.durable.operating.shop import work

receiver(work.ordered, durable="shop.note", queue="notes", when=lambda **sent: "number" in sent)(
    work.note
)
receiver(work.ordered, durable="shop.hold", queue="held", when=lambda **sent: "begun" in sent)(
    work.hold
)
