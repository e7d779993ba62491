from __future__ import annotations

import pytest

from jubako.cli.gotemplate import Template, TemplateError, record

DATA = record(
    {
        "Name": "/web",
        "State": {"Running": True, "ExitCode": 0, "Health": None},
        "Args": ["a", "b", "c"],
        "Labels": {"z": "26", "a": "1"},
        "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "81/tcp": None},
        "Binds": None,
        "Pid": 7,
    },
    maps={"Labels", "Ports"},
    pointers={"Health"},
)


def render(text: str) -> str:
    return Template(text).render(DATA)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{.Name}}", "/web"),
        ("{{ .State.Running }}", "true"),
        ("{{.Pid}}", "7"),
        ("{{.Args}}", "[a b c]"),
        ("{{.Labels}}", "map[a:1 z:26]"),
        ("{{.Ports}}", "map[80/tcp:[{0.0.0.0 8080}] 81/tcp:[]]"),
        ("{{.State}}", "{true 0 <nil>}"),
        ("{{.Binds}}", "[]"),
        ("{{.Labels.a}}{{.Labels.nope}}", "1<no value>"),
        ('{{index .Labels "a"}}{{index .Labels "nope"}}', "1"),
        ("{{index .Args 1}}", "b"),
        ('{{(index (index .Ports "80/tcp") 0).HostPort}}', "8080"),
        ("{{range .Args}}{{.}},{{end}}", "a,b,c,"),
        ("{{range $i, $v := .Args}}{{$i}}{{$v}}{{end}}", "0a1b2c"),
        ("{{range $key, $value := .Labels}}{{$key}}={{$value}} {{end}}", "a=1 z=26 "),
        ("{{range .Binds}}x{{else}}none{{end}}", "none"),
        ("{{range .Args}}{{if eq . `b`}}{{break}}{{end}}{{.}}{{end}}", "a"),
        ("{{range .Args}}{{if eq . `b`}}{{continue}}{{end}}{{.}}{{end}}", "ac"),
        ("{{if .State.Health}}h{{else if .State.Running}}r{{else}}n{{end}}", "r"),
        ("{{with .State}}{{.ExitCode}}{{end}}{{with .Binds}}x{{else}}y{{end}}", "0y"),
        ("{{if and .State.Running (gt .Pid 5)}}yes{{end}}", "yes"),
        ("{{or .Binds .Name}}", "/web"),
        ("{{and .Binds (index .Args 99)}}", "[]"),
        ("{{not .State.Running}}", "false"),
        ("{{$x := .Name}}{{$x}}{{$x = `y`}}{{$x}}{{$.Pid}}", "/weby7"),
        ("{{.Name | upper | printf `%s!`}}", "/WEB!"),
        ("{{len .Args}} {{len .Name}}", "3 4"),
        ('{{join .Args "-"}} {{json .Args}} {{split "a:b" ":"}}', 'a-b-c ["a","b","c"] [a b]'),
        ("{{json .State}} {{json .Labels}} {{json .Binds}}", '{"Running":true,"ExitCode":0,"Health":null} '
         '{"a":"1","z":"26"} null'),
        ('{{title "foo bar"}} {{lower "AB"}} {{truncate "abcdef" 3}}|{{pad "x" 1 2}}|', "Foo Bar ab abc| x  |"),
        ("{{slice .Name 1}} {{slice .Name 1 3}}", "web we"),
        ("{{println 1 `a`}}{{print 1 2 `a` `b`}}", "1 a\n1 2ab"),
        ("a  {{- .Pid -}}  b", "a7b"),
        ("a{{/* comment */}}b{{- /* c */ -}} d", "abd"),
        ("{{true}} {{nil | printf `%v`}} {{1.5}} {{'a'}} {{0x10}}", "true <nil> 1.5 97 16"),
        ("{{eq .Pid 7}} {{eq .Pid 1 7}} {{ne .Pid 7}} {{lt 1 2}} {{ge 1 2}}", "true true false true false"),
        ("{{.}}", "{/web {true 0 <nil>} [a b c] map[a:1 z:26] map[80/tcp:[{0.0.0.0 8080}] 81/tcp:[]] [] 7}"),
        ("plain", "plain"),
        ("", ""),
    ],
)  # fmt: skip
def test_templates_render_as_in_go(text, expected):
    assert render(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%s|%v|%q", '/web|/web|"/web"'),
        ("%-6s|%6s|%.2s", "/web  |  /web|/w"),
        ("%d", "%!d(string=/web)"),
    ],
)
def test_printf_of_texts(text, expected):
    words = " ".join(".Name" for _ in range(text.count("%") - text.count("%%")))
    assert render("{{printf `" + text + "` " + words + "}}") == expected


def test_printf_of_numbers():
    assert render("{{printf `%05d|%x|%5.1f|%t|%%|%v` .Pid 255 1.25 true .Args}}") == "00007|ff|  1.2|true|%|[a b c]"
    assert render("{{printf `%d %d` 1}}") == "1 %!d(MISSING)"
    assert render("{{printf `%d` 1 2}}") == "1%!(EXTRA int=2)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{.Nope}}", 'template: :1:2: executing "" at <.Nope>: map has no entry for key "Nope"'),
        ("{{.State.Nope}}", 'template: :1:8: executing "" at <.State.Nope>: map has no entry for key "Nope"'),
        ("{{eq .Name 1}}", 'template: :1:2: executing "" at <eq .Name 1>: error calling eq: '
         "incompatible types for comparison"),
        ("{{.Name.x}}", 'template: :1:7: executing "" at <.Name.x>: can\'t evaluate field x in type string'),
    ],
)  # fmt: skip
def test_failures_while_rendering_are_worded_as_in_go(text, message):
    with pytest.raises(TemplateError) as caught:
        render(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{.Name", "template: :1: unclosed action"),
        ("{{foo}}", 'template: :1: function "foo" not defined'),
        ("{{if}}{{end}}", "template: :1: missing value for if"),
        ("{{end}}", "template: :1: unexpected {{end}}"),
        ("{{if .Name}}", "template: :1: unexpected EOF"),
        ('{{"a', "template: :1: unterminated quoted string"),
        ("{{}}", "template: :1: missing value for command"),
        ("\n{{range}}", "template: :2: missing value for range"),
    ],
)
def test_failures_while_parsing_are_worded_as_in_go(text, message):
    with pytest.raises(TemplateError) as caught:
        Template(text)
    assert str(caught.value) == message
