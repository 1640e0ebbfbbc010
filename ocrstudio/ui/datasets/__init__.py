"""Writing the labels of the workspace as a dataset, and bringing a dataset back into it."""
