/* Values of all kinds. */
target "default" {
  args = {
    A = element([1, 2], 3)
    B = try(nothing, "b")
    C = max([1, 2]...)
    D = [{n = 1}, {n = 2}][*].n[0]
    E = !true || 7 % 4 >= 2.5 && -1 < 0
  }
}
