"""The dispatcher against a simple model, against threads, and against the garbage collector."""
