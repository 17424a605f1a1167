"""An app with models to save, in the tests' project."""
