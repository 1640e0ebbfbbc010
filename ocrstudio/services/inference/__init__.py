"""Label page images and documents with a teacher, without a workspace: what ``ocrstudio infer`` does.

`run.infer` finds the pages (`pages`), drafts them, notes each result in a journal (`journal`) the moment it
arrives, and writes Markdown, JSON or a dataset from it (`output`). It prints nothing.
"""
