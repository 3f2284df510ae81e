"""Builds the documents as a site that opens from its folder, with no server and no network: `make site`.

The documents stay where they are and as GitHub shows them. They are copied with their places into a folder, from
which MkDocs builds; so links between them need no change. A link to any other file of the repository leads to a page
that shows that file. A document without a place in SECTIONS is refused, so none is forgotten.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

REPO = Path(__file__).resolve().parents[1]
LOOKS = REPO / "docs/site"
CHINESE = ".zh-CN.md"
# Where each document stands, labs excepted; a `*` is those that no other section names.
SECTIONS: dict[str, tuple[str, ...]] = {
    "srv6lab": ("README.md", "docs/platforms.md", "docs/doctor.md", "CHANGELOG.md"),
    "Learn": (
        "docs/srv6-primer.md",
        "docs/tasks.md",
        "docs/break.md",
        "docs/behaviors.md",
        "docs/policies.md",
        "docs/vendors.md",
    ),
    "Teach": ("docs/teaching.md", "docs/class.md"),
    "See": (
        "docs/predict.md",
        "docs/report.md",
        "docs/watch.md",
        "docs/capture.md",
        "docs/wireshark.md",
        "docs/graph.md",
    ),
    "Build labs": ("docs/topology.md", "docs/large-labs.md", "docs/kernels.md", "docs/vagrant.md", "docs/*"),
    "Develop": (
        "CONTRIBUTING.md",
        "docs/architecture.md",
        "docs/adding.md",
        "docs/releasing.md",
        "srv6lab/srconf/README.md",
        "benchmarks/README.md",
    ),
}
PLACES = ("*.md", "docs/*.md", "labs/*/README*.md", "benchmarks/README.md", "srv6lab/srconf/README.md")
PICTURES = (".svg", ".png")
CODE = re.compile(r"^( *(?:`{3,}|~{3,})).*?^\1\s*$|(`+)[^`\n]+\2", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s#]+)([^)\s]*)\)")


class Unplaced(Exception):
    """A document that no section names, or a link that leads nowhere."""


@dataclass(frozen=True, slots=True)
class Documents:
    """A repository's documents, by their paths below `root`; `labs` in the order of the README's course."""

    root: Path
    paths: tuple[str, ...]

    @classmethod
    def of(cls, root: Path) -> Documents:
        found = {path.relative_to(root).as_posix() for place in PLACES for path in root.glob(place)}
        return cls(root, tuple(sorted(found)))

    @property
    def labs(self) -> list[str]:
        course = re.findall(r"\(labs/([\w-]+)/README\.md\)", (self.root / "README.md").read_text("utf-8"))
        there = [path.split("/")[1] for path in self.paths if re.fullmatch(r"labs/[^/]+/README\.md", path)]
        return sorted(there, key=lambda lab: (course.index(lab) if lab in course else len(course), lab))

    def title(self, path: str) -> str:
        """A lab's name, or the document's first heading."""
        if path.startswith("labs/"):
            return path.split("/")[1]
        heading = re.search(r"^# (.+)$", (self.root / path).read_text("utf-8"), re.MULTILINE)
        return heading[1].replace("`", "") if heading else PurePosixPath(path).stem

    def nav(self) -> list[Any]:
        """MkDocs' list of pages: sections, then labs, then all that is in Chinese."""
        english = [path for path in self.paths if not path.endswith(CHINESE) and not path.startswith("labs/")]
        named = {path for section in SECTIONS.values() for path in section}
        sections: list[Any] = []
        for name, wanted in SECTIONS.items():
            pages = [
                path
                for one in wanted
                for path in (
                    [each for each in english if each not in named and each.startswith("docs/")]
                    if "*" in one
                    else [one]
                )
                if path in english
            ]
            sections.append({name: [{self.title(path): path} for path in pages]})
            english = [path for path in english if path not in pages]
        if english:
            raise Unplaced(f"no section of SECTIONS in scripts/make_site.py names {', '.join(english)}")
        sections.insert(2, {"Labs": [self._lab(lab) for lab in self.labs]})
        chinese = [path for path in self.paths if path.endswith(CHINESE)]
        chinese.sort(key=self._chinese_order)
        return [*sections, *([{"中文": [{self.title(path): path} for path in chinese]}] if chinese else [])]

    def _lab(self, lab: str) -> dict[str, Any]:
        folder = f"labs/{lab}"
        return {lab: [f"{folder}/README.md", {"topology.yml": f"{folder}/topology.yml.md"}]}

    def _chinese_order(self, path: str) -> tuple[int, int, str]:
        """README first, then documents, then labs as the course goes."""
        if not path.startswith("labs/"):
            return int("/" in path), 0, path
        lab = path.split("/")[1]
        return 2, self.labs.index(lab) if lab in self.labs else 0, path

    def other_language(self, path: str) -> str:
        """The same document in the other language, or ""."""
        english = path.endswith(CHINESE)
        other = path.removesuffix(CHINESE) + ".md" if english else path.removesuffix(".md") + CHINESE
        return other if other in self.paths else ""


def pages(documents: Documents) -> Iterator[tuple[str, str]]:
    """Every page of the site and its Markdown: documents, and the files of the repository that they link to."""
    shown: set[str] = {f"labs/{lab}/topology.yml" for lab in documents.labs}
    for path in documents.paths:
        text, linked = relinked(documents, path, (documents.root / path).read_text("utf-8"))
        shown |= linked
        if (other := documents.other_language(path)) and other.rpartition("/")[2] not in text:
            words = "English" if path.endswith(CHINESE) else "中文"
            text = f"[{words}]({other.rpartition('/')[2]})\n\n{text}"
        yield path, text
    for path in sorted(shown):
        yield f"{path}.md", as_page(documents.root, path)


def relinked(documents: Documents, path: str, text: str) -> tuple[str, set[str]]:
    """A document whose links to files that are no documents lead to pages that show these files; and those files."""
    linked: set[str] = set()

    def to_page(match: re.Match[str]) -> str:
        place = os.path.normpath(f"{PurePosixPath(path).parent}/{match[1]}")
        if place.startswith("..") or not (documents.root / place).exists():
            raise Unplaced(f"{path} links to {match[1]}, which isn't in the repository")
        if place in documents.paths or place.endswith(PICTURES):
            return match[0]
        linked.add(place)
        return f"]({match[1].rstrip('/')}.md)"

    parts, end = [], 0
    for code in CODE.finditer(text):
        parts += [LINK.sub(to_page, text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, LINK.sub(to_page, text[end:])]), linked


def as_page(root: Path, path: str) -> str:
    """A page that shows a file, or what is in a folder; a fence longer than any in it keeps it whole."""
    place = root / path
    if place.is_dir():
        return f"# {path}\n\n" + "".join(f"- `{one.name}`\n" for one in sorted(place.iterdir()))
    text = place.read_text("utf-8")
    fence = "`" * (1 + max([2, *map(len, re.findall("`{3,}", text))]))
    kind = {".yml": "yaml", ".py": "python", ".json": "json"}.get(place.suffix, "text")
    return f"# {path}\n\n{fence}{kind}\n{text.rstrip()}\n{fence}\n"


def stage(root: Path, folder: Path) -> Path:
    """Writes what MkDocs builds from into a folder; its configuration's path."""
    documents = Documents.of(root)
    for path, text in pages(documents):
        target = folder / "pages" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    (folder / "pages/assets").mkdir()
    shutil.copy(LOOKS / "iframe-worker.js", folder / "pages/assets")
    for pattern in ("docs/pictures/*", "labs/*/*"):
        for picture in root.glob(pattern):
            if picture.suffix in PICTURES:
                target = folder / "pages" / picture.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(picture, target)
    settings = {"INHERIT": str(LOOKS / "mkdocs.yml"), "docs_dir": "pages", "nav": documents.nav()}
    configuration = folder / "mkdocs.yml"
    configuration.write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), "utf-8")
    return configuration


def build(root: Path, target: Path) -> int:
    """MkDocs' exit code; the same documents make the same bytes, so it is told the time of the last commit."""
    with tempfile.TemporaryDirectory() as folder:
        configuration = stage(root, Path(folder))
        command = [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--quiet",
            "--strict",
            "--site-dir",
            str(target.absolute()),
        ]
        environment = {"SOURCE_DATE_EPOCH": "0", "NO_MKDOCS_2_WARNING": "1"} | dict(os.environ)
        return subprocess.run([*command, "--config-file", str(configuration)], env=environment).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description="Build the documents as a site that opens from its folder.")
    parser.add_argument("--out", type=Path, default=REPO / "site", metavar="DIR", help="where to (site/)")
    out = parser.parse_args().out
    try:
        code = build(REPO, out)
    except Unplaced as wrong:
        print(f"site: {wrong}", file=sys.stderr)
        return 1
    if code == 0:
        print(out / "index.html")
    return code


if __name__ == "__main__":
    sys.exit(main())
