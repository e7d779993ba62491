/* The log: Docker's json-file format, one object per line of output, or CRI's, `TIME STREAM P|F LINE` (kubelet, "CRI
 * container log format"). Lines are split at 16 KiB, files rotated by size.
 *
 * A line that is longer is kept whole: only its last part's "log" ends in a newline, only that one is F, full. One that
 * has not ended when the container does gets a newline in Docker's format, and is P in CRI's, as theirs do it. What the
 * disk refuses is lost; the container is never held back by its log.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "monitor.h"
#include "path.h"
#include "sys.h"
#include "text.h"

int log_open(struct log *log, const struct operation *op) {
        struct stat status;

        log->path = op->string[0];
        log->size_max = op->integers[0];
        log->files_max = op->integers[1];
        log->format = op->integers[2];
        log->fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (log->fd < 0 || fstat(log->fd, &status) < 0)
                return -1;
        log->size = status.st_size;
        return 0;
}

static bool numbered(const struct log *log, int64_t number, char path[PATH_BYTES_MAX]) {
        struct text text = text_in(path, PATH_BYTES_MAX);

        text_add(&text, log->path);
        if (number) {
                text_add(&text, ".");
                text_add_number(&text, number);
        }
        return text_end(&text);
}

/* log -> log.1 -> log.2 …, the oldest is lost; with a single file it is emptied. */
static void rotate(struct log *log) {
        char from[PATH_BYTES_MAX], to[PATH_BYTES_MAX];

        if (log->files_max < 2) {
                if (ftruncate(log->fd, 0) == 0)
                        log->size = 0;
                return;
        }
        for (int64_t i = log->files_max - 1; i > 0; i--)
                if (numbered(log, i - 1, from) && numbered(log, i, to) && rename(from, to) < 0 && errno != ENOENT)
                        return;
        int fd = open(log->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
        if (fd < 0)
                return;
        close(log->fd);
        log->fd = fd;
        log->size = 0;
}

void log_flush(struct log *log) {
        const char *at = log->buffer;

        while (log->pending) {
                ssize_t n = write(log->fd, at, log->pending);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        break;
                at += n;
                log->size += n;
                log->pending -= (uint32_t) n;
        }
        log->pending = 0;
}

static void put(struct log *log, const char *bytes, size_t length) {
        if (length > sizeof log->buffer - log->pending)
                log_flush(log);
        memcpy(log->buffer + log->pending, bytes, length);
        log->pending += (uint32_t) length;
}

static void put_string(struct log *log, const char *string) {
        put(log, string, strlen(string));
}

static void put_escape(struct log *log, unsigned code) {
        static const char hex[] = "0123456789abcdef";
        const char escape[6] = {'\\', 'u', hex[code >> 12 & 15], hex[code >> 8 & 15], hex[code >> 4 & 15], hex[code & 15]};

        put(log, escape, sizeof escape);
}

/* Bytes of the valid UTF-8 sequence at `at`, 0 if it is none (overlong, surrogate, cut off). RFC 3629. */
static size_t utf8_length(const unsigned char *at, size_t left) {
        size_t length = at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;

        if (!length || length > left)
                return 0;
        for (size_t i = 1; i < length; i++)
                if ((at[i] & 0xc0) != 0x80)
                        return 0;
        if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f))
                return 0;
        if ((at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
                return 0;
        return length;
}

static size_t put_special(struct log *log, const unsigned char *at, size_t left) {
        static const char short_for[] = "\bb\tt\nn\ff\rr\"\"\\\\";

        if (*at >= 0x80) {
                size_t length = utf8_length(at, left);
                if (!length)
                        put_escape(log, 0xfffd);
                else if (length == 3 && at[0] == 0xe2 && at[1] == 0x80 && (at[2] | 1) == 0xa9)
                        put_escape(log, 0x2000u + (at[2] & 0x3fu));
                else
                        put(log, (const char *) at, length);
                return length ? length : 1;
        }
        for (const char *pair = short_for; *pair; pair += 2)
                if ((unsigned char) pair[0] == *at) {
                        put(log, (const char[2]){'\\', pair[1]}, 2);
                        return 1;
                }
        put_escape(log, *at);
        return 1;
}

/* As Go's encoding/json writes a string, which Docker uses: <, > and & are escaped too. */
static void put_escaped(struct log *log, const char *bytes, size_t length) {
        const unsigned char *at = (const unsigned char *) bytes, *end = at + length;

        while (at < end) {
                const unsigned char *plain = at;
                while (at < end && *at >= 0x20 && *at < 0x7f && *at != '"' && *at != '\\' && *at != '<' && *at != '>' &&
                       *at != '&')
                        at++;
                put(log, (const char *) plain, (size_t) (at - plain));
                if (at < end)
                        at += put_special(log, at, (size_t) (end - at));
        }
}

/* RFC 3339 with nanoseconds. Days to a date: Howard Hinnant, "chrono-compatible low-level date algorithms". */
static void put_time(struct log *log, int64_t ns) {
        char bytes[40];
        struct text text = text_in(bytes, sizeof bytes);
        uint64_t seconds = (uint64_t) ns / 1000000000, of_day = seconds % 86400;
        uint64_t z = seconds / 86400 + 719468, era = z / 146097, doe = z % 146097;
        uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
        uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
        uint64_t month = mp < 10 ? mp + 3 : mp - 9;

        text_add_digits(&text, yoe + era * 400 + (month <= 2), 4);
        text_add(&text, "-");
        text_add_digits(&text, month, 2);
        text_add(&text, "-");
        text_add_digits(&text, doy - (153 * mp + 2) / 5 + 1, 2);
        text_add(&text, "T");
        text_add_digits(&text, of_day / 3600, 2);
        text_add(&text, ":");
        text_add_digits(&text, of_day / 60 % 60, 2);
        text_add(&text, ":");
        text_add_digits(&text, of_day % 60, 2);
        text_add(&text, ".");
        text_add_digits(&text, (uint64_t) ns % 1000000000, 9);
        text_add(&text, "Z");
        put(log, bytes, (size_t) (text.at - bytes));
}

static void put_cri(struct log *log, int stream, const char *bytes, size_t length, bool ended) {
        put_time(log, now_ns());
        put_string(log, stream ? " stderr " : " stdout ");
        put_string(log, ended ? "F " : "P ");
        put(log, bytes, length);
        put_string(log, "\n");
}

static void put_record(struct log *log, int stream, const char *bytes, size_t length, bool ended) {
        if (log->size_max > 0 && log->size + log->pending >= log->size_max) {
                log_flush(log);
                rotate(log);
        }
        if (log->format == LOG_CRI) {
                put_cri(log, stream, bytes, length, ended);
                return;
        }
        put_string(log, "{\"log\":\"");
        put_escaped(log, bytes, length);
        put_string(log, ended ? "\\n\",\"stream\":\"" : "\",\"stream\":\"");
        put_string(log, stream ? "stderr\",\"time\":\"" : "stdout\",\"time\":\"");
        put_time(log, now_ns());
        put_string(log, "\"}\n");
}

void log_write(struct log *log, int stream, const char *bytes, size_t length) {
        struct line *line = &log->lines[stream];

        if (log->fd < 0)
                return;
        while (length) {
                const char *newline = memchr(bytes, '\n', length);
                size_t take = newline ? (size_t) (newline - bytes) : length, room = LINE_BYTES - line->length;
                bool ended = newline && take <= room;
                if (take > room)
                        take = room;
                memcpy(line->bytes + line->length, bytes, take);
                line->length += (uint32_t) take;
                if (ended || line->length == LINE_BYTES) {
                        put_record(log, stream, line->bytes, line->length, ended);
                        line->length = 0;
                }
                bytes += take + ended;
                length -= take + ended;
        }
        log_flush(log);
}

void log_end(struct log *log) {
        if (log->fd < 0)
                return;
        for (int stream = 0; stream < 2; stream++)
                if (log->lines[stream].length)
                        put_record(log, stream, log->lines[stream].bytes, log->lines[stream].length,
                                   log->format != LOG_CRI);
        log->lines[0].length = log->lines[1].length = 0;
        log_flush(log);
}
