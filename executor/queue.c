#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "monitor.h"
#include "sys.h"

int send_frame(int fd, const char *frame, uint32_t length) {
        for (;;) {
                ssize_t n = send(fd, frame, length, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n >= 0)
                        return 1;
                if (errno == EAGAIN)
                        return 0;
                if (errno != EINTR)
                        return -1;
        }
}

bool enqueue(struct client *client, const char *frame, uint32_t length) {
        if (!client->queue) {
                void *queue = mmap(NULL, QUEUE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                if (queue == MAP_FAILED)
                        return false;
                client->queue = queue;
        }
        if (client->tail + sizeof length + length > QUEUE_BYTES) {
                memmove(client->queue, client->queue + client->head, client->tail - client->head);
                client->tail -= client->head;
                client->head = 0;
        }
        if (client->tail + sizeof length + length > QUEUE_BYTES)
                return false;
        memcpy(client->queue + client->tail, &length, sizeof length);
        memcpy(client->queue + client->tail + sizeof length, frame, length);
        client->tail += (uint32_t) sizeof length + length;
        return true;
}

bool flush_queue(struct client *client) {
        uint32_t length;

        while (client->head < client->tail) {
                memcpy(&length, client->queue + client->head, sizeof length);
                int r = send_frame(client->fd, client->queue + client->head + sizeof length, length);
                if (r <= 0)
                        return r == 0;
                client->head += (uint32_t) sizeof length + length;
        }
        client->head = client->tail = 0;
        return true;
}

void drop_queue(struct client *client) {
        if (client->queue)
                munmap(client->queue, QUEUE_BYTES);
        client->queue = NULL;
        client->head = client->tail = 0;
}
