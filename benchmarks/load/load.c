/* Load for the benchmarks: many Socket.IO clients or HTTP connections, in one thread, with epoll.
 *
 *   load rooms      port= people= in_flight=|rate= seconds= [warm_up=] [until=delivered|stored]
 *   load idle       port= people= sockets=
 *   load reconnect  port= people= [resume=1]
 *   load http       port= people= path= seconds= [warm_up=] [at_least=] [body=] [expect=] [cookie=1]
 *
 * `people` is a file with a line for each client: a token, the id of a room, and the number of the
 * last entry that the client knows there. `%s` in `path` stands for the room.
 *
 * Standard output gets a line when a phase begins: `ready`, after which a line on standard input is
 * waited for (but not by `http`), `begin` and `end`; then one object of JSON. It speaks WebSocket, Engine.IO 4 and Socket.IO 5 as far as this takes, and no further: it
 * must cost little, so that what is measured is the server. Whatever is not expected ends it.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
#define BUFFER (1 << 20)
#define MESSAGES (1 << 16) /* remembered at the same time; more are never under way */
#define PATIENCE (120 * SECOND)
#define MARK "@@" /* in a message's text, before its number */

enum state { CLOSED, CONNECTING, UPGRADING, OPENING, JOINING, RESUMING, READY };

struct person {
    char *token;
    char room[25];
    int room_index;
    long known;
};

struct client {
    int fd;
    enum state state;
    struct person *person;
    char *left_over; /* the beginning of what has not wholly arrived */
    size_t left;
    int64_t since;
    /* of an HTTP answer */
    int64_t first_byte;
    long body_left;
    bool in_body, chunked;
};

struct message {
    long number;
    int64_t sent;
    int left; /* deliveries, or acknowledgements, that are still to come */
    struct client *sender;
};

struct histogram {
    long count, buckets[64 * 64];
};

static int epoll, port, people_count, client_count;
static struct person *people;
static struct client *clients;
static struct message messages[MESSAGES];
static char buffer[2 * BUFFER];
static struct sockaddr_in address;

static long next_number = 1, deliveries, stored, failures;
static int ready_count, closed_by_server;
static bool resume, until_stored, is_counting;
static int64_t count_from, count_until;
static struct histogram delivery_times, store_times, request_times, first_byte_times;
static int *members_of;
static char (*room_ids)[25];
static int room_count;
static void (*on_done)(struct message *);
static void (*on_ready)(struct client *);

static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

/* Time */

static int64_t now(void) {
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return moment.tv_sec * SECOND + moment.tv_nsec;
}

static int64_t cpu_time(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * SECOND +
           (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
}

/* 64 buckets for each power of two: within 2 % */
static void record(struct histogram *into, int64_t nanoseconds) {
    uint64_t value = nanoseconds > 1 ? nanoseconds : 1;
    int power = 63 - __builtin_clzll(value);
    int within = power >= 6 ? (value >> (power - 6)) & 63 : (value << (6 - power)) & 63;
    into->buckets[power * 64 + within]++;
    into->count++;
}

static double milliseconds_at(const struct histogram *of, double share) {
    long wanted = of->count * share, seen = 0;
    for (int index = 0; index < 64 * 64; index++) {
        seen += of->buckets[index];
        if (seen > wanted) {
            int power = index / 64;
            double low = (double)(1ULL << power);
            return low * (1 + (index % 64 + 0.5) / 64) / 1e6;
        }
    }
    return 0;
}

static void print_times(const char *name, const struct histogram *of) {
    printf(", \"%s\": {\"count\": %ld, \"p50\": %.4f, \"p99\": %.4f}", name, of->count,
           milliseconds_at(of, 0.5), milliseconds_at(of, 0.99));
}

static void say(const char *phase) {
    printf("%s\n", phase);
    fflush(stdout);
}

/* Options and people */

static const char *option(int count, char **given, const char *name, const char *otherwise) {
    size_t length = strlen(name);
    for (int index = 2; index < count; index++)
        if (!strncmp(given[index], name, length) && given[index][length] == '=')
            return given[index] + length + 1;
    if (!otherwise) die("%s= is missing", name);
    return otherwise;
}

static void read_people(const char *path, int at_most) {
    FILE *file = fopen(path, "r");
    if (!file) die("%s: %s", path, strerror(errno));
    char token[4096], room[64];
    long known;
    int capacity = 0;
    while (people_count < at_most && fscanf(file, "%4095s %63s %ld", token, room, &known) == 3) {
        if (people_count == capacity) {
            capacity = capacity ? capacity * 2 : 1024;
            people = realloc(people, capacity * sizeof *people);
            room_ids = realloc(room_ids, capacity * sizeof *room_ids);
            members_of = realloc(members_of, capacity * sizeof *members_of);
        }
        struct person *person = &people[people_count++];
        person->token = strdup(token);
        person->known = known;
        snprintf(person->room, sizeof person->room, "%.24s", room);
        int index = room_count;
        while (index > 0 && strcmp(room_ids[index - 1], person->room)) index--;
        if (index == 0) {
            strcpy(room_ids[room_count], person->room);
            members_of[room_count] = 0;
            index = ++room_count;
        }
        person->room_index = index - 1;
        members_of[index - 1]++;
    }
    fclose(file);
    if (!people_count) die("%s names nobody", path);
}

/* Connections */

static void watch(struct client *client, int events, int how) {
    struct epoll_event event = {.events = events, .data.ptr = client};
    if (epoll_ctl(epoll, how, client->fd, &event)) die("epoll_ctl: %s", strerror(errno));
}

static void open_connection(struct client *client) {
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (client->fd < 0) die("socket: %s", strerror(errno));
    int yes = 1;
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    client->state = CONNECTING;
    client->since = now();
    client->left = 0;
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    watch(client, EPOLLOUT, EPOLL_CTL_ADD);
}

static void close_connection(struct client *client) {
    if (client->state == READY) ready_count--;
    close(client->fd);
    free(client->left_over);
    client->left_over = NULL;
    client->left = 0;
    client->state = CLOSED;
}

static void send_all(struct client *client, const char *bytes, size_t length) {
    int64_t until = now() + PATIENCE;
    while (length) {
        ssize_t sent = send(client->fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN && now() < until) {
            usleep(1000); /* it is the server that does not read: there is nothing else to do */
            continue;
        }
        if (sent < 0) die("send: %s", strerror(errno));
        bytes += sent;
        length -= sent;
    }
}

/* One masked frame; a mask of zeros leaves the text as it is. */
static void send_frame(struct client *client, int opcode, const char *text, size_t length) {
    static char frame[BUFFER];
    size_t at = 2;
    frame[0] = (char)(0x80 | opcode);
    if (length < 126) {
        frame[1] = (char)(0x80 | length);
    } else {
        frame[1] = (char)(0x80 | 126);
        frame[2] = (char)(length >> 8);
        frame[3] = (char)length;
        at = 4;
    }
    memset(frame + at, 0, 4);
    memcpy(frame + at + 4, text, length);
    send_all(client, frame, at + 4 + length);
}

static void send_text(struct client *client, const char *format, ...) {
    static char text[BUFFER / 2];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length > 65535) die("a packet is too long");
    send_frame(client, 1, text, length);
}

/* Socket.IO */

static void begin_upgrade(struct client *client) {
    char request[512];
    int length = snprintf(request, sizeof request,
                          "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n"
                          "Host: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          "Sec-WebSocket-Version: 13\r\n\r\n",
                          port);
    client->state = UPGRADING;
    watch(client, EPOLLIN, EPOLL_CTL_MOD);
    send_all(client, request, length);
}

static void join(struct client *client) {
    struct person *person = client->person;
    client->state = JOINING;
    if (resume)
        send_text(client, "40{\"token\":\"%s\",\"protocol\":2,\"rooms\":{\"%s\":%ld}}",
                  person->token, person->room, person->known);
    else
        send_text(client, "40{\"token\":\"%s\",\"protocol\":2}", person->token);
}

static void become_ready(struct client *client) {
    client->state = READY;
    ready_count++;
    if (on_ready) on_ready(client);
}

static void send_message(struct client *client, int64_t sent) {
    long number = next_number++;
    struct message *message = &messages[number % MESSAGES];
    if (message->left > 0) die("message %ld has not arrived yet", message->number);
    int expected = until_stored ? 1 : members_of[client->person->room_index];
    *message = (struct message){number, sent, expected, client};
    send_text(client,
              "42%ld[\"chat_message\",{\"room\":\"%s\",\"message\":\"" MARK
              "%ld is a message of an ordinary length, as people write them.\"}]",
              number, client->person->room, number);
}

static void finish(struct message *message) {
    if (--message->left == 0 && on_done) on_done(message);
}

static void take_delivery(const char *text, size_t length) {
    const char *mark = memmem(text, length, MARK, sizeof MARK - 1);
    if (!mark) return; /* an entry that is none of ours */
    long number = strtol(mark + sizeof MARK - 1, NULL, 10);
    struct message *message = &messages[number % MESSAGES];
    if (message->number != number) die("message %ld came and was not expected", number);
    int64_t moment = now();
    if (is_counting && moment >= count_from && moment < count_until) deliveries++;
    if (message->sent >= count_from && message->sent < count_until)
        record(&delivery_times, moment - message->sent);
    if (!until_stored) finish(message);
}

static void take_acknowledgement(const char *text, size_t length) {
    char *end;
    long number = strtol(text, &end, 10);
    struct message *message = &messages[number % MESSAGES];
    if (!memmem(text, length, "\"ok\":true", 9)) {
        failures++;
        die("message %ld was refused: %.*s", number, (int)length, text);
    }
    int64_t moment = now();
    if (is_counting && moment >= count_from && moment < count_until) stored++;
    if (message->sent >= count_from && message->sent < count_until)
        record(&store_times, moment - message->sent);
    if (until_stored) finish(message);
}

static void take_text(struct client *client, char *text, size_t length) {
    static const char room_event[] = "42[\"room_event\"", resumed[] = "42[\"resumed\"";
    if (length && text[0] == '2') {
        send_text(client, "3");
    } else if (length && text[0] == '0') {
        join(client);
    } else if (length > 1 && text[1] == '0') {
        if (resume) client->state = RESUMING;
        else become_ready(client);
    } else if (length > 1 && text[1] == '4') {
        die("a client was refused: %.*s", (int)length, text);
    } else if (length > 1 && text[1] == '3') {
        take_acknowledgement(text + 2, length - 2);
    } else if (length >= sizeof room_event && !memcmp(text, room_event, sizeof room_event - 1)) {
        take_delivery(text, length);
    } else if (client->state == RESUMING && length >= sizeof resumed &&
               !memcmp(text, resumed, sizeof resumed - 1)) {
        if (!memmem(text, length, "\"recovered\":true", 16))
            die("a room was not resumed: %.*s", (int)length, text);
        become_ready(client);
    }
}

static void take_frame(struct client *client, int opcode, char *data, size_t length) {
    switch (opcode) {
        case 1: {
            char after = data[length]; /* terminated for strtol, and put back */
            data[length] = 0;
            take_text(client, data, length);
            data[length] = after;
            break;
        }
        case 8:
            closed_by_server++;
            close_connection(client);
            break;
        case 9:
            send_frame(client, 10, data, length);
            break;
    }
}

/* Takes the frames that are whole; answers how many bytes that were. */
static size_t take_frames(struct client *client, char *bytes, size_t length) {
    size_t at = 0;
    while (client->state != CLOSED && length - at >= 2) {
        const uint8_t *head = (uint8_t *)bytes + at;
        size_t size = head[1] & 127, header = 2;
        if (size == 126) {
            header = 4;
            if (length - at < header) break;
            size = head[2] << 8 | head[3];
        } else if (size == 127) {
            header = 10;
            if (length - at < header) break;
            size = 0;
            for (int index = 2; index < 10; index++) size = size << 8 | head[index];
        }
        if (length - at < header + size) {
            if (header + size > BUFFER) die("a frame of %zu bytes is too long", size);
            break;
        }
        take_frame(client, head[0] & 15, bytes + at + header, size);
        at += header + size;
    }
    return at;
}

static size_t take_upgrade(struct client *client, char *bytes, size_t length) {
    char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end) return 0;
    if (length < 12 || memcmp(bytes + 9, "101", 3)) die("no upgrade: %.*s", (int)length, bytes);
    client->state = OPENING;
    return end + 4 - bytes;
}

/* HTTP */

static const char *http_path, *http_body, *http_expect;
static bool http_cookie;
static long answers, least_answers;
static bool is_over;

static void send_request(struct client *client) {
    static char request[8192], path[256], body[1024];
    struct person *person = client->person;
    snprintf(path, sizeof path, http_path, person->room);
    int body_length = http_body ? snprintf(body, sizeof body, http_body, next_number++) : 0;
    int length = snprintf(
        request, sizeof request,
        "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s\r\n"
        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
        http_body ? "POST" : "GET", path, port,
        http_cookie ? "Accept: text/html\r\nCookie: sessionid=" : "Authorization: Bearer ",
        person->token, body_length, http_body ? body : "");
    client->since = now();
    client->first_byte = 0;
    client->in_body = false;
    send_all(client, request, length);
}

static void finish_answer(struct client *client) {
    int64_t moment = now();
    if (client->since >= count_from && !is_over) {
        answers++;
        record(&request_times, moment - client->since);
        record(&first_byte_times, client->first_byte - client->since);
    }
    if (answers >= least_answers && moment >= count_until) is_over = true;
    if (is_over) close_connection(client);
    else send_request(client);
}

static size_t take_answer(struct client *client, char *bytes, size_t length) {
    if (!client->first_byte) client->first_byte = now();
    if (!client->in_body) {
        char *end = memmem(bytes, length, "\r\n\r\n", 4);
        if (!end) return 0;
        if (length < 12 || memcmp(bytes + 9, http_expect, 3))
            die("an answer was not expected: %.*s", (int)(length < 2000 ? length : 2000), bytes);
        end[2] = 0;
        char *field = strcasestr(bytes, "\r\ncontent-length:");
        client->chunked = !field;
        client->body_left = field ? strtol(field + 17, NULL, 10) : 0;
        client->in_body = true;
        end[2] = '\r';
        size_t head = end + 4 - bytes;
        if (!client->chunked && client->body_left == 0) finish_answer(client);
        return head;
    }
    if (client->chunked) { /* its end is enough */
        if (length < 5 || memcmp(bytes + length - 5, "0\r\n\r\n", 5))
            return length > 5 ? length - 5 : 0;
        finish_answer(client);
        return length;
    }
    size_t taken = length < (size_t)client->body_left ? length : (size_t)client->body_left;
    client->body_left -= taken;
    if (!client->body_left) finish_answer(client);
    return taken;
}

/* The loop */

static void take_bytes(struct client *client, bool is_http) {
    if (client->left) memcpy(buffer, client->left_over, client->left);
    ssize_t count = recv(client->fd, buffer + client->left, BUFFER, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
        closed_by_server++;
        close_connection(client);
        return;
    }
    size_t length = client->left + count, at = 0, taken;
    do {
        if (is_http) taken = take_answer(client, buffer + at, length - at);
        else if (client->state == UPGRADING) taken = take_upgrade(client, buffer + at, length - at);
        else taken = take_frames(client, buffer + at, length - at);
        at += taken;
    } while (taken && at < length && client->state != CLOSED);
    if (client->state == CLOSED) return;
    client->left = length - at;
    if (client->left > BUFFER) die("an answer is too long");
    if (client->left) {
        client->left_over = realloc(client->left_over, client->left);
        memcpy(client->left_over, buffer + at, client->left);
    }
}

static bool is_http;

/* Serves the clients for a while; answers whether a line came on standard input. */
static bool serve(int64_t at_most) {
    static struct epoll_event events[1024];
    struct timespec wait = {at_most / SECOND, at_most % SECOND};
    int count = epoll_pwait2(epoll, events, 1024, &wait, NULL);
    bool told = false;
    for (int index = 0; index < count; index++) {
        struct client *client = events[index].data.ptr;
        if (!client) {
            char line[64];
            if (read(0, line, sizeof line) <= 0) exit(0);
            told = true;
            continue;
        }
        if (client->state == CLOSED) continue;
        if (client->state == CONNECTING) {
            int error = 0;
            socklen_t size = sizeof error;
            getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
            if (error) die("connect: %s", strerror(error));
            if (is_http) {
                client->state = READY;
                ready_count++;
                watch(client, EPOLLIN, EPOLL_CTL_MOD);
                send_request(client);
            } else {
                begin_upgrade(client);
            }
            continue;
        }
        take_bytes(client, is_http);
    }
    return told;
}

static void make_clients(int count) {
    client_count = count;
    clients = calloc(count, sizeof *clients);
    for (int index = 0; index < count; index++)
        clients[index].person = &people[index % people_count];
}

/* Connects all, at most `at_once` on their way at the same time. */
static void connect_all(int at_once) {
    int opened = 0;
    int64_t until = now() + PATIENCE;
    while (ready_count < client_count) {
        while (opened < client_count && opened - ready_count < at_once)
            open_connection(&clients[opened++]);
        serve(SECOND / 10);
        if (closed_by_server) die("%d connections were closed by the server", closed_by_server);
        if (now() > until) die("only %d of %d are connected", ready_count, client_count);
    }
}

/* Says that all is ready, and serves the clients until a line comes on standard input. */
static void wait_for_a_line(void) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event)) die("epoll_ctl: %s", strerror(errno));
    say("ready");
    while (!serve(SECOND)) {
    }
}

static void begin_counting(double seconds) {
    is_counting = true;
    count_from = now();
    count_until = count_from + (int64_t)(seconds * SECOND);
    say("begin");
}

static void print_end(int64_t cpu, int64_t wall) {
    printf("{\"cpu\": %.4f, \"seconds\": %.4f, \"clients\": %d, \"closed\": %d", (double)cpu / wall,
           (double)wall / SECOND, client_count, closed_by_server);
}

/* What to do */

static void send_next(struct message *message) {
    if (!is_counting || now() < count_until) send_message(message->sender, now());
}

static void run_rooms(int in_flight, double rate, double warm_up, double seconds) {
    connect_all(64);
    wait_for_a_line();
    int64_t cpu = 0, start = now(), began = 0, due = start;
    /* between messages; 0: the next one when one has arrived */
    int64_t interval = rate > 0 ? (int64_t)(SECOND / rate) : 0;
    if (!interval) {
        on_done = send_next;
        for (int index = 0; index < in_flight; index++)
            send_message(&clients[(long)index * client_count / in_flight], now());
    }
    count_from = count_until = INT64_MAX;
    long turn = 0;
    while (!is_counting || now() < count_until) {
        if (!is_counting && now() - start >= warm_up * SECOND) {
            begin_counting(seconds);
            began = count_from;
            cpu = cpu_time();
        }
        int64_t wait = SECOND / 100;
        if (interval) {
            while (due <= now()) {
                long room_turn = turn % room_count, member = turn / room_count;
                long member_count = client_count / room_count;
                send_message(&clients[room_turn * member_count + member % member_count], due);
                turn++;
                due += interval;
            }
            wait = due - now() > 0 ? due - now() : 0;
        }
        serve(wait);
        if (closed_by_server) die("%d connections were closed by the server", closed_by_server);
    }
    cpu = cpu_time() - cpu;
    int64_t wall = now() - began;
    say("end");
    on_done = NULL;
    int64_t until = now() + 10 * SECOND;
    long missing = 1;
    while (missing && now() < until) {
        serve(SECOND / 100);
        missing = 0;
        for (int index = 0; index < MESSAGES; index++) missing += messages[index].left;
    }
    print_end(cpu, wall);
    printf(", \"deliveries\": %ld, \"stored\": %ld, \"missing\": %ld", deliveries, stored, missing);
    print_times("delivery_ms", &delivery_times);
    print_times("store_ms", &store_times);
    printf("}\n");
}

static void run_idle(void) {
    connect_all(64);
    wait_for_a_line();
    print_end(0, 1);
    printf(", \"connected\": %d}\n", ready_count);
}

static struct histogram served;
static int64_t last_served;

static void note_served(struct client *client) {
    last_served = now();
    record(&served, last_served - client->since);
}

static void run_reconnect(bool resumes) {
    connect_all(64);
    for (int index = 0; index < client_count; index++) close_connection(&clients[index]);
    wait_for_a_line();
    resume = resumes;
    on_ready = note_served;
    say("begin");
    int64_t start = now(), cpu = cpu_time();
    connect_all(client_count);
    cpu = cpu_time() - cpu;
    say("end");
    print_end(cpu, last_served - start);
    print_times("served_ms", &served);
    printf("}\n");
}

static void run_http(double warm_up, double seconds) {
    for (int index = 0; index < client_count; index++) open_connection(&clients[index]);
    count_from = count_until = INT64_MAX;
    int64_t start = now(), cpu = 0;
    while (!is_over) {
        if (!is_counting && now() - start >= warm_up * SECOND) {
            begin_counting(seconds);
            cpu = cpu_time();
        }
        serve(SECOND / 100);
        if (closed_by_server) die("%d connections were closed by the server", closed_by_server);
    }
    cpu = cpu_time() - cpu;
    say("end");
    print_end(cpu, now() - count_from);
    printf(", \"answers\": %ld", answers);
    print_times("answer_ms", &request_times);
    print_times("first_byte_ms", &first_byte_times);
    printf("}\n");
}

int main(int count, char **given) {
    if (count < 2) die("what is to be done?");
    const char *what = given[1];
    port = atoi(option(count, given, "port", NULL));
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    double seconds = atof(option(count, given, "seconds", "5"));
    double warm_up = atof(option(count, given, "warm_up", "1"));
    int sockets = atoi(option(count, given, "sockets", "0"));
    read_people(option(count, given, "people", NULL), sockets ? sockets : 1 << 20);
    make_clients(sockets ? sockets : people_count);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll = epoll_create1(0);
    if (!strcmp(what, "rooms")) {
        until_stored = !strcmp(option(count, given, "until", "delivered"), "stored");
        run_rooms(atoi(option(count, given, "in_flight", "8")),
                  atof(option(count, given, "rate", "0")), warm_up, seconds);
    } else if (!strcmp(what, "idle")) {
        run_idle();
    } else if (!strcmp(what, "reconnect")) {
        run_reconnect(!strcmp(option(count, given, "resume", "0"), "1"));
    } else if (!strcmp(what, "http")) {
        is_http = true;
        http_path = option(count, given, "path", NULL);
        http_expect = option(count, given, "expect", "200");
        http_cookie = !strcmp(option(count, given, "cookie", "0"), "1");
        least_answers = atol(option(count, given, "at_least", "1"));
        http_body = option(count, given, "body", "");
        if (!*http_body) http_body = NULL;
        run_http(warm_up, seconds);
    } else {
        die("%s is not known", what);
    }
    return 0;
}
