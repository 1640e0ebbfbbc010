"""Use cases shared by the window and the command line: small functions on a workspace, a dataset or a run.

They join the layers below (store, pdf, datasets, teachers, jobs) and hold the rules of the work, such as
which status follows an edit. They must not know a widget, print, or load torch: what needs the student runs
in a worker.
"""
