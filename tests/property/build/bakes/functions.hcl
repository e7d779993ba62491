function "twice" {
  params = [x]
  result = "${x}${x}"
}
target "default" {
  labels = {for k, v in {a = 1} : k => twice(v)}
  tags = [join("-", split(",", "a,b")), <<-EOT
    t
    EOT
  ]
  output = ["type=image"]
  args = { R = regex_replace("a1", "([a-z])", "$1$1"), F = format("%03d", 7) }
}
