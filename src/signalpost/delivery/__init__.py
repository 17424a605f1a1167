"""After the send: receivers that run once the sender's transaction has committed.

A delivery is one of the rules that a receiver is connected with (`signalpost.dispatch.rules`). What
it needs of a database is a protocol here; `signalpost.django` implements it.
"""
