"""An app whose receivers are durable, for the processes that the tests start."""
