"""Bake files: HCL, JSON and compose to targets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from jubako.build.bake.asked import asked_of, build_options
from jubako.build.bake.files import read_files
from jubako.build.bake.overrides import parse_override
from jubako.build.bake.resolve import Plan, Resolver
from jubako.build.bake.syntax import parse
from jubako.build.bake.values import BakeError, Value
from jubako.errors import JubakoError, NotFound


class Constants:
    """A scope without variables; functions are the built-in ones."""

    def variable(self, name: str) -> Value:
        raise BakeError(f"no {name}")

    def call(self, name: str, arguments: object) -> Value:
        from jubako.build.bake.functions import call

        return call(name, arguments)  # type: ignore[arg-type]


def plan(tmp_path: Path, text: str, *names: str, file: str = "docker-bake.hcl", **options: object) -> Plan:
    (tmp_path / file).write_text(text)
    environ = options.get("environ", {})
    assert isinstance(environ, Mapping)
    overrides = options.get("overrides", [])
    assert isinstance(overrides, list)
    definitions = read_files([], tmp_path, environ)
    return Resolver(definitions, environ, [parse_override(text) for text in overrides]).plan(names)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3 == 9 && !false", True),
        ("7 % 4", 3),
        ("10 / 4", 2.5),
        ('-1 < 0 ? "yes" : "no"', "yes"),
        ('"a${1 + 1}b$${c}"', "a2b${c}"),
        ('"tab\\t\\u0041"', "tab\tA"),
        ('"${"in${"ner"}"}"', "inner"),
        ("[1, 2,\n 3,]", [1, 2, 3]),
        ('{a = 1, "b": 2\n c = [3]}', {"a": 1, "b": 2, "c": [3]}),
        ("{a = {b = [1, 2]}}.a.b[1]", 2),
        ('[for x in ["a", "b"] : upper(x) if x != "a"]', ["B"]),
        ('{for k, v in {a = 1} : "${k}!" => v + 1}', {"a!": 2}),
        ("[{n = 1}, {n = 2}][*].n", [1, 2]),
        ("<<-EOT\n    one\n      two\n    EOT\n", "one\n  two\n"),
        ('join("-", split(",", "a,b"))', "a-b"),
        ("[absolute(-2), signum(-3), pow(2, 3), log(8, 2), negate(2)]", [2, -1, 8, 3, -2]),
        ('parseint("ff", 16)', 255),
        ('formatlist("%s-%s", ["a", "b"], "c")', ["a-c", "b-c"]),
        ('csvdecode("a,b\\n1,2")', [{"a": "1", "b": "2"}]),
        ('[indexof(["a", "b"], "b"), sethaselement(["a"], "b")]', [1, False]),
        ('setintersection(["a", "b"], ["b", "c"], ["b"])', ["b"]),
        ('[setsubtract(["a", "b"], ["b"]), setsymmetricdifference(["a", "b"], ["b", "c"])]', [["a"], ["a", "c"]]),
        ('setunion(["a"], ["b", "a"])', ["a", "b"]),
        ('uuidv5("dns", "www.example.com")', "2ed6657d-e927-568b-95e1-2665a8aea6a2"),
        ('[cidrhost("10.0.0.0/8", 2), cidrhost("10.1.2.240/28", -1)]', ["10.0.0.2", "10.1.2.255"]),
        ('cidrnetmask("172.16.0.0/12")', "255.240.0.0"),
        ('[cidrsubnet("172.16.0.0/12", 4, 2), cidrsubnet("fd00::/16", 8, 1)]', ["172.18.0.0/16", "fd00:100::/24"]),
        ('cidrsubnets("10.0.0.0/8", 8, 4)', ["10.0.0.0/16", "10.16.0.0/12"]),
        ('timeadd("2020-01-31T23:30:00Z", "-1h30m")', "2020-01-31T22:00:00Z"),
        ('formatdate("EEE, DD MMM YYYY hh:mm:ss ZZZ", "2018-01-02T23:12:01Z")', "Tue, 02 Jan 2018 23:12:01 UTC"),
        ("formatdate(\"H:mm aa 'o''clock'\", \"2018-01-02T15:04:05+02:00\")", "3:04 pm o'clock"),
        ("unixtimestampparse(1690328596).rfc3339", "2023-07-25T23:43:16Z"),
        ('regex_replace("v1.2.3", "^v(\\\\d+)\\\\..*", "$1")', "1"),
        ('regex("(\\\\d+)\\\\.(\\\\d+)", "v1.2")', ["1", "2"]),
        ('concat(["a"], distinct(["b", "b"]), compact(["", "c"]))', ["a", "b", "c"]),
        ("max([1, 5, 3]...)", 5),
        ('format("%s-%03d", "a", 7)', "a-007"),
        ('try(missing, "other")', "other"),
        ("can(missing)", False),
        ("merge({a = 1}, {b = 2})", {"a": 1, "b": 2}),
        ('sha256("")', "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ('coalesce("", "x")', "x"),
        ('substr("hello", 1, 3)', "ell"),
        ("1 /* a */ + 2 # b\n", 3),
    ],
)
def test_expressions(text: str, value: object) -> None:
    assert parse(f"x = {text}", "f").attributes["x"](Constants()) == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = ", r"f:1,5: unexpected the end"),
        ('x = "a', r"f:1,\d+: a string does not end"),
        ("a = 1\nx = [1 2]", r"f:2,8: unexpected '2'"),
        ("x = 1 y = 2", r"f:1,7: unexpected 'y'"),
        ("x = 1\nx = 2", r"f:2,\d+: x is given twice"),
        ('x = "\\q"', r"unknown escape \\q"),
        ("x = @", "unexpected '@'"),
        ("x = " + "(" * 5000, "nested too deeply"),
        ("x = " + "9" * 5000, "a number is too large"),
    ],
)
def test_bad_syntax_is_told_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(BakeError, match=problem):
        parse(text, "f")


FILE = """
variable "TAG" { default = "latest" }
variable "DEBUG" { default = false }
function "named" {
  params = [name]
  variadic_params = rest
  result = concat(["r/${name}:${TAG}"], rest)
}
group "default" { targets = ["app", "tools"] }
target "_common" {
  args = { A = "1", B = "2" }
  labels = { x = "y" }
  platforms = ["linux/amd64"]
}
target "app" {
  inherits = ["_common"]
  args = { B = DEBUG ? "debug" : "release" }
  tags = named("app", "extra")
  contexts = { base = "target:tools" }
}
target "tools" {
  name = "tools-${replace(v, ".", "-")}"
  matrix = { v = ["1.0", "2.0"] }
  args = { V = v }
}
"""


def test_targets_inherit_and_merge_maps(tmp_path: Path) -> None:
    text = FILE.replace("target:tools", "target:tools-1-0")
    found = plan(tmp_path, text)
    assert found.groups == {"default": ["app", "tools"], "tools": ["tools-1-0", "tools-2-0"]}
    assert list(found.targets) == ["tools-1-0", "app", "tools-2-0"]
    app = found.targets["app"]
    assert app.args == {"A": "1", "B": "release"}
    assert app.labels == {"x": "y"}
    assert app.tags == ["r/app:latest", "extra"]
    assert (app.context, app.dockerfile, app.platforms) == (".", "Dockerfile", ["linux/amd64"])
    assert found.targets["tools-2-0"].args == {"V": "2.0"}


def test_the_environment_and_overrides_change_targets(tmp_path: Path) -> None:
    text = FILE.replace('contexts = { base = "target:tools" }', "")
    overrides = ["app.tags=a", "app.tags=b", "*.args.A=9", "app.platforms+=linux/arm64", "app.no-cache=true"]
    found = plan(tmp_path, text, "app", environ={"TAG": "v1", "DEBUG": "true"}, overrides=overrides)
    assert found.groups == {"default": ["app"]}
    app = found.targets["app"]
    assert app.tags == ["a", "b"]
    assert app.args == {"A": "9", "B": "debug"}
    assert app.platforms == ["linux/amd64", "linux/arm64"]
    assert app.no_cache


def test_json_files_hold_templates(tmp_path: Path) -> None:
    target = '{"tags":["x:${T}"],"output":[{"type":"local","dest":"o,p"}]}'
    text = f'{{"variable":{{"T":{{"default":"1"}}}},"target":{{"default":{target}}}}}'
    found = plan(tmp_path, text, file="docker-bake.json", environ={"T": "2"})
    assert found.targets["default"].tags == ["x:2"]
    assert found.targets["default"].output == [{"type": "local", "dest": "o,p"}]


def test_compose_services_that_are_built_are_targets(tmp_path: Path) -> None:
    text = """
services:
  web.app:
    image: app:${TAG:-1}
    build:
      context: ./web
      args: {A: "$$x", B: 2}
      additional_contexts: ["base=docker-image://alpine"]
      x-bake: {platforms: linux/arm64}
  api:
    build: api
  db:
    image: db
"""
    found = plan(tmp_path, text, file="compose.yaml")
    assert found.groups == {"default": ["web_app", "api"]}
    web = found.targets["web_app"]
    assert (web.context, web.tags, web.platforms) == ("./web", ["app:1"], ["linux/arm64"])
    assert web.args == {"A": "$x", "B": "2"}
    assert web.contexts == {"base": "docker-image://alpine"}
    assert found.targets["api"].context == "api"


def test_later_files_lie_over_earlier_ones(tmp_path: Path) -> None:
    (tmp_path / "docker-bake.override.hcl").write_text('target "app" {\n args = {B = "over"}\n tags = ["t"]\n}')
    found = plan(tmp_path, 'target "app" { args = {A = "1", B = "2"} }', "app")
    assert found.targets["app"].args == {"A": "1", "B": "over"}
    assert found.targets["app"].tags == ["t"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "failed to find target default"),
        ('target "default" { nonsense = 1 }', 'target "default": unsupported argument "nonsense"'),
        ('target "default" { tags = "x" }', "tags: a list is needed, not a string"),
        ('target "default" { inherits = ["default"] }', "infinite loop of inherits"),
        ('group "default" { targets = ["default"] }', "infinite loop from group default"),
        ('target "default" { tags = [MISSING] }', 'there is no variable named "MISSING"'),
        ('target "default" { tags = [nope()] }', 'there is no function named "nope"'),
        ('variable "a" { default = b }\nvariable "b" { default = a }\ntarget "default" { tags = [a] }', "cycle"),
        ('function "f" {\n params = []\n result = f()\n}\ntarget "default" { tags = [f()] }', "without end"),
        ('target "default" { context = upper(1, 2) }', "upper does not take 2 arguments"),
        ('thing "x" {}', "unsupported block type 'thing'"),
        (
            'variable "n" {\n default = 1\n validation {\n condition = n > 1\n error_message = "too small"\n }\n}\n'
            'target "default" { tags = ["${n}"] }',
            "invalid value of variable n: too small",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(JubakoError, match=problem):
        plan(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("services: &s {web: {build: {args: *s}}}", "an alias holds itself"),
        ("services: !!int ''", "string index out of range"),
        ("services: 2020-13-45", "month must be in"),
    ],
)
def test_compose_file_that_can_not_be_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(BakeError, match=problem):
        plan(tmp_path, text, file="compose.yaml")


def test_what_compose_has_and_bake_does_not_is_refused(tmp_path: Path) -> None:
    text = "services:\n  app:\n    build: {context: ., x-mine: 1, isolation: none}\n"
    with pytest.raises(BakeError, match='target "app": unsupported argument "isolation"'):
        plan(tmp_path, text, file="compose.yaml")


RUNS = """
target "default" {
  dockerfile-inline = "FROM scratch"
  entitlements = ["network.host"]
  extra-hosts = { a = "1.2.3.4", b = "::1" }
  network = "host"
  secret = ["id=a,env=TOKEN", { id = "b", src = "file" }]
  shm-size = "64m"
  ssh = ["default", { id = "key", paths = "k1,k2" }]
  ulimits = ["nofile=10:20"]
}
"""


def test_what_a_target_says_about_its_commands_reaches_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "of-env")
    (tmp_path / "file").write_text("of-file")
    _, options = build_options(plan(tmp_path, RUNS).targets["default"], tmp_path, {})
    wanted = {
        "dockerfile_inline": "FROM scratch",
        "allow": ["network.host"],
        "extra_hosts": ["a=1.2.3.4", "b=::1"],
        "network": "host",
        "secrets": {"a": b"of-env", "b": b"of-file"},
        "shm_bytes": 64 << 20,
        "ssh": ["default", "key=k1,k2"],
        "ulimits": ["nofile=10:20"],
    }
    assert {name: options[name] for name in wanted} == wanted


def test_compose_says_the_same_in_its_own_words(tmp_path: Path) -> None:
    text = """
services:
  app:
    build:
      context: .
      dockerfile_inline: FROM scratch
      extra_hosts: ["a=1.2.3.4"]
      network: host
      privileged: true
      shm_size: 64m
      ssh: [default]
      ulimits: {nofile: {soft: 10, hard: 20}, nproc: 5}
"""
    target = plan(tmp_path, text, file="compose.yaml").targets["app"]
    _, options = build_options(target, tmp_path, {})
    assert options["allow"] == ["security.insecure"]
    assert options["extra_hosts"] == ["a=1.2.3.4"]
    assert options["shm_bytes"] == 64 << 20
    assert options["ulimits"] == ["nofile=10:20", "nproc=5"]
    assert (options["dockerfile_inline"], options["network"], options["ssh"]) == ("FROM scratch", "host", ["default"])


@pytest.mark.parametrize("text", ["!!int ''", "!!timestamp x", "!!bool x", "!!float .", "{? [a] : b}"])
def test_a_tag_that_its_value_does_not_fit_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BakeError, match=r"^compose\.yaml: "):
        plan(tmp_path, f"services:\n  web:\n    image: {text}\n", file="compose.yaml")


def test_a_size_that_is_none_is_named(tmp_path: Path) -> None:
    target = plan(tmp_path, 'target "default" { shm-size = "big" }').targets["default"]
    with pytest.raises(BakeError, match="shm-size: invalid size: 'big'"):
        build_options(target, tmp_path, {})


def test_what_a_target_asks_instead_of_a_build(tmp_path: Path) -> None:
    target = plan(tmp_path, 'target "default" { call = "outline,format=json" }').targets["default"]
    asked = asked_of(target, tmp_path)
    assert asked
    assert (asked[1].method, asked[1].json) == ("outline", True)
    assert asked_of(plan(tmp_path, 'target "default" { call = "build" }').targets["default"], tmp_path) is None


def test_a_bad_template_in_json_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(BakeError, match=r"^docker-bake\.json: "):
        plan(tmp_path, '{"target": {"default": {"tags": ["${"]}}}', file="docker-bake.json")


def test_a_file_that_is_too_long_is_not_read_in_part(tmp_path: Path) -> None:
    with pytest.raises(BakeError, match="longer than"):
        plan(tmp_path, 'target "default" {}\n' + "#" * (4 << 20))


def test_without_a_file_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="couldn't find a bake definition"):
        read_files([], tmp_path, {})


@pytest.mark.parametrize("text", ["app", "app.tags", "app.args=1", "app.tags.x=1"])
def test_a_malformed_override_is_refused(text: str) -> None:
    with pytest.raises(BakeError, match="invalid override"):
        parse_override(text)


def test_variables_have_types(tmp_path: Path) -> None:
    text = """
    variable "names" { type = list(string) }
    variable "ports" {
      type = map(number)
      default = {}
    }
    variable "row" {
      type = object({a = string, b = optional(bool, true), c = optional(tuple([number, string]))})
      default = {a = "x"}
    }
    target "default" {
      tags = names
      args = {port = ports.http + 1, b = row.b, c = row.c}
    }
    """
    environ = {"names": "one,two", "ports_JSON": '{"http": "80"}'}
    target = plan(tmp_path, text, environ=environ).targets["default"]
    assert (target.tags, target.args) == (["one", "two"], {"port": "81", "b": "true"})


@pytest.mark.parametrize(
    ("variable", "environ", "problem"),
    [
        ("type = number", {"v": "many"}, 'variable "v": failed to parse v from the environment: a number is needed'),
        ("type = map(string)", {"v_JSON": "[1]"}, "an object is needed, not a list"),
        ("type = list(strings)", {}, "there is no type 'strings'"),
        ('type = object({a = string})\ndefault = {b = "c"}', {}, "attribute a is required"),
        ('validation {\ncondition = v == "x"\nerror_message = "x it is"\n}', {}, "x it is"),
    ],
)
def test_a_variable_that_is_not_what_it_shall_be_is_named(
    tmp_path: Path, variable: str, environ: dict[str, str], problem: str
) -> None:
    with pytest.raises(BakeError, match=re.escape(problem)):
        plan(tmp_path, f'variable "v" {{\n{variable}\n}}\ntarget "default" {{}}', environ=environ)


def test_targets_refer_to_one_another(tmp_path: Path) -> None:
    text = """
    target "base" { args = {version = "1"} }
    target "default" {
      args = {version = "${target.base.args.version}.2"}
      tags = ["app:${target.default.args.version}"]
    }
    """
    assert plan(tmp_path, text).targets["default"].tags == ["app:1.2"]
    with pytest.raises(BakeError, match="there is no element other"):
        plan(tmp_path, 'target "default" { tags = [target.other.target] }')


def test_empty_and_repeated_entries_are_none(tmp_path: Path) -> None:
    target = plan(tmp_path, 'target "default" { tags = ["", "a", true ? "" : "b", "a"] }').targets["default"]
    assert target.tags == ["a"]


def test_overrides_have_the_names_of_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_OUTSIDE", "yes")
    overrides = ["*.platform=linux/arm64", "*.secrets=id=a", "*.args.FROM_OUTSIDE", "*.args.NOT_SET_AT_ALL"]
    target = plan(tmp_path, 'target "default" { args = {} }', overrides=overrides).targets["default"]
    assert (target.platforms, target.secret, target.args) == (["linux/arm64"], ["id=a"], {"FROM_OUTSIDE": "yes"})
    pushed = plan(tmp_path, 'target "default" {}', overrides=["*.push=true"]).targets["default"]
    assert pushed.output == ["type=image,push=true"]
    with pytest.raises(NotFound, match="could not find any target matching 'other'"):
        plan(tmp_path, 'target "default" {}', overrides=["other.pull=true"])
