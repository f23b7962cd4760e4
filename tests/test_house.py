"""The house: imports point one way only, the core knows no vendor, nothing grows too large."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PACKAGE: Final = ROOT / "tap_datto_rmm"
FLOORS: Final = (
    ("errors", "texts", "starting"),
    ("telemetry",),
    ("http",),
    ("records",),
    ("settings",),
    ("api",),
    ("singer",),
    ("run",),
    ("streams",),
    ("files", "about", "console"),
    ("sdk",),
    ("tap",),
    ("doctor", "selecting", "spec_tools"),
    ("__main__",),
)
"""From the ground up: what stands on a floor may import what stands below, and its own room."""

LEVEL: Final = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
MODULES: Final = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted(PACKAGE.rglob("*.py"))
}
EXTRACTION: Final = {
    name: file
    for name, file in MODULES.items()
    if not re.search(r"\.(doctor|selecting|spec_tools)\b", name)
}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imports_of(module: str, file: Path) -> set[str]:
    """Modules of the package that one imports, for its types alone too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return (found & MODULES.keys()) - {module}


GRAPH: Final = {module: imports_of(module, file) for module, file in MODULES.items()}


def test_every_room_has_its_floor() -> None:
    rooms = {room_of(module) for module in MODULES} - {""}
    assert rooms == LEVEL.keys()


def test_there_is_no_circle_of_imports() -> None:
    packages = {name for name, file in MODULES.items() if file.name == "__init__.py"}
    graph = {module: found - packages for module, found in GRAPH.items()}
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("module", [name for name in MODULES if room_of(name)])
def test_no_import_points_upwards(module: str) -> None:
    room = room_of(module)
    others = {room_of(name) for name in GRAPH[module]} - {room, ""}
    assert {other for other in others if LEVEL[other] >= LEVEL[room]} == set()


@pytest.mark.parametrize("file", sorted((PACKAGE / "http").glob("*.py")), ids=lambda f: f.stem)
def test_the_core_knows_no_vendor(file: Path) -> None:
    text = re.sub(r"tap[_-]datto[_-]rmm", "", file.read_text(encoding="utf-8"))
    assert re.findall(r"(?i)datto|centrastage|pageDetails|system/status", text) == []


@pytest.mark.parametrize("module", MODULES)
def test_nothing_reaches_for_the_sandbox_or_the_tools(module: str) -> None:
    names = {
        node.id
        for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8")))
        if isinstance(node, ast.Name)
    }
    text = MODULES[module].read_text(encoding="utf-8")
    assert "datto_rmm_sandbox" not in text
    assert "Sandbox" not in names
    if module in EXTRACTION:
        rooms = {room_of(name) for name in GRAPH[module]}
        assert module.endswith("__main__") or not rooms & {"doctor", "selecting", "spec_tools"}


def lines_of_text(node: ast.ClassDef | ast.FunctionDef) -> int:
    """Lines of the docstrings in it."""
    found = [one for one in ast.walk(node) if isinstance(one, ast.ClassDef | ast.FunctionDef)]
    texts = [ast.get_docstring(one) for one in found]
    return sum(len(text.splitlines()) + 1 for text in texts if text)


@pytest.mark.parametrize("module", EXTRACTION)
def test_modules_classes_and_functions_are_of_a_size_to_read(module: str) -> None:
    text = EXTRACTION[module].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            most = 150 if isinstance(node, ast.ClassDef) else 50
            lines = (node.end_lineno or 0) - node.lineno + 1 - lines_of_text(node)
            assert lines <= most, f"{node.name}: {lines} lines"
