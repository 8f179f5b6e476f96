"""Look up the locked packages in the lists of known vulnerabilities.

First in OSV's, with `uv audit`; where that cannot be reached, in PyPI's, with pip-audit. Where
neither can be had (mirrors of PyPI have no list), it says so and ends well: a network that is
away is no finding.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.uv import found_uv

PIP_AUDIT = "pip-audit>=2.9"
UNREACHABLE = ("error sending request", "dns error", "failed to resolve", "connection", "timed out")
UNREACHABLE += (
    "max retries exceeded",
    "service unavailable",
    "failed to fetch",
    "could not be audited",
)


def main() -> int:
    """0: nothing found, or nobody to ask. 1: findings, which are printed."""
    for name, ask in (("OSV", _uv_audit), ("PyPI", _pip_audit)):
        answer = ask()
        told = answer.stdout + answer.stderr
        if answer.returncode == 0:
            print(told.strip())
            return 0
        if not any(sign in told.lower() for sign in UNREACHABLE):
            print(told.strip())
            return 1
        print(f"{name}'s list of vulnerabilities cannot be reached")
    print("skipped: the dependencies were NOT audited; run `make audit` where there is a network")
    return 0


def _uv_audit() -> subprocess.CompletedProcess[str]:
    return _run(found_uv(), "audit", "--frozen", "--preview")


def _pip_audit() -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        locked = Path(folder) / "requirements.txt"
        export = ("export", "--frozen", "--quiet", "--all-extras", "--no-emit-project")
        exported = _run(found_uv(), *export, "--output-file", str(locked))
        if exported.returncode:
            return exported
        audit = ("pip-audit", "--strict", "--disable-pip", "--require-hashes", "-r", str(locked))
        return _run(found_uv(), "tool", "run", "--from", PIP_AUDIT, *audit)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
