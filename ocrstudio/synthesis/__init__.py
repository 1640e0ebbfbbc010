"""Pages that the program writes itself: a tree of blocks, its picture and its exact Markdown.

For teaching a student: pages of any vocabulary and fonts whose labels are right by construction. Nothing here
knows of workspaces or of the student, and nothing here reads a person's documents.
"""
