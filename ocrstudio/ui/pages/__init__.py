"""The list of documents and pages on the left."""
