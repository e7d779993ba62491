/* Part of `make sanitize` alone: options that no environment brings as far as the executor. What a process holds at its
 * end is the kernel's to take back; reports go where somebody looks, since the streams are the container's. */

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void) {
        return "detect_leaks=0:log_path=/tmp/jubako-sanitizer";
}

const char *__ubsan_default_options(void) {
        return "print_stacktrace=1:log_path=/tmp/jubako-sanitizer";
}
