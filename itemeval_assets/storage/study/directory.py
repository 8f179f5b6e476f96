"""A study directory: its JSON documents, whose it is, and how its files lie."""

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from itemeval_assets.core.design.study import Study
from itemeval_assets.core.errors import StoreError
from itemeval_assets.core.tables.schemas import BOOKINGS
from itemeval_assets.core.text.strict_json import load_json
from itemeval_assets.core.text.times import now
from itemeval_assets.storage.objects.backends import Backend

from . import layout

# In study.json: what is taken in, from the beginning of an import to its end.
_IMPORTING = "importing"
# The hashes of the words that an import has brought for packaged templates, by kind and name.
_WORDS = "imported_words"


class StudyDirectory:
    """The directory of one study; one config owns it once it holds results."""

    def __init__(self, backend: Backend, study_name: str) -> None:
        self.backend = backend
        self.study_name = study_name
        # Whoever imports opens also what an import was cut off in.
        self.imports = False

    def read_json(self, key: str) -> dict[str, Any] | None:
        """A JSON document of the study, or None. Raises StoreError when it is not JSON."""
        data = self.backend.read(key)
        return None if data is None else self._parse_json(key, data)

    def seen_json(self, key: str) -> dict[str, Any] | None:
        """A JSON document as it was at the last look, or as this store wrote it since."""
        data = self._seen(key)
        return None if data is None else self._parse_json(key, data)

    def _seen(self, key: str) -> bytes | None:
        [data] = self.backend.read_many([key])
        return data

    def update_json(self, key: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Change a JSON document atomically; a missing one starts as {}, and stays away as that."""

        def rewrite(data: bytes | None) -> bytes | None:
            document = change({} if data is None else self._parse_json(key, data))
            if data is None and not document:
                return None
            return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()

        self.backend.update(key, rewrite)

    def _parse_json(self, key: str, data: bytes) -> dict[str, Any]:
        try:
            document = load_json(data)
        except ValueError as error:
            raise self.damaged(key, f"is not valid JSON: {error}") from error
        if not isinstance(document, dict):
            raise self.damaged(key, "is no JSON object")
        return document

    def damaged(self, key: str, what: str) -> StoreError:
        """The error for a JSON document of another shape; says what deleting it means."""
        meaning = layout.IF_DELETED.get(key)
        deleted = f", or delete it: {meaning}" if meaning else ""
        return StoreError(f"{self.backend.uri(key)} {what}; restore it from a copy{deleted}")

    def require_owner(self, study: Study) -> None:
        """Raise StoreError when the study directory was begun by another config file."""
        owner = self.seen_json(layout.STUDY_FILE)
        if owner is None:
            if self.backend.exists(layout.table_folder("solutions")):
                raise StoreError(
                    f"{study.location} holds results of itemeval, whose tables are single files; "
                    "give this study another `study:` name or `output_dir:`"
                )
            return
        if not all(isinstance(owner.get(name), str) for name in ("schema", "config")):
            raise self.damaged(layout.STUDY_FILE, "does not say which config owns the results")
        known = {layout.LAYOUT_VERSION, *layout.OLDER_LAYOUTS}
        if owner["schema"] not in known:
            raise StoreError(
                f"{study.location} has table schema {owner['schema']!r}, this version reads "
                f"{sorted(known)}; use the version of itemeval-assets that wrote it"
            )
        if owner.get("config") != _config_from(study):
            raise StoreError(
                f"{study.location} was made by another config: {owner.get('config')}, seen "
                f"from that folder, and not by {study.config_path}.\n"
                "Give this study another `study:` name or `output_dir:`; if you renamed the "
                f"config, correct `config` in {self.backend.uri(layout.STUDY_FILE)}"
            )
        if _IMPORTING in owner and not self.imports:
            self._wait_for_import(study)
            owner = self.read_json(layout.STUDY_FILE) or owner
        words = owner.get(_WORDS, {})
        if not isinstance(words, dict) or not all(isinstance(of, dict) for of in words.values()):
            raise self.damaged(layout.STUDY_FILE, "does not say which words an import has brought")
        _require_words(study, words)

    def _wait_for_import(self, study: Study) -> None:
        """Wait while somebody imports. Raises StoreError where an import was cut off."""
        with self.backend.lock(_IMPORTING, f"reader-{uuid.uuid4().hex}"):
            left = (self.read_json(layout.STUDY_FILE) or {}).get(_IMPORTING)
        if left is not None:
            raise StoreError(
                f"an import into {study.location} was cut off: what is missing would be called "
                "again, and paid. Import again, it goes on where it was: "
                f"itemeval-assets import {left} {study.config_path}"
            )

    def is_importing(self) -> bool:
        """Whether an import into the study directory has not come to its end."""
        return _IMPORTING in (self.read_json(layout.STUDY_FILE) or {})

    def imported_words(self) -> Mapping[str, Mapping[str, str]]:
        """The hashes of the words that imports have brought, by kind and name."""
        return (self.read_json(layout.STUDY_FILE) or {}).get(_WORDS, {})

    @contextmanager
    def importing(self, source: str, words: Mapping[str, Mapping[str, str]]) -> Iterator[None]:
        """Others wait for the end of the block to open the study, which has an owner.

        Where the block does not come to its end, they wait for the next import. From then on the
        study opens with these words of packaged templates alone, by the hashes of their names.
        """
        with self.backend.lock(_IMPORTING, f"import-{uuid.uuid4().hex}"):
            self.update_json(layout.STUDY_FILE, lambda mark: _marked(mark, source, words))
            yield
            self.update_json(
                layout.STUDY_FILE,
                lambda mark: {name: value for name, value in mark.items() if name != _IMPORTING},
            )

    def require_layout(self) -> None:
        """Raise StoreError where a folder lies in the place of a file, or a file in a folder's.

        It would be read as if there were no rows, and their calls be made again.
        """
        for key, is_file in self.backend.walk():
            wanted = layout.is_file(key)
            if wanted is None or wanted == is_file:
                continue
            if key == layout.OLDER_BOOKINGS and self.is_older():
                continue
            found, place = ("file", "folder") if is_file else ("folder", "file")
            raise StoreError(
                f"{self.backend.uri(key)}: a {found} is in the place of a {place}; move it away, "
                f"and restore the {place} from a copy, if there is one. Nothing was changed"
            )

    def is_owned(self) -> bool:
        """Whether the study directory holds results of a config, which then owns it for good."""
        return self._seen(layout.STUDY_FILE) is not None

    @contextmanager
    def beginning(self, study: Study, holder: str) -> Iterator[None]:
        """The first items of a study are stored while the block runs, by one config at a time.

        Nobody owns the directory by that: a config whose first run is refused leaves it to others.
        Where the items cannot be had, nothing was begun.
        """
        if self.is_owned():
            self.require_owner(study)
            yield
            return
        with self.backend.lock("beginning", holder):
            pins, before = self.backend.read(layout.DATASET_LOCKS), dict[str, Any]()

            def begin(known: dict[str, Any]) -> dict[str, Any]:
                before.update(known)
                made_pins = known.get("made_pins", pins is None)
                return {"config": _config_from(study), "made_pins": made_pins}

            self.update_json(layout.BEGINNING, begin)
            try:
                yield
            except BaseException:
                if self.backend.read(layout.DATASET_LOCKS) == pins:
                    self._put_back(layout.BEGINNING, before)
                raise

    def _put_back(self, key: str, document: dict[str, Any]) -> None:
        if document:
            self.update_json(key, lambda _: document)
        else:
            self.backend.delete(key)

    def has_loose_pins(self) -> bool:
        """Whether a first run pinned the data that has brought no results so far."""
        return self._begun().get("made_pins", False) and not self.is_owned()

    def _begun(self) -> dict[str, Any]:
        """Who stored the items last, while nobody owns the directory; {} where nobody has."""
        begun = self.seen_json(layout.BEGINNING) or {}
        kinds = {"config": str, "made_pins": bool}
        if any(not isinstance(begun.get(name, kind()), kind) for name, kind in kinds.items()):
            raise self.damaged(layout.BEGINNING, "does not say which config began")
        return begun

    def take_ownership(self, study: Study) -> None:
        """Mark the study directory as this config's, once: before its first call.

        Raises StoreError where another config owns it, or has stored its items in the meantime.
        """
        if not self.is_owned():
            with self.backend.lock("beginning", study.config_path.name):
                self.backend.read(layout.BEGINNING)  # others may have begun since the look
                begun_by = self._begun().get("config")
                if begun_by not in (None, _config_from(study)):
                    raise StoreError(
                        f"another config began in {study.location} at the same time: {begun_by}, "
                        "seen from that folder.\nNo call was made. Give this study another "
                        "`study:` name or `output_dir:`, or run it again"
                    )
                self._mark(study)
                self.backend.delete(layout.BEGINNING)
        self.require_owner(study)

    def _mark(self, study: Study) -> None:
        mark = {
            "study": study.name,
            "config": _config_from(study),
            "schema": layout.LAYOUT_VERSION,
            "created_at": now(),
        }
        self.update_json(layout.STUDY_FILE, lambda document: document or mark)

    def is_older(self) -> bool:
        """Whether the study directory still lies as an earlier version wrote it."""
        owner = self.seen_json(layout.STUDY_FILE)
        return owner is not None and owner.get("schema") in layout.OLDER_LAYOUTS

    def bring_up_to_date(self, finish: Callable[[], object]) -> None:
        """Bring an older study directory to the layout of this version; `finish` ends it.

        At any moment the tables can be read. Who is killed meanwhile leaves the rest to the next.
        """
        with self.backend.lock("layout", f"upgrade-{uuid.uuid4().hex}"):
            self.backend.read(layout.STUDY_FILE)  # another one may have done so since the look
            if not self.is_older():
                return
            self.backend.move_folder(layout.OLDER_BOOKINGS, layout.table_folder(BOOKINGS.name))
            finish()
            self.update_json(
                layout.STUDY_FILE, lambda mark: {**mark, "schema": layout.LAYOUT_VERSION}
            )


def _marked(
    mark: dict[str, Any], source: str, words: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    return {**mark, _IMPORTING: source, _WORDS: {**mark.get(_WORDS, {}), **words}}


def _require_words(study: Study, words: Mapping[str, Mapping[str, str]]) -> None:
    """Raise StoreError where a packaged template has other words than an import has brought."""
    templates = {
        "prompts": [condition.prompt for condition in study.design.generate],
        "rubrics": study.design.rubrics,
    }
    for kind, known in words.items():
        for template in templates.get(kind, ()):
            if template.hash != known.get(template.name, template.hash):
                lock = study.config_dir / layout.template_lock(study.name)
                raise StoreError(
                    f"{template.name} has other words than the study in {study.location} was "
                    f"imported with, and so its answers would be asked for again. {lock} keeps "
                    "these words: restore it from a copy, or import again"
                )


def _config_from(study: Study) -> str:
    """What tells the config that owns a study directory from others.

    Its path seen from there, which stays true when a project is moved. A bucket is shared by
    machines that keep the config where they like: there, its name.
    """
    if study.is_remote:
        return study.config_path.name
    return Path(os.path.relpath(study.config_path, study.location)).as_posix()
