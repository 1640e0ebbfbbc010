"""How far a predicted text is from its reference: metrics, differences, and the report. Text in, numbers out.

No model, no image, no user interface; every number can be computed again from the report's own texts.
"""
