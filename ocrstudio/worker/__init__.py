"""The process that does the heavy work of a run; the only caller of the student.

It has no window and no terminal: it speaks through the run folder (or, as a server, through claimed standard
output) and everything that libraries print goes to the log. It must not import Qt, and it loads the student
only after its first events are written.
"""
