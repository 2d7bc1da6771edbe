"""The architecture is executable: floors, imports and a few things that no source file may do."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "actwin"
MODULES = sorted(PACKAGE.rglob("*.py"))
IN_GAME = PACKAGE / "plugin" / "app"
"""Runs in the game's own interpreter; tests/plugin checks what it imports."""
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}

RUNS_FOREIGN_BYTES = {
    "eval",
    "exec",
    "marshal.loads",
    "os.system",
    "pickle.Unpickler",
    "pickle.load",
    "pickle.loads",
    "yaml.load",
}
ALLOWED = {
    ("twin/layout.py", "exec"): "numba builds no NamedTuple from an array; the text comes from our own classes only",
    ("training/config.py", "yaml.load"): "with a subclass of SafeLoader",
}
HEAVY = ("torch", "tensorboard", "plotly", "ray", "streamlit", "casadi")
SLOW = (*HEAVY, "numba", "scipy", "gymnasium")

every_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: name_of(path))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a call target; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (inner := dotted(node.value)):
        return f"{inner}.{node.attr}"
    return ""


def calls(path: Path) -> Iterator[tuple[str, ast.Call, str]]:
    """Target, call and place of every call in a file."""
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Call):
            target = dotted(node.func)
            yield target, node, f"{name_of(path)}:{node.lineno}: {target}"


def literal(call: ast.Call, keyword: str) -> object:
    """Value of a keyword written as a literal, None where there is none."""
    for word in call.keywords:
        if word.arg == keyword and isinstance(word.value, ast.Constant):
            return word.value.value
    return None


def run_python(code: str, folder: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_floors_hold(repository: Path) -> None:
    """The import-linter contracts of pyproject.toml."""
    run_python("from importlinter.cli import lint_imports\nraise SystemExit(lint_imports(no_cache=True))", repository)


@every_module
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(TREES[path]), f"{name_of(path)} has no docstring"


@every_module
def test_nothing_runs_foreign_bytes(path: Path) -> None:
    for target, call, where in calls(path):
        assert target not in RUNS_FOREIGN_BYTES or (name_of(path), target) in ALLOWED, where
        assert literal(call, "shell") is not True, f"{where} with a shell"
        if target == "torch.load":
            assert literal(call, "weights_only") is True, f"{where} without weights_only=True"
        if target in {"np.load", "numpy.load"}:
            assert literal(call, "allow_pickle") is False, f"{where} without allow_pickle=False"


@every_module
def test_private_names_stay_in_their_package(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("actwin."):
            names = [*node.module.split("."), *(alias.name for alias in node.names)]
            private = [name for name in names if re.match(r"_[^_]", name)]
            assert names[1] == own or not private, f"{name_of(path)}:{node.lineno} imports {', '.join(private)}"


@every_module
def test_text_files_name_their_encoding(path: Path) -> None:
    """Without it, Windows reads UTF-8 files in its own code page."""
    for _, call, where in calls(path):
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"read_text", "write_text"}:
            assert any(word.arg == "encoding" for word in call.keywords), where


def test_every_imported_package_is_a_dependency(repository: Path) -> None:
    """A package that happens to be there because another one needs it is missing on the next machine."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    declared = [*project["dependencies"], *(requirement for extra in extras for requirement in extra)]
    known = {re.split(r"[\s\[<>=~!;]", requirement)[0].lower() for requirement in declared}
    distributions = packages_distributions()
    for path in [module for module in MODULES if IN_GAME not in module.parents]:
        for node in ast.walk(TREES[path]):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            for top in {name.split(".")[0] for name in names} - sys.stdlib_module_names:
                providers = {name.lower() for name in distributions.get(top, [top])}
                assert providers & known, f"{name_of(path)} imports {top}, which pyproject.toml does not name"


def test_lower_floors_start_without_heavy_packages() -> None:
    """torch and its like are loaded where they are used, not at the import of what can do without them."""
    folders = [PACKAGE / floor for floor in ("telemetry", "content", "twin", "cockpit", "planning", "env", "analysis")]
    modules = [
        ".".join(("actwin", *path.relative_to(PACKAGE).with_suffix("").parts))
        for path in MODULES
        if path.parent in folders and path.stem != "__init__"
    ]
    code = f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
    assert run_python(f"{code}print(*[name for name in {HEAVY!r} if name in sys.modules])").split() == []


def test_help_loads_nothing_slow() -> None:
    """`actwin --help` answers at once because commands import what they need when they run."""
    pytest.importorskip("actwin.cli")
    code = f"import sys, actwin.cli\nprint(*[name for name in {SLOW!r} if name in sys.modules])"
    assert run_python(code).split() == []


def test_no_file_knows_one_machine(repository: Path) -> None:
    """Paths of somebody's machine and package indexes belong to that machine's configuration."""
    machine = re.compile(
        r"(?<![\w./~$}])/(home|root|work|opt|mnt|Users)/\w"
        r"|[A-Z]:\\+Users\\"
        r"|--(index-url|extra-index-url|find-links|trusted-host)"
    )
    folders = ("src", "tests", "docs", "benchmarks", "examples", "configs", "tools", ".ci")
    files = [path for folder in folders for path in (repository / folder).rglob("*")] + list(repository.iterdir())
    text = {"", ".md", ".py", ".toml", ".txt", ".yaml"}
    found = []
    for path in sorted(files):
        if path.suffix in text and path.is_file() and path != Path(__file__).resolve():
            lines = path.read_text(encoding="utf-8").splitlines()
            found += [f"{path}:{number}: {line}" for number, line in enumerate(lines, 1) if machine.search(line)]
    assert found == []
