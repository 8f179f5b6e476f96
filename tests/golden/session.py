"""A study at work: its files, its server of models, the commands that are given, what they say."""

import gc
import io
import json
import re
import shlex
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from hashlib import sha256
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import yaml

from tests.studies import merged

from .looking import Objects, differences, to_json
from .tokens import Tokens

__all__ = ["BUCKET", "Place", "Session"]

BUCKET = "golden"
# What lines of a progress bar hold, on standard error.
BARS = ("━━━", "examples/s")
CELLS, BORDERS = ("│", "┃"), ("┏", "┡", "└")


def run_command(arguments: list[str]) -> int:
    """What the console script does, in this process; the exit code."""
    (script,) = entry_points(group="console_scripts", name="itemeval-assets")
    thresholds = gc.get_threshold()
    with patch.object(sys, "argv", ["itemeval-assets", *arguments]):
        try:
            script.load()()
        except SystemExit as end:
            return int(end.code or 0)
        finally:  # it takes its process to end with it
            gc.unfreeze()
            gc.set_threshold(*thresholds)
    return 0


def in_folder(root: Path) -> Objects:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def in_bucket(endpoint: str, prefix: str) -> Objects:
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/")
    keys = sorted(entry["Key"] for page in pages for entry in page.get("Contents", []))
    return {
        key.removeprefix(f"{prefix}/"): client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        for key in keys
    }


class Place:
    """Where results lie: below a folder, or in the bucket of a server."""

    def __init__(self, folder: Path, endpoint: str | None = None) -> None:
        self.folder = folder
        self.endpoint = endpoint

    @property
    def studies(self) -> str:
        return f"s3://{BUCKET}/studies" if self.endpoint else "studies"

    @property
    def experiments(self) -> str:
        return BUCKET if self.endpoint else str(self.folder / "experiments")

    def objects(self, below: str) -> Objects:
        if self.endpoint:
            return in_bucket(self.endpoint, below)
        return in_folder(self.folder / below)

    def tokens(self) -> Tokens:
        # Whether a command is named by its path depends on the PATH: that is not looked at here.
        known = {str(self.folder): "<folder>", f"{Path(sys.executable).parent}/": ""}
        if self.endpoint:
            known |= {
                self.studies: "<folder>/studies",
                f"s3://{BUCKET}": "<folder>/experiments",
                self.endpoint: "<s3>",
            }
        return Tokens(known)


class Session:
    """A study, or experiments, in a place. `said` has what the commands printed."""

    def __init__(self, place: Place, name: str) -> None:
        self.place, self.name = place, name
        self.tokens = place.tokens()
        self.config = place.folder / f"{name}.yaml"
        self.experiments = [name]
        self.said: list[str] = []
        self._step = 0
        self._document: dict[str, Any] = {}
        self._versions = 0

    def file(self, path: str, content: str | bytes) -> None:
        target = self.place.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def edit(self, changes: Mapping[str, Any]) -> None:
        """Change keys of the YAML, at whatever depth."""
        self._document = merged(self._document, changes)
        text = yaml.safe_dump(self._document, sort_keys=False, allow_unicode=True)
        self.config.write_text(text)
        self._versions += 1
        digest = sha256(text.encode()).hexdigest()
        self.tokens.place(digest, f"<sha256 of the YAML, version {self._versions}>")

    def give(self, line: str) -> None:
        """A command line; `{config}` is the study's file, `{folder}` its folder."""
        self._step += 1
        filled = line.format(
            config=self.config, folder=self.place.folder, bucket=self.place.experiments
        )
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run_command(shlex.split(filled))
        self._name_runs()
        self.said.append(f"$ itemeval-assets {line}   -> {code}")
        if "--json" in line and out.getvalue():
            self._say_json(json.loads(out.getvalue()))
        else:
            self.say(out.getvalue())
        for line in err.getvalue().splitlines():
            if not any(bar in line for bar in BARS):
                self.say(line)

    def objects(self) -> Objects:
        return self.place.objects(f"studies/{self.name}")

    def published(self) -> Objects:
        """What lies below the experiments."""
        root = "scythe" if self.place.endpoint else "experiments/scythe"
        return {
            f"{name}/{key}": content
            for name in self.experiments
            for key, content in self.place.objects(f"{root}/{name}").items()
        }

    def say(self, text: str) -> None:
        """Lines of words. Of tables: what their cells hold, not how wide they are."""
        for line in self.tokens.text(text).splitlines():
            if line.startswith(CELLS):
                self.said.append(re.sub("  +", " ", re.sub("[│┃]", "|", line)).rstrip())
            elif not line.startswith(BORDERS):
                self.said.append(line.rstrip())

    def _say_json(self, document: Any) -> None:
        """A line for each key, and each part of a list."""
        for key, value in document.items() if isinstance(document, dict) else [("", document)]:
            found = self.tokens.value(value, key)
            if isinstance(found, list) and found and isinstance(found[0], dict):
                self.said += [f"  {key}[] {to_json(part)}" for part in differences(found)]
            elif isinstance(found, dict) and any(
                isinstance(v, (list, dict)) for v in found.values()
            ):
                self.said.append(f"  {key}:")
                self._say_json(value)
            else:
                self.said.append(f"  {key} {to_json(found)}")

    def _name_runs(self) -> None:
        """A run is known by the command that made it, and its stage."""
        found = [
            (document["stage"], self.tokens.sortable(document), document["run_id"])
            for key, content in self.objects().items()
            if key.startswith("manifests/")
            for document in [json.loads(content)]
        ]
        for stage, _, run_id in sorted(found):
            self.tokens.name(run_id, f"run {self._step:02} {stage}")
