"""The map: a page that draws who sends and who receives, and shows live what fires."""
