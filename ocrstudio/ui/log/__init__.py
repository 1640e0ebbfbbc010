"""The log panel: everything that was said to the user and by the workers, to be searched and copied."""
