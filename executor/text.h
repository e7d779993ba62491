/* Text put together in a buffer of the caller, without stdio. Overflow is remembered, never written. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
        char *at, *end;
        bool overflow;
};

static inline struct text text_in(char *buffer, size_t size) {
        return (struct text){.at = buffer, .end = buffer + size};
}

static inline void text_add_bytes(struct text *text, const char *bytes, size_t length) {
        if (length > (size_t) (text->end - text->at)) {
                text->overflow = true;
                return;
        }
        memcpy(text->at, bytes, length);
        text->at += length;
}

static inline void text_add(struct text *text, const char *string) {
        text_add_bytes(text, string, strlen(string));
}

/* At least `width` digits, filled up with zeros. */
static inline void text_add_digits(struct text *text, uint64_t number, size_t width) {
        char digits[20];
        size_t at = sizeof digits;

        do {
                digits[--at] = (char) ('0' + number % 10);
                number /= 10;
        } while (number || sizeof digits - at < width);
        text_add_bytes(text, digits + at, sizeof digits - at);
}

static inline void text_add_number(struct text *text, int64_t number) {
        if (number < 0)
                text_add_bytes(text, "-", 1);
        text_add_digits(text, number < 0 ? 0 - (uint64_t) number : (uint64_t) number, 1);
}

/* Put the NUL; false if anything did not fit. */
static inline bool text_end(struct text *text) {
        text_add_bytes(text, "", 1);
        return !text->overflow;
}
