"""Estimates with their certainty, from any frame with one row per grading event.

Pure functions on plain data: a notebook can use them without a study. They load numpy, and what
else they need when they are called.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
