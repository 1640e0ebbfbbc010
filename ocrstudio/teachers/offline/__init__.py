"""The teacher that needs no server, GPU or network: text layer of a PDF, or OCR of the picture.

`teacher.OfflineTeacher` is the parent's side. Everything that loads PyMuPDF's layout models, RapidOCR or
Tesseract runs in child processes (``python -m ocrstudio.teachers.offline``), because these libraries print
to standard output, hold a gigabyte, and may crash on a hostile file. Modules other than `teacher` are
imported in the child only.
"""
