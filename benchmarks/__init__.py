"""How fast signals are: ours beside Django, blinker, psygnal and pluggy, in one process.

    python -m benchmarks [--quick] [--check] [--only PATTERN]

Only ratios are compared with budgets. Two contenders of one row share the machine's noise, so
their ratio survives what nanoseconds don't: see `timing` for how they are taken.
"""
