"""Records are checked by the package of Every Eval Ever, where it is installed."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from itemeval_assets.core.errors import StoreError
from itemeval_assets.host.installation import how_to_install

_MODULE, _EXTRA, _PYTHON = "every_eval_ever", "every-eval-ever>=0.3", (3, 12)


def check(folder: Path, keys: Sequence[str]) -> str:
    """Check the records below a folder; the words that say by what, or why not.

    Raises StoreError for the first that breaks a rule of the schema, or of the datastore.
    """
    if find_spec(_MODULE) is None:
        return _missing()
    validate = import_module(f"{_MODULE}.validator.validation_core").validate_file
    for key in keys:
        found = validate(
            folder / key,
            repo_path=key,
            available_files=frozenset(keys),
            read_repo_file=lambda one: (folder / one).read_text(encoding="utf-8"),
            run_semantic_checks=True,
        )
        for problem in (*found.errors, *found.warnings):
            raise StoreError(
                f"record {key}: {problem['loc']}: {problem['msg']}. Nothing was written; this is a"
                " defect of itemeval-assets: please report it"
            )
    return f"Checked by every-eval-ever {version('every-eval-ever')}."


def _missing() -> str:
    if sys.version_info < _PYTHON:
        return "Not checked: the package every-eval-ever needs Python 3.12 or later."
    return (
        "Not checked: the package every-eval-ever, the extra every-eval, is not installed; install"
        f" it with: {how_to_install(_EXTRA)}"
    )
