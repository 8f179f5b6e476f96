"""Which calls a run may make, by name (contracts: policies)."""

from typing import Literal

Policy = Literal["dev", "full-interactive", "full-batch"]
