"""What the package hands on to its users: `tests/public_api.py` uses all of it, typed."""

import re
from pathlib import Path

import pytest

import itemeval_assets
from itemeval_assets import experiments, measurement

USES = Path(__file__).with_name("public_api.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("alias", "module"), [("ie", itemeval_assets), ("ex", experiments), ("ms", measurement)]
)
def test_every_public_name_is_checked_for_its_types(alias, module):
    assert set(re.findall(rf"\b{alias}\.(\w+)", USES)) == set(module.__all__)
    assert all(getattr(module, name) is not None for name in module.__all__)
