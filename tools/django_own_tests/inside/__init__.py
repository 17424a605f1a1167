"""What the process that runs Django's tests imports.

It runs on the interpreter under test, so this folder needs the standard library and Django, and
nothing else of this package.

start.py      adopts (or doesn't), counts sends, and hands over to Django's runtests.py
sends.py      counts calls of a function without adding a frame to them
recorder.py   a test runner that writes down what became of each test
"""
