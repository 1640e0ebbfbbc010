"""The training panel: what to train on, the run as it goes on, and the list of runs.

It shows and starts; what a training is, is decided in `services.training`, and done in a worker process.
"""
