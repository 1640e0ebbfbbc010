"""The student: DeepSeek-OCR as configuration, model, weights, tokenizer, processor, and what trains it.

This is the only package (with the worker process that starts it) that may import torch, transformers or peft.
It never imports Qt, never opens a window and never runs code that came with a checkpoint: weights are read
from safetensors files only.

Entry points for the rest of the package:

* `loading.load_student` - a model folder or the word of an embedded student becomes a `Student` (model,
  processor, provenance).
* `modeling.model.DeepseekOcrForConditionalGeneration` - the network; its docstring lists inputs and outputs.
* `processor.OcrProcessor` - pictures, prompts and answers become batches, for training and inference alike.
* `layout` - native parameter names <-> the names of the public checkpoint.
* `export.save_model` - write merged weights in the public layout.
"""
