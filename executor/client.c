#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "monitor.h"
#include "sys.h"

int listen_for_clients(struct monitor *m) {
        struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "attach.sock"};

        /* sun_path holds 108 bytes, a run directory may be deeper: so the name is relative to it. */
        if (fchdir(m->run_dir) < 0)
                return -1;
        m->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (m->listener < 0)
                return -1;
        unlinkat(m->run_dir, address.sun_path, 0);
        umask(0177);
        if (bind(m->listener, (struct sockaddr *) &address, sizeof address) < 0 || listen(m->listener, 16) < 0)
                return -1;
        return watch(m, m->listener, EPOLLIN, EVENT_LISTENER, 0);
}

void client_add(struct monitor *m, int fd, bool primary) {
        for (uint32_t i = 0; i < CLIENTS_MAX; i++)
                if (m->clients[i].fd < 0) {
                        m->clients[i] = (struct client){.fd = fd, .primary = primary};
                        if (!m->input_length)
                                watch(m, fd, EPOLLIN, EVENT_CLIENT, i);
                        return;
                }
        close(fd);
}

void client_drop(struct monitor *m, struct client *client) {
        unwatch(m, client->fd);
        close_fd(&client->fd);
        drop_queue(client);
        if (m->stdin_once)
                close_input(m);
        if (client->primary && m->held_back)
                release_sources(m);
}

void on_listener(struct monitor *m) {
        struct ucred peer;
        socklen_t size = sizeof peer;

        int fd = accept4(m->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
                return;
        bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
        if (known && (peer.uid == 0 || peer.uid == geteuid()))
                client_add(m, fd, false);
        else
                close(fd);
}

static uint32_t index_of(const struct monitor *m, const struct client *client) {
        return (uint32_t) (client - m->clients);
}

/* False only where the sources must be held back for this client. */
static bool deliver(struct monitor *m, struct client *client, const char *frame, uint32_t length) {
        bool waiting = client->head < client->tail;
        int r = waiting ? 0 : send_frame(client->fd, frame, length);

        if (r < 0) {
                client_drop(m, client);
                return true;
        }
        if (r > 0)
                return true;
        bool hold = client->primary && !m->exited;
        if (!hold && !enqueue(client, frame, length)) {
                client_drop(m, client);
                return true;
        }
        uint32_t input = m->input_length ? 0 : EPOLLIN;
        watch_again(m, client->fd, input | EPOLLOUT, EVENT_CLIENT, index_of(m, client));
        return !hold;
}

bool broadcast(struct monitor *m, const char *frame, uint32_t length) {
        bool taken = true;

        for (size_t i = 0; i < CLIENTS_MAX; i++)
                if (m->clients[i].fd >= 0 && !deliver(m, &m->clients[i], frame, length))
                        taken = false;
        return taken;
}

void queue_held(struct monitor *m) {
        m->held_back = false;
        for (size_t i = 0; i < CLIENTS_MAX; i++)
                if (m->clients[i].fd >= 0 && m->clients[i].primary && !enqueue(&m->clients[i], m->frame, m->frame_length))
                        client_drop(m, &m->clients[i]);
}

bool clients_waiting(const struct monitor *m) {
        for (size_t i = 0; i < CLIENTS_MAX; i++)
                if (m->clients[i].fd >= 0 && m->clients[i].head < m->clients[i].tail)
                        return true;
        return false;
}

static void on_writable(struct monitor *m, struct client *client) {
        if (client->primary && m->held_back) {
                int r = send_frame(client->fd, m->frame, m->frame_length);
                if (r == 0)
                        return;
                if (r < 0) {
                        client_drop(m, client);
                        return;
                }
                release_sources(m);
        } else if (!flush_queue(client)) {
                client_drop(m, client);
                return;
        }
        if (client->head == client->tail) {
                if (m->exited) /* the last frame was EXITED */
                        client_drop(m, client);
                else if (m->input_length)
                        unwatch(m, client->fd);
                else
                        watch_again(m, client->fd, EPOLLIN, EVENT_CLIENT, index_of(m, client));
        }
}

static void on_frame(struct monitor *m, const unsigned char *frame, uint32_t length) {
        uint16_t size[2];

        switch (frame[0]) {
        case FRAME_STDIN:
                take_input(m, (const char *) frame + 1, length - 1);
                break;
        case FRAME_CLOSE_STDIN:
                close_input(m);
                break;
        case FRAME_RESIZE:
                if (length == 1 + sizeof size) {
                        memcpy(size, frame + 1, sizeof size);
                        resize_terminal(m, size[0], size[1]);
                }
                break;
        case FRAME_SIGNAL:
                if (length == 2)
                        signal_container(m, frame[1]);
                break;
        default:
                break; /* a later version's frame */
        }
}

void on_client(struct monitor *m, uint32_t index, uint32_t events) {
        struct client *client = &m->clients[index];
        char frame[FRAME_BYTES_MAX];

        if (client->fd >= 0 && events & EPOLLOUT)
                on_writable(m, client);
        if (client->fd < 0 || m->input_length || !(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
                return;
        ssize_t n = recv(client->fd, frame, sizeof frame, MSG_DONTWAIT);
        if (n > 0)
                on_frame(m, (const unsigned char *) frame, (uint32_t) n);
        else if (n == 0 || (errno != EAGAIN && errno != EINTR))
                client_drop(m, client);
}
