"""Published experiments: any function from spec to output, run on Dagster, kept by version."""

import lazy_loader

# Late: who reads results loads no Dagster, and the command line no pandas.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
