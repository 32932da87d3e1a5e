// The floor: what holding polls and answering them costs a server that does nothing else.
//
// One thread, one epoll instance. It speaks just enough of Holdfast's protocol for `holdfast bench`:
//
//     GET  /api/poll/CHANNEL?timeout=SECONDS&cursor=CURSOR       one channel; a cursor or `now`
//     POST /api/publish/CHANNEL                                  JSON, with Content-Length as the last field
//
// Its answers are as long as Holdfast's, byte for byte, so that the kernel has the same to do. It checks nothing,
// limits nothing, and keeps 32 messages of a channel; a request that does not come in one piece, or an answer that does
// not go in one, ends the connection. So it is no server to use, but the limit to measure one against:
//
//     cc -O2 -o floor floor.c && ./floor 8080

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { KEPT = 32, INPUT = 1 << 16, OUTPUT = KEPT * 2 * INPUT, NONE = -1 };

// A message is kept as JSON and, behind it, as the whole answer to a poll that waited for it.
struct message { int json, answer; char bytes[]; };
struct channel { struct message **kept; uint64_t last; uint32_t hash; int waiting, length; char name[]; };
// A connection is a row, by its descriptor. One that holds a poll is in the list of its channel's.
struct row { struct channel *channel; int next, previous, due; };

static struct row *rows;
static int rowsInUse, loop;
static struct channel **table;  // by hash; a channel stands in the first free place from there on
static size_t channels, places = 1024;
static char input[INPUT + 1], body[OUTPUT], output[OUTPUT], date[40], *out;

// Text, written where `out` is.
static void bytes(const char *from, size_t length) { memcpy(out, from, length), out += length; }
static void text(const char *words) { bytes(words, strlen(words)); }
static void number(uint64_t value, int digits) {
  char all[20], *first = all + 20;
  while (digits-- > 0 || value) *--first = '0' + value % 10, value /= 10;
  bytes(first, all + 20 - first);
}
static void cursor(uint64_t sequence) { text("3mqb23svzvsap-"), number(sequence, 1), text("-f2386c0c"); }

// Writes an answer with the body that ends where `out` is; gives its length.
static int answer(char *to) {
  size_t length = out - body;
  out = to;
  text("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "), number(length, 1);
  text("\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nDate: "), text(date), text("\r\n\r\n");
  bytes(body, length);
  return out - to;
}

static struct channel **place(const char *name, int length, uint32_t hash) {
  for (size_t at = hash & (places - 1);; at = (at + 1) & (places - 1)) {
    struct channel *there = table[at];
    if (!there || (there->hash == hash && there->length == length && !memcmp(there->name, name, length)))
      return &table[at];
  }
}

static struct channel *find(const char *name, int length) {
  uint32_t hash = 2166136261;
  for (int i = 0; i < length; i++) hash = (hash ^ (unsigned char)name[i]) * 16777619;
  struct channel **found = place(name, length, hash);
  if (*found) return *found;
  if (++channels * 2 > places) {
    struct channel **old = table;
    table = calloc(places *= 2, sizeof *table);
    for (size_t i = 0; i < places / 2; i++)
      if (old[i]) *place(old[i]->name, old[i]->length, old[i]->hash) = old[i];
    free(old);
    found = place(name, length, hash);
  }
  *found = malloc(sizeof **found + length);
  **found = (struct channel){.hash = hash, .waiting = NONE, .length = length};
  memcpy((*found)->name, name, length);
  return *found;
}

static void release(int fd) {
  struct row *row = &rows[fd];
  if (!row->channel) return;
  *(row->previous == NONE ? &row->channel->waiting : &rows[row->previous].next) = row->next;
  if (row->next != NONE) rows[row->next].previous = row->previous;
  row->channel = NULL;
}

static void drop(int fd) { release(fd), close(fd); }
static void give(int fd, const char *from, int length) {
  if (send(fd, from, length, MSG_NOSIGNAL) != length) drop(fd);
}

// Answers one poll with the messages behind `after`, which may be none.
static void tell(int fd, struct channel *channel, uint64_t after) {
  uint64_t last = channel->last, first = after < last ? after + 1 : last + 1;
  if (first == last) return give(fd, channel->kept[last % KEPT]->bytes + channel->kept[last % KEPT]->json,
                                 channel->kept[last % KEPT]->answer);
  if (last + 1 > first + KEPT) first = last + 1 - KEPT;
  out = body, text(first > last ? "{\"status\":\"timeout\",\"messages\":[" : "{\"status\":\"messages\",\"messages\":[");
  for (uint64_t at = first; at <= last; at++) {
    if (at > first) text(",");
    bytes(channel->kept[at % KEPT]->bytes, channel->kept[at % KEPT]->json);
  }
  text("],\"count\":"), number(last + 1 - first, 1), text(",\"cursor\":\""), cursor(last);
  text(first > last ? "\"}" : "\",\"more\":false}");
  give(fd, output, answer(output));
}

static void poll(int fd, struct channel *channel, const char *query, int now) {
  const char *timeout = strstr(query, "timeout="), *position = strstr(query, "cursor=");
  const char *sequence = position ? strchr(position, '-') : NULL;
  uint64_t after = sequence ? strtoull(sequence + 1, NULL, 10) : channel->last;
  int seconds = timeout ? atoi(timeout + 8) : 30;
  if (after < channel->last || !seconds) return tell(fd, channel, after);
  rows[fd] = (struct row){.channel = channel, .next = channel->waiting, .previous = NONE, .due = now + seconds};
  if (channel->waiting != NONE) rows[channel->waiting].previous = fd;
  channel->waiting = fd;
}

static void publish(int fd, struct channel *channel, const char *data, size_t length) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  uint64_t sequence = ++channel->last;
  if (!channel->kept) channel->kept = calloc(KEPT, sizeof *channel->kept);
  struct message **kept = &channel->kept[sequence % KEPT];
  out = body, text("{\"status\":\"messages\",\"messages\":[");
  char *json = out;
  text("{\"id\":\""), cursor(sequence), text("\",\"channel\":\""), bytes(channel->name, channel->length);
  text("\",\"timestamp\":"), number(time.tv_sec, 1), text("."), number(time.tv_nsec / 1000, 6);
  text(",\"data\":"), bytes(data, length), text("}");
  int jsonLength = out - json;
  text("],\"count\":1,\"cursor\":\""), cursor(sequence), text("\",\"more\":false}");
  int answerLength = answer(output), subscribers = 0;
  free(*kept);
  struct message *message = *kept = malloc(sizeof *message + jsonLength + answerLength);
  *message = (struct message){.json = jsonLength, .answer = answerLength};
  memcpy(message->bytes, json, jsonLength);
  memcpy(message->bytes + jsonLength, output, answerLength);

  int waiting = channel->waiting, next;
  channel->waiting = NONE;
  for (; waiting != NONE; waiting = next, subscribers++) {
    next = rows[waiting].next, rows[waiting].channel = NULL;
    give(waiting, message->bytes + jsonLength, answerLength);
  }
  out = body, text("{\"status\":\"published\",\"message_id\":\""), cursor(sequence), text("\",\"channel\":\"");
  bytes(channel->name, channel->length), text("\",\"timestamp\":"), number(time.tv_sec, 1), text(".");
  number(time.tv_nsec / 1000, 6), text(",\"subscribers\":"), number(subscribers, 1), text("}");
  give(fd, output, answer(output));
}

// Reads a request, which is all there is in one recv, and does it; false when the connection is at its end.
static bool serve(int fd, int now) {
  ssize_t length = recv(fd, input, INPUT, 0);
  if (length <= 0) return length < 0 && errno == EAGAIN;
  input[length] = 0;
  release(fd);
  bool isPoll = !strncmp(input, "GET /api/poll/", 14), isPublish = !strncmp(input, "POST /api/publish/", 18);
  char *name = input + (isPoll ? 14 : 18), *end = name + strcspn(name, "? "), *head = strstr(end, "\r\n\r\n");
  if (!(isPoll || isPublish) || !head) return false;
  struct channel *channel = find(name, end - name);
  if (isPoll) {
    *strchr(end + 1, ' ') = 0;
    poll(fd, channel, end, now);
  } else {
    publish(fd, channel, head + 4, input + length - head - 4);
  }
  return true;
}

int main(int count, char **arguments) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files), files.rlim_cur = files.rlim_max, setrlimit(RLIMIT_NOFILE, &files);
  rows = calloc(files.rlim_max < 1 << 20 ? files.rlim_max : 1 << 20, sizeof *rows);
  table = calloc(places, sizeof *table);
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1, second = 0;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);  // accepted sockets inherit it
  struct sockaddr_in here = {AF_INET, htons(count > 1 ? atoi(arguments[1]) : 8080), {htonl(INADDR_LOOPBACK)}, {0}};
  if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 4096)) return perror("floor"), 1;
  loop = epoll_create1(0);
  struct epoll_event events[256], event = {.events = EPOLLIN, .data.fd = listener};
  for (epoll_ctl(loop, EPOLL_CTL_ADD, listener, &event);;) {
    int ready = epoll_wait(loop, events, 256, 1000);
    struct timespec time;
    clock_gettime(CLOCK_REALTIME_COARSE, &time);
    if (second != (int)time.tv_sec) {  // once a second: the date, and those whose time is over
      second = time.tv_sec;
      struct tm parts;
      strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&time.tv_sec, &parts));
      for (int fd = 0; fd < rowsInUse; fd++) {
        struct channel *channel = rows[fd].channel;
        if (channel && rows[fd].due <= second) release(fd), tell(fd, channel, channel->last);
      }
    }
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd != listener) {
        if (!serve(fd, second)) drop(fd);
        continue;
      }
      while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        event.data.fd = fd, rows[fd].channel = NULL;
        if (fd >= rowsInUse) rowsInUse = fd + 1;
        epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
      }
    }
  }
}
