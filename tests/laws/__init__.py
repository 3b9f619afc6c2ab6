"""Laws of the whole chain."""
