"""Writes what the scenes leave with the code as it is: `python -m tests.golden.write`."""

import os
import sys
from pathlib import Path

import pytest

if __name__ == "__main__":
    os.environ |= {"GOLDEN_WRITE": "1", "TEST_LONG": "1"}
    sys.exit(pytest.main([str(Path(__file__).parent / "test_golden.py"), "-q", "-k", "disk"]))
