"""The evaluation panel: measure a student on a dataset, compare two measurements, and act on the worst pages.

It shows and starts; scores come from `evaluation`, predictions from a worker process.
"""
