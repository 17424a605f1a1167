"""The parts of `demo.py`: a mail server, the site, a reader who comments, and the screen."""
