"""Compare what type checkers say of the examples with what the examples expect.

    python -m tests.typing.check mypy pyright

A line that is wrong ends with the rules that each checker must complain of, no fewer and no more::

    signal.connect(5)  # expect: mypy[arg-type] pyright[reportArgumentType]

On every other line there must be no complaint.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import signalpost

EXAMPLES = Path(__file__).resolve().parent / "examples"

#: The rules, sorted, by file and line.
Complaints = dict[tuple[str, int], list[str]]

_EXPECTED = re.compile(r"(mypy|pyright)\[([\w, -]+)\]")
_MYPY_ERROR = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): error: .*\[(?P<rule>[\w-]+)\]$")


def expected(checker: str, examples: Path) -> Complaints:
    """What the comments in the examples expect."""
    complaints: Complaints = {}
    for path in sorted(examples.glob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            rules = dict(_EXPECTED.findall(line.partition("# expect: ")[2]))
            if checker in rules:
                complaints[path.name, number] = sorted(rules[checker].split(", "))
    return complaints


def mypy(examples: Path, folder: Path) -> Complaints:
    """What mypy says, in strict mode and with no other configuration."""
    output = _run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--show-error-codes",
         "--no-error-summary", "--no-pretty", f"--cache-dir={folder / 'cache'}", str(examples)],
        MYPYPATH=os.pathsep.join(_source()),
    )  # fmt: skip
    complaints: Complaints = {}
    for line in output.splitlines():
        if ": note: " in line:
            continue
        error = _MYPY_ERROR.fullmatch(line)
        if error is None:
            raise RuntimeError(f"mypy failed:\n{output}")
        key = (Path(error["file"]).name, int(error["line"]))
        complaints[key] = sorted({*complaints.get(key, []), error["rule"]})
    return complaints


def pyright(examples: Path, folder: Path) -> Complaints:
    """What pyright says, in strict mode."""
    copy = folder / "examples"  # pyright looks only below the folder of its configuration
    shutil.copytree(examples, copy)
    configuration = {"typeCheckingMode": "strict", "include": ["."], "extraPaths": _source()}
    (copy / "pyrightconfig.json").write_text(json.dumps(configuration), encoding="utf-8")
    output = _run(
        [sys.executable, "-m", "pyright", "--outputjson", f"--pythonpath={sys.executable}",
         f"--project={copy}"],
    )  # fmt: skip
    try:
        said: dict[str, Any] = json.loads(output[output.index("{") :])
    except ValueError:
        raise RuntimeError(f"pyright failed:\n{output}") from None
    complaints: Complaints = {}
    for diagnostic in said["generalDiagnostics"]:
        key = (Path(diagnostic["file"]).name, diagnostic["range"]["start"]["line"] + 1)
        rule = diagnostic.get("rule", diagnostic["message"])
        complaints[key] = sorted({*complaints.get(key, []), rule})
    return complaints


CHECKERS: dict[str, Callable[[Path, Path], Complaints]] = {"mypy": mypy, "pyright": pyright}


def differences(checker: str, examples: Path = EXAMPLES) -> list[str]:
    """The lines on which the checker doesn't say what was expected."""
    with tempfile.TemporaryDirectory() as folder:
        said = CHECKERS[checker](examples, Path(folder))
    wanted = expected(checker, examples)
    return [
        f"{file}:{line}: {checker} says {said.get((file, line), [])}, "
        f"expected {wanted.get((file, line), [])}"
        for file, line in sorted(said.keys() | wanted.keys())
        if said.get((file, line)) != wanted.get((file, line))
    ]


def _source() -> list[str]:
    """Where signalpost is, unless it is installed, where the checkers find it by themselves."""
    source = Path(signalpost.__file__).resolve().parents[1]
    return [] if source.name == "site-packages" else [str(source)]


def _run(command: list[str], **environment: str) -> str:
    process = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    # 0: no complaints, 1: complaints; else it could not do its work.
    if process.returncode not in {0, 1}:
        raise RuntimeError(f"{command[2]} failed:\n{process.stdout}{process.stderr}")
    return process.stdout


def main(checkers: list[str]) -> int:
    found = [difference for checker in checkers for difference in differences(checker)]
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{', '.join(checkers)}: {'differ from' if found else 'as'} expected")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(CHECKERS)))
