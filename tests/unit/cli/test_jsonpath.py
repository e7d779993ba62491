from __future__ import annotations

import pytest

from jubako.cli.jsonpath import JsonPath, literal, plain
from jubako.cluster.types.document import Object
from jubako.errors import InvalidArgument

PODS: Object = {
    "kind": "List",
    "items": [
        {
            "metadata": {"name": "a", "labels": {"app": "web", "x.y/z": "dotted"}},
            "spec": {"replicas": 2, "on": True, "ports": [80, 81]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}]},
        },
        {
            "metadata": {"name": "b", "labels": {"app": "db"}},
            "spec": {"replicas": 10, "on": False, "ports": [90]},
            "status": {"conditions": [{"type": "Ready", "status": "False"}]},
        },
    ],
}


@pytest.mark.parametrize(
    ("template", "printed"),
    [
        ("{.kind}", "List"),
        ("{kind}", "List"),
        ("text", "text"),
        ("x{.kind}y", "xListy"),
        ("{$.kind}{@.kind}", "ListList"),
        ("{.items[*].metadata.name}", "a b"),
        ("{.items[0].metadata.name}", "a"),
        ("{.items[-1].metadata.name}", "b"),
        ("{.items[0:1].metadata.name}", "a"),
        ("{.items[:].metadata.name}", "a b"),
        ("{.items[0].spec.ports[::2]}", "80"),
        ("{.items[*]['metadata.name', 'spec.replicas']}", "a b 2 10"),
        ("{.items[*]['metadata']['name']}", "a b"),
        ("{.items[0].spec.ports[0,1]}", "80 81"),
        ("{[.kind, .items[0].spec.on]}", "List true"),
        (r"{.items[0].metadata.labels.x\.y/z}", "dotted"),
        (r"{.items[0].metadata.labels['x\.y/z']}", "dotted"),
        ("{..name}", "a b"),
        ("{.items..ports}", "[80,81] [90]"),
        ("{..labels.app}", "web db"),
        ('{.items[?(@.metadata.labels.app=="web")].metadata.name}', "a"),
        ('{.items[?(@.metadata.labels.app!="web")].metadata.name}', "b"),
        ("{.items[?(@.spec.replicas>2)].metadata.name}", "b"),
        ("{.items[?(@.spec.replicas>=2)].metadata.name}", "a b"),
        ("{.items[?(@.spec.on==true)].metadata.name}", "a"),
        ("{.items[?(@.metadata.labels.tier)].metadata.name}", ""),
        ('{.items[*].status.conditions[?(@.type=="Ready")].status}', "True False"),
        ('{range .items[*]}{.metadata.name}{"\\t"}{.spec.replicas}{"\\n"}{end}', "a\t2\nb\t10\n"),
        ('{range .items[*]}{.metadata.name}{range .spec.ports[*]}{":"}{@}{end} {end}', "a:80:81 b:90 "),
        ("{range .items[*]}{.metadata.name}", "ab"),
        ("{.items[0].spec}", '{"on":true,"ports":[80,81],"replicas":2}'),
        ("{1}{-2.5}{true}{'x'}", "1-2.5truex"),
    ],
)
def test_a_template_prints_what_kubectl_prints(template: str, printed: str) -> None:
    assert JsonPath(template).render(PODS) == printed


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{.kind", "unclosed action"),
        ('{"open}', "unterminated quoted string"),
        ("{[}", "unterminated array"),
        ("{.x[}", "unterminated array"),
        ("{.x[?(@.a}", "unterminated filter"),
        ("{%}", "unrecognized character in action: U+0025 '%'"),
        ("{end}", "not in range, nothing to end"),
    ],
)
def test_what_is_no_template_is_refused(template: str, message: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        JsonPath(template)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{.nope}", "nope is not found"),
        ("{.items[9]}", "array index out of bounds: index 9, length 2"),
        ("{.items[0].metadata[0]}", "map[string]interface {} is not array or slice"),
    ],
)
def test_what_is_not_there_is_an_error(template: str, message: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        JsonPath(template).render(PODS)
    assert refused.value.message == message


def test_a_forgiving_path_finds_nothing_where_a_field_is_missing() -> None:
    assert JsonPath("{.nope.deeper}{.kind}", forgiving=True).render(PODS) == "List"


def test_values_as_go_prints_them() -> None:
    value = {"b": [1, None], "a": "x", "c": {}, "d": True, "e": 2.0}
    assert plain(value) == "map[a:x b:[1 <nil>] c:map[] d:true e:2]"
    assert literal({"a": ['"', None]}) == ('map[string]interface {}{"a":[]interface {}{"\\"", interface {}(nil)}}')
