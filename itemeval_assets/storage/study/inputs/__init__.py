"""What a user writes: the study YAML, its templates, its price file, the code of its scorers."""

from .prices import load_prices, prices_if_needed
from .study_file import load_study

__all__ = ["load_prices", "load_study", "prices_if_needed"]
