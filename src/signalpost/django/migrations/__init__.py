"""The tables of durable delivery."""
