"""The command line: one module a command, each exporting a click command named ``command``.

A command parses options, calls a service, and prints; nothing else. It must not import Qt, torch or the
worker, and `ocrstudio.cli.main` imports a command's module only when that command is called.
"""
