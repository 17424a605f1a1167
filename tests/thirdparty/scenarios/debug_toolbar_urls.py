"""The addresses that the toolbar's page needs."""

from __future__ import annotations

from debug_toolbar.toolbar import debug_toolbar_urls

urlpatterns = debug_toolbar_urls()
