"""Templates of notices: the built-in ones, and those in the home folder, which can do nothing but make text.

A template is a folder with ``subject.txt``, ``text.txt`` and, if it has HTML, ``page.html``; one of the home folder goes before a
built-in one of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from playhead.ports.errors import UsageError
from playhead.ports.notices import Words

BUILT_IN = Path(__file__).parent / "templates"
LONGEST = 5_000_000


class Templates:
    """Meets ``ports.notices.Renders``. ``own`` is the folder of one's own templates."""

    def __init__(self, own: Path | None = None) -> None:
        self._own = own
        self._text = _make_environment(html=False)
        self._html = _make_environment(html=True)

    def list_names(self) -> list[str]:
        """All that there are, the built-in ones first."""
        names = [each.name for folder in (BUILT_IN, self._own) if folder for each in _list_folders(folder)]
        return list(dict.fromkeys(names))

    def render(self, template: str, view: Mapping[str, Any]) -> Words:
        """The words of a notice. Raises UsageError where there is no such template, or where it is wrong."""
        folder = self._find(template)
        subject = " ".join(self._fill(folder / "subject.txt", view).split())
        text = self._fill(folder / "text.txt", view).strip() + "\n"
        page = folder / "page.html"
        return Words(subject, text, self._fill(page, view) if page.exists() else "")

    def _find(self, template: str) -> Path:
        for folder in (self._own, BUILT_IN):
            if folder and "/" not in template and (folder / template / "text.txt").is_file():
                return folder / template
        raise UsageError(
            f"There is no template '{template}'.",
            hint=f"There are: {', '.join(self.list_names())}. Your own stand in {self._own or 'the home folder'}.",
        )

    def _fill(self, path: Path, view: Mapping[str, Any]) -> str:
        environment = self._html if path.suffix == ".html" else self._text
        try:
            made = environment.from_string(path.read_text(encoding="utf-8")).render(**view)
            made.encode()  # half a letter could not be sent
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            where = f", line {line}" if line else ""
            raise UsageError(
                f"{path}{where}: {error}.", hint="Mend it: playhead notify preview shows what it makes."
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} cannot be read ({error}).", hint="May you read it?") from error
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            MemoryError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            raise UsageError(
                f"{path}: {str(error) or type(error).__name__}.",
                hint="Mend it: playhead notify preview shows what it makes.",
            ) from error
        if len(made) > LONGEST:
            raise UsageError(f"{path} makes {len(made):,} characters.", hint="Make it shorter.")
        return made


def _make_environment(*, html: bool) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        autoescape=html, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )


def _list_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(each for each in folder.iterdir() if (each / "text.txt").is_file())
