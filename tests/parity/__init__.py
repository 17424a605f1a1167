"""The same scenario on the installed Django's dispatcher and on ours, outcomes compared."""
