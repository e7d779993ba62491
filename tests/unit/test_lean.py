from __future__ import annotations

import subprocess
import sys

UNUSED = "decimal uuid numbers platform typing_extensions inspect ipaddress urllib.parse msgspec.yaml"


def run(program: str) -> str:
    """What the program prints, in an interpreter that has imported nothing else."""
    lean = "import sys; from jubako._lean import import_lean; import_lean()\n"
    return subprocess.run(
        [sys.executable, "-I", "-c", lean + program], capture_output=True, text=True, check=True
    ).stdout


def test_what_no_call_uses_is_not_imported() -> None:
    # What `site` brings is there before.
    before = subprocess.run(
        [sys.executable, "-I", "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True
    )
    found = set(run("print(*sys.modules)").split()) - set(before.stdout.split())
    assert {"msgspec", "pathlib", "re"} <= found
    assert not found & set(UNUSED.split())


def test_what_was_hidden_can_be_imported_afterwards() -> None:
    assert run("import uuid, decimal; print(uuid.UUID(int=1), decimal.Decimal('1.50'))").split() == [
        "00000000-0000-0000-0000-000000000001",
        "1.50",
    ]
    assert run("import msgspec.yaml, msgspec.json; print(msgspec.json.decode(b'[1]'))") == "[1]\n"


def test_pathlib_still_writes_urls() -> None:
    assert run("import pathlib; print(pathlib.Path('/a b').as_uri())") == "file:///a%20b\n"
