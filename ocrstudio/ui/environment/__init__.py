"""What the machine offers, in the window: versions, GPU, memory, disk, model, the last exported dataset.

It shows what `ocrstudio.services` finds out in a background thread, and changes nothing.
"""
