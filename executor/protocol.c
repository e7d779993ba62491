#include "protocol.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union ancillary {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
};

ssize_t parts_send(int socket, struct iovec *parts, size_t count, int fd) {
        struct msghdr header = {.msg_iov = parts, .msg_iovlen = count};
        union ancillary ancillary = {0};

        if (fd >= 0) {
                header.msg_control = ancillary.space;
                header.msg_controllen = sizeof ancillary.space;
                struct cmsghdr *control = CMSG_FIRSTHDR(&header);
                control->cmsg_level = SOL_SOCKET;
                control->cmsg_type = SCM_RIGHTS;
                control->cmsg_len = CMSG_LEN(sizeof fd);
                memcpy(CMSG_DATA(control), &fd, sizeof fd);
        }
        for (;;) {
                ssize_t n = sendmsg(socket, &header, MSG_NOSIGNAL);
                if (n >= 0 || errno != EINTR)
                        return n;
        }
}

static int send_with_fd(int socket, const void *bytes, size_t size, int fd) {
        struct iovec part = {.iov_base = (void *) (uintptr_t) bytes, .iov_len = size};
        return parts_send(socket, &part, 1, fd) < 0 ? -1 : 0;
}

int message_send(int socket, uint32_t type, uint32_t value, int fd) {
        struct message message = {.type = type, .value = value};
        return send_with_fd(socket, &message, sizeof message, fd);
}

int message_receive(int socket) {
        struct message message;

        for (;;) {
                ssize_t n = recv(socket, &message, sizeof message, 0);
                if (n == (ssize_t) sizeof message)
                        return (int) message.type;
                if (n == 0)
                        return 0;
                if (n > 0)
                        errno = EBADMSG;
                if (errno != EINTR)
                        return -1;
        }
}

static uint16_t append(char *at, size_t room, const char *text) {
        size_t length = text ? strnlen(text, room) : 0;
        memcpy(at, text ? text : "", length);
        return (uint16_t) length;
}

void failure_send(int socket, uint32_t stage, uint32_t operation, uint32_t index, int error, const char *path,
                  const char *detail) {
        struct failed record = {
                .type = MESSAGE_FAILED, .stage = stage, .operation = operation, .index = index, .error = error};

        record.path_length = append(record.text, sizeof record.text, path);
        record.detail_length =
                append(record.text + record.path_length, sizeof record.text - record.path_length, detail);
        size_t size = offsetof(struct failed, text) + record.path_length + record.detail_length;
        while (send(socket, &record, size, MSG_NOSIGNAL) < 0 && errno == EINTR)
                ;
}

int fd_send(int socket, int fd) {
        return send_with_fd(socket, "", 1, fd);
}

ssize_t receive_with_fd(int socket, void *bytes, size_t size, int *ret_fd) {
        struct iovec part = {.iov_base = bytes, .iov_len = size};
        union ancillary ancillary = {0};
        struct msghdr header = {
                .msg_iov = &part,
                .msg_iovlen = 1,
                .msg_control = ancillary.space,
                .msg_controllen = sizeof ancillary.space,
        };

        *ret_fd = -1;
        ssize_t n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        const struct cmsghdr *control = n >= 0 ? CMSG_FIRSTHDR(&header) : NULL;
        if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS)
                memcpy(ret_fd, CMSG_DATA(control), sizeof *ret_fd);
        return n;
}
