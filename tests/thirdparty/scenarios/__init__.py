"""What real packages do with signals, each in a module of its own that is played by play.py.

A scenario names the ``PACKAGE`` that it needs and the ``SETTINGS`` that it wants of Django.
``prepare`` does what happens before ``django.setup()``, ``connect`` what happens when the apps
are there, and ``observe`` returns what happened then, in a form that JSON can hold.
"""
