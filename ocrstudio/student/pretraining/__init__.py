"""Trains the embedded reader from nothing, on pages that the program writes itself.

``python -m ocrstudio.student.pretraining`` is the command. It has a trainer of its own, because nothing else
starts from random weights: from them a reader recites text without looking at the page. What makes it look
is dense supervision (`heads`): every image token says which characters stand in its patch, and every answer
token says where on the page it is read. The heads are thrown away. Nothing here is used when a person trains
a student.
"""
