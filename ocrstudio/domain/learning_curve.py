"""What a learning curve is made of: the same for whoever asks for it, measures it and says what it shows."""

from typing import Final

SHARES: Final = (0.25, 0.5, 1.0)
"""Parts of the training pages, each within the next."""

MORE_PAGES: Final = 100
"""How many further pages it looks ahead."""

FEWEST_PAGES: Final = 8
"""Training pages below which a quarter is a single page, or none: a curve of chance."""

FEWEST_HELD_OUT: Final = 8
"""Held-out pages below which the interval means too little: so few do not show what others would."""
