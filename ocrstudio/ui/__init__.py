"""The window: the only code that imports PySide6.

A folder per feature. Panels show state and emit intent (signals); controllers join them to the services;
`app` is the composition root. Nothing here may import torch, write SQL or hold a rule that the command line
needs too.
"""
