"""The picture of the page in the middle; pages are drawn in a child process."""
