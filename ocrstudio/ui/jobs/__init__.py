"""Runs as the window sees them: a child process that relays events, and what the events amount to.

`RunMonitor` is the one place where relays are started; panels read `RunHistory` and never touch a process.
Closing the window ends relays only; a worker goes on and is found again at the next start.
"""
