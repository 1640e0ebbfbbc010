"""The teacher on this machine: a DeepSeek-OCR model, plain or fine-tuned, in a worker process."""
