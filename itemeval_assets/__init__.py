"""itemeval_assets: evaluation of language models as measurement, on Dagster and inspect_ai."""

import lazy_loader

# Late: an interrupt in the first moments of a command is told, and readers load no Dagster.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
