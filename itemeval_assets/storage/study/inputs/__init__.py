"""What a user writes: the YAML, templates, prices, the code of scorers; and what a task told."""

from .prices import load_prices, prices_if_needed
from .study_file import load_config

__all__ = ["load_config", "load_prices", "prices_if_needed"]
