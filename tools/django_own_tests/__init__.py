"""Run Django's own tests with Signalpost's dispatcher in the place of Django's.

target.py    what the chosen interpreter has installed
archive.py   Django's source distribution: fetched, compared with the installed Django, unpacked
run.py       one run of Django's tests in a process of its own, and what it left behind
baseline.py  the run without adoption, remembered
verdict.py   a run with adoption held against one without
summary.py   the verdict as text
refusal.py   why nothing could be run
inside/      what is imported by the process that runs the tests, and by nothing else
"""
