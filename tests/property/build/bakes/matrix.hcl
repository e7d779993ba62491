variable "V" {
  default = "x"
}
group "default" {
  targets = ["a", "b"]
}
target "a" {
  context = "."
  tags = ["t:${V}", "${upper(V)}-${1 + 2}"]
  args = { A = V == "x" ? 1 : null }
}
target "b" {
  inherits = ["a"]
  matrix = { m = ["1", "2"], n = [for x in ["p"] : "${x}!"] }
  name = "b-${m}-${sanitize(n)}"
  contexts = { base = "target:a" }
}
