"""The label on the right: editor, preview, comparison, and the controller that saves it."""
