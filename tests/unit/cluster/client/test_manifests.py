from __future__ import annotations

from pathlib import Path

import pytest

from jubako.cluster.client.manifests import read
from jubako.errors import InvalidArgument

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {}}}\n"


def found(*names: str, stdin: str = "", recursive: bool = False) -> list[tuple[object, str]]:
    manifests = read(names, stdin.encode(), recursive=recursive)
    return [(each.document["metadata"]["name"], each.source) for each in manifests]  # type: ignore[index,call-overload]


def test_documents_of_a_stream_in_order_and_empty_ones_passed_over() -> None:
    assert found("-", stdin="---\n---\n" + MAP.format("a") + "---\n# nothing\n---\n" + MAP.format("b")) == [
        ("a", "STDIN"),
        ("b", "STDIN"),
    ]


def test_lists_are_taken_apart_and_json_is_yaml() -> None:
    assert found("-", stdin='{"apiVersion":"v1","kind":"List","items":[{"metadata":{"name":"x"}}]}') == [("x", "STDIN")]


def test_directories_by_their_names_and_deeper_ones_when_asked(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.yaml", "a.yml", "c.txt", "deep/d.json"):
        (tmp_path / name).write_text(MAP.format("x"))
    assert [Path(source).name for _, source in found(str(tmp_path))] == ["a.yml", "b.yaml"]
    assert [Path(source).name for _, source in found(str(tmp_path), recursive=True)] == ["a.yml", "b.yaml", "d.json"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("https://x/y.yaml", "", "https://x/y.yaml: manifests are not fetched from URLs"),
        ("nofile", "", 'the path "nofile" does not exist'),
        ("-", "kind: Foo", 'error validating "STDIN": error validating data: apiVersion not set'),
        ("-", "a: [", "error parsing STDIN: error converting YAML to JSON: yaml: line"),
        ("-", "just text", 'error validating "STDIN": error validating data: apiVersion not set'),
    ],
)
def test_what_is_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        found(name, stdin=text)
    assert refused.value.message.startswith(message)
