"""Teachers draft labels: an OpenAI-compatible server, a local student, offline OCR, a PDF's text layer.

Every teacher satisfies `base.Teacher`; `registry.create_teacher` makes one from a configuration and
`batch.run_batch` sends pages through it. A teacher knows no workspace and writes no files of the user;
`services` does that. Nothing here may import Qt or torch: libraries that print or crash run in a child
process.
"""
